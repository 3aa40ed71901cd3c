//! What one app used: the differences of its meter's readings, and its last minute of latencies.
//!
//! An app that was never visited has none of it. Counters begin with the cell: the first reading is a
//! difference to nothing.

use lodge_model::{AppMeter, Latency, LatencyCounts, Tally};
use std::collections::VecDeque;
use std::sync::atomic::Ordering::Relaxed;

/// Looks that make a minute.
const MINUTE: usize = 12;

/// What one app did up to the last look.
#[derive(Default)]
pub(crate) struct Usage {
    /// The meter's movement then.
    movement: u64,
    /// What it said then.
    last: Tally,
    /// The most memory ever charged, as of then.
    peak: u64,
    /// How long requests took, look by look, the newest last; empty if it was never visited.
    minute: VecDeque<LatencyCounts>,
}

impl Usage {
    /// What happened since the look before; none: nothing.
    pub(crate) fn look(&mut self, meter: &AppMeter) -> Option<Tally> {
        // Before the reading: what comes in between is looked for once more, and not missed.
        let movement = meter.movement();
        let is_busy = meter.in_flight.load(Relaxed) > 0 || meter.queued.load(Relaxed) > 0;
        if movement == self.movement && !is_busy {
            self.remember(LatencyCounts::default());
            return None;
        }
        let peak = meter.memory_peak_bytes.load(Relaxed);
        let reading = meter.reading();
        let mut tally = reading.since(&self.last);
        if peak > self.peak {
            // Between two looks it was higher than at either.
            tally.memory_bytes = tally.memory_bytes.max(peak);
        }
        (self.movement, self.peak, self.last) = (movement, peak, reading);
        self.remember(tally.latencies.clone());
        tally.is_eventful().then_some(tally)
    }

    /// How long the requests of the last minute took, up to this instant.
    pub(crate) fn latency(&self, meter: &AppMeter) -> Option<Latency> {
        let mut sum = meter.reading().since(&self.last).latencies;
        for counts in &self.minute {
            sum.add(counts);
        }
        sum.summary()
    }

    fn remember(&mut self, counts: LatencyCounts) {
        if self.minute.is_empty() && counts.is_empty() {
            return;
        }
        self.minute.push_back(counts);
        while self.minute.len() >= MINUTE {
            self.minute.pop_front();
        }
        if self.minute.iter().all(LatencyCounts::is_empty) {
            self.minute = VecDeque::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lodge_model::{FailureKind, Outcome};
    use std::time::Duration;

    #[test]
    fn each_look_tells_what_came_since() {
        let (mut usage, meter) = (Usage::default(), AppMeter::default());
        meter.memory_bytes.store(1, Relaxed);
        assert_eq!(usage.look(&meter), None);
        meter.record(Outcome::Answered(http::StatusCode::OK));
        meter.took(Duration::from_millis(2));
        meter.memory_peak_bytes.store(70, Relaxed);
        let tally = usage.look(&meter).unwrap();
        assert_eq!((tally.answered, tally.memory_bytes), (1, 70));
        assert_eq!(usage.look(&meter), None);
        meter.record(Outcome::Failed(FailureKind::Trap));
        let tally = usage.look(&meter).unwrap();
        assert_eq!((tally.answered, tally.trapped), (0, 1));
        meter.in_flight.store(1, Relaxed);
        assert_eq!(usage.look(&meter).unwrap().in_flight, 1);
    }

    #[test]
    fn latencies_are_of_the_last_minute() {
        let (mut usage, meter) = (Usage::default(), AppMeter::default());
        meter.record(Outcome::Answered(http::StatusCode::OK));
        meter.took(Duration::from_millis(2));
        assert!(usage.latency(&meter).is_some(), "not looked at yet");
        for _ in 0..MINUTE - 1 {
            usage.look(&meter);
            assert!(usage.latency(&meter).is_some());
        }
        usage.look(&meter);
        assert_eq!(usage.latency(&meter), None);
        assert!(usage.minute.is_empty());
    }
}
