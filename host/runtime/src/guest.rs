//! What the host keeps for one instance: its view of WASI, its resources, its memory account.
//!
//! Nothing is ambient: no files, no sockets, no environment, no arguments. Clocks and randomness
//! are the host's; standard output and error are the app's log. Every bound on what a guest can
//! make the host hold is set in [`new_store`].

use crate::holdings;
use crate::host::Hooks;
use crate::memory::InstanceMemory;
use crate::metered;
use crate::slots::Slot;
use crate::stdio::{GuestLog, GuestOutput};
use lodge_model::{AppId, CallDepth, Capabilities, LogSink, LogSource, RequestId};
use std::sync::Arc;
use wasmtime::{Engine, Result, Store, UpdateDeadline};
use wasmtime_wasi::{ResourceTable, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

/// Epochs that one poll of a guest may last.
const EPOCHS_PER_POLL: u64 = 1;
/// Bytes that one host call may copy out of a guest.
const HOSTCALL_BYTES: usize = 16 << 20;
/// Host resources (bodies, streams, headers) that one instance may hold.
const MAX_RESOURCES: usize = 10_000;
/// Component-model handles, tasks and streams that one instance may hold.
const MAX_HANDLES: usize = 10_000;
/// In-memory size of one set of headers, in bytes.
const FIELDS_BYTES: usize = 128 << 10;
/// Resources that may be looked through in each epoch.
const RESOURCES_PER_EPOCH: u32 = 1_000;
/// Random bytes that one call may ask for.
const RANDOM_BYTES: u64 = 1 << 20;

/// The state of one instance's store.
pub(crate) struct Guest {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    hooks: Hooks,
    table: ResourceTable,
    pub(crate) memory: InstanceMemory,
    log: Arc<GuestLog>,
    /// Epochs until its resources are looked through again.
    unlooked: u32,
    _slot: Slot,
}

/// Who an instance belongs to, for its log.
#[derive(Clone)]
pub(crate) struct Owner {
    pub(crate) app: AppId,
    pub(crate) log: Arc<dyn LogSink>,
}

/// A store for one instance, with every bound set.
pub(crate) fn new_store(
    engine: &Engine,
    owner: &Owner,
    capabilities: Arc<Capabilities>,
    memory: InstanceMemory,
    slot: Slot,
) -> Result<Store<Guest>> {
    let log = Arc::new(GuestLog::new(owner.clone()));
    let mut wasi = WasiCtxBuilder::new();
    wasi.allow_tcp(false)
        .allow_udp(false)
        .max_random_size(RANDOM_BYTES)
        .stdout(GuestOutput::new(log.clone(), LogSource::Stdout))
        .stderr(GuestOutput::new(log.clone(), LogSource::Stderr));
    let mut http = WasiHttpCtx::new();
    http.set_field_size_limit(FIELDS_BYTES);
    let mut table = ResourceTable::new();
    table.set_max_capacity(MAX_RESOURCES);
    let guest = Guest {
        wasi: wasi.build(),
        http,
        hooks: Hooks {
            capabilities,
            depth: CallDepth::default(),
        },
        table,
        memory,
        log,
        unlooked: 0,
        _slot: slot,
    };
    let mut store = Store::new(engine, guest);
    store.limiter(|guest| &mut guest.memory);
    store.set_hostcall_fuel(HOSTCALL_BYTES);
    store.set_max_component_handles(MAX_HANDLES);
    // Only an engine with async features has this one.
    if let Some(table) = store.concurrent_resource_table() {
        table.set_max_capacity(MAX_HANDLES);
    }
    store.set_epoch_deadline(EPOCHS_PER_POLL);
    store.epoch_deadline_callback(|mut store| {
        let guest = store.data_mut();
        guest.charge_resources()?;
        if !metered::interrupt() {
            return Ok(UpdateDeadline::Continue(EPOCHS_PER_POLL));
        }
        // Back to the end of the run queue, not just to the gate: plain `Yield` would be polled
        // again at once and keep the thread.
        Ok(UpdateDeadline::YieldCustom(
            EPOCHS_PER_POLL,
            Box::pin(tokio::task::yield_now()),
        ))
    });
    Ok(store)
}

impl Guest {
    /// Log lines from now on belong to this request, and outgoing calls are one deeper than it.
    pub(crate) fn begin_request(&mut self, id: RequestId, depth: Option<&CallDepth>) {
        self.log.begin_request(id);
        let depth = depth.copied().unwrap_or_default();
        self.hooks.depth = CallDepth(self.hooks.depth.0.max(depth.0));
    }

    /// No request is at work: the next may be less deep than the last.
    pub(crate) fn forget_depth(&mut self) {
        self.hooks.depth = CallDepth::default();
    }

    /// Charges what the host holds for the guest's resources. Many of them are looked through more seldom, so that it
    /// stays a small part of the guest's time.
    ///
    /// # Errors
    /// The app's budget has no room for it: the instance is to end.
    fn charge_resources(&mut self) -> Result<()> {
        if let Some(fewer) = self.unlooked.checked_sub(1) {
            self.unlooked = fewer;
            return Ok(());
        }
        let (bytes, count) = holdings::of_table(&mut self.table);
        self.unlooked = count / RESOURCES_PER_EPOCH;
        if self.memory.hold_resources(bytes) {
            return Ok(());
        }
        wasmtime::bail!(
            "the app's memory has no room for the {bytes} bytes that its {count} resources hold"
        )
    }

    /// What the host's interfaces reach.
    pub(crate) fn host_parts(
        &mut self,
    ) -> (
        &Capabilities,
        &mut ResourceTable,
        &InstanceMemory,
        &GuestLog,
    ) {
        (
            &self.hooks.capabilities,
            &mut self.table,
            &self.memory,
            &self.log,
        )
    }
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl WasiHttpView for Guest {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            hooks: &mut self.hooks,
            table: &mut self.table,
            ctx: &mut self.http,
        }
    }
}
