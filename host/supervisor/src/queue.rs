//! Which apps need looking at: a queue in which every app is at most once, and is looked at by one
//! worker at a time.
//!
//! An app that is added while a worker has it is queued again when that worker is done, so that no
//! change is missed. There are two lanes: what somebody waits for passes what nobody waits for
//! (1,000 apps that start with the host), and each lane has its own bound. Adding never waits and
//! never fails; the queue is bounded by the number of apps.

use lodge_model::AppId;
use parking_lot::Mutex;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// Who waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Lane {
    /// Nobody: starts with the host, retries.
    Background,
    /// A visitor or an administrator.
    Urgent,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Queued(Lane),
    Working { lane: Lane, again: Option<Lane> },
}

/// The queue.
pub(crate) struct Queue {
    state: Mutex<State>,
    wake: Notify,
}

#[derive(Default)]
struct Track {
    /// In the order of arrival. An entry whose app has moved to the other lane is skipped.
    waiting: VecDeque<AppId>,
    working: usize,
    bound: usize,
}

struct State {
    places: HashMap<AppId, Place>,
    urgent: Track,
    background: Track,
    later: BTreeSet<(Instant, AppId)>,
    closed: bool,
}

impl State {
    fn track(&mut self, lane: Lane) -> &mut Track {
        match lane {
            Lane::Urgent => &mut self.urgent,
            Lane::Background => &mut self.background,
        }
    }

    fn add(&mut self, app: AppId, lane: Lane) {
        let place = match self.places.get(&app).copied() {
            Some(Place::Queued(queued)) if queued >= lane => return,
            Some(Place::Working {
                lane: working,
                again,
            }) => Place::Working {
                lane: working,
                again: again.max(Some(lane)),
            },
            Some(Place::Queued(_)) | None => {
                self.track(lane).waiting.push_back(app.clone());
                Place::Queued(lane)
            }
        };
        self.places.insert(app, place);
    }

    /// Moves what is due from `later` into the background lane; gives when the next is due.
    fn ripen(&mut self, now: Instant) -> Option<Instant> {
        while let Some((due, _)) = self.later.first() {
            if *due > now {
                return Some(*due);
            }
            if let Some((_, app)) = self.later.pop_first() {
                self.add(app, Lane::Background);
            }
        }
        None
    }

    fn take(&mut self, lane: Lane) -> Option<AppId> {
        loop {
            let track = self.track(lane);
            if track.working >= track.bound {
                return None;
            }
            let app = track.waiting.pop_front()?;
            if self.places.get(&app) == Some(&Place::Queued(lane)) {
                self.track(lane).working += 1;
                self.places
                    .insert(app.clone(), Place::Working { lane, again: None });
                return Some(app);
            }
        }
    }
}

impl Queue {
    /// An empty queue whose lanes have so many workers each.
    pub(crate) fn new(urgent: usize, background: usize) -> Arc<Self> {
        let track = |bound| Track {
            bound,
            ..Track::default()
        };
        Arc::new(Self {
            state: Mutex::new(State {
                places: HashMap::new(),
                urgent: track(urgent),
                background: track(background),
                later: BTreeSet::new(),
                closed: false,
            }),
            wake: Notify::new(),
        })
    }

    /// Has the app looked at as soon as its lane allows.
    pub(crate) fn add(&self, app: &AppId, lane: Lane) {
        self.state.lock().add(app.clone(), lane);
        self.wake.notify_one();
    }

    /// Has the app looked at after `delay`, too.
    pub(crate) fn add_later(&self, app: &AppId, delay: Duration) {
        self.state
            .lock()
            .later
            .insert((Instant::now() + delay, app.clone()));
        self.wake.notify_one();
    }

    /// The next app, marked as being worked on until the [`Turn`] drops. None: closed.
    /// For one caller at a time.
    pub(crate) async fn next(self: &Arc<Self>) -> Option<Turn> {
        loop {
            let due = {
                let mut state = self.state.lock();
                if state.closed {
                    return None;
                }
                let due = state.ripen(Instant::now());
                let app = state
                    .take(Lane::Urgent)
                    .or_else(|| state.take(Lane::Background));
                if let Some(app) = app {
                    return Some(Turn {
                        queue: Arc::clone(self),
                        app,
                    });
                }
                due
            };
            match due {
                Some(due) => {
                    let _ = tokio::time::timeout_at(due, self.wake.notified()).await;
                }
                None => self.wake.notified().await,
            }
        }
    }

    /// Gives out nothing more.
    pub(crate) fn close(&self) {
        self.state.lock().closed = true;
        self.wake.notify_one();
    }

    fn done(&self, app: &AppId) {
        let mut state = self.state.lock();
        if let Some(Place::Working { lane, again }) = state.places.remove(app) {
            let track = state.track(lane);
            track.working = track.working.saturating_sub(1);
            if let Some(lane) = again {
                state.add(app.clone(), lane);
            }
        }
        drop(state);
        self.wake.notify_one();
    }
}

/// One worker's hold on one app; dropped, the next may have it.
pub(crate) struct Turn {
    queue: Arc<Queue>,
    app: AppId,
}

impl Turn {
    /// Whose turn it is.
    pub(crate) fn app(&self) -> &AppId {
        &self.app
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if std::thread::panicking() {
            tracing::error!(app = %self.app, "a bug ended the work on an app; trying again in 1 s");
            self.queue.add_later(&self.app, Duration::from_secs(1));
        }
        self.queue.done(&self.app);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app(name: &str) -> AppId {
        name.parse().unwrap()
    }

    async fn next(queue: &Arc<Queue>) -> Option<Turn> {
        tokio::time::timeout(Duration::from_millis(20), queue.next())
            .await
            .ok()
            .flatten()
    }

    #[tokio::test]
    async fn one_worker_an_app_and_no_change_is_missed() {
        let queue = Queue::new(8, 8);
        queue.add(&app("a"), Lane::Urgent);
        queue.add(&app("a"), Lane::Urgent);
        let turn = next(&queue).await.unwrap();
        queue.add(&app("a"), Lane::Urgent);
        assert!(next(&queue).await.is_none(), "a second worker got it");
        drop(turn);
        assert_eq!(next(&queue).await.unwrap().app(), &app("a"));
        assert!(next(&queue).await.is_none());
    }

    #[tokio::test]
    async fn whoever_waits_passes_and_each_lane_has_its_bound() {
        let queue = Queue::new(1, 1);
        for name in ["a", "b", "c"] {
            queue.add(&app(name), Lane::Background);
        }
        queue.add(&app("c"), Lane::Urgent);
        let urgent = next(&queue).await.unwrap();
        assert_eq!(urgent.app(), &app("c"));
        let background = next(&queue).await.unwrap();
        assert_eq!(background.app(), &app("a"));
        queue.add(&app("d"), Lane::Urgent);
        assert!(next(&queue).await.is_none(), "past the bounds");
        drop(urgent);
        assert_eq!(next(&queue).await.unwrap().app(), &app("d"));
        drop(background);
        assert_eq!(next(&queue).await.unwrap().app(), &app("b"));
    }

    #[tokio::test]
    async fn later_is_later_and_closed_is_closed() {
        let queue = Queue::new(1, 1);
        queue.add_later(&app("a"), Duration::from_millis(60));
        assert!(next(&queue).await.is_none());
        tokio::time::sleep(Duration::from_millis(60)).await;
        assert!(next(&queue).await.is_some());
        queue.add(&app("b"), Lane::Urgent);
        queue.close();
        assert!(next(&queue).await.is_none());
    }
}
