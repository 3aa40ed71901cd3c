//! What an app used and how its requests ended, counted without locks on the request path.

mod latency;
mod tally;

pub use latency::{Latencies, Latency, LatencyCounts};
pub use tally::Tally;

use crate::FailureKind;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use utoipa::ToSchema;

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

/// One app's counters. Made by whoever introduces the app, shared by the edge (requests) and the
/// runtime (CPU, memory, instances); they outlive a restart of the app, not of the process.
#[derive(Debug, Default)]
pub struct AppMeter {
    answered: AtomicU64,
    server_errors: AtomicU64,
    cancelled: AtomicU64,
    /// Requests that failed, in the order of [`FailureKind::ALL`].
    failed: [AtomicU64; FailureKind::ALL.len()],
    /// How long requests took, from their arrival to the beginning of their answer or their failure.
    latencies: Latencies,
    /// Requests being served.
    pub in_flight: AtomicI64,
    /// Requests waiting for their turn.
    pub queued: AtomicI64,
    /// CPU time of the app's guests, in nanoseconds.
    pub cpu_nanos: AtomicU64,
    /// Time its guests were ready to run and waited for a turn, in nanoseconds.
    pub throttled_nanos: AtomicU64,
    /// The part of it that was due to the app's own cap on CPU, in nanoseconds.
    pub capped_nanos: AtomicU64,
    /// Memory charged to the app now, in bytes.
    pub memory_bytes: AtomicU64,
    /// The most memory ever charged to it, in bytes.
    pub memory_peak_bytes: AtomicU64,
    /// Instances it holds now.
    pub instances: AtomicI64,
    /// Instances made so far.
    pub instantiations: AtomicU64,
}

impl AppMeter {
    /// Counts one ended request.
    pub fn record(&self, outcome: Outcome) {
        let counter = match outcome {
            Outcome::Answered(status) => {
                if status.is_server_error() {
                    self.server_errors.fetch_add(1, Relaxed);
                }
                &self.answered
            }
            Outcome::Cancelled => &self.cancelled,
            Outcome::Failed(kind) => match self.failed.get(kind as usize) {
                Some(counter) => counter,
                // There is a counter for each kind: a test holds ALL to it.
                None => return,
            },
        };
        counter.fetch_add(1, Relaxed);
    }

    /// Counts how long a request took until its answer began or it failed.
    pub fn took(&self, time: Duration) {
        self.latencies.record(time);
    }

    /// All counters now. Each is exact; they are not read at one instant.
    pub fn snapshot(&self) -> MeterSnapshot {
        let count = |value: &AtomicI64| value.load(Relaxed).max(0).unsigned_abs();
        let ms = |nanos: &AtomicU64| nanos.load(Relaxed) / 1_000_000;
        let mut snapshot = MeterSnapshot {
            answered: self.answered.load(Relaxed),
            server_errors: self.server_errors.load(Relaxed),
            cancelled: self.cancelled.load(Relaxed),
            in_flight: count(&self.in_flight),
            queued: count(&self.queued),
            cpu_ms: ms(&self.cpu_nanos),
            throttled_ms: ms(&self.throttled_nanos),
            capped_ms: ms(&self.capped_nanos),
            memory_bytes: self.memory_bytes.load(Relaxed),
            memory_peak_bytes: self.memory_peak_bytes.load(Relaxed),
            instances: count(&self.instances),
            instantiations: self.instantiations.load(Relaxed),
            ..MeterSnapshot::default()
        };
        for (kind, counter) in FailureKind::ALL.into_iter().zip(&self.failed) {
            snapshot.add_failures(kind, counter.load(Relaxed));
        }
        snapshot
    }
}

/// An app's counters, since the host started.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MeterSnapshot {
    /// Requests that the app answered.
    pub answered: u64,
    /// Of those, with a status of 500 or more.
    pub server_errors: u64,
    /// Requests whose visitor went away first.
    pub cancelled: u64,
    /// Requests refused before they reached a guest (queue, stopped, body too large …).
    pub refused: u64,
    /// Requests that met their deadline.
    pub timed_out: u64,
    /// Requests whose guest trapped or gave no answer.
    pub trapped: u64,
    /// Requests that met a memory limit.
    pub out_of_memory: u64,
    /// Requests that met the CPU limit.
    pub cpu_limited: u64,
    /// Requests being served now.
    pub in_flight: u64,
    /// Requests waiting now.
    pub queued: u64,
    /// CPU time used, in milliseconds.
    pub cpu_ms: u64,
    /// Time its guests were ready and waited for a turn, in milliseconds.
    pub throttled_ms: u64,
    /// The part of it that was due to the app's own `cpu_cores`, in milliseconds.
    pub capped_ms: u64,
    /// Memory charged now, in bytes.
    pub memory_bytes: u64,
    /// The most memory ever charged, in bytes.
    pub memory_peak_bytes: u64,
    /// Instances held now.
    pub instances: u64,
    /// Instances made so far.
    pub instantiations: u64,
    /// Requests that failed, by the stable code that an error page shows; those that never did are
    /// left out.
    pub reasons: BTreeMap<String, u64>,
    /// How long the requests of the last minute took; null: there was none.
    #[schema(required)]
    pub latency: Option<Latency>,
}

impl MeterSnapshot {
    fn add_failures(&mut self, kind: FailureKind, count: u64) {
        if count == 0 {
            return;
        }
        let total = match kind {
            FailureKind::Trap
            | FailureKind::NoResponse
            | FailureKind::Internal
            | FailureKind::BadGateway => &mut self.trapped,
            FailureKind::OutOfMemory => &mut self.out_of_memory,
            FailureKind::Deadline => &mut self.timed_out,
            FailureKind::CpuLimit => &mut self.cpu_limited,
            _ => &mut self.refused,
        };
        *total = total.saturating_add(count);
        self.reasons.insert(kind.code().to_owned(), count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_has_its_reason_and_its_total() {
        let meter = AppMeter::default();
        for kind in FailureKind::ALL {
            meter.record(Outcome::Failed(kind));
        }
        meter.record(Outcome::Failed(FailureKind::QueueFull));
        let snapshot = meter.snapshot();
        assert_eq!(snapshot.reasons.len(), FailureKind::ALL.len());
        assert_eq!(snapshot.reasons["queue_full"], 2);
        let totals = (
            snapshot.trapped,
            snapshot.out_of_memory,
            snapshot.timed_out,
            snapshot.cpu_limited,
            snapshot.refused,
        );
        assert_eq!(totals, (4, 1, 1, 1, 13));
        assert_eq!(AppMeter::default().snapshot(), MeterSnapshot::default());
    }
}
