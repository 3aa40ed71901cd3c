//! Finds an app that does nothing but crash, by looking at its meter again and again.
//!
//! A crash is a request whose guest trapped, ran out of its memory or gave no answer. One answer in between, whatever
//! its status, or one that goes on, says that the app works for somebody. So visitors who know how to make it crash do not
//! take it from others whom it serves; while it serves nobody else, they keep it stopped for seconds at a time
//! ([`CrashLoop::LONGEST`]).

use super::AppMeter;
use crate::FailureKind;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

/// Crashes in a row from which on they are a loop.
const CRASHES: u64 = 50;
/// For how long there has been nothing else.
const TIME: Duration = Duration::from_secs(10);

/// Watches one app.
#[derive(Debug, Default)]
pub struct CrashWatch {
    movement: u64,
    served: u64,
    crashed: u64,
    /// When the crashes began of which no answer came in between, and the count before the first.
    since: Option<(Instant, u64)>,
    loops: u32,
}

/// An app that does nothing but crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CrashLoop {
    /// Requests that crashed.
    pub crashes: u64,
    /// Within this time.
    pub time: Duration,
    /// How often it was found so since it last answered: 1 is the first time.
    pub loops: u32,
}

impl CrashWatch {
    /// Looks at the app's meter; called every few seconds. Found, it begins anew: the next finding is of
    /// crashes to come.
    pub fn look(&mut self, meter: &AppMeter, now: Instant) -> Option<CrashLoop> {
        let movement = meter.movement();
        if movement == self.movement {
            return None;
        }
        let (served, crashed) = meter.served_and_crashed();
        let (has_served, before) = (served > self.served, self.crashed);
        (self.movement, self.served, self.crashed) = (movement, served, crashed);
        if has_served || meter.answering.load(Relaxed) > 0 {
            (self.since, self.loops) = (None, 0);
            return None;
        }
        if crashed == before {
            return None;
        }
        let (since, before) = *self.since.get_or_insert((now, before));
        let (crashes, time) = (crashed - before, now.saturating_duration_since(since));
        if crashes < CRASHES || time < TIME {
            return None;
        }
        self.since = None;
        self.loops = self.loops.saturating_add(1);
        Some(CrashLoop {
            crashes,
            time,
            loops: self.loops,
        })
    }
}

impl CrashLoop {
    /// The longest that such an app is not tried again.
    pub const LONGEST: Duration = Duration::from_secs(10);
}

impl std::fmt::Display for CrashLoop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "it does nothing but crash: none of its last {} requests, within {} s, had an answer; the cause of each is \
             in its log",
            self.crashes,
            self.time.as_secs()
        )
    }
}

impl AppMeter {
    /// Requests that were answered, or whose visitor left before; and those that crashed.
    fn served_and_crashed(&self) -> (u64, u64) {
        let crash = |kind| {
            matches!(
                kind,
                FailureKind::Trap | FailureKind::OutOfMemory | FailureKind::NoResponse
            )
        };
        let all = [Some(&self.requests), self.relayed.get().map(AsRef::as_ref)];
        let all = all.into_iter().flatten();
        all.fold((0, 0), |(served, crashed), requests| {
            let crashes = requests.failures().filter(|(kind, _)| crash(*kind));
            let crashes: u64 = crashes.map(|(_, count)| count).sum();
            let left = requests.answered() + requests.cancelled();
            (served + left, crashed + crashes)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Outcome;

    fn crash(meter: &AppMeter, times: u64) {
        for _ in 0..times {
            meter.record(Outcome::Failed(FailureKind::Trap));
        }
    }

    #[test]
    fn many_crashes_for_a_while_and_nothing_else_are_a_loop() {
        let (mut watch, meter, start) =
            (CrashWatch::default(), AppMeter::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(watch.look(&meter, at(0)), None);
        crash(&meter, 30);
        assert_eq!(watch.look(&meter, at(5)), None);
        crash(&meter, 30);
        assert_eq!(watch.look(&meter, at(10)), None, "not for long enough");
        assert_eq!(watch.look(&meter, at(20)), None, "nothing happened");
        crash(&meter, 1);
        let found = watch.look(&meter, at(20)).unwrap();
        assert_eq!(
            (found.crashes, found.time.as_secs(), found.loops),
            (61, 15, 1)
        );
        crash(&meter, 49);
        assert_eq!(watch.look(&meter, at(21)), None);
        assert_eq!(watch.look(&meter, at(40)), None);
        crash(&meter, 1);
        assert_eq!(watch.look(&meter, at(41)).unwrap().loops, 2);
    }

    #[test]
    fn one_answer_in_between_says_that_it_works() {
        let (mut watch, meter, start) =
            (CrashWatch::default(), AppMeter::default(), Instant::now());
        for second in 0..30 {
            crash(&meter, 50);
            if second % 8 == 0 {
                meter
                    .requests(true)
                    .record(Outcome::Answered(http::StatusCode::INTERNAL_SERVER_ERROR));
            }
            assert_eq!(
                watch.look(&meter, start + Duration::from_secs(second)),
                None
            );
        }
    }
}
