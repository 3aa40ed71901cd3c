//! The control plane's own limits and delays.

use lodge_model::{DatabaseEngine, TrustedProxies, backoff};
use lodge_store::ComponentStore;
use std::sync::Arc;
use std::time::Duration;

/// What bounds the control plane. The defaults are those of the product; tests shorten them.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How long a start of the host waits for another process to let go of the control database.
    pub claim_patience: Duration,
    /// Delay before the first new try of a failed start; it doubles from try to try.
    pub first_retry: Duration,
    /// The longest such delay.
    pub longest_retry: Duration,
    /// After so many failed starts in a row an app stays failed until an administrator acts.
    pub give_up_after: u32,
    /// A start that takes longer has failed.
    pub start_timeout: Duration,
    /// How long requests under way may finish when their app stops.
    pub stop_grace: Duration,
    /// Apps started at once that nobody waits for (with the host, retries).
    pub background_lanes: usize,
    /// Apps acted on at once that somebody waits for (visitors, administrators).
    pub urgent_lanes: usize,
    /// The largest component, in bytes.
    pub upload_bytes: u64,
    /// Where workers find components beside this process; none: only here.
    pub component_store: Option<Arc<ComponentStore>>,
    /// Uploads at once.
    pub uploads: usize,
    /// How long a further upload waits for its turn.
    pub upload_wait: Duration,
    /// The longest silence of an upload's sender.
    pub upload_silence: Duration,
    /// The make of a `new_database` of which none was asked for.
    pub database_engine: DatabaseEngine,
    /// Databases tried at once, at an administrator's request.
    pub database_tests: usize,
    /// A try that takes longer has failed.
    pub database_test_timeout: Duration,
    /// How long the audit log and ended operations are kept.
    pub retention: Duration,
    /// Under which apps have host names of their own (`APPS_DOMAIN`), so that none takes another's
    /// as its custom domain.
    pub apps_domain: Option<String>,
    /// Proxies whose forwarded headers both listeners believe.
    pub trusted_proxies: Arc<TrustedProxies>,
    /// True: they are set by flag, variable or file, and not to be changed while the host runs.
    pub proxies_configured: bool,
    /// Live events that a slow listener may lag behind before it misses some.
    pub live_backlog: usize,
    /// How often apps' meters are looked at. Rates assume the default: tests turn it off by a long
    /// time and sample by hand.
    pub sample_every: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            claim_patience: Duration::from_secs(10),
            first_retry: Duration::from_secs(1),
            longest_retry: Duration::from_secs(60),
            give_up_after: 5,
            start_timeout: Duration::from_secs(120),
            stop_grace: Duration::from_secs(10),
            background_lanes: 16,
            urgent_lanes: 256,
            upload_bytes: 100 * 1024 * 1024,
            component_store: None,
            uploads: 4,
            upload_wait: Duration::from_secs(30),
            upload_silence: Duration::from_secs(30),
            database_engine: DatabaseEngine::Sqlite,
            database_tests: 4,
            database_test_timeout: Duration::from_secs(15),
            retention: Duration::from_secs(90 * 24 * 60 * 60),
            apps_domain: None,
            trusted_proxies: Arc::default(),
            proxies_configured: false,
            live_backlog: 4096,
            sample_every: crate::figures::TICK,
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
    fn delays_double_up_to_the_longest_and_end() {
        let settings = Settings {
            give_up_after: 10,
            ..Settings::default()
        };
        let delays: Vec<_> = (1..=10)
            .map(|n| settings.retry_delay(n).map(|d| d.as_secs()))
            .collect();
        let expected = [1, 2, 4, 8, 16, 32, 60, 60, 60].map(Some);
        assert_eq!(delays, [&expected[..], &[None]].concat());
        assert_eq!(settings.patient_delay(6).as_secs(), 32);
        assert_eq!(settings.patient_delay(u32::MAX).as_secs(), 60);
    }
}
