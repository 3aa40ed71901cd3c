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
//!   was idle starts at the present virtual time: it goes first, but saves nothing up.
//! - A lane with a hard cap also needs tokens: a bucket of 100 ms of its cores, refilled by time.
//!   CPU is charged after the fact, so a lane may overdraw by one poll and then waits longer.
//!
//! A turn lasts one poll, and an epoch (1 ms) bounds a poll. One mutex guards it all: a turn costs
//! two short critical sections.

use parking_lot::Mutex;
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Waker;
use std::thread::Thread;
use std::time::{Duration, Instant};

/// The bucket of a capped lane holds this much time of its cores.
const BUCKET: Duration = Duration::from_millis(100);
/// The norm that a lane's weight is measured against.
const NORMAL_WEIGHT: u64 = 100;

/// Hands out turns to lanes.
pub(crate) struct Gate {
    state: Mutex<State>,
}

struct State {
    capacity: usize,
    running: usize,
    /// Virtual time, in weighted nanoseconds: that of the lane that last got a turn.
    now: u64,
    lanes: Vec<LaneState>,
    free: Vec<usize>,
    /// Lanes that wait and may run: (virtual time, index).
    ready: BTreeSet<(u64, usize)>,
    /// Lanes that wait for tokens.
    throttled: Vec<usize>,
    next_ticket: u64,
    /// The epoch's thread, while it rests because no guest runs.
    resting: Option<Thread>,
}

struct LaneState {
    weight: u64,
    virtual_time: u64,
    running: usize,
    waiting: VecDeque<(u64, Waker)>,
    /// Tickets whose turn has come but who have not been polled since.
    granted: Vec<u64>,
    bucket: Option<Bucket>,
}

struct Bucket {
    /// Nanoseconds of CPU gained a second.
    rate: u64,
    /// Nanoseconds of CPU in hand; negative when overdrawn.
    tokens: i64,
    refilled: Instant,
    /// How long it was empty, all told, as often as somebody asked; without the present time.
    empty: Duration,
    /// Empty since then.
    empty_since: Option<Instant>,
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
            state: Mutex::new(State {
                capacity: capacity.max(1),
                running: 0,
                now: 0,
                lanes: Vec::new(),
                free: Vec::new(),
                ready: BTreeSet::new(),
                throttled: Vec::new(),
                next_ticket: 0,
                resting: None,
            }),
        })
    }

    /// A lane with `weight` (100 is the norm), capped at `cores` if given.
    pub(crate) fn lane(self: &Arc<Self>, weight: u32, cores: Option<f64>) -> Lane {
        let mut state = self.state.lock();
        let lane = LaneState {
            weight: u64::from(weight.max(1)),
            virtual_time: state.now,
            running: 0,
            waiting: VecDeque::new(),
            granted: Vec::new(),
            bucket: cores.map(Bucket::new),
        };
        let index = match state.free.pop() {
            Some(index) => {
                if let Some(slot) = state.lanes.get_mut(index) {
                    *slot = lane;
                }
                index
            }
            None => {
                state.lanes.push(lane);
                state.lanes.len() - 1
            }
        };
        Lane {
            gate: self.clone(),
            index,
            capped: AtomicU64::new(0),
        }
    }

    /// Whether the epoch's thread (the caller) may rest until it is unparked: no guest runs and none
    /// waits for tokens. The next turn wakes it.
    pub(crate) fn may_rest(&self) -> bool {
        let mut state = self.state.lock();
        let idle = state.running == 0 && state.throttled.is_empty();
        if idle {
            state.resting = Some(std::thread::current());
        }
        idle
    }

    /// Lets capped lanes run whose buckets have filled. Called every epoch.
    pub(crate) fn refill(&self) {
        let mut state = self.state.lock();
        for index in std::mem::take(&mut state.throttled) {
            state.line_up(index);
        }
        state.hand_out();
    }
}

