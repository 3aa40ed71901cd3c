//! Time, from the host's monotonic clock.

use std::time::Duration;

/// Waits without holding up other requests of the same instance. More than 584 years is 584 years.
pub async fn sleep(duration: Duration) {
    let nanoseconds = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
    wasip3::clocks::monotonic_clock::wait_for(nanoseconds).await;
}
