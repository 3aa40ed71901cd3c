//! How much CPU a poll used, without two system calls a poll.
//!
//! A thread's CPU clock is read by a system call; the monotonic clock is not. A poll shorter than
//! [`SHORT`] is charged its wall time: a thread that loses its core loses it for longer than that.
//! A longer one is charged what the CPU clock gained since it was last read on this thread, at most
//! [`FRESH`] before the poll, and never more than its wall time. So only a long poll that lost its
//! core can be charged too much, and by less than a millisecond.

use std::cell::Cell;
use std::time::{Duration, Instant};

const SHORT: Duration = Duration::from_micros(100);
const FRESH: Duration = Duration::from_millis(1);

#[derive(Clone, Copy)]
struct Reading {
    at: Instant,
    cpu: Duration,
}

thread_local! {
    static LAST: Cell<Option<Reading>> = const { Cell::new(None) };
}

/// Measures one poll; belongs to the thread that it was started on.
pub(crate) struct Stopwatch {
    started: Instant,
    base: Duration,
}

impl Stopwatch {
    pub(crate) fn start() -> Self {
        let started = Instant::now();
        let fresh = |last: &Reading| started.saturating_duration_since(last.at) < FRESH;
        let last = LAST.get().filter(fresh).unwrap_or_else(|| read(started));
        Self {
            started,
            base: last.cpu,
        }
    }

    /// When it was started.
    pub(crate) fn started(&self) -> Instant {
        self.started
    }

    /// CPU time used since the start.
    pub(crate) fn used(&self) -> Duration {
        let now = Instant::now();
        let wall = now.saturating_duration_since(self.started);
        if wall < SHORT {
            return wall;
        }
        wall.min(read(now).cpu.saturating_sub(self.base))
    }
}

fn read(at: Instant) -> Reading {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    let reading = Reading {
        at,
        cpu: Duration::new(
            u64::try_from(time.tv_sec).unwrap_or(0),
            u32::try_from(time.tv_nsec).unwrap_or(0),
        ),
    };
    LAST.set(Some(reading));
    reading
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spin(wall: Duration) {
        let started = Instant::now();
        while started.elapsed() < wall {
            std::hint::spin_loop();
        }
    }

    #[test]
    fn sleep_is_not_charged_and_work_is() {
        let watch = Stopwatch::start();
        std::thread::park_timeout(Duration::from_millis(50));
        assert!(watch.used() < Duration::from_millis(25));

        let watch = Stopwatch::start();
        let before = read(Instant::now()).cpu;
        spin(Duration::from_millis(50));
        let spent = read(Instant::now()).cpu - before;
        let used = watch.used();
        assert!(
            used >= spent && used <= spent + 2 * FRESH,
            "{used:?} for {spent:?}"
        );
    }

    #[test]
    fn many_short_polls_add_up() {
        let (mut sum, before) = (Duration::ZERO, read(Instant::now()).cpu);
        for _ in 0..1_000 {
            let watch = Stopwatch::start();
            spin(Duration::from_micros(40));
            sum += watch.used();
        }
        let spent = read(Instant::now()).cpu - before;
        // At least what was spent within; what preemption adds is not bounded on a busy machine.
        assert!(sum >= spent.mul_f64(0.8), "{sum:?} for {spent:?}");
    }
}
