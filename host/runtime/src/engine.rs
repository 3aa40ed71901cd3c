//! The two engines, and every setting of them.
//!
//! WASI 0.2 components run on an engine without the component model's async features, which makes
//! each of their requests about a quarter cheaper; WASI 0.3 components need those features. Both
//! engines interrupt by epoch and allocate from a pool whose slots are reserved when the process
//! starts, so that an instance costs microseconds and its memory is zeroed by the kernel's page
//! scan (Linux 6.7; older kernels fall back to decommitting, several times slower).
//!
//! The compile child builds the same engines with on-demand allocation: the pool's reservation
//! would not fit its address space limit, and allocation is not part of a compiled form's
//! compatibility.

use lodge_model::MAX_INSTANCE_MEMORY_BYTES;
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

/// Which engine a component needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Flavor {
    /// No async features: WASI 0.2.
    Sync,
    /// Component-model async: WASI 0.3.
    Async,
}

impl Flavor {
    /// The flavor for a component, by what its inspection found.
    pub(crate) fn of(uses_async: bool) -> Self {
        if uses_async { Self::Async } else { Self::Sync }
    }
}

/// Stack of one guest, in bytes. Wasm frames that pass it trap; the rest of the fiber is the
/// host's.
const WASM_STACK_BYTES: usize = 512 << 10;
const FIBER_STACK_BYTES: usize = 1 << 20;
/// Memory of a free slot that stays resident: touched again without a page fault.
const KEEP_RESIDENT_BYTES: usize = 1 << 20;
const KEEP_RESIDENT_SMALL_BYTES: usize = 64 << 10;
/// Elements of one table: 160 KiB of address space, enough for the largest guests seen (Python).
const TABLE_ELEMENTS: usize = 100_000;
/// Per component: bounds what one instantiation may take of the pool.
const CORE_INSTANCES_PER_COMPONENT: u32 = 128;
const MEMORIES_PER_COMPONENT: u32 = 8;
const TABLES_PER_COMPONENT: u32 = 32;

/// The process's engines.
#[derive(Clone)]
pub(crate) struct Engines {
    sync: Engine,
    concurrent: Engine,
}

impl Engines {
    /// Makes both, each with a pool of `instances` slots.
    ///
    /// # Errors
    /// The address space cannot be reserved, or the CPU lacks a needed feature.
    pub(crate) fn pooled(instances: u32) -> wasmtime::Result<Self> {
        Ok(Self {
            sync: Engine::new(config(Flavor::Sync).allocation_strategy(pool(instances, 1)))?,
            concurrent: Engine::new(config(Flavor::Async).allocation_strategy(pool(instances, 4)))?,
        })
    }

    pub(crate) fn get(&self, flavor: Flavor) -> &Engine {
        match flavor {
            Flavor::Sync => &self.sync,
            Flavor::Async => &self.concurrent,
        }
    }
}

/// An engine that compiles what [`Engines`] runs.
///
/// # Errors
/// The CPU lacks a needed feature.
pub(crate) fn compiling(flavor: Flavor) -> wasmtime::Result<Engine> {
    Engine::new(&config(flavor))
}

fn config(flavor: Flavor) -> Config {
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        .concurrency_support(flavor == Flavor::Async)
        .max_wasm_stack(WASM_STACK_BYTES)
        .async_stack_size(FIBER_STACK_BYTES)
        // Shared memories would grow past the limiter.
        .shared_memory(false)
        // What a trap may cost: frames symbolized and kept.
        .wasm_backtrace_max_frames(std::num::NonZeroUsize::new(20));
    config
}

/// A pool of `instances` component instances; `fibers` stacks for each, since a WASI 0.3 instance
/// runs several guest tasks at once.
fn pool(instances: u32, fibers: u32) -> InstanceAllocationStrategy {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(instances)
        .total_core_instances(instances.saturating_mul(16))
        .total_memories(instances.saturating_mul(2))
        .total_tables(instances.saturating_mul(8))
        .total_stacks(instances.saturating_mul(fibers))
        .total_gc_heaps(instances)
        .max_core_instances_per_component(CORE_INSTANCES_PER_COMPONENT)
        .max_memories_per_component(MEMORIES_PER_COMPONENT)
        .max_tables_per_component(TABLES_PER_COMPONENT)
        .max_memories_per_module(MEMORIES_PER_COMPONENT)
        .max_tables_per_module(TABLES_PER_COMPONENT)
        .max_memory_size(usize::try_from(MAX_INSTANCE_MEMORY_BYTES).unwrap_or(usize::MAX))
        .table_elements(TABLE_ELEMENTS)
        .max_unused_warm_slots(instances)
        .linear_memory_keep_resident(KEEP_RESIDENT_BYTES)
        .table_keep_resident(KEEP_RESIDENT_SMALL_BYTES)
        .async_stack_keep_resident(KEEP_RESIDENT_SMALL_BYTES)
        .pagemap_scan(Enabled::Auto);
    InstanceAllocationStrategy::Pooling(pool)
}
