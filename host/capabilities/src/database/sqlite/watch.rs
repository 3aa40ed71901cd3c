//! What is known of the statement that a connection runs: until when it may, whether it is still
//! wanted, why it was refused, and the CPU that it used.
//!
//! SQLite asks its progress handler every [`OPERATIONS`] steps of its virtual machine, on the
//! connection's own thread: there the statement is ended, and the thread's CPU clock read. What
//! shorter statements use is read from outside when they are over.

use crate::charged::{ThreadClock, thread_cpu};
use parking_lot::Mutex;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// Steps between two looks: some tens of microseconds.
pub(super) const OPERATIONS: i32 = 1_000;

/// Statements between two readings of the thread's clock from outside, which is a system call.
const LOOKS: u64 = 8;

/// One connection's statement.
pub(super) struct Watch {
    begun: Instant,
    /// Nanoseconds after `begun`.
    deadline: AtomicU64,
    timed_out: AtomicBool,
    /// The statement's number, and that of the last one that nobody waited for any more.
    number: AtomicU64,
    unwanted: AtomicU64,
    /// The statement being prepared is the host's own.
    hosts: AtomicBool,
    refusal: Mutex<Option<String>>,
    /// CPU of the connection's thread when last read, and what is not charged yet, in nanoseconds.
    seen_cpu: AtomicU64,
    owed_cpu: AtomicU64,
    /// The thread's clock, for others to read.
    clock: OnceLock<Option<ThreadClock>>,
}

impl Watch {
    pub(super) fn new() -> Self {
        Self {
            begun: Instant::now(),
            deadline: AtomicU64::new(u64::MAX),
            timed_out: AtomicBool::new(false),
            number: AtomicU64::new(0),
            unwanted: AtomicU64::new(u64::MAX),
            hosts: AtomicBool::new(true),
            refusal: Mutex::new(None),
            seen_cpu: AtomicU64::new(0),
            owed_cpu: AtomicU64::new(0),
            clock: OnceLock::new(),
        }
    }

    /// A statement begins that may take `time`.
    pub(super) fn begin(&self, time: Duration, hosts: bool) {
        let until = self.begun.elapsed() + time;
        self.deadline.store(nanos(until), Relaxed);
        self.timed_out.store(false, Relaxed);
        self.number.fetch_add(1, Relaxed);
        self.hosts.store(hosts, Relaxed);
        *self.refusal.lock() = None;
    }

    /// The statement's number.
    pub(super) fn number(&self) -> u64 {
        self.number.load(Relaxed)
    }

    /// Nobody waits for this statement any more. One that has ended is not harmed, nor the next.
    pub(super) fn give_up(&self, number: u64) {
        self.unwanted.store(number, Relaxed);
    }

    pub(super) fn timed_out(&self) -> bool {
        self.timed_out.load(Relaxed)
    }

    pub(super) fn is_hosts(&self) -> bool {
        self.hosts.load(Relaxed)
    }

    pub(super) fn refuse(&self, why: String) {
        self.refusal.lock().get_or_insert(why);
    }

    pub(super) fn refusal(&self) -> Option<String> {
        self.refusal.lock().take()
    }

    /// CPU to be charged now.
    pub(super) fn take_cpu(&self) -> Duration {
        if self.number().is_multiple_of(LOOKS)
            && let Some(Some(clock)) = self.clock.get()
            && let Some(cpu) = clock.read()
        {
            self.owe_up_to(nanos(cpu));
        }
        Duration::from_nanos(self.owed_cpu.swap(0, Relaxed))
    }

    fn owe_up_to(&self, cpu: u64) {
        let before = self.seen_cpu.fetch_max(cpu, Relaxed);
        self.owed_cpu.fetch_add(cpu.saturating_sub(before), Relaxed);
    }

    /// The progress handler: true, the statement goes on.
    pub(super) fn goes_on(&self) -> bool {
        self.clock.get_or_init(ThreadClock::of_this_thread);
        self.owe_up_to(nanos(thread_cpu()));
        if self.timed_out() || self.unwanted.load(Relaxed) == self.number() {
            return false;
        }
        if nanos(self.begun.elapsed()) < self.deadline.load(Relaxed) {
            return true;
        }
        self.timed_out.store(true, Relaxed);
        false
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
