//! What is known of the statement that a connection runs: until when it may, whether it is still
//! wanted, why it was refused, and the CPU that it used.
//!
//! SQLite asks its progress handler every [`OPERATIONS`] steps of its virtual machine, on the
//! connection's own thread: there the statement is ended, and the thread's CPU clock read. What
//! shorter statements use is read from outside when they are over.
//!
//! Within one step no handler is asked; there the statement is ended at the next memory that it wants
//! ([`Watch::take_memory`]) or by the function itself ([`super::functions`]). Memory beyond
//! [`OWN_BYTES`] is the app's, in steps of [`MEMORY_STEP`].

use crate::charged::{ThreadClock, thread_cpu};
use lodge_model::{Account, Turn};
use parking_lot::{Condvar, Mutex};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// Steps between two looks: some tens of microseconds.
pub(super) const OPERATIONS: i32 = 1_000;

/// CPU, in nanoseconds, after which a statement needs a turn of its app's, and then another, as guests do: shorter ones
/// are only charged.
const TURN: u64 = 1_000_000;

/// Statements between two readings of the thread's clock from outside, which is a system call.
const LOOKS: u64 = 8;

/// Memory of a connection that nobody is charged for, in bytes: its cache and its prepared statements.
const OWN_BYTES: u64 = 8 << 20;
/// What is beyond is reserved in steps of so many bytes.
const MEMORY_STEP: u64 = 1 << 20;
/// A piece of memory from this size on is refused to a statement that is over, in bytes.
const LARGE: u64 = 1 << 10;

/// The deadline while no statement runs.
const RESTS: u64 = u64::MAX;
/// Between two looks whether a statement is still wanted whose rows are not read.
const PAUSE: Duration = Duration::from_millis(50);

/// Rows that nobody has read yet.
#[derive(Default)]
struct Ahead {
    rows: usize,
    /// Somebody reads row by row.
    is_read: bool,
}

/// One connection's statement.
pub(super) struct Watch {
    account: Arc<dyn Account>,
    begun: Instant,
    /// Nanoseconds after `begun`, or [`RESTS`].
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
    /// The thread's CPU when its present turn began.
    turn_from: AtomicU64,
    turn: Mutex<Option<Turn>>,
    /// The thread's clock, for others to read.
    clock: OnceLock<Option<ThreadClock>>,
    /// Bytes that SQLite has on this connection's thread, with rows that are not read yet.
    memory: AtomicU64,
    /// What of it the app's account has reserved, in bytes.
    reserved: Mutex<u64>,
    /// The statement was refused memory that the app has not.
    poor: AtomicBool,
    /// The last thing that SQLite's thread did is to have a row, which sqlx copies.
    has_row: AtomicBool,
    /// The statement has not come to its end: sqlx's thread may be in it.
    is_open: AtomicBool,
    /// The statement that was begun first, by its address; 0: none. Others are what SQLite runs for it.
    outer: AtomicUsize,
    ahead: Mutex<Ahead>,
    read: Condvar,
    /// What the statement wrote to temporary files and what it may, in bytes.
    spilled: AtomicU64,
    spill_bytes: u64,
}

impl Watch {
    /// A statement may write `spill_bytes` to temporary files.
    pub(super) fn new(account: Arc<dyn Account>, spill_bytes: u64) -> Self {
        Self {
            account,
            begun: Instant::now(),
            deadline: AtomicU64::new(RESTS),
            timed_out: AtomicBool::new(false),
            number: AtomicU64::new(0),
            unwanted: AtomicU64::new(u64::MAX),
            hosts: AtomicBool::new(true),
            refusal: Mutex::new(None),
            seen_cpu: AtomicU64::new(0),
            owed_cpu: AtomicU64::new(0),
            turn_from: AtomicU64::new(0),
            turn: Mutex::new(None),
            clock: OnceLock::new(),
            memory: AtomicU64::new(0),
            reserved: Mutex::new(0),
            poor: AtomicBool::new(false),
            has_row: AtomicBool::new(false),
            is_open: AtomicBool::new(false),
            outer: AtomicUsize::new(0),
            ahead: Mutex::default(),
            read: Condvar::new(),
            spilled: AtomicU64::new(0),
            spill_bytes,
        }
    }

    /// A statement begins that may take `time`.
    pub(super) fn begin(&self, time: Duration, hosts: bool) {
        let until = self.begun.elapsed() + time;
        self.deadline.store(nanos(until), Relaxed);
        self.timed_out.store(false, Relaxed);
        self.number.fetch_add(1, Relaxed);
        self.hosts.store(hosts, Relaxed);
        self.poor.store(false, Relaxed);
        self.has_row.store(false, Relaxed);
        self.is_open.store(false, Relaxed);
        self.outer.store(0, Relaxed);
        self.spilled.store(0, Relaxed);
        *self.refusal.lock() = None;
    }

    /// No statement runs: whatever SQLite still does, it may.
    pub(super) fn rest(&self) {
        self.deadline.store(RESTS, Relaxed);
        self.timed_out.store(false, Relaxed);
    }

    /// The statement's rows are read from now on until its end, or have come to it.
    pub(super) fn set_open(&self, is_open: bool) {
        self.is_open.store(is_open, Relaxed);
    }

