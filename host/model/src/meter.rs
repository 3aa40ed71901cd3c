//! What an app used and how its requests ended, counted without locks on the request path.

use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use utoipa::ToSchema;

use crate::FailureKind;

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
    refused: AtomicU64,
    timed_out: AtomicU64,
    trapped: AtomicU64,
    out_of_memory: AtomicU64,
    cpu_limited: AtomicU64,
    /// Requests being served.
    pub in_flight: AtomicI64,
    /// Requests waiting for their turn.
    pub queued: AtomicI64,
    /// CPU time of the app's guests, in nanoseconds.
    pub cpu_nanos: AtomicU64,
    /// Time its guests were ready to run and waited for a turn, in nanoseconds.
    pub throttled_nanos: AtomicU64,
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
            Outcome::Failed(kind) => match kind {
                FailureKind::Trap | FailureKind::NoResponse | FailureKind::Internal => {
                    &self.trapped
                }
                FailureKind::OutOfMemory => &self.out_of_memory,
                FailureKind::Deadline => &self.timed_out,
                FailureKind::CpuLimit => &self.cpu_limited,
                _ => &self.refused,
            },
        };
        counter.fetch_add(1, Relaxed);
    }

    /// All counters now. Each is exact; they are not read at one instant.
    pub fn snapshot(&self) -> MeterSnapshot {
        let count = |value: &AtomicI64| value.load(Relaxed).max(0).unsigned_abs();
        MeterSnapshot {
            answered: self.answered.load(Relaxed),
            server_errors: self.server_errors.load(Relaxed),
            cancelled: self.cancelled.load(Relaxed),
            refused: self.refused.load(Relaxed),
            timed_out: self.timed_out.load(Relaxed),
            trapped: self.trapped.load(Relaxed),
            out_of_memory: self.out_of_memory.load(Relaxed),
            cpu_limited: self.cpu_limited.load(Relaxed),
            in_flight: count(&self.in_flight),
            queued: count(&self.queued),
            cpu_ms: self.cpu_nanos.load(Relaxed) / 1_000_000,
            throttled_ms: self.throttled_nanos.load(Relaxed) / 1_000_000,
            memory_bytes: self.memory_bytes.load(Relaxed),
            memory_peak_bytes: self.memory_peak_bytes.load(Relaxed),
            instances: count(&self.instances),
            instantiations: self.instantiations.load(Relaxed),
        }
    }
}

/// An app's counters, since the host started.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
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
    /// Memory charged now, in bytes.
    pub memory_bytes: u64,
    /// The most memory ever charged, in bytes.
    pub memory_peak_bytes: u64,
    /// Instances held now.
    pub instances: u64,
    /// Instances made so far.
    pub instantiations: u64,
}
