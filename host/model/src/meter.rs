//! What an app used and how its requests ended, counted without locks on the request path.

mod crashes;
mod latency;
mod requests;
mod tally;

pub use crashes::{CrashLoop, CrashWatch};
pub use latency::{Latencies, Latency, LatencyCounts};
pub use requests::{Outcome, Requests};
pub use tally::Tally;

use crate::FailureKind;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use utoipa::ToSchema;

/// One app's counters. Made by whoever introduces the app, shared by the edge (requests) and the
/// runtime (CPU, memory, instances); they outlive a restart of the app, not of the process.
#[derive(Debug, Default)]
pub struct AppMeter {
    requests: Requests,
    /// Those that another process sent here and counts itself; there only where there were any.
    relayed: OnceLock<Box<Requests>>,
    /// Requests being served.
    pub in_flight: AtomicI64,
    /// Of those, the ones whose answer has begun.
    pub answering: AtomicI64,
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
    /// Counts one ended request of a visitor.
    pub fn record(&self, outcome: Outcome) {
        self.requests.record(outcome);
    }

    /// Counts how long a visitor's request took until its answer began or it failed.
    pub fn took(&self, time: Duration) {
        self.requests.took(time);
    }

    /// Where requests are counted: those that came by another process, which counts them too, are
    /// `relayed`.
    pub fn requests(&self, relayed: bool) -> &Requests {
        if relayed {
            self.relayed.get_or_init(Box::default)
        } else {
            &self.requests
        }
    }

    /// All counters now, relayed requests among them. Each is exact; they are not read at one instant.
    pub fn snapshot(&self) -> MeterSnapshot {
        let mut snapshot = self.held();
        snapshot.add(&self.requests);
        if let Some(relayed) = self.relayed.get() {
            snapshot.add(relayed);
        }
        snapshot
    }

    /// What was used and is held, without any request.
    fn held(&self) -> MeterSnapshot {
        let count = |value: &AtomicI64| value.load(Relaxed).max(0).unsigned_abs();
        let ms = |nanos: &AtomicU64| nanos.load(Relaxed) / 1_000_000;
        MeterSnapshot {
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
        }
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
    fn add(&mut self, requests: &Requests) {
        self.answered += requests.answered();
        self.server_errors += requests.server_errors();
        self.cancelled += requests.cancelled();
        for (kind, count) in requests.failures() {
            *self.total_of(kind) += count;
            *self.reasons.entry(kind.code().to_owned()).or_default() += count;
        }
    }

    fn total_of(&mut self, kind: FailureKind) -> &mut u64 {
        match kind {
            FailureKind::Trap
            | FailureKind::NoResponse
            | FailureKind::Internal
            | FailureKind::BadGateway => &mut self.trapped,
            FailureKind::OutOfMemory => &mut self.out_of_memory,
            FailureKind::Deadline => &mut self.timed_out,
            FailureKind::CpuLimit => &mut self.cpu_limited,
            _ => &mut self.refused,
        }
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
        assert_eq!(totals, (4, 1, 1, 1, 14));
        assert_eq!(AppMeter::default().snapshot(), MeterSnapshot::default());
    }

    #[test]
    fn what_was_relayed_is_shown_and_not_told_on() {
        let meter = AppMeter::default();
        meter.record(Outcome::Failed(FailureKind::Trap));
        let relayed = meter.requests(true);
        relayed.record(Outcome::Failed(FailureKind::Trap));
        relayed.record(Outcome::Answered(http::StatusCode::OK));
        relayed.took(Duration::from_millis(1));
        let snapshot = meter.snapshot();
        assert_eq!((snapshot.trapped, snapshot.answered), (2, 1));
        assert_eq!(snapshot.reasons["app_trapped"], 2);
        let told = meter.reading();
        assert_eq!((told.trapped, told.answered), (1, 0));
        assert!(told.latencies.is_empty());
    }
}
