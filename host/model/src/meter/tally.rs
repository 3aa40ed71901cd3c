//! What happened to an app within some time: the difference of two readings of its meter, and the
//! sum of such differences.
//!
//! Counts and times add up; what is held (memory, instances, requests under way) is the highest that
//! was seen. Its JSON leaves out what is nought, and is what the control database keeps: names never
//! change, new ones are nought where they are missing.

use super::{AppMeter, LatencyCounts};
use crate::FailureKind;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::atomic::Ordering::Relaxed;

/// What happened within some time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tally {
    /// Requests that the app answered.
    #[serde(skip_serializing_if = "is_nought")]
    pub answered: u64,
    /// Of those, with a status of 500 or more.
    #[serde(skip_serializing_if = "is_nought")]
    pub server_errors: u64,
    /// Requests whose visitor went away first.
    #[serde(skip_serializing_if = "is_nought")]
    pub cancelled: u64,
    /// Requests refused before they reached a guest.
    #[serde(skip_serializing_if = "is_nought")]
    pub refused: u64,
    /// Requests that met their deadline.
    #[serde(skip_serializing_if = "is_nought")]
    pub timed_out: u64,
    /// Requests whose guest trapped or gave no answer.
    #[serde(skip_serializing_if = "is_nought")]
    pub trapped: u64,
    /// Requests that met a memory limit.
    #[serde(skip_serializing_if = "is_nought")]
    pub out_of_memory: u64,
    /// Requests that met the CPU limit.
    #[serde(skip_serializing_if = "is_nought")]
    pub cpu_limited: u64,
    /// CPU time, in nanoseconds.
    #[serde(skip_serializing_if = "is_nought")]
    pub cpu_nanos: u64,
    /// Time its guests were ready and waited for a turn, in nanoseconds.
    #[serde(skip_serializing_if = "is_nought")]
    pub throttled_nanos: u64,
    /// The highest charged memory seen, in bytes.
    #[serde(skip_serializing_if = "is_nought")]
    pub memory_bytes: u64,
    /// The most requests seen being served.
    #[serde(skip_serializing_if = "is_nought")]
    pub in_flight: u64,
    /// The most requests seen waiting.
    #[serde(skip_serializing_if = "is_nought")]
    pub queued: u64,
    /// The most instances seen.
    #[serde(skip_serializing_if = "is_nought")]
    pub instances: u64,
    /// Requests that failed, by code.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub reasons: BTreeMap<String, u64>,
    /// How long requests took.
    #[serde(skip_serializing_if = "LatencyCounts::is_empty")]
    pub latencies: LatencyCounts,
}

impl AppMeter {
    /// Grows whenever something happens: two equal values say that nothing did in between.
    pub fn movement(&self) -> u64 {
        self.requests
            .movement()
            .wrapping_add(self.cpu_nanos.load(Relaxed))
            .wrapping_add(self.throttled_nanos.load(Relaxed))
    }

    /// Adds what happened to an app on a worker since the last time (`used`): the visits that came to the
    /// worker itself, and CPU; and what it holds on all workers now.
    pub fn absorb(&self, used: &Tally, held: &Tally) {
        self.requests
            .add(used.answered, used.server_errors, used.cancelled);
        self.requests.add_latencies(&used.latencies);
        for (code, count) in &used.reasons {
            // A newer worker's reason that is not known here is a failure all the same.
            let kind = FailureKind::from_code(code).unwrap_or(FailureKind::Internal);
            self.requests.fail(kind, *count);
        }
        self.cpu_nanos.fetch_add(used.cpu_nanos, Relaxed);
        self.throttled_nanos
            .fetch_add(used.throttled_nanos, Relaxed);
        self.memory_bytes.store(held.memory_bytes, Relaxed);
        self.memory_peak_bytes.fetch_max(held.memory_bytes, Relaxed);
        let instances = i64::try_from(held.instances).unwrap_or(i64::MAX);
        self.instances.store(instances, Relaxed);
    }

    /// Everything that was counted since the host started, and what is held now; without what was
    /// relayed, since whoever sent it counts it.
    pub fn reading(&self) -> Tally {
        let mut now = self.held();
        now.add(&self.requests);
        Tally {
            answered: now.answered,
            server_errors: now.server_errors,
            cancelled: now.cancelled,
            refused: now.refused,
            timed_out: now.timed_out,
            trapped: now.trapped,
            out_of_memory: now.out_of_memory,
            cpu_limited: now.cpu_limited,
            cpu_nanos: self.cpu_nanos.load(Relaxed),
            throttled_nanos: self.throttled_nanos.load(Relaxed),
            memory_bytes: now.memory_bytes,
            in_flight: now.in_flight,
            queued: now.queued,
            instances: now.instances,
            reasons: now.reasons,
            latencies: self.requests.latencies(),
        }
    }
}

