//! Memory that all apps together may have, so that they cannot take the host down: what is charged to an app's budget is
//! charged here too.
//!
//! Budgets may add up to more than there is, since most apps use little of theirs. When all is taken, the host says no
//! before the kernel ends the process. The last tenth goes only to apps that hold little: whatever the greedy do, an
//! ordinary app has room for an instance.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use tokio::sync::Notify;

/// An app that holds no more than this, in bytes, may have of the last tenth.
const LITTLE: u64 = 16 << 20;

/// The process's memory for apps.
pub(crate) struct HostMemory {
    limit: u64,
    used: AtomicU64,
    /// Signalled when an app gives memory back.
    freed: Notify,
}

impl HostMemory {
    /// `limit` bytes in all.
    pub(crate) fn new(limit: u64) -> Self {
        Self {
            limit,
            used: AtomicU64::new(0),
            freed: Notify::new(),
        }
    }

    /// Charges `bytes`, if they fit, to an app that will hold `held` bytes with them.
    pub(super) fn try_charge(&self, bytes: u64, held: u64) -> bool {
        let limit = if held <= LITTLE {
            self.limit
        } else {
            self.limit - self.limit / 10
        };
        let fits = |used: u64| used.checked_add(bytes).filter(|sum| *sum <= limit);
        self.used.fetch_update(Relaxed, Relaxed, fits).is_ok()
    }

    pub(super) fn release(&self, bytes: u64) {
        self.used.fetch_sub(bytes, Relaxed);
        self.freed.notify_one();
    }

    pub(super) fn pass_on(&self) {
        self.freed.notify_one();
    }

    /// Bytes that all apps may have.
    pub(crate) fn limit(&self) -> u64 {
        self.limit
    }

    /// Resolves when memory was given back.
    pub(crate) async fn freed(&self) {
        self.freed.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    #[test]
    fn the_last_tenth_is_for_apps_that_hold_little() {
        let host = HostMemory::new(200 * MIB);
        assert!(host.try_charge(180 * MIB, 180 * MIB));
        assert!(
            !host.try_charge(MIB, 181 * MIB),
            "the greedy app has its part"
        );
        assert!(host.try_charge(16 * MIB, 16 * MIB));
        assert!(!host.try_charge(MIB, 17 * MIB));
        assert!(host.try_charge(4 * MIB, 4 * MIB));
        assert!(!host.try_charge(1, 1), "all is taken");
        host.release(180 * MIB);
        assert!(host.try_charge(MIB, 17 * MIB));
    }
}
