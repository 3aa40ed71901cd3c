//! Says once in a while what would otherwise be said with every message.

use parking_lot::Mutex;
use std::time::{Duration, Instant};

/// How long it is silent after it spoke.
const SILENCE: Duration = Duration::from_secs(60);

/// Counts messages that are not genuine and warns of them.
#[derive(Default)]
pub(crate) struct Complaint(Mutex<Told>);

#[derive(Default)]
struct Told {
    count: u64,
    at: Option<Instant>,
}

impl Complaint {
    /// Counts one thing in Redis that did not verify.
    pub(crate) fn of_forgery(&self, what: &str) {
        let mut told = self.0.lock();
        told.count = told.count.saturating_add(1);
        if told.at.is_some_and(|at| at.elapsed() < SILENCE) {
            return;
        }
        told.at = Some(Instant::now());
        tracing::warn!(
            count = told.count,
            "{what} in Redis is not genuine and was ignored: is LODGE_CLUSTER_KEY the same on the \
             supervisor and on all workers, and may others write to this Redis?"
        );
    }
}
