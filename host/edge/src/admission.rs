//! A turn for each request, within its app's concurrency.
//!
//! The usual way is one compare-and-swap. When every turn is taken, requests wait in the order they
//! came, in a queue of bounded length and for a bounded time: only then is there a timer. A turn
//! that is given back goes to the first in the queue; nobody overtakes. A turn is held until the
//! response's body has ended or was dropped.
//!
//! A queue absorbs a burst. One that has not been empty for as long as a request may wait in it does
//! not: more comes than is served, and all that waiting adds is time. Then who finds no turn is told
//! within milliseconds ([`PATIENCE_IN_OVERLOAD`]), until turns are free again ([`CALM`]). (The idea is that of controlled delay, as in CoDel, RFC 8289.)

use crate::resolve::{Entry, State};
use lodge_model::FailureKind;
use std::sync::Arc;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

/// How long a request waits for its turn when the app is overloaded.
const PATIENCE_IN_OVERLOAD: Duration = Duration::from_millis(5);
/// An overload is over when somebody finds a turn free and nobody has had to wait for this long.
const CALM: Duration = Duration::from_millis(100);

/// One app's turns.
pub(crate) struct Admission {
    turns: Semaphore,
    /// How many turns there are, those under way included.
    size: AtomicUsize,
    /// Turns under way that vanish when they end, since the limit was lowered meanwhile.
    owed: AtomicUsize,
    crowd: Crowd,
}

/// Since when requests find no turn free.
#[derive(Default)]
struct Crowd {
    /// When it began, in milliseconds of [`now`]; 0: there is none.
    since: AtomicU64,
    /// When somebody last found none, in milliseconds.
    last: AtomicU64,
}

impl Crowd {
    /// Somebody finds no turn free: for how long that has been so.
    fn met(&self, now: u64) -> Duration {
        self.last.store(now, Relaxed);
        let since = match self.since.compare_exchange(0, now, Relaxed, Relaxed) {
            Ok(_) => now,
            Err(since) => since,
        };
        Duration::from_millis(now.saturating_sub(since))
    }

    /// Somebody finds a turn free. A burst is over with that; an overload, of which most are told at once and do not
    /// wait, only if nobody met it just now.
    fn missed(&self, longest: Duration) {
        // Nearly always there is no crowd, and no clock is read.
        if self.since.load(Relaxed) != 0 {
            self.calm(now(), longest);
        }
    }

    fn calm(&self, now: u64, longest: Duration) {
        let after =
            |time: &AtomicU64| Duration::from_millis(now.saturating_sub(time.load(Relaxed)));
        if after(&self.since) <= longest || after(&self.last) >= CALM {
            self.since.store(0, Relaxed);
        }
    }
}

/// Milliseconds since some time before now; never 0.
fn now() -> u64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    u64::try_from(START.elapsed().as_millis()).map_or(u64::MAX, |millis| millis.saturating_add(1))
}

impl Admission {
    pub(crate) fn new(concurrency: u32) -> Self {
        let size = concurrency as usize;
        Self {
            turns: Semaphore::new(size),
            size: AtomicUsize::new(size),
            owed: AtomicUsize::new(0),
            crowd: Crowd::default(),
        }
    }

    /// Changes the number of turns. Those under way keep theirs. Callers take turns.
    pub(crate) fn resize(&self, concurrency: u32) {
        let size = concurrency as usize;
        let before = self.size.swap(size, Relaxed);
        if size < before {
            let gone = self.turns.forget_permits(before - size);
            self.owed.fetch_add(before - size - gone, Relaxed);
        } else {
            let more = size - before;
            let forgiven = (0..more).take_while(|_| self.forgive_one()).count();
            self.turns.add_permits(more - forgiven);
        }
    }

    fn forgive_one(&self) -> bool {
        // An error means that nothing is owed, which is the usual case.
        self.owed
            .fetch_update(Relaxed, Relaxed, |owed| owed.checked_sub(1))
            .is_ok()
    }

    fn leave(&self) {
        if self.owed.load(Relaxed) == 0 || !self.forgive_one() {
            self.turns.add_permits(1);
        }
    }
}

/// A turn, given back when dropped.
pub(crate) struct Turn {
    entry: Arc<Entry>,
    state: Arc<State>,
    answering: bool,
}

impl Turn {
    /// Takes a turn if one is free and nobody waits for it.
    pub(crate) fn take(entry: &Arc<Entry>, state: &Arc<State>) -> Option<Self> {
        let permit = entry.admission.turns.try_acquire().ok()?;
        permit.forget();
        let longest = Duration::from_millis(state.limits.queue_timeout_ms);
        entry.admission.crowd.missed(longest);
        Some(Self::taken(entry, state))
    }

