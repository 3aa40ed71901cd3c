//! The CPU gate: who may run a guest now.
//!
//! Guests are polled on the same threads that serve connections. Left alone, an app with many busy
//! requests would fill every run queue, and its neighbours' requests would stand behind all of
//! them. So each poll of a guest needs a turn, and turns go to apps, not to requests:
//!
//! - At most `capacity` guests run at once, one less than there are threads: one thread is always
//!   free to accept, read and write, and no app can hold them all.
//! - While turns are free, whoever asks gets one at once (work-conserving: an app that is alone
//!   has all of them).
//! - When they are not, requests wait in their app's lane, and a freed turn goes to the waiting
//!   lane that has had the least CPU for its weight (virtual time, as in CFS and WFQ). A lane that
//!   was idle starts at the present virtual time: it goes first, but saves nothing up. A guest that
//!   an epoch interrupts queues again as it gives its turn back: its lane was not idle.
//! - A lane whose turns have been brief of late, as an average, may have one more than `capacity`, on the thread that is
//!   kept free, if it would be the next anyway: it need not wait until another's long turn ends.
//! - A lane with a hard cap also needs tokens: a bucket of 100 ms of its cores, refilled by time; an empty one opens
//!   again when it holds 25 ms of them. CPU is charged after the fact, so a lane may overdraw by one poll and then
//!   waits longer.
//!
//! Threads of their own that work for an app (SQLite's) borrow its turns: one for each millisecond of CPU. A borrowed turn
//! that is not brought back within some epochs is taken back: its thread waits for something, or has lost its core. It
//! holds no thread that polls guests, so that brief lanes do not count it.
//!
//! A turn lasts one poll, and an epoch (1 ms) bounds a poll. Who has the turn of an interrupted guest next is decided
//! when its thread has looked at what arrived meanwhile and has its core again: a turn given away before would wait with
//! that thread, and one that a thread of another core took would leave this core without work. The epoch's end gives away
//! what nobody did. One mutex guards it all: a turn costs two short critical sections, and nobody is woken within one.

mod bucket;
mod state;

use parking_lot::{Mutex, MutexGuard};
use state::State;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Wake, Waker};
use std::thread::Thread;
use std::time::{Duration, Instant};

/// Between two looks whether the work that waits for a turn is still wanted.
const LOOK: Duration = Duration::from_millis(50);

/// A thread that sleeps until its turn comes.
struct Sleeper(Thread);

impl Wake for Sleeper {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Hands out turns to lanes.
pub(crate) struct Gate {
    state: Mutex<State>,
}

/// A place in a lane's queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ticket {
    number: u64,
    /// How long the lane's bucket had been empty when the wait began.
    empty_before: Duration,
}

/// One app's lane through the gate.
pub(crate) struct Lane {
    gate: Arc<Gate>,
    index: usize,
    /// Waiting that was due to the cap and that nobody has taken note of yet, in nanoseconds.
    capped: AtomicU64,
}

impl Gate {
    /// A gate through which `capacity` guests may run at once.
    pub(crate) fn new(capacity: usize) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State::new(capacity.max(1))),
        })
    }

    /// A lane with `weight` (100 is the norm), capped at `cores` if given.
    pub(crate) fn lane(self: &Arc<Self>, weight: u32, cores: Option<f64>) -> Lane {
        let index = self.state.lock().open(weight, cores);
        Lane {
            gate: self.clone(),
            index,
            capped: AtomicU64::new(0),
        }
    }

    /// For how long the epoch's thread (the caller) may rest, at most `longest`, until it is unparked: no guest runs, and
    /// none has tokens again. Whoever takes the next turn wakes it.
    pub(crate) fn may_rest(&self, longest: Duration) -> Option<Duration> {
        self.state.lock().may_rest(longest)
    }

    /// Lets capped lanes run whose buckets have filled, and gives free turns away: true, there were some. Called every
    /// epoch.
    pub(crate) fn refill(&self) -> bool {
        let mut state = self.state.lock();
        state.refill();
        let has_given = hand_out(&mut state, None);
        unlock(state);
        has_given
    }
}

/// Gives free turns away: true, there were some. Whoever has ticket `own` looks for itself.
fn hand_out(state: &mut MutexGuard<'_, State>, own: Option<u64>) -> bool {
    let mut has_given = false;
    while let Some((number, waker)) = state.hand_out() {
        has_given = true;
        if Some(number) != own {
            // A thread that is woken may take this one's core at once, and would wait for the lock.
            MutexGuard::unlocked(state, || waker.wake());
        }
    }
    has_given
}

fn unlock(mut state: MutexGuard<'_, State>) {
    let clock = state.clock_to_wake();
    drop(state);
    if let Some(clock) = clock {
        clock.unpark();
    }
}

