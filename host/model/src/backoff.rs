//! How long to wait before something that failed is tried again.

use std::time::Duration;

/// The delay after `failures` failures in a row: `first`, doubled with each further one, at most `longest`.
pub fn backoff(first: Duration, longest: Duration, failures: u32) -> Duration {
    let doubled = 2_u32.saturating_pow(failures.saturating_sub(1));
    first.saturating_mul(doubled).min(longest)
}