    /// Waits for a turn in the app's queue.
    ///
    /// # Errors
    /// The queue is full, the turn did not come in time, or the app is overloaded.
    pub(crate) async fn wait(entry: &Arc<Entry>, state: &Arc<State>) -> Result<Self, FailureKind> {
        let limits = &state.limits;
        let _place = Place::take(&state.meter.queued, limits.queue)?;
        let longest = Duration::from_millis(limits.queue_timeout_ms);
        let (patience, late) = if entry.admission.crowd.met(now()) > longest {
            (PATIENCE_IN_OVERLOAD.min(longest), FailureKind::Overloaded)
        } else {
            (longest, FailureKind::QueueTimeout)
        };
        match tokio::time::timeout(patience, entry.admission.turns.acquire()).await {
            Ok(Ok(permit)) => {
                permit.forget();
                Ok(Self::taken(entry, state))
            }
            // The semaphore is never closed.
            Ok(Err(_)) => Err(FailureKind::Internal),
            Err(_) => Err(late),
        }
    }

    fn taken(entry: &Arc<Entry>, state: &Arc<State>) -> Self {
        state.meter.in_flight.fetch_add(1, Relaxed);
        Self {
            entry: entry.clone(),
            state: state.clone(),
            answering: false,
        }
    }

    /// The answer has begun, and goes on until the turn ends.
    pub(crate) fn begin_answer(&mut self) {
        if !std::mem::replace(&mut self.answering, true) {
            self.state.meter.answering.fetch_add(1, Relaxed);
        }
    }

    /// Whose turn it is.
    pub(crate) fn entry(&self) -> &Entry {
        &self.entry
    }

    /// The app as it was when the turn began.
    pub(crate) fn state(&self) -> &State {
        &self.state
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.state.meter.in_flight.fetch_sub(1, Relaxed);
        if self.answering {
            self.state.meter.answering.fetch_sub(1, Relaxed);
        }
        self.entry.admission.leave();
    }
}

/// A place in an app's queue, given back when dropped.
pub(crate) struct Place<'a>(&'a AtomicI64);

impl<'a> Place<'a> {
    /// Takes one of `places`.
    ///
    /// # Errors
    /// All are taken.
    pub(crate) fn take(queued: &'a AtomicI64, places: u32) -> Result<Self, FailureKind> {
        let place = Self(queued);
        if queued.fetch_add(1, Relaxed) >= i64::from(places) {
            return Err(FailureKind::QueueFull);
        }
        Ok(place)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lowered_limits_take_force_as_turns_end() {
        let admission = Admission::new(3);
        for _ in 0..3 {
            admission.turns.try_acquire().unwrap().forget();
        }
        admission.resize(1);
        admission.leave();
        admission.leave();
        assert_eq!(admission.turns.available_permits(), 0);
        admission.leave();
        assert_eq!(admission.turns.available_permits(), 1);
    }

    #[test]
    fn raised_limits_first_forgive_what_is_owed() {
        let admission = Admission::new(4);
        for _ in 0..4 {
            admission.turns.try_acquire().unwrap().forget();
        }
        admission.resize(1);
        admission.resize(3);
        assert_eq!(
            (
                admission.turns.available_permits(),
                admission.owed.load(Relaxed)
            ),
            (0, 1)
        );
        (0..4).for_each(|_| admission.leave());
        assert_eq!(admission.turns.available_permits(), 3);
        admission.resize(5);
        assert_eq!(admission.turns.available_permits(), 5);
    }

    #[test]
    fn a_burst_ends_with_a_free_turn_and_an_overload_when_nobody_meets_it() {
        let (crowd, longest) = (Crowd::default(), Duration::from_secs(5));
        let ms = Duration::from_millis;
        assert_eq!(crowd.met(1_000), ms(0));
        assert_eq!(crowd.met(1_900), ms(900));
        crowd.calm(1_901, longest);
        assert_eq!(crowd.met(2_000), ms(0), "it was a burst");
        assert_eq!(crowd.met(7_001), ms(5_001));
        crowd.calm(7_100, longest);
        assert_eq!(crowd.met(7_101), ms(5_101), "it lasts");
        crowd.calm(7_201, longest);
        assert_eq!(crowd.met(7_300), ms(0), "nobody met it for a while");
    }

    #[test]
    fn a_queue_has_so_many_places() {
        let queued = AtomicI64::new(0);
        let first = Place::take(&queued, 1).ok().unwrap();
        assert_eq!(Place::take(&queued, 1).err(), Some(FailureKind::QueueFull));
        drop(first);
        assert!(Place::take(&queued, 1).is_ok());
        assert_eq!(queued.load(Relaxed), 0);
    }
}
