//! Instance slots: how many instances this process holds, and that no app takes them all.
//!
//! The pool's reservation is fixed when the process starts, so slots are counted here first and a
//! request waits for one instead of failing inside Wasmtime. The last tenth goes only to apps that
//! hold none: whatever the greedy do, every app can have one instance.

use lodge_model::AppMeter;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering::Relaxed};
use tokio::sync::Notify;

/// The process's slots.
pub(crate) struct Slots {
    total: usize,
    used: AtomicUsize,
    freed: Notify,
}

/// One app's part in them.
pub(crate) struct Held {
    count: AtomicUsize,
    /// Signalled when the app's last instance is gone.
    pub(crate) empty: Notify,
}

/// One slot; free again when dropped.
pub(crate) struct Slot {
    slots: Arc<Slots>,
    held: Arc<Held>,
    meter: Arc<AppMeter>,
}

impl Slots {
    pub(crate) fn new(total: usize) -> Arc<Self> {
        Arc::new(Self {
            total,
            used: AtomicUsize::new(0),
            freed: Notify::new(),
        })
    }

    /// Takes a slot for an app, if one is free for it.
    pub(crate) fn try_take(
        self: &Arc<Self>,
        held: &Arc<Held>,
        meter: &Arc<AppMeter>,
    ) -> Option<Slot> {
        let open = self.total - self.total.div_ceil(10);
        let mine = held.count.fetch_add(1, Relaxed);
        let limit = if mine == 0 { self.total } else { open };
        let taken = self
            .used
            .fetch_update(Relaxed, Relaxed, |used| (used < limit).then_some(used + 1));
        if taken.is_err() {
            held.count.fetch_sub(1, Relaxed);
            return None;
        }
        meter.instances.fetch_add(1, Relaxed);
        Some(Slot {
            slots: self.clone(),
            held: held.clone(),
            meter: meter.clone(),
        })
    }

    /// Resolves when a slot was freed.
    pub(crate) async fn freed(&self) {
        self.freed.notified().await;
    }
}

impl Held {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            count: AtomicUsize::new(0),
            empty: Notify::new(),
        })
    }

    /// Instances that the app holds now.
    pub(crate) fn count(&self) -> usize {
        self.count.load(Relaxed)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let meter: &AtomicI64 = &self.meter.instances;
        meter.fetch_sub(1, Relaxed);
        self.slots.used.fetch_sub(1, Relaxed);
        self.slots.freed.notify_one();
        if self.held.count.fetch_sub(1, Relaxed) == 1 {
            self.held.empty.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_tenth_is_for_apps_that_hold_none() {
        let slots = Slots::new(20);
        let meter = Arc::new(AppMeter::default());
        let greedy = Held::new();
        let taken: Vec<_> = std::iter::from_fn(|| slots.try_take(&greedy, &meter)).collect();
        assert_eq!(taken.len(), 18);
        let (quiet, other, third) = (Held::new(), Held::new(), Held::new());
        let first = slots.try_take(&quiet, &meter);
        assert!(first.is_some());
        assert!(
            slots.try_take(&quiet, &meter).is_none(),
            "a second of the reserved"
        );
        assert!(slots.try_take(&other, &meter).is_some());
        drop(first);
        let _kept = slots.try_take(&third, &meter).unwrap();
        drop(taken);
        assert_eq!(greedy.count(), 0);
        assert_eq!(meter.snapshot().instances, 1);
    }
}