impl Lane {
    /// Takes a turn, or a place in the lane's queue (`ticket`) whose turn `waker` will announce.
    /// True: the caller has a turn and must [`end_turn`](Self::end_turn).
    pub(crate) fn try_turn(&self, ticket: &mut Option<Ticket>, waker: &Waker) -> bool {
        let mut state = self.gate.state.lock();
        if let Some(waiting) = *ticket {
            if state.take_granted(self.index, waiting.number) {
                *ticket = None;
                if let Some(bucket) = state.bucket(self.index) {
                    let capped = bucket.empty.saturating_sub(waiting.empty_before);
                    self.capped.fetch_add(nanos(capped), Ordering::Relaxed);
                }
                return true;
            }
            state.rewake(self.index, waiting.number, waker);
            return false;
        }
        if state.is_free(self.index) {
            state.begin(self.index);
            return true;
        }
        let number = state.next_ticket;
        state.next_ticket += 1;
        if let Some(lane) = state.lanes.get_mut(self.index) {
            lane.waiting.push_back((number, waker.clone()));
        }
        state.line_up(self.index);
        let empty_before = state
            .bucket(self.index)
            .map_or(Duration::ZERO, Bucket::empty_so_far);
        *ticket = Some(Ticket {
            number,
            empty_before,
        });
        false
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
        state.running = state.running.saturating_sub(1);
        if let Some(lane) = state.lanes.get_mut(self.index) {
            lane.running = lane.running.saturating_sub(1);
        }
        state.charge(self.index, cpu);
        state.hand_out();
    }

    /// Charges CPU that was used outside a turn (dropping a cancelled guest).
    pub(crate) fn charge(&self, cpu: Duration) {
        self.gate.state.lock().charge(self.index, cpu);
    }

    /// Leaves the queue; a turn that was already granted goes to the next.
    pub(crate) fn leave(&self, ticket: Ticket) {
        let mut state = self.gate.state.lock();
        if state.take_granted(self.index, ticket.number) {
            state.running = state.running.saturating_sub(1);
            if let Some(lane) = state.lanes.get_mut(self.index) {
                lane.running = lane.running.saturating_sub(1);
            }
            state.hand_out();
        } else if let Some(lane) = state.lanes.get_mut(self.index) {
            lane.waiting.retain(|(number, _)| *number != ticket.number);
        }
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        let mut state = self.gate.state.lock();
        let index = self.index;
        if let Some(lane) = state.lanes.get(index) {
            let key = (lane.virtual_time, index);
            state.ready.remove(&key);
        }
        state.throttled.retain(|other| *other != index);
        state.free.push(index);
    }
}

impl State {
    /// Whether a newcomer of this lane may run without waiting: a turn is free, nobody stands
    /// before it, and its bucket is not empty.
    fn is_free(&mut self, index: usize) -> bool {
        self.running < self.capacity
            && self.ready.is_empty()
            && self.lanes.get_mut(index).is_some_and(|lane| {
                lane.waiting.is_empty() && lane.bucket.as_mut().is_none_or(Bucket::has_tokens)
            })
    }

    fn begin(&mut self, index: usize) {
        self.running += 1;
        if let Some(ticker) = self.resting.take() {
            ticker.unpark();
        }
        if let Some(lane) = self.lanes.get_mut(index) {
            if lane.running == 0 {
                lane.virtual_time = lane.virtual_time.max(self.now);
            }
            lane.running += 1;
            // Time passes for all with whoever runs, so that nobody saves turns up while idle.
            self.now = self.now.max(lane.virtual_time);
        }
    }

    /// Puts a lane with waiters where it belongs: among the ready, or the throttled.
    fn line_up(&mut self, index: usize) {
        let now = self.now;
        let Some(lane) = self.lanes.get_mut(index) else {
            return;
        };
        if lane.waiting.is_empty() || self.ready.contains(&(lane.virtual_time, index)) {
            return;
        }
        if lane.running == 0 {
            lane.virtual_time = lane.virtual_time.max(now);
        }
        if lane.bucket.as_mut().is_none_or(Bucket::has_tokens) {
            self.ready.insert((lane.virtual_time, index));
        } else if !self.throttled.contains(&index) {
            self.throttled.push(index);
        }
    }

