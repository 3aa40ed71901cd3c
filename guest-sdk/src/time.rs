//! Time, from the host's monotonic clock.

use std::time::Duration;

/// Waits without holding up other requests of the same instance. More than 584 years is 584 years.
/// In native tests no time passes.
pub async fn sleep(duration: Duration) {
    let nanoseconds = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
    #[cfg(target_arch = "wasm32")]
    send_wrapper::SendWrapper::new(wasip3::clocks::monotonic_clock::wait_for(nanoseconds)).await;
    #[cfg(not(target_arch = "wasm32"))]
    let _ = nanoseconds;
}
