//! How long requests took: counted into buckets without locks, read as percentiles.
//!
//! Buckets are log-linear, four to each doubling, from 0.1 ms to a minute: a percentile is the middle
//! of its bucket and so at most an eighth off, whatever the times are. All below 0.1 ms is one
//! bucket, all above a minute is in the last. An app's buckets are 624 bytes, for ever.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use utoipa::ToSchema;

/// Times are counted in units of a quarter of the first bucket.
const UNIT_MICROS: u64 = 25;
/// Doublings between the first bucket and the last, four buckets each.
const BUCKETS: usize = 1 + 19 * 4 + 1;

/// The times of an app's requests, since the host started.
#[derive(Debug)]
pub struct Latencies([AtomicU64; BUCKETS]);

impl Default for Latencies {
    fn default() -> Self {
        Self(std::array::from_fn(|_| AtomicU64::new(0)))
    }
}

impl Latencies {
    /// Counts one request.
    pub fn record(&self, time: Duration) {
        if let Some(bucket) = self.0.get(bucket_of(time)) {
            bucket.fetch_add(1, Relaxed);
        }
    }

    /// Adds what was counted elsewhere.
    pub(super) fn add(&self, more: &LatencyCounts) {
        for (bucket, count) in &more.0 {
            if let Some(bucket) = self.0.get(usize::from(*bucket)) {
                bucket.fetch_add(*count, Relaxed);
            }
        }
    }

    /// The counts now.
    pub fn counts(&self) -> LatencyCounts {
        let counts = self.0.iter().map(|bucket| bucket.load(Relaxed));
        LatencyCounts((0..).zip(counts).filter(|(_, count)| *count > 0).collect())
    }
}

/// So many requests in each bucket; empty buckets are left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LatencyCounts(BTreeMap<u8, u64>);

impl LatencyCounts {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds what another one has.
    pub fn add(&mut self, other: &Self) {
        for (bucket, count) in &other.0 {
            let own = self.0.entry(*bucket).or_default();
            *own = own.saturating_add(*count);
        }
    }

    /// What came since `before`, of which this is a later reading.
    pub(super) fn since(&self, before: &Self) -> Self {
        let moved = |(bucket, count): (&u8, &u64)| {
            let before = before.0.get(bucket).copied().unwrap_or(0);
            (*bucket, super::tally::moved(*count, before))
        };
        let all = self.0.iter().map(moved);
        Self(all.filter(|(_, count)| *count > 0).collect())
    }

    /// The percentiles; none if there was no request.
    pub fn summary(&self) -> Option<Latency> {
        let total = self.0.values().fold(0_u64, |sum, n| sum.saturating_add(*n));
        (total > 0).then(|| Latency {
            p50_ms: self.percentile(total, 50),
            p95_ms: self.percentile(total, 95),
            p99_ms: self.percentile(total, 99),
        })
    }

    fn percentile(&self, total: u64, percent: u64) -> f64 {
        let wanted = u128::from(total) * u128::from(percent);
        let mut seen = 0_u128;
        for (bucket, count) in &self.0 {
            seen += u128::from(*count) * 100;
            if seen >= wanted {
                return middle_ms(usize::from(*bucket));
            }
        }
        0.0
    }
}

/// How long requests took, from their arrival to the beginning of their answer.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Latency {
    /// Half of them took no longer, in milliseconds.
    pub p50_ms: f64,
    /// 95 of 100 took no longer, in milliseconds.
    pub p95_ms: f64,
    /// 99 of 100 took no longer, in milliseconds.
    pub p99_ms: f64,
}

fn bucket_of(time: Duration) -> usize {
    let units = u64::try_from(time.as_micros()).unwrap_or(u64::MAX) / UNIT_MICROS;
    // Four units begin the first doubling.
    let Some(doubling) = units.checked_ilog2().and_then(|log| log.checked_sub(2)) else {
        return 0;
    };
    let quarter = (units >> doubling) & 3;
    let index = 1 + u64::from(doubling) * 4 + quarter;
    usize::try_from(index)
        .unwrap_or(usize::MAX)
        .min(BUCKETS - 1)
}

/// The middle of a bucket, in milliseconds, to the microsecond.
fn middle_ms(bucket: usize) -> f64 {
    // What a database holds may name a bucket that there is not.
    let micros = match bucket.min(BUCKETS - 1).checked_sub(1) {
        None => UNIT_MICROS * 2,
        Some(above) => {
            let (doubling, quarter) = (above / 4, above % 4);
            // Twice the middle, to stay in whole numbers.
            ((2 * (4 + quarter as u64) + 1) << doubling) * UNIT_MICROS / 2
        }
    };
    Duration::from_micros(micros).as_secs_f64() * 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(times: impl IntoIterator<Item = Duration>) -> LatencyCounts {
        let latencies = Latencies::default();
        times.into_iter().for_each(|time| latencies.record(time));
        latencies.counts()
    }

    #[test]
    fn percentiles_are_at_most_an_eighth_off() {
        let mut micros = 100_u64;
        while micros < 60_000_000 {
            let shown = counts([Duration::from_micros(micros)]).summary().unwrap();
            let exact = micros as f64 / 1_000.0;
            let error = (shown.p50_ms - exact).abs() / exact;
            assert!(error <= 0.126, "{exact} ms shows as {}", shown.p50_ms);
            micros += micros / 37 + 1;
        }
    }

    #[test]
    fn percentiles_of_many_times_are_the_exact_ones_but_for_the_error() {
        // 0.1 ms to 1 s, evenly: the exact percentiles are known.
        let all = counts((1..=10_000).map(|n| Duration::from_micros(n * 100)));
        let shown = all.summary().unwrap();
        for (shown, exact) in [
            (shown.p50_ms, 500.0),
            (shown.p95_ms, 950.0),
            (shown.p99_ms, 990.0),
        ] {
            assert!(
                (shown - exact).abs() / exact <= 0.126,
                "{shown} for {exact}"
            );
        }
    }

    #[test]
    fn the_ends_are_open() {
        let shown = |time| counts([time]).summary().unwrap().p99_ms;
        assert!((shown(Duration::ZERO) - 0.05).abs() < 1e-9);
        assert!(shown(Duration::from_secs(60)) > 50_000.0);
        assert_eq!(
            shown(Duration::from_secs(60)).to_bits(),
            shown(Duration::MAX).to_bits()
        );
        assert_eq!(LatencyCounts::default().summary(), None);
        let strange: LatencyCounts = serde_json::from_str("{\"255\":1}").unwrap();
        assert!(strange.summary().unwrap().p50_ms > 50_000.0);
    }

    #[test]
    fn merged_counts_are_those_of_all() {
        let (quick, slow) = (Duration::from_millis(1), Duration::from_secs(2));
        let mut sum = counts([quick, quick]);
        sum.add(&counts([slow]));
        assert_eq!(sum, counts([quick, slow, quick]));
        assert_eq!(sum.since(&counts([quick, quick])), counts([slow]));
        let text = serde_json::to_string(&sum).unwrap();
        assert_eq!(serde_json::from_str::<LatencyCounts>(&text).unwrap(), sum);
    }
}
