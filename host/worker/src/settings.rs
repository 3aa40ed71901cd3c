//! The worker's own limits and delays.

use lodge_model::backoff;
use std::time::Duration;

/// What bounds a worker. The defaults are those of the product; tests shorten them.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How often it says that it is alive.
    pub heartbeat: Duration,
    /// How often apps' meters are looked at and what they used is told. Load is of the last two looks.
    pub sample_every: Duration,
    /// Apps started at once that nobody waits for (with the worker, retries).
    pub background_starts: usize,
    /// Apps started at once that somebody waits for (visitors, operations). As many as could all hang
    /// until [`start_timeout`](Self::start_timeout) without holding up the next.
    pub urgent_starts: usize,
    /// A start that takes longer has failed.
    pub start_timeout: Duration,
    /// How long requests under way may finish when their app stops.
    pub stop_grace: Duration,
    /// Delay before the first new try of a failed start; it doubles from try to try.
    pub first_retry: Duration,
    /// The longest such delay.
    pub longest_retry: Duration,
    /// After so many failed starts in a row an app stays failed until a higher revision comes.
    pub give_up_after: u32,
    /// How long a worker that has just started waits for its supervisor's word before it serves what
    /// it kept on disk: an app may have moved meanwhile.
    pub trust_disk_after: Duration,
    /// Databases tried at once, at an administrator's request.
    pub database_tests: usize,
    /// A try that takes longer has failed.
    pub database_test_timeout: Duration,
    /// Logs followed at once.
    pub followed_logs: usize,
    /// How often a followed log in which nothing happens says so.
    pub follow_beat: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            heartbeat: Duration::from_secs(10),
            sample_every: Duration::from_secs(5),
            background_starts: 16,
            urgent_starts: 256,
            start_timeout: Duration::from_secs(120),
            stop_grace: Duration::from_secs(10),
            first_retry: Duration::from_secs(1),
            longest_retry: Duration::from_secs(60),
            give_up_after: 5,
            trust_disk_after: Duration::from_secs(3),
            database_tests: 4,
            database_test_timeout: Duration::from_secs(15),
            followed_logs: 64,
            follow_beat: Duration::from_secs(10),
        }
    }
}

impl Settings {
    /// The delay after `failures` failed starts in a row; none: give up.
    pub(crate) fn retry_delay(&self, failures: u32) -> Option<Duration> {
        (1..self.give_up_after)
            .contains(&failures)
            .then(|| self.patient_delay(failures))
    }

    /// The delay after `failures` failures in a row of what is never given up.
    pub(crate) fn patient_delay(&self, failures: u32) -> Duration {
        backoff(self.first_retry, self.longest_retry, failures)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_and_starts_are_given_up() {
        let settings = Settings::default();
        let seconds = |delay: Option<Duration>| delay.map(|delay| delay.as_secs());
        let starts: Vec<_> = (1..=5).map(|n| seconds(settings.retry_delay(n))).collect();
        assert_eq!(starts, [Some(1), Some(2), Some(4), Some(8), None]);
        assert_eq!(settings.patient_delay(6).as_secs(), 32);
        assert_eq!(settings.patient_delay(u32::MAX).as_secs(), 60);
    }
}