impl Tally {
    /// What happened since `before`, of which this is a later reading. A counter that is lower than
    /// before began anew: all it has is since then.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        Self {
            answered: moved(self.answered, before.answered),
            server_errors: moved(self.server_errors, before.server_errors),
            cancelled: moved(self.cancelled, before.cancelled),
            refused: moved(self.refused, before.refused),
            timed_out: moved(self.timed_out, before.timed_out),
            trapped: moved(self.trapped, before.trapped),
            out_of_memory: moved(self.out_of_memory, before.out_of_memory),
            cpu_limited: moved(self.cpu_limited, before.cpu_limited),
            cpu_nanos: moved(self.cpu_nanos, before.cpu_nanos),
            throttled_nanos: moved(self.throttled_nanos, before.throttled_nanos),
            memory_bytes: self.memory_bytes,
            in_flight: self.in_flight,
            queued: self.queued,
            instances: self.instances,
            reasons: self.reasons_since(before),
            latencies: self.latencies.since(&before.latencies),
        }
    }

    fn reasons_since(&self, before: &Self) -> BTreeMap<String, u64> {
        let moved = |(code, count): (&String, &u64)| {
            let before = before.reasons.get(code).copied().unwrap_or(0);
            (code.clone(), moved(*count, before))
        };
        let all = self.reasons.iter().map(moved);
        all.filter(|(_, count)| *count > 0).collect()
    }

    /// Adds what happened in another time.
    pub fn add(&mut self, other: &Self) {
        let sum = |own: &mut u64, more: u64| *own = own.saturating_add(more);
        sum(&mut self.answered, other.answered);
        sum(&mut self.server_errors, other.server_errors);
        sum(&mut self.cancelled, other.cancelled);
        sum(&mut self.refused, other.refused);
        sum(&mut self.timed_out, other.timed_out);
        sum(&mut self.trapped, other.trapped);
        sum(&mut self.out_of_memory, other.out_of_memory);
        sum(&mut self.cpu_limited, other.cpu_limited);
        sum(&mut self.cpu_nanos, other.cpu_nanos);
        sum(&mut self.throttled_nanos, other.throttled_nanos);
        self.memory_bytes = self.memory_bytes.max(other.memory_bytes);
        self.in_flight = self.in_flight.max(other.in_flight);
        self.queued = self.queued.max(other.queued);
        self.instances = self.instances.max(other.instances);
        for (code, count) in &other.reasons {
            sum(self.reasons.entry(code.clone()).or_default(), *count);
        }
        self.latencies.add(&other.latencies);
    }

    /// Whether anything happened: memory and instances that are only held are nothing.
    pub fn is_eventful(&self) -> bool {
        self.requests() > 0
            || self.cpu_nanos > 0
            || self.throttled_nanos > 0
            || self.in_flight > 0
            || self.queued > 0
    }

    /// Requests that ended, however they did.
    pub fn requests(&self) -> u64 {
        self.answered
            .saturating_add(self.cancelled)
            .saturating_add(self.failures())
    }

    /// Requests that went wrong: not answered, and not for their visitor's going away; or answered
    /// with a status of 500 or more.
    pub fn errors(&self) -> u64 {
        self.failures().saturating_add(self.server_errors)
    }

    fn failures(&self) -> u64 {
        [
            self.refused,
            self.timed_out,
            self.trapped,
            self.out_of_memory,
            self.cpu_limited,
        ]
        .into_iter()
        .fold(0, u64::saturating_add)
    }
}

/// How far a counter moved; one that is lower than before began anew.
pub(super) fn moved(now: u64, before: u64) -> u64 {
    now.checked_sub(before).unwrap_or(now)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_nought(value: &u64) -> bool {
    *value == 0
}

#[cfg(test)]
mod tests {
    use super::super::Outcome;
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_difference_has_what_came_in_between() {
        let meter = AppMeter::default();
        meter.record(Outcome::Failed(FailureKind::QueueFull));
        let (mark, before) = (meter.movement(), meter.reading());
        assert!(!meter.reading().since(&before).is_eventful());
        meter.record(Outcome::Answered(http::StatusCode::BAD_GATEWAY));
        meter.record(Outcome::Failed(FailureKind::Trap));
        meter.took(Duration::from_millis(5));
        meter.memory_bytes.store(7, Relaxed);
        let since = meter.reading().since(&before);
        assert_ne!(meter.movement(), mark);
        assert_eq!(
            (since.answered, since.trapped, since.refused),
            (1, 1, 0),
            "{since:?}"
        );
        assert_eq!((since.requests(), since.errors()), (2, 2));
        assert_eq!(since.memory_bytes, 7);
        assert!(since.latencies.summary().is_some() && since.is_eventful());
    }

    #[test]
    fn what_happened_elsewhere_counts_as_if_here() {
        let (there, here) = (AppMeter::default(), AppMeter::default());
        there.record(Outcome::Answered(http::StatusCode::OK));
        there.record(Outcome::Failed(FailureKind::QueueFull));
        there.took(Duration::from_millis(5));
        let told = serde_json::to_string(&there.reading()).unwrap();
        let told: Tally = serde_json::from_str(&told).unwrap();
        here.record(Outcome::Failed(FailureKind::QueueFull));
        here.absorb(&told, &Tally::default());
        let seen = here.snapshot();
        assert_eq!((seen.answered, seen.reasons["queue_full"]), (1, 2));
        assert_eq!(here.reading().latencies, there.reading().latencies);
        assert_eq!(
            here.reading().since(&there.reading()).reasons["queue_full"],
            1
        );
    }

    #[test]
    fn counters_that_began_anew_never_go_backwards() {
        let before = Tally {
            answered: 100,
            cpu_nanos: 9,
            ..Tally::default()
        };
        let now = Tally {
            answered: 3,
            ..Tally::default()
        };
        assert_eq!(now.since(&before), now);
    }

    #[test]
    fn sums_add_up_and_keep_the_highest() {
        let meter = AppMeter::default();
        meter.record(Outcome::Answered(http::StatusCode::OK));
        meter.took(Duration::from_millis(1));
        meter.memory_bytes.store(50, Relaxed);
        let mut sum = meter.reading();
        sum.add(&Tally {
            answered: 2,
            memory_bytes: 20,
            instances: 3,
            ..Tally::default()
        });
        assert_eq!((sum.answered, sum.memory_bytes, sum.instances), (3, 50, 3));
        let text = serde_json::to_string(&sum).unwrap();
        assert!(!text.contains("refused"), "{text}");
        assert_eq!(serde_json::from_str::<Tally>(&text).unwrap(), sum);
    }
}
