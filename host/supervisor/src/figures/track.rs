//! What one app did lately: the differences of its meter's readings, tick by tick for a minute, and
//! the sum of its running minute.
//!
//! An app that was never visited has none of it. Counters of an app begin with its meter, which is
//! made with the app and with the process: the first reading is a difference to nothing.

use lodge_model::{AppMeter, Latency, Tally};
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::atomic::Ordering::Relaxed;

/// Ticks that make a minute.
pub(crate) const TICKS: u64 = 12;

/// What one app did lately.
#[derive(Default)]
pub(crate) struct Track(Mutex<Option<Box<Lately>>>);

#[derive(Default)]
struct Lately {
    /// The meter's movement when it was last read.
    movement: u64,
    /// What it said then.
    last: Tally,
    /// The most memory ever charged, as of then.
    peak: u64,
    /// What came since the last tick.
    open: Tally,
    /// The ticks in which something happened, by their numbers.
    ticks: VecDeque<(u64, Tally)>,
    /// What came since the running minute began.
    minute: Tally,
}

impl Track {
    /// Ends the tick `number`.
    pub(crate) fn tick(&self, meter: &AppMeter, number: u64) {
        let mut lately = self.0.lock();
        let Some(lately) = look(&mut lately, meter) else {
            return;
        };
        let tally = std::mem::take(&mut lately.open);
        if tally.is_eventful() {
            lately.ticks.push_back((number, tally));
        }
        while lately
            .ticks
            .front()
            .is_some_and(|(old, _)| *old + TICKS <= number)
        {
            lately.ticks.pop_front();
        }
    }

    /// Takes the running minute, if something happened in it; what follows is the next one's.
    pub(crate) fn end_minute(&self) -> Option<Tally> {
        let minute = std::mem::take(&mut self.0.lock().as_mut()?.minute);
        minute.is_eventful().then_some(minute)
    }

    /// The running minute, up to this instant.
    pub(crate) fn minute(&self, meter: &AppMeter) -> Tally {
        let mut lately = self.0.lock();
        look(&mut lately, meter).map_or_else(Tally::default, |lately| lately.minute.clone())
    }

    /// What happened within the last `ticks` ticks, of which `now` is the newest.
    pub(crate) fn recent(&self, now: u64, ticks: u64) -> Tally {
        let lately = self.0.lock();
        lately
            .as_ref()
            .map_or_else(Tally::default, |lately| lately.sum(now, ticks))
    }

    /// How long the requests of the last minute took, up to this instant.
    pub(crate) fn latency(&self, meter: &AppMeter, now: u64) -> Option<Latency> {
        let mut lately = self.0.lock();
        let lately = look(&mut lately, meter)?;
        let mut sum = lately.sum(now, TICKS);
        sum.add(&lately.open);
        sum.latencies.summary()
    }
}

impl Lately {
    fn sum(&self, now: u64, ticks: u64) -> Tally {
        let mut sum = Tally::default();
        for (_, tally) in self.ticks.iter().filter(|(tick, _)| *tick + ticks > now) {
            sum.add(tally);
        }
        sum
    }
}

/// Reads the meter, if it has moved.
fn look<'a>(lately: &'a mut Option<Box<Lately>>, meter: &AppMeter) -> Option<&'a mut Lately> {
    // Before the reading: what comes in between is looked for once more, and not missed.
    let movement = meter.movement();
    let is_busy = meter.in_flight.load(Relaxed) > 0 || meter.queued.load(Relaxed) > 0;
    if lately.is_none() && movement == 0 && !is_busy {
        return None;
    }
    let lately = lately.get_or_insert_default();
    if lately.movement != movement || is_busy {
        let peak = meter.memory_peak_bytes.load(Relaxed);
        let reading = meter.reading();
        let mut tally = reading.since(&lately.last);
        if peak > lately.peak {
            // Between two looks it was higher than at either.
            tally.memory_bytes = tally.memory_bytes.max(peak);
        }
        lately.open.add(&tally);
        lately.minute.add(&tally);
        (lately.movement, lately.peak, lately.last) = (movement, peak, reading);
    }
    Some(lately)
}

#[cfg(test)]
mod tests {
    use super::*;
    use lodge_model::{FailureKind, Outcome};
    use std::time::Duration;

    fn answer(meter: &AppMeter, times: u64) {
        for _ in 0..times {
            meter.record(Outcome::Answered(http::StatusCode::OK));
            meter.took(Duration::from_millis(2));
        }
    }

    #[test]
    fn an_app_that_nobody_visits_costs_nothing() {
        let (track, meter) = (Track::default(), AppMeter::default());
        meter.memory_bytes.store(1, Relaxed);
        track.tick(&meter, 1);
        assert!(track.0.lock().is_none());
        assert_eq!(track.end_minute(), None);
        assert_eq!(track.latency(&meter, 1), None);
    }

    #[test]
    fn a_minute_is_twelve_ticks() {
        let (track, meter) = (Track::default(), AppMeter::default());
        for tick in 1..=20 {
            answer(&meter, 1);
            track.tick(&meter, tick);
        }
        assert_eq!(track.recent(20, TICKS).answered, 12);
        assert_eq!(track.recent(20, 2).answered, 2);
        track.tick(&meter, 25);
        assert_eq!(track.recent(25, TICKS).answered, 7);
        assert!(track.latency(&meter, 25).is_some());
        track.tick(&meter, 40);
        assert_eq!(track.recent(40, TICKS), Tally::default());
        assert_eq!(track.latency(&meter, 40), None);
    }

    #[test]
    fn a_running_minute_is_up_to_date_and_taken_once() {
        let (track, meter) = (Track::default(), AppMeter::default());
        answer(&meter, 2);
        track.tick(&meter, 1);
        meter.record(Outcome::Failed(FailureKind::QueueFull));
        meter.memory_peak_bytes.store(99, Relaxed);
        let minute = track.minute(&meter);
        assert_eq!((minute.answered, minute.refused), (2, 1));
        assert_eq!(minute.memory_bytes, 99, "the peak in between");
        assert_eq!(track.end_minute(), Some(minute));
        assert_eq!(track.end_minute(), None);
        track.tick(&meter, 2);
        assert_eq!(track.recent(2, 2).refused, 1);
    }

    #[test]
    fn what_is_still_under_way_is_seen() {
        let (track, meter) = (Track::default(), AppMeter::default());
        meter.in_flight.store(3, Relaxed);
        track.tick(&meter, 1);
        meter.in_flight.store(1, Relaxed);
        track.tick(&meter, 2);
        assert_eq!(track.recent(2, 2).in_flight, 3);
    }
}