    /// The statement has not come to its end, though nobody may read it any more.
    pub(super) fn is_open(&self) -> bool {
        self.is_open.load(Relaxed)
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

    /// What is prepared from now on is the host's own, or not.
    pub(super) fn set_hosts(&self, hosts: bool) {
        self.hosts.store(hosts, Relaxed);
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

    /// The statement is over, or nobody waits for it: charges the app for what the thread used, as far as it is known.
    pub(super) fn charge(&self) {
        if self.number().is_multiple_of(LOOKS) {
            self.look_at_clock();
        }
        self.charge_owed();
        self.end_turn();
    }

    fn end_turn(&self) {
        let turn = self.turn.lock().take();
        if let Some(turn) = turn {
            self.account.end_turn(turn);
        }
    }

    fn charge_owed(&self) {
        let used = Duration::from_nanos(self.owed_cpu.swap(0, Relaxed));
        if !used.is_zero() {
            self.account.charge_cpu(used);
        }
    }

    /// Reads the thread's clock from outside.
    pub(super) fn look_at_clock(&self) {
        if let Some(Some(clock)) = self.clock.get()
            && let Some(cpu) = clock.read()
        {
            self.owe_up_to(nanos(cpu));
        }
    }

    fn owe_up_to(&self, cpu: u64) {
        let before = self.seen_cpu.fetch_max(cpu, Relaxed);
        self.owed_cpu.fetch_add(cpu.saturating_sub(before), Relaxed);
    }

    /// The progress handler: true, the statement goes on.
    pub(super) fn goes_on(&self) -> bool {
        self.clock.get_or_init(ThreadClock::of_this_thread);
        self.has_row.store(false, Relaxed);
        let cpu = nanos(thread_cpu());
        self.owe_up_to(cpu);
        if cpu.saturating_sub(self.turn_from.load(Relaxed)) > TURN {
            self.turn_from.store(cpu, Relaxed);
            self.charge_owed();
            let last = self.turn.lock().take();
            let next = self.account.next_turn(last, &|| !self.is_over());
            *self.turn.lock() = next;
        }
        !self.is_over()
    }

    /// The statement's time is up, or nobody waits for it any more.
    pub(super) fn is_over(&self) -> bool {
        let deadline = self.deadline.load(Relaxed);
        if deadline == RESTS {
            return false;
        }
        if self.timed_out() || self.unwanted.load(Relaxed) == self.number() {
            return true;
        }
        if nanos(self.begun.elapsed()) < deadline {
            return false;
        }
        self.timed_out.store(true, Relaxed);
        true
    }

    /// SQLite wants so many bytes more: true, it may have them.
    pub(super) fn take_memory(&self, bytes: u64) -> bool {
        // sqlx's thread would not survive a row without memory; the next step ends the statement.
        if bytes >= LARGE && !self.has_row.load(Relaxed) && self.is_over() {
            return false;
        }
        let used = self.memory.fetch_add(bytes, Relaxed) + bytes;
        if used > OWN_BYTES && !self.reserve() {
            self.memory.fetch_sub(bytes, Relaxed);
            self.poor.store(true, Relaxed);
            return false;
        }
        true
    }

    /// SQLite gives so many bytes back.
    pub(super) fn give_memory(&self, bytes: u64) {
        let before = self.memory.fetch_sub(bytes, Relaxed);
        if before > OWN_BYTES {
            self.release();
        }
    }

    /// Rows of the statement are read one by one from now on, or are not read any more.
    pub(super) fn set_read(&self, is_read: bool) {
        *self.ahead.lock() = Ahead { rows: 0, is_read };
        self.read.notify_all();
    }

    /// A row was read.
    pub(super) fn has_read(&self) {
        let mut ahead = self.ahead.lock();
        ahead.rows = ahead.rows.saturating_sub(1);
        drop(ahead);
        self.read.notify_all();
    }

    /// SQLite's thread begins a statement, the guest's or one that SQLite runs for it.
    pub(super) fn runs(&self, statement: usize) {
        // An error says that it is another's.
        let _ = self.outer.compare_exchange(0, statement, Relaxed, Relaxed);
    }

    /// SQLite's thread has a row of `statement`. While the connection has much memory, it waits until the row before is
    /// read, so that large rows do not pile up.
    pub(super) fn reads_ahead(&self, statement: usize) {
        if self.outer.load(Relaxed) != statement {
            return;
        }
        self.has_row.store(true, Relaxed);
        let mut ahead = self.ahead.lock();
        ahead.rows += 1;
        while ahead.is_read
            && ahead.rows > 1
            && self.memory.load(Relaxed) > OWN_BYTES
            && !self.is_over()
        {
            self.read.wait_for(&mut ahead, PAUSE);
        }
    }

    /// The statement writes so many bytes more to temporary files: true, it may.
    pub(super) fn spill(&self, bytes: u64) -> bool {
        !self.is_over() && self.spilled.fetch_add(bytes, Relaxed) + bytes <= self.spill_bytes
    }

    /// The statement was refused memory, because the app has no more.
    pub(super) fn is_poor(&self) -> bool {
        self.poor.load(Relaxed)
    }

    fn reserve(&self) -> bool {
        let mut reserved = self.reserved.lock();
        // As it is now: another thread may have given some back.
        let wanted = self.memory.load(Relaxed).saturating_sub(OWN_BYTES);
        let missing = wanted
            .saturating_sub(*reserved)
            .next_multiple_of(MEMORY_STEP);
        if missing > 0 && !self.account.try_reserve(missing) {
            return false;
        }
        *reserved += missing;
        true
    }

    fn release(&self) {
        let mut reserved = self.reserved.lock();
        let wanted = self.memory.load(Relaxed).saturating_sub(OWN_BYTES);
        let spare = reserved.saturating_sub(wanted.next_multiple_of(MEMORY_STEP));
        if spare > 0 {
            *reserved -= spare;
            self.account.release(spare);
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.end_turn();
        self.account.release(*self.reserved.get_mut());
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
