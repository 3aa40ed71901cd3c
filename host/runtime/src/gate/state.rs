//! The gate's state: lanes, their virtual time, and who is next.

use super::bucket::Bucket;
use super::{Ticket, nanos};
use std::collections::{BTreeSet, VecDeque};
use std::task::Waker;
use std::thread::Thread;
use std::time::Duration;

/// The norm that a lane's weight is measured against.
const NORMAL_WEIGHT: u64 = 100;

/// A turn shorter than this is brief …
const BRIEF: Duration = Duration::from_micros(200);
/// … and so is the lane that has had so many in a row.
const BRIEF_TURNS: u8 = 8;

pub(super) struct State {
    pub(super) capacity: usize,
    pub(super) running: usize,
    /// Virtual time, in weighted nanoseconds: that of the lane that last got a turn.
    now: u64,
    pub(super) lanes: Vec<LaneState>,
    free: Vec<usize>,
    /// Lanes that wait and may run: (virtual time, index).
    ready: BTreeSet<(u64, usize)>,
    /// Lanes that wait for tokens.
    throttled: Vec<usize>,
    next_ticket: u64,
    /// The epoch's thread, while it rests because no guest runs.
    pub(super) resting: Option<Thread>,
}

pub(super) struct LaneState {
    weight: u64,
    pub(super) virtual_time: u64,
    running: usize,
    waiting: VecDeque<(u64, Waker)>,
    /// Tickets whose turn has come but who have not been polled since.
    granted: Vec<u64>,
    /// Brief turns in a row, counted up to [`BRIEF_TURNS`].
    brief_turns: u8,
    bucket: Option<Bucket>,
}

