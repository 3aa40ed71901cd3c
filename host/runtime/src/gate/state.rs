//! The gate's state: lanes, their virtual time, and who is next.

use super::bucket::Bucket;
use super::{Ticket, nanos};
use std::collections::{BTreeSet, VecDeque};
use std::task::Waker;
use std::thread::Thread;
use std::time::Duration;

/// The norm that a lane's weight is measured against.
const NORMAL_WEIGHT: u64 = 100;

/// A lane is brief while its turns take less than this, in nanoseconds, as an average of the last of them: one that was
/// charged too much because its thread lost the core is soon forgotten.
const BRIEF: u64 = 400_000;
/// What is held of a lane that nothing is known of: six or seven turns of a small request's length.
const UNKNOWN: u64 = 2 * BRIEF;

/// Epochs after which a turn that was given and not taken goes to another. A guest is not polled while its visitor has
/// nowhere to put what it answers.
const UNCLAIMED: u64 = 100;

/// Epochs after which a borrowed turn is taken back: it is good for one of CPU time.
const BORROWED: u64 = 2;

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
    /// Turns whose guests have not been polled since.
    granted: Vec<Granted>,
    /// Turns that threads of their own have borrowed.
    borrowed: Vec<Granted>,
    /// Turns of the interrupted, until each asks for its next: whoever gets the turn runs on that thread.
    undecided: Vec<Granted>,
    /// Epochs that have passed while the clock did not rest.
    epochs: u64,
    /// The epoch's thread, while it rests because no guest runs.
    pub(super) resting: Option<Thread>,
    /// There is more for the epoch's thread to do than it knew of when it went to rest.
    wake_clock: bool,
}

/// A turn that was given to whoever waited for it longest in a lane.
struct Granted {
    index: usize,
    /// Its ticket's, or one of its own.
    number: u64,
    /// Counted in epochs.
    since: u64,
}

