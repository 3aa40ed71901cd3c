//! The processes that have signed requests to this one, each with its key and the counters seen of it.
//!
//! A request of a known sender costs one load of a swapped map. There is room for [`KEPT`] senders; a
//! further one takes the place of the one that was silent longest, of which only the name stays, so that
//! nothing of it counts any more: forgetting a sender wholly would let its requests be replayed. The names
//! have a bound, too; beyond it new senders are refused until this process is restarted. Only a sender
//! whose signature is genuine gets here, so that nobody without the key can fill anything.

use super::super::BootId;
use super::window::Window;
use super::{HmacSha256, SignatureError};
use arc_swap::ArcSwap;
use parking_lot::Mutex;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Senders with a window: 16 KiB each.
pub(super) const KEPT: usize = 512;

/// Names of senders that were put aside: 16 bytes each.
pub(super) const NAMED: usize = 16 * 1024;

/// A process that signed a request.
pub(super) struct Sender {
    pub(super) mac: HmacSha256,
    pub(super) window: Window,
    /// How many senders had come when its last request did.
    heard: AtomicU64,
}

#[derive(Default)]
pub(super) struct Senders {
    known: ArcSwap<HashMap<BootId, Arc<Sender>>>,
    /// How many senders have come.
    come: AtomicU64,
    gone: Mutex<HashSet<BootId>>,
}

impl Senders {
    /// A sender whose requests were genuine before.
    pub(super) fn get(&self, boot: BootId) -> Option<Arc<Sender>> {
        let sender = self.known.load().get(&boot).cloned()?;
        let come = self.come.load(Relaxed);
        if sender.heard.load(Relaxed) != come {
            sender.heard.store(come, Relaxed);
        }
        Some(sender)
    }

    /// A sender whose first request is genuine.
    ///
    /// # Errors
    /// It was put aside before, or there is no room for its name.
    pub(super) fn admit(
        &self,
        boot: BootId,
        mac: HmacSha256,
    ) -> Result<Arc<Sender>, SignatureError> {
        let mut gone = self.gone.lock();
        let known = self.known.load();
        // Another thread may have been first.
        if let Some(sender) = known.get(&boot) {
            return Ok(sender.clone());
        }
        if gone.contains(&boot) {
            return Err(SignatureError::Replayed);
        }
        let mut next = HashMap::clone(&known);
        if next.len() >= KEPT {
            if gone.len() >= NAMED {
                return Err(SignatureError::TooManySenders);
            }
            let silent = next.iter().min_by_key(|(_, s)| s.heard.load(Relaxed));
            if let Some(boot) = silent.map(|(boot, _)| *boot) {
                next.remove(&boot);
                gone.insert(boot);
            }
        }
        let sender = Arc::new(Sender {
            mac,
            window: Window::new(),
            heard: AtomicU64::new(self.come.fetch_add(1, Relaxed) + 1),
        });
        next.insert(boot, sender.clone());
        self.known.store(Arc::new(next));
        Ok(sender)
    }
}
