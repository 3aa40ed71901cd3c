//! What calls and connections hold, given back when they end.

use lodge_model::Account;
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;

/// Bytes of an app's memory budget.
pub(super) struct Reserved {
    account: Arc<dyn Account>,
    bytes: u64,
}

impl Reserved {
    /// None: they do not fit.
    pub(super) fn take(account: &Arc<dyn Account>, bytes: u64) -> Option<Self> {
        // Not `then_some`, which would make one, and so give back, in either case.
        account.try_reserve(bytes).then(|| Self {
            account: account.clone(),
            bytes,
        })
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        self.account.release(self.bytes);
    }
}

/// A call's place among its app's calls, and the memory of its head. Held until its response ends.
pub(super) struct Held {
    pub(super) _place: OwnedSemaphorePermit,
    pub(super) _memory: Reserved,
}