impl State {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            running: 0,
            now: 0,
            lanes: Vec::new(),
            free: Vec::new(),
            ready: BTreeSet::new(),
            throttled: Vec::new(),
            next_ticket: 0,
            resting: None,
        }
    }

    /// A lane's index, until it is closed.
    pub(super) fn open(&mut self, weight: u32, cores: Option<f64>) -> usize {
        let lane = LaneState {
            weight: u64::from(weight.max(1)),
            virtual_time: self.now,
            running: 0,
            waiting: VecDeque::new(),
            granted: Vec::new(),
            brief_turns: 0,
            bucket: cores.map(Bucket::new),
        };
        let index = self.free.pop().unwrap_or(self.lanes.len());
        match self.lanes.get_mut(index) {
            Some(slot) => *slot = lane,
            None => self.lanes.push(lane),
        }
        index
    }

    pub(super) fn close(&mut self, index: usize) {
        if let Some(lane) = self.lanes.get(index) {
            self.ready.remove(&(lane.virtual_time, index));
        }
        self.throttled.retain(|other| *other != index);
        self.free.push(index);
    }

    pub(super) fn may_rest(&mut self) -> bool {
        let idle = self.running == 0 && self.throttled.is_empty();
        if idle {
            self.resting = Some(std::thread::current());
        }
        idle
    }

    pub(super) fn refill(&mut self) {
        for index in std::mem::take(&mut self.throttled) {
            // What it could not use because of its cap, it has not saved up.
            self.catch_up(index);
            self.line_up(index);
        }
        self.hand_out();
    }

    /// Whether a newcomer of this lane may run without waiting: a turn is free, nobody stands
    /// before it, and its bucket is not empty.
    pub(super) fn is_free(&mut self, index: usize) -> bool {
        let Some(lane) = self.lanes.get_mut(index) else {
            return false;
        };
        let is_brief = lane.brief_turns == BRIEF_TURNS;
        // At equal times, too: what runs for the other just now is not charged to it yet.
        let is_next = match self.ready.first() {
            Some((first, _)) => is_brief && lane.virtual_time <= *first,
            None => true,
        };
        is_next
            && self.running < self.capacity.saturating_add(usize::from(is_brief))
            && lane.waiting.is_empty()
            && lane.bucket.as_mut().is_none_or(Bucket::has_tokens)
    }

    /// Brings a lane to the present that has nothing to do: neither a running guest nor one that waits for its turn.
    /// One that waits keeps what it has in hand, else weights would mean nothing.
    pub(super) fn catch_up(&mut self, index: usize) {
        let Some(lane) = self.lanes.get_mut(index) else {
            return;
        };
        let waits = self.ready.contains(&(lane.virtual_time, index));
        if lane.running == 0 && !waits {
            lane.virtual_time = lane.virtual_time.max(self.now);
        }
    }

    /// A place at the end of the lane's queue.
    pub(super) fn queue(&mut self, index: usize, waker: &Waker) -> Ticket {
        let number = self.next_ticket;
        self.next_ticket += 1;
        if let Some(lane) = self.lanes.get_mut(index) {
            lane.waiting.push_back((number, waker.clone()));
        }
        self.line_up(index);
        let empty_before = self
            .bucket(index)
            .map_or(Duration::ZERO, Bucket::empty_so_far);
        Ticket {
            number,
            empty_before,
        }
    }

    pub(super) fn forget(&mut self, index: usize, number: u64) {
        if let Some(lane) = self.lanes.get_mut(index) {
            lane.waiting.retain(|(other, _)| *other != number);
        }
    }

    pub(super) fn give_back(&mut self, index: usize) {
        self.running = self.running.saturating_sub(1);
        if let Some(lane) = self.lanes.get_mut(index) {
            lane.running = lane.running.saturating_sub(1);
        }
    }

    pub(super) fn note_turn(&mut self, index: usize, cpu: Duration) {
        if let Some(lane) = self.lanes.get_mut(index) {
            lane.brief_turns = match cpu < BRIEF {
                true => BRIEF_TURNS.min(lane.brief_turns + 1),
                false => 0,
            };
        }
    }

    pub(super) fn begin(&mut self, index: usize) {
        self.running += 1;
        if let Some(ticker) = self.resting.take() {
            ticker.unpark();
        }
        if let Some(lane) = self.lanes.get_mut(index) {
            lane.running += 1;
            // Time passes for all with whoever runs, so that nobody saves turns up while idle.
            self.now = self.now.max(lane.virtual_time);
        }
    }

    /// Puts a lane with waiters where it belongs: among the ready, or the throttled.
    fn line_up(&mut self, index: usize) {
        let Some(lane) = self.lanes.get_mut(index) else {
            return;
        };
        if lane.waiting.is_empty() || self.ready.contains(&(lane.virtual_time, index)) {
            return;
        }
        if lane.bucket.as_mut().is_none_or(Bucket::has_tokens) {
            self.ready.insert((lane.virtual_time, index));
        } else if !self.throttled.contains(&index) {
            self.throttled.push(index);
        }
    }

    /// Gives free turns to the ready lanes, least served first.
    pub(super) fn hand_out(&mut self) {
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

    pub(super) fn bucket(&self, index: usize) -> Option<&Bucket> {
        self.lanes.get(index)?.bucket.as_ref()
    }

    pub(super) fn take_granted(&mut self, index: usize, number: u64) -> bool {
        let Some(lane) = self.lanes.get_mut(index) else {
            return false;
        };
        let found = lane.granted.iter().position(|granted| *granted == number);
        found.inspect(|at| {
            lane.granted.swap_remove(*at);
        });
        found.is_some()
    }

    pub(super) fn rewake(&mut self, index: usize, number: u64, waker: &Waker) {
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

    pub(super) fn charge(&mut self, index: usize, cpu: Duration) {
        let Some(lane) = self.lanes.get_mut(index) else {
            return;
        };
        let nanos = nanos(cpu);
        let waited = self.ready.remove(&(lane.virtual_time, index));
        lane.virtual_time += nanos.saturating_mul(NORMAL_WEIGHT) / lane.weight;
        if let Some(bucket) = &mut lane.bucket {
            bucket.take(nanos);
        }
        if waited {
            self.line_up(index);
        }
    }
}
