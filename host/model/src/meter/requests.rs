//! How requests ended and how long they took, counted without locks.

use super::{Latencies, LatencyCounts};
use crate::FailureKind;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The app answered with this status.
    Answered(http::StatusCode),
    /// It did not.
    Failed(FailureKind),
    /// The visitor went away first.
    Cancelled,
}

/// Requests that ended, since the host started.
#[derive(Debug, Default)]
pub struct Requests {
    answered: AtomicU64,
    server_errors: AtomicU64,
    cancelled: AtomicU64,
    /// Those that failed, in the order of [`FailureKind::ALL`].
    failed: [AtomicU64; FailureKind::ALL.len()],
    /// From their arrival to the beginning of their answer, or their failure.
    latencies: Latencies,
}

impl Requests {
    /// Counts one that ended.
    pub fn record(&self, outcome: Outcome) {
        match outcome {
            Outcome::Answered(status) => {
                if status.is_server_error() {
                    self.server_errors.fetch_add(1, Relaxed);
                }
                self.answered.fetch_add(1, Relaxed);
            }
            Outcome::Cancelled => {
                self.cancelled.fetch_add(1, Relaxed);
            }
            Outcome::Failed(kind) => self.fail(kind, 1),
        }
    }

    /// Counts how long one took until its answer began or it failed.
    pub fn took(&self, time: Duration) {
        self.latencies.record(time);
    }

    pub(super) fn fail(&self, kind: FailureKind, count: u64) {
        // There is a counter for each kind: a test holds ALL to it.
        if let Some(counter) = self.failed.get(kind as usize) {
            counter.fetch_add(count, Relaxed);
        }
    }

    /// Adds what was counted elsewhere.
    pub(super) fn add(&self, answered: u64, server_errors: u64, cancelled: u64) {
        self.answered.fetch_add(answered, Relaxed);
        self.server_errors.fetch_add(server_errors, Relaxed);
        self.cancelled.fetch_add(cancelled, Relaxed);
    }

    pub(super) fn add_latencies(&self, counts: &LatencyCounts) {
        self.latencies.add(counts);
    }

    pub(super) fn answered(&self) -> u64 {
        self.answered.load(Relaxed)
    }

    pub(super) fn server_errors(&self) -> u64 {
        self.server_errors.load(Relaxed)
    }

    pub(super) fn cancelled(&self) -> u64 {
        self.cancelled.load(Relaxed)
    }

    pub(super) fn latencies(&self) -> LatencyCounts {
        self.latencies.counts()
    }

    /// How many failed of each kind; kinds of which none did are left out.
    pub(super) fn failures(&self) -> impl Iterator<Item = (FailureKind, u64)> {
        let counts = self.failed.iter().map(|counter| counter.load(Relaxed));
        FailureKind::ALL
            .into_iter()
            .zip(counts)
            .filter(|(_, count)| *count > 0)
    }

    /// Grows with every one that ends.
    pub(super) fn movement(&self) -> u64 {
        let failed = self.failed.iter().map(|count| count.load(Relaxed));
        let ended = failed.fold(self.answered(), u64::wrapping_add);
        ended.wrapping_add(self.cancelled())
    }
}
