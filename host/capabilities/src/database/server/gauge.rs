//! What one connection has received since its last row: bounded, and charged to the app's memory.
//!
//! A driver gathers a whole message before it hands out a row, however large the message. So the bytes
//! are counted on their way ([`relay`](super::relay)), before the driver sees them: a value too large
//! ends the connection instead of filling the host's memory.

use lodge_model::{Account, SqlError};
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Memory is reserved in steps of this size, in bytes.
const STEP: u64 = 64 << 10;
/// What a message may be larger than the values in it, and what may be under way at once.
const SLACK: u64 = 1 << 20;

/// One connection's count.
pub(super) struct Gauge {
    account: Arc<dyn Account>,
    /// Bytes between two rows.
    limit: u64,
    /// A row was read since bytes last came.
    fresh: AtomicBool,
    counts: Mutex<Counts>,
}

#[derive(Default)]
struct Counts {
    used: u64,
    reserved: u64,
    /// The most at once since it was last asked.
    peak: u64,
    stopped: Option<SqlError>,
}

impl Gauge {
    /// `result_bytes`: the size of the largest result, and so of the largest value.
    pub(super) fn new(account: Arc<dyn Account>, result_bytes: u64) -> Arc<Self> {
        Arc::new(Self {
            account,
            limit: result_bytes + result_bytes / 8 + SLACK,
            fresh: AtomicBool::new(false),
            counts: Mutex::default(),
        })
    }

    /// Bytes came from the server. False: no more may come, the connection is to be closed.
    pub(super) fn take(&self, bytes: usize) -> bool {
        let mut counts = self.counts.lock();
        if self.fresh.swap(false, Relaxed) {
            counts.used = 0;
            self.give_back(&mut counts);
        }
        counts.used += bytes as u64;
        counts.peak = counts.peak.max(counts.used);
        if counts.used > self.limit {
            counts.stopped = Some(SqlError::LimitExceeded(
                "a value of the result is larger than the app may have (limits.result_bytes): ask for less".into(),
            ));
            return false;
        }
        while counts.reserved + STEP < counts.used {
            if !self.account.try_reserve(STEP) {
                counts.stopped = Some(SqlError::LimitExceeded(
                    "the app's memory has no room for the result (limits.memory_bytes, or the host's max_memory)".into(),
                ));
                return false;
            }
            counts.reserved += STEP;
        }
        true
    }

    /// A row was read: counting starts anew with the next bytes.
    pub(super) fn row(&self) {
        self.fresh.store(true, Relaxed);
    }

    /// A statement begins or ends: counting starts anew.
    pub(super) fn reset(&self) {
        let mut counts = self.counts.lock();
        counts.used = 0;
        self.give_back(&mut counts);
    }

    /// Why the connection was closed, if it was.
    pub(super) fn stopped(&self) -> Option<SqlError> {
        self.counts.lock().stopped.clone()
    }

    /// The most bytes at once since this was last asked.
    pub(super) fn take_peak(&self) -> u64 {
        std::mem::take(&mut self.counts.lock().peak)
    }

    fn give_back(&self, counts: &mut Counts) {
        if counts.reserved > 0 {
            self.account.release(counts.reserved);
            counts.reserved = 0;
        }
    }
}

impl Drop for Gauge {
    fn drop(&mut self) {
        self.reset();
    }
}
