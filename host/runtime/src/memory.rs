//! Memory: a budget that all of an app's instances share, and the limiter that charges each
//! growth of a linear memory or table to it.
//!
//! Wasmtime's own `StoreLimits` caps each memory by itself, so a guest with two memories has twice
//! the limit; here every memory and table of an instance counts towards one sum, and every
//! instance towards one budget. What the host holds for an instance is charged as a fixed sum that
//! covers its bounded buffers. All apps' budgets together are held by [`host`].

mod host;

pub(crate) use host::HostMemory;

use lodge_model::AppMeter;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::Notify;
use wasmtime::ResourceLimiter;

/// What the host holds for one instance at most: stack pages kept, body chunks both ways, headers,
/// the store. In bytes.
pub(crate) const HOST_BYTES_PER_INSTANCE: u64 = 256 << 10;
/// What one table element takes, in bytes.
const TABLE_ELEMENT_BYTES: usize = 16;
/// Core instances, tables and memories of one store; the pool's bounds per component are lower.
const MAX_CORE_INSTANCES: usize = 1_000;
const MAX_TABLES: usize = 1_000;
const MAX_MEMORIES: usize = 100;

/// One app's memory budget.
pub(crate) struct Budget {
    limit: u64,
    used: AtomicU64,
    meter: Arc<AppMeter>,
    host: Arc<HostMemory>,
    /// Signalled when an instance gives memory back.
    freed: Notify,
}

impl Budget {
    pub(crate) fn new(limit: u64, meter: Arc<AppMeter>, host: Arc<HostMemory>) -> Arc<Self> {
        Arc::new(Self {
            limit,
            used: AtomicU64::new(0),
            meter,
            host,
            freed: Notify::new(),
        })
    }

    /// Charges `bytes`, if they fit.
    ///
    /// # Errors
    /// The limit that they do not fit in.
    pub(crate) fn try_charge(&self, bytes: u64) -> Result<(), Denied> {
        let fits = |used: u64| used.checked_add(bytes).filter(|sum| *sum <= self.limit);
        let before = self
            .used
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits)
            .map_err(|_| Denied::App)?;
        if !self.host.try_charge(bytes, before + bytes) {
            self.used.fetch_sub(bytes, Ordering::Relaxed);
            // Another may have been told meanwhile that there is no room.
            self.freed.notify_one();
            return Err(Denied::Host(self.host.limit()));
        }
        let now = self.meter.memory_bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        self.meter
            .memory_peak_bytes
            .fetch_max(now, Ordering::Relaxed);
        Ok(())
    }

    /// Gives back what was charged.
    pub(crate) fn release(&self, bytes: u64) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
        self.meter.memory_bytes.fetch_sub(bytes, Ordering::Relaxed);
        self.host.release(bytes);
        self.freed.notify_one();
    }

    /// Whether an instance that starts with so many bytes ever has room: if not, waiting is in vain.
    pub(crate) fn may_hold(&self, expected: u64) -> bool {
        HOST_BYTES_PER_INSTANCE + expected <= self.limit.min(self.host.limit())
    }

    /// More may be free than one who waited took: the next who waits shall look.
    pub(crate) fn pass_on(&self) {
        self.freed.notify_one();
        self.host.pass_on();
    }

    /// Resolves when memory was given back.
    pub(crate) async fn freed(&self) {
        self.freed.notified().await;
    }

    /// Resolves when any app gave memory back.
    pub(crate) async fn host_freed(&self) {
        self.host.freed().await;
    }
}

/// Which limit a growth met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Denied {
    /// `instance_memory_bytes`.
    Instance,
    /// `memory_bytes`.
    App,
    /// What all apps together may have: so many bytes.
    Host(u64),
}

/// Memory charged for one instance; given back when dropped. Also its limiter.
pub(crate) struct InstanceMemory {
    budget: Arc<Budget>,
    limit: u64,
    /// Bytes of memories and tables.
    grown: u64,
    /// Bytes charged to the budget for that, and for the host's part.
    charged: u64,
    /// Bytes charged for resources, beyond what the host's part covers.
    held: u64,
    /// The limit that the last refused growth met.
    denied: Option<Denied>,
}

impl InstanceMemory {
    /// Charges the host's part and `expected` bytes that the instance will start with, so that
    /// instances wait for room instead of failing half made.
    ///
    /// # Errors
    /// No room now.
    pub(crate) fn reserve(budget: &Arc<Budget>, limit: u64, expected: u64) -> Result<Self, Denied> {
        let charged = HOST_BYTES_PER_INSTANCE + expected;
        budget.try_charge(charged).map(|()| Self {
            budget: budget.clone(),
            limit,
            grown: 0,
            charged,
            held: 0,
            denied: None,
        })
    }

    /// Charges what the host holds for the instance meanwhile. None: the budget has no room.
    pub(crate) fn hold(&self, bytes: u64) -> Option<Hold> {
        self.budget.try_charge(bytes).ok().map(|()| Hold {
            budget: self.budget.clone(),
            bytes,
        })
    }

