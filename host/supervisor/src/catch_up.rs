//! Catching up with environments: what each has said and was told is read from Redis, and it is told
//! what is missing.
//!
//! It goes beside the listening, so that what workers say meanwhile is heard at once, even when 200 of
//! them join together. At most [`AT_ONCE`] environments are read at a time, and none twice at a time: a
//! request for one that waits is the one that waits; one that is under way is followed by another, since
//! it may have read too early.
//!
//! So what was read may be older than what is known by the time that it is looked at. The link numbers
//! reports and gives none older than what it had heard by the time of the reading, and whatever is newer
//! in Redis is in the stream of events too, or is read again in its place there. So of an app that was
//! heard of since the reading was asked for, the reading says nothing ([`Remotes::hear_kept`]). And what
//! was told since then may not have been read ([`Remotes::check_told`]).
//!
//! How it fails: what cannot be read is read again, after [`AGAIN`] or when Redis is back.
//!
//! [`Remotes::hear_kept`]: crate::remote::Remotes::hear_kept
//! [`Remotes::check_told`]: crate::remote::Remotes::check_told

use crate::supervisor::Supervisor;
use lodge_model::{AppId, EnvironmentName, LinkError, Report, Revision};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

/// Environments that are read at a time.
const AT_ONCE: usize = 8;
/// Apps looked at before others get a turn.
const PART: usize = 64;
/// Delay before what could not be read is read again.
const AGAIN: Duration = Duration::from_secs(2);

/// Which environments are to be caught up with.
pub(crate) struct CatchUps {
    places: Semaphore,
    /// Each has a task. True: it has to read, or to read again.
    wanted: Mutex<HashMap<EnvironmentName, bool>>,
}

impl Default for CatchUps {
    fn default() -> Self {
        Self {
            places: Semaphore::new(AT_ONCE),
            wanted: Mutex::default(),
        }
    }
}

impl CatchUps {
    /// True: it needs a task.
    fn ask(&self, name: &EnvironmentName) -> bool {
        self.wanted.lock().insert(name.clone(), true).is_none()
    }

    fn begin(&self, name: &EnvironmentName) {
        self.wanted.lock().insert(name.clone(), false);
    }

    /// True: nobody asked meanwhile, and its task ends.
    fn end(&self, name: &EnvironmentName) -> bool {
        let mut wanted = self.wanted.lock();
        let again = wanted.get(name).copied().unwrap_or_default();
        if !again {
            wanted.remove(name);
        }
        !again
    }
}

impl Supervisor {
    /// Has an environment told what it is missing, soon.
    pub(crate) fn catch_up_with(self: &Arc<Self>, name: &EnvironmentName) {
        if self.cluster.is_none() || !self.catch_ups.ask(name) {
            return;
        }
        let (this, name) = (Arc::clone(self), name.clone());
        self.tasks.spawn(async move {
            let stop = this.stop.clone();
            stop.run_until_cancelled(this.keep_catching_up(&name)).await;
        });
    }

    async fn keep_catching_up(self: &Arc<Self>, name: &EnvironmentName) {
        loop {
            let place = self.catch_ups.places.acquire().await;
            self.catch_ups.begin(name);
            let read = self.catch_up(name).await;
            drop(place);
            if let Err(error) = read {
                tracing::warn!(environment = %name, %error, "cannot read what Redis has of an environment");
                // Otherwise it is asked for when Redis is back.
                if self.link_problem().is_none() {
                    tokio::time::sleep(AGAIN).await;
                    self.catch_ups.ask(name);
                }
            }
            if self.catch_ups.end(name) {
                return;
            }
        }
    }

    async fn catch_up(self: &Arc<Self>, name: &EnvironmentName) -> Result<(), LinkError> {
        let Some(cluster) = &self.cluster else {
            return Ok(());
        };
        let asked = Instant::now();
        let reports = cluster.link.reports(name).await?;
        self.take_kept(reports, asked).await;
        let asked = Instant::now();
        let published = cluster.link.published(name).await?;
        self.compare(name, published, asked).await;
        self.look_at_apps_of(name);
        self.tell_environment(name);
        Ok(())
    }

    async fn take_kept(self: &Arc<Self>, reports: Vec<Report>, asked: Instant) {
        for (at, report) in reports.into_iter().enumerate() {
            self.hear_report(report, Some(asked));
            rest(at).await;
        }
    }

    /// Tells what is missing of what was told, and has what should not be there leave.
    async fn compare(
        self: &Arc<Self>,
        name: &EnvironmentName,
        published: HashMap<AppId, Revision>,
        asked: Instant,
    ) {
        for (at, cell) in self.cells_in(name).into_iter().enumerate() {
            {
                let mut state = cell.lock();
                let has = published.get(&cell.id);
                state.remotes.check_told(name, has, asked);
                self.refresh(&cell, &mut state);
            }
            rest(at).await;
        }
        for (at, (app, revision)) in published.into_iter().enumerate() {
            let cell = self.index.get(&app);
            let placed = cell.is_some_and(|cell| cell.lock().remotes.is_at(name));
            if !placed {
                self.evict(&app, name, revision);
            }
            rest(at).await;
        }
    }
}

/// Lets others go on now and then.
async fn rest(done: usize) {
    if done % PART == PART - 1 {
        tokio::task::yield_now().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_merged_while_one_waits_and_follow_one_under_way() {
        let catch_ups = CatchUps::default();
        let name: EnvironmentName = "a".parse().unwrap();
        assert!(catch_ups.ask(&name));
        assert!(!catch_ups.ask(&name), "one task does");
        catch_ups.begin(&name);
        assert!(!catch_ups.ask(&name));
        assert!(!catch_ups.ask(&name));
        assert!(!catch_ups.end(&name), "asked for after it had begun");
        catch_ups.begin(&name);
        assert!(catch_ups.end(&name));
        assert!(catch_ups.ask(&name), "nobody is at it any more");
    }
}