impl Lane {
    /// Takes a turn, or a place in the lane's queue (`ticket`) whose turn `waker` will announce.
    /// True: the caller has a turn and must [`end_turn`](Self::end_turn).
    pub(crate) fn try_turn(&self, ticket: &mut Option<Ticket>, waker: &Waker) -> bool {
        let mut state = self.gate.state.lock();
        match *ticket {
            Some(ticket) => state.decide(ticket.number),
            None => {
                state.catch_up(self.index);
                if state.is_free(self.index) {
                    state.begin(self.index);
                    unlock(state);
                    return true;
                }
            }
        }
        let known = |waiting: &Ticket| {
            let number = waiting.number;
            state.has_granted(number) || state.rewake(self.index, number, waker)
        };
        // One that had a turn and did not take it queues again.
        let waiting = ticket.filter(known);
        let waiting = waiting.unwrap_or_else(|| state.queue(self.index, waker));
        hand_out(&mut state, Some(waiting.number));
        let is_granted = state.take_granted(waiting.number);
        if is_granted && let Some(bucket) = state.bucket(self.index) {
            let capped = bucket.empty.saturating_sub(waiting.empty_before);
            self.capped.fetch_add(nanos(capped), Ordering::Relaxed);
        }
        unlock(state);
        *ticket = (!is_granted).then_some(waiting);
        is_granted
    }

    /// How long guests waited since this was last asked because the lane had used up its cap, each
    /// guest's wait for itself.
    pub(crate) fn take_capped(&self) -> Duration {
        // Only a capped lane ever has any: others pay for one load.
        if self.capped.load(Ordering::Relaxed) == 0 {
            return Duration::ZERO;
        }
        Duration::from_nanos(self.capped.swap(0, Ordering::Relaxed))
    }

    /// Gives the turn back and charges what it used.
    pub(crate) fn end_turn(&self, cpu: Duration) {
        let mut state = self.gate.state.lock();
        state.give_back(self.index);
        state.note_turn(self.index, cpu);
        state.charge(self.index, cpu);
        hand_out(&mut state, None);
        unlock(state);
    }

    /// As [`end_turn`](Self::end_turn), of a guest in the middle of its work: takes a place in the
    /// lane's queue. Who gets the turn is decided when this guest asks for its next, or at the epoch's end.
    pub(crate) fn end_turn_and_queue(&self, cpu: Duration, waker: &Waker) -> Ticket {
        let mut state = self.gate.state.lock();
        state.note_turn(self.index, cpu);
        state.charge(self.index, cpu);
        let ticket = state.queue(self.index, waker);
        state.hold(self.index, ticket.number);
        unlock(state);
        ticket
    }

    /// Brings the turn `last` back and waits for another, on a thread of its own, until `is_wanted` says no. Gives how long
    /// it waited for others, too. The turn is to be brought back with [`bring_back`](Self::bring_back).
    pub(crate) fn borrow_next(
        &self,
        last: Option<u64>,
        is_wanted: &dyn Fn() -> bool,
    ) -> (Option<u64>, Duration) {
        let waker = Waker::from(Arc::new(Sleeper(std::thread::current())));
        let mut state = self.gate.state.lock();
        state.catch_up(self.index);
        let queued = state.queue(self.index, &waker);
        if let Some(last) = last {
            state.hold_borrowed(last, queued.number);
        }
        let mut ticket = Some(queued);
        unlock(state);
        // As guests do: whoever reads sockets is not to wait until the kernel thinks of it.
        std::thread::yield_now();
        let mut since: Option<Instant> = None;
        let turn = loop {
            if self.try_turn(&mut ticket, &waker) {
                break Some(self.gate.state.lock().lend(self.index));
            }
            since.get_or_insert_with(Instant::now);
            if !is_wanted() {
                ticket.into_iter().for_each(|ticket| self.leave(ticket));
                break None;
            }
            std::thread::park_timeout(LOOK);
        };
        (turn, since.map_or(Duration::ZERO, |since| since.elapsed()))
    }

    /// Brings a borrowed turn back, if it was not taken back before.
    pub(crate) fn bring_back(&self, turn: u64) {
        let mut state = self.gate.state.lock();
        state.take_back(turn);
        hand_out(&mut state, None);
        unlock(state);
    }

    /// Charges CPU that was used outside a turn (dropping a cancelled guest).
    pub(crate) fn charge(&self, cpu: Duration) {
        self.gate.state.lock().charge(self.index, cpu);
    }

    /// Leaves the queue; a turn that was already granted goes to the next.
    pub(crate) fn leave(&self, ticket: Ticket) {
        let mut state = self.gate.state.lock();
        state.decide(ticket.number);
        if state.take_granted(ticket.number) {
            state.give_back(self.index);
        } else {
            state.forget(self.index, ticket.number);
        }
        hand_out(&mut state, None);
        unlock(state);
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        self.gate.state.lock().close(self.index);
    }
}

/// Nanoseconds, as many as can be counted.
pub(crate) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
#[path = "gate/tests.rs"]
mod tests;