    /// Charges what the host holds for the instance's resources now. False: the budget has no room for it.
    pub(crate) fn hold_resources(&mut self, bytes: u64) -> bool {
        let bytes = bytes.saturating_sub(HOST_BYTES_PER_INSTANCE);
        let more = bytes.saturating_sub(self.held);
        if more > 0 && !self.charge(more) {
            return false;
        }
        if bytes < self.held {
            self.budget.release(self.held - bytes);
        }
        self.held = bytes;
        true
    }

    /// Bytes of memories and tables now.
    pub(crate) fn grown(&self) -> u64 {
        self.grown
    }

    /// The limit that the last refused growth met, if one was refused.
    pub(crate) fn denied(&self) -> Option<Denied> {
        self.denied
    }

    /// A new request begins: what was refused before is not its fault.
    pub(crate) fn forget_denied(&mut self) {
        self.denied = None;
    }

    fn grow(&mut self, bytes: u64) -> bool {
        let grown = self.grown.saturating_add(bytes);
        if grown > self.limit {
            self.denied = Some(Denied::Instance);
            return false;
        }
        let covered = self.charged - HOST_BYTES_PER_INSTANCE;
        let missing = grown.saturating_sub(covered);
        if missing > 0 && !self.charge(missing) {
            return false;
        }
        self.charged += missing;
        self.grown = grown;
        true
    }

    fn charge(&mut self, bytes: u64) -> bool {
        let charged = self.budget.try_charge(bytes);
        self.denied = charged.err().or(self.denied);
        charged.is_ok()
    }
}

/// Bytes charged to an app while the host holds them; given back when dropped.
pub(crate) struct Hold {
    budget: Arc<Budget>,
    bytes: u64,
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.budget.release(self.bytes);
    }
}

impl Drop for InstanceMemory {
    fn drop(&mut self) {
        self.budget.release(self.charged + self.held);
    }
}

impl ResourceLimiter for InstanceMemory {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(self.grow(desired.saturating_sub(current) as u64))
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let elements = desired.saturating_sub(current);
        Ok(self.grow(elements.saturating_mul(TABLE_ELEMENT_BYTES) as u64))
    }

    fn instances(&self) -> usize {
        MAX_CORE_INSTANCES
    }

    fn tables(&self) -> usize {
        MAX_TABLES
    }

    fn memories(&self) -> usize {
        MAX_MEMORIES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;
    const PAGE: usize = 64 << 10;

    fn budget(limit: u64, meter: Arc<AppMeter>) -> Arc<Budget> {
        Budget::new(limit, meter, Arc::new(HostMemory::new(1 << 40)))
    }

    #[test]
    fn two_memories_do_not_dodge_the_instance_limit() {
        let budget = budget(64 * MIB, Arc::default());
        let mut memory = InstanceMemory::reserve(&budget, MIB, 0).unwrap();
        assert!(memory.memory_growing(0, 10 * PAGE, None).unwrap());
        assert!(!memory.memory_growing(0, 10 * PAGE, None).unwrap());
        assert_eq!(memory.denied(), Some(Denied::Instance));
    }

    #[test]
    fn instances_share_one_budget_and_give_it_back() {
        let meter = Arc::new(AppMeter::default());
        let budget = budget(3 * MIB, meter.clone());
        let mut first = InstanceMemory::reserve(&budget, 2 * MIB, MIB).unwrap();
        assert!(first.memory_growing(0, 24 * PAGE, None).unwrap());
        let mut second = InstanceMemory::reserve(&budget, 2 * MIB, 0).unwrap();
        assert!(!second.memory_growing(0, 24 * PAGE, None).unwrap());
        assert_eq!(second.denied(), Some(Denied::App));
        drop(first);
        assert!(second.memory_growing(0, 24 * PAGE, None).unwrap());
        assert!(
            !second.hold_resources(3 * MIB),
            "resources count towards it"
        );
        assert!(second.hold_resources(MIB) && second.hold_resources(MIB / 2));
        let held = second.hold(MIB / 2).unwrap();
        assert!(second.hold(3 * MIB).is_none());
        assert!(budget.may_hold(2 * MIB) && !budget.may_hold(3 * MIB));
        drop(second);
        drop(held);
        assert_eq!(meter.snapshot().memory_bytes, 0);
        assert!(meter.snapshot().memory_peak_bytes >= 2 * MIB);
    }

    #[test]
    fn apps_share_the_hosts_memory_and_give_it_back() {
        let host = Arc::new(HostMemory::new(100 * MIB));
        let of_app = || Budget::new(u64::MAX, Arc::default(), host.clone());
        let (greedy, other) = (of_app(), of_app());
        greedy.try_charge(90 * MIB).unwrap();
        let full = Denied::Host(100 * MIB);
        assert_eq!(greedy.try_charge(MIB), Err(full));
        let mut memory = InstanceMemory::reserve(&other, u64::MAX, 9 * MIB).unwrap();
        assert!(!memory.memory_growing(0, 11 << 20, None).unwrap());
        assert_eq!(memory.denied(), Some(full));
        greedy.release(90 * MIB);
        assert!(memory.memory_growing(0, 11 << 20, None).unwrap());
    }
}
