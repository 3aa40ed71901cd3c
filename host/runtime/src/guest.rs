//! What the host keeps for one instance: its view of WASI, its resources, its memory account.
//!
//! Nothing is ambient: no files, no sockets, no environment, no arguments. Clocks and randomness
//! are the host's; standard output and error are the app's log. Every bound on what a guest can
//! make the host hold is set in [`new_store`].

use crate::memory::InstanceMemory;
use crate::slots::Slot;
use crate::stdio::GuestOutput;
use http::HeaderName;
use lodge_model::{AppId, LogSink, LogSource, RequestId};
use std::sync::Arc;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use wasmtime::{Engine, Result, Store, UpdateDeadline};
use wasmtime_wasi::{ResourceTable, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_http::{
    DEFAULT_FORBIDDEN_HEADERS, Error as HttpError, ForbiddenHeaderFilter, RequestOptions, WasiBody,
    WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks, WasiHttpView,
};

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
/// Random bytes that one call may ask for.
const RANDOM_BYTES: u64 = 1 << 20;
/// Bytes of one write to an outgoing body.
const BODY_CHUNK_BYTES: usize = 64 << 10;

/// The state of one instance's store.
pub(crate) struct Guest {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    hooks: Hooks,
    table: ResourceTable,
    pub(crate) memory: InstanceMemory,
    /// The request that log lines belong to.
    request: Arc<AtomicU64>,
    /// Set when an epoch ends in the middle of the guest's work.
    pub(crate) interrupted: Arc<AtomicBool>,
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
    memory: InstanceMemory,
    slot: Slot,
) -> Result<Store<Guest>> {
    let request = Arc::new(AtomicU64::new(0));
    let mut wasi = WasiCtxBuilder::new();
    wasi.allow_tcp(false)
        .allow_udp(false)
        .max_random_size(RANDOM_BYTES)
        .stdout(GuestOutput::new(
            owner.clone(),
            LogSource::Stdout,
            request.clone(),
        ))
        .stderr(GuestOutput::new(
            owner.clone(),
            LogSource::Stderr,
            request.clone(),
        ));
    let mut http = WasiHttpCtx::new();
    http.set_field_size_limit(FIELDS_BYTES);
    let mut table = ResourceTable::new();
    table.set_max_capacity(MAX_RESOURCES);
    let guest = Guest {
        wasi: wasi.build(),
        http,
        hooks: Hooks,
        table,
        memory,
        request,
        interrupted: Arc::default(),
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
    store.epoch_deadline_callback(|store| {
        store.data().interrupted.store(true, Relaxed);
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
    /// Log lines from now on belong to this request.
    pub(crate) fn begin_request(&self, id: RequestId) {
        self.request.store(id.0, Relaxed);
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

/// Lodge's answers where WASI HTTP asks its host.
struct Hooks;

/// Shared, since Wasmtime asks for it once a request.
static FORBIDDEN: LazyLock<ForbiddenHeaderFilter> =
    LazyLock::new(|| Arc::new(|name: &HeaderName| DEFAULT_FORBIDDEN_HEADERS.contains(name)));

type BoxFuture<T> = Box<dyn Future<Output = T> + Send>;
type Answer = (http::Response<WasiBody>, BoxFuture<Result<(), HttpError>>);

impl WasiHttpHooks for Hooks {
    fn is_forbidden_header(&mut self, name: &HeaderName) -> bool {
        DEFAULT_FORBIDDEN_HEADERS.contains(name)
    }

    fn forbidden_header_filter(&mut self) -> ForbiddenHeaderFilter {
        FORBIDDEN.clone()
    }

    /// No app has been granted a host yet, so every outgoing request is denied.
    fn send_request(
        &mut self,
        _request: http::Request<WasiBody>,
        _options: Option<RequestOptions>,
        _done: BoxFuture<Result<(), HttpError>>,
    ) -> BoxFuture<std::result::Result<Answer, HttpError>> {
        Box::new(std::future::ready(Err(HttpError::HttpRequestDenied)))
    }

    fn p2_outgoing_body_chunk_size(&mut self) -> usize {
        BODY_CHUNK_BYTES
    }

    fn p3_outgoing_body_chunk_size(&mut self) -> usize {
        BODY_CHUNK_BYTES
    }
}