    /// Gives free turns to the ready lanes, least served first.
    fn hand_out(&mut self) {
        while self.running < self.capacity {
            let Some((_, index)) = self.ready.pop_first() else {
                break;
            };
            let next = self
                .lanes
                .get_mut(index)
                .and_then(|lane| lane.waiting.pop_front());
            if let Some((number, waker)) = next {
                self.begin(index);
                if let Some(lane) = self.lanes.get_mut(index) {
                    lane.granted.push(number);
                }
                waker.wake();
            }
            self.line_up(index);
        }
    }

    fn bucket(&self, index: usize) -> Option<&Bucket> {
        self.lanes.get(index)?.bucket.as_ref()
    }

    fn take_granted(&mut self, index: usize, number: u64) -> bool {
        let Some(lane) = self.lanes.get_mut(index) else {
            return false;
        };
        let found = lane.granted.iter().position(|granted| *granted == number);
        found.inspect(|at| {
            lane.granted.swap_remove(*at);
        });
        found.is_some()
    }

    fn rewake(&mut self, index: usize, number: u64, waker: &Waker) {
        let waiting = self
            .lanes
            .get_mut(index)
            .map(|lane| lane.waiting.iter_mut());
        if let Some((_, old)) = waiting
            .into_iter()
            .flatten()
            .find(|(other, _)| *other == number)
        {
            old.clone_from(waker);
        }
    }

    fn charge(&mut self, index: usize, cpu: Duration) {
        let Some(lane) = self.lanes.get_mut(index) else {
            return;
        };
        let nanos = nanos(cpu);
        let waited = self.ready.remove(&(lane.virtual_time, index));
        lane.virtual_time += nanos.saturating_mul(NORMAL_WEIGHT) / lane.weight;
        if let Some(bucket) = &mut lane.bucket {
            bucket.tokens = bucket.tokens.saturating_sub_unsigned(nanos);
        }
        if waited {
            self.line_up(index);
        }
    }
}

impl Bucket {
    fn new(cores: f64) -> Self {
        let rate = Duration::from_secs(1).mul_f64(cores.max(0.001));
        let mut bucket = Self {
            rate: u64::try_from(rate.as_nanos()).unwrap_or(u64::MAX),
            tokens: 0,
            refilled: Instant::now(),
            empty: Duration::ZERO,
            empty_since: None,
        };
        bucket.tokens = bucket.capacity();
        bucket
    }

    /// What 100 ms of the lane's cores come to, in nanoseconds.
    fn capacity(&self) -> i64 {
        let share = u128::from(self.rate) * BUCKET.as_nanos() / 1_000_000_000;
        i64::try_from(share).unwrap_or(i64::MAX)
    }

    fn has_tokens(&mut self) -> bool {
        let now = Instant::now();
        let elapsed = now.saturating_duration_since(self.refilled);
        let gained = u128::from(self.rate) * elapsed.as_nanos() / 1_000_000_000;
        // Small gains stay in the clock, so that rounding loses nothing.
        if gained > 1_000 {
            self.refilled += elapsed;
            let gained = i64::try_from(gained).unwrap_or(i64::MAX);
            self.tokens = self.tokens.saturating_add(gained).min(self.capacity());
        }
        if self.tokens <= 0 {
            self.empty_since.get_or_insert(now);
        } else if let Some(since) = self.empty_since.take() {
            self.empty += now.saturating_duration_since(since);
        }
        self.tokens > 0
    }

    /// How long it was empty, the present time included.
    fn empty_so_far(&self) -> Duration {
        self.empty
            + self
                .empty_since
                .map_or(Duration::ZERO, |since| since.elapsed())
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
#[path = "gate/tests.rs"]
mod tests;