pub(super) struct LaneState {
    weight: u64,
    pub(super) virtual_time: u64,
    running: usize,
    waiting: VecDeque<(u64, Waker)>,
    /// Average of what the last turns took, in nanoseconds.
    turn: u64,
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
            granted: Vec::new(),
            borrowed: Vec::new(),
            undecided: Vec::new(),
            epochs: 0,
            resting: None,
            wake_clock: false,
        }
    }

    /// A lane's index, until it is closed.
    pub(super) fn open(&mut self, weight: u32, cores: Option<f64>) -> usize {
        let lane = LaneState {
            weight: u64::from(weight.max(1)),
            virtual_time: self.now,
            running: 0,
            waiting: VecDeque::new(),
            turn: UNKNOWN,
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

    /// For how long the caller, the epoch's thread, may rest unless it is unparked: none while a guest runs.
    pub(super) fn may_rest(&mut self, longest: Duration) -> Option<Duration> {
        if self.running > 0 || !self.ready.is_empty() {
            return None;
        }
        let opens = |index: &usize| Some(self.bucket(*index)?.opens_in());
        let first = self.throttled.iter().filter_map(opens).min();
        self.resting = Some(std::thread::current());
        self.wake_clock = false;
        Some(first.unwrap_or(longest).min(longest))
    }

    /// The epoch's thread, if it rests and is needed.
    pub(super) fn clock_to_wake(&mut self) -> Option<Thread> {
        match std::mem::take(&mut self.wake_clock) {
            true => self.resting.take(),
            false => None,
        }
    }

    /// An epoch has ended, or a rest of the epoch's thread, which calls this.
    pub(super) fn refill(&mut self) {
        self.epochs += 1;
        self.resting = None;
        for index in std::mem::take(&mut self.throttled) {
            // What it could not use because of its cap, it has not saved up.
            self.catch_up(index);
            self.line_up(index);
        }
        let epochs = self.epochs;
        let is_unclaimed = |turn: &Granted| turn.since + UNCLAIMED < epochs;
        while let Some(unclaimed) = take(&mut self.granted, is_unclaimed) {
            self.give_back(unclaimed.index);
        }
        while let Some(undecided) = self.undecided.pop() {
            self.give_back(undecided.index);
        }
        let is_kept = |turn: &Granted| turn.since + BORROWED < epochs;
        while let Some(kept) = take(&mut self.borrowed, is_kept) {
            self.give_back(kept.index);
        }
    }

    /// The turn that was begun just now is a thread's of its own: its number.
    pub(super) fn lend(&mut self, index: usize) -> u64 {
        let number = self.next_ticket;
        self.next_ticket += 1;
        self.borrowed.push(Granted {
            index,
            number,
            since: self.epochs,
        });
        number
    }

    /// A borrowed turn comes back, unless it was taken back before.
    pub(super) fn take_back(&mut self, number: u64) {
        if let Some(turn) = take(&mut self.borrowed, |turn| turn.number == number) {
            self.give_back(turn.index);
        }
    }

    /// A lane's turn is over; who has it next is decided when `ticket` is asked about, or at the epoch's end.
    pub(super) fn hold(&mut self, index: usize, ticket: u64) {
        self.undecided.push(Granted {
            index,
            number: ticket,
            since: self.epochs,
        });
    }

    /// As [`hold`](Self::hold), of a borrowed turn, unless it was taken back before.
    pub(super) fn hold_borrowed(&mut self, number: u64, ticket: u64) {
        if let Some(turn) = take(&mut self.borrowed, |turn| turn.number == number) {
            self.hold(turn.index, ticket);
        }
    }

    /// The turn that was held for this ticket's thread is free.
    pub(super) fn decide(&mut self, ticket: u64) {
        if let Some(turn) = take(&mut self.undecided, |turn| turn.number == ticket) {
            self.give_back(turn.index);
        }
    }

    /// Whether a newcomer of this lane may run without waiting: a turn is free, nobody stands
    /// before it, and its bucket is not empty.
    pub(super) fn is_free(&mut self, index: usize) -> bool {
        let Some(lane) = self.lanes.get_mut(index) else {
            return false;
        };
        let is_brief = lane.turn < BRIEF;
        // At equal times, too: what runs for the other just now is not charged to it yet.
        let is_next = match self.ready.first() {
            Some((first, _)) => is_brief && lane.virtual_time <= *first,
            None => true,
        };
        // Borrowed turns leave the threads free that poll guests: who is brief takes no notice of them.
        let more = if is_brief { 1 + self.borrowed.len() } else { 0 };
        is_next
            && self.running < self.capacity.saturating_add(more)
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
        let Some(lane) = self.lanes.get_mut(index) else {
            return;
        };
        lane.waiting.retain(|(other, _)| *other != number);
        if lane.waiting.is_empty() {
            self.ready.remove(&(lane.virtual_time, index));
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
            lane.turn = (lane.turn * 7 + nanos(cpu)) / 8;
        }
    }

    pub(super) fn begin(&mut self, index: usize) {
        self.running += 1;
        self.wake_clock = true;
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
            self.wake_clock = true;
        }
    }

    /// Gives a free turn to the ready lane that is least served: to whom, and who is to be woken. Those for whose threads
    /// turns are held get them there.
    pub(super) fn hand_out(&mut self) -> Option<(u64, Waker)> {
        if self.running >= self.capacity {
            return None;
        }
        let undecided = &self.undecided;
        let is_next =
            |(number, _): &(u64, Waker)| !undecided.iter().any(|turn| turn.number == *number);
        let next = self.ready.iter().find_map(|&(time, index)| {
            let at = self.lanes.get(index)?.waiting.iter().position(is_next)?;
            Some((time, index, at))
        });
        let (time, index, at) = next?;
        let (number, waker) = self.lanes.get_mut(index)?.waiting.remove(at)?;
        self.ready.remove(&(time, index));
        self.begin(index);
        self.granted.push(Granted {
            index,
            number,
            since: self.epochs,
        });
        self.line_up(index);
        Some((number, waker))
    }

    pub(super) fn bucket(&self, index: usize) -> Option<&Bucket> {
        self.lanes.get(index)?.bucket.as_ref()
    }

    pub(super) fn has_granted(&self, number: u64) -> bool {
        self.granted.iter().any(|turn| turn.number == number)
    }

    /// Whether the ticket has a turn, which begins now.
    pub(super) fn take_granted(&mut self, number: u64) -> bool {
        take(&mut self.granted, |turn| turn.number == number).is_some()
    }

    /// Has `waker` announce the turn. False: nobody waits with this ticket.
    pub(super) fn rewake(&mut self, index: usize, number: u64, waker: &Waker) -> bool {
        let waiting = self
            .lanes
            .get_mut(index)
            .map(|lane| lane.waiting.iter_mut());
        let found = waiting
            .into_iter()
            .flatten()
            .find(|(other, _)| *other == number);
        found.map(|(_, old)| old.clone_from(waker)).is_some()
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

/// Takes one of these turns out.
fn take(turns: &mut Vec<Granted>, is_it: impl Fn(&Granted) -> bool) -> Option<Granted> {
    let at = turns.iter().position(is_it)?;
    Some(turns.swap_remove(at))
}
