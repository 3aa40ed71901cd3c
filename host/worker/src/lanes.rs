//! Places to start apps in: what somebody waits for passes what nobody waits for (1,000 apps that
//! start with the worker), and each has a bound of its own. Only starts take places: to stop an app,
//! or to note that it waits, needs none.

use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Starts at once.
pub(crate) struct Lanes {
    urgent: Arc<Semaphore>,
    background: Arc<Semaphore>,
}

impl Lanes {
    pub(crate) fn new(urgent: usize, background: usize) -> Self {
        let places = |count: usize| Arc::new(Semaphore::new(count.clamp(1, 1 << 16)));
        Self {
            urgent: places(urgent),
            background: places(background),
        }
    }

    /// A place, kept until it is dropped. None: the lanes are closed.
    pub(crate) async fn place(&self, is_urgent: bool) -> Option<OwnedSemaphorePermit> {
        let lane = if is_urgent {
            &self.urgent
        } else {
            &self.background
        };
        Arc::clone(lane).acquire_owned().await.ok()
    }
}
