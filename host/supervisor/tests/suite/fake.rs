//! The other side of the control plane's ports, simulated: a runtime whose starts and compiles
//! succeed, fail or hang as the test says, and the edge's and the log's sinks, which remember.

use async_trait::async_trait;
use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use http::{Request, Response};
use http_body_util::BodyExt;
use lodge_model::*;
use parking_lot::Mutex;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;
use tokio::sync::watch;

/// Bytes that the fake runtime takes for a component with this name and version.
pub fn component_bytes(name: &str, version: &str, salt: &str) -> Bytes {
    Bytes::from(format!("component\n{name}\n{version}\n{salt}"))
}

/// A runtime that runs nothing.
pub struct FakeRuntime {
    pub compiled: Mutex<BTreeSet<Digest>>,
    /// What runs, with the settings it was started with.
    pub running: Mutex<HashMap<AppId, Launch>>,
    /// How often each app was started.
    pub starts: Mutex<BTreeMap<AppId, usize>>,
    pub compiles: AtomicUsize,
    /// Starts of these apps fail so often with this.
    pub failing_starts: Mutex<HashMap<AppId, (usize, StartError)>>,
    /// The next compiles fail with these.
    pub failing_compiles: Mutex<Vec<CompileError>>,
    pub start_delay: Mutex<Duration>,
    pub stop_delay: Mutex<Duration>,
    /// False: compiles hang.
    pub may_compile: watch::Sender<bool>,
    /// False: starts hang.
    pub may_start: watch::Sender<bool>,
    /// Acts on one app at once: more than one is a fault.
    acting: Mutex<BTreeSet<AppId>>,
    pub overlaps: AtomicUsize,
    /// The most starts at once.
    pub busiest: AtomicUsize,
    starting: AtomicUsize,
}

impl Default for FakeRuntime {
    fn default() -> Self {
        Self {
            compiled: Mutex::default(),
            running: Mutex::default(),
            starts: Mutex::default(),
            compiles: AtomicUsize::new(0),
            failing_starts: Mutex::default(),
            failing_compiles: Mutex::default(),
            start_delay: Mutex::default(),
            stop_delay: Mutex::default(),
            may_compile: watch::channel(true).0,
            may_start: watch::channel(true).0,
            acting: Mutex::default(),
            overlaps: AtomicUsize::new(0),
            busiest: AtomicUsize::new(0),
            starting: AtomicUsize::new(0),
        }
    }
}

/// Marks an app as acted on until it drops, also if the act is cancelled.
struct Act<'a>(&'a FakeRuntime, AppId);

impl<'a> Act<'a> {
    fn begin(runtime: &'a FakeRuntime, app: &AppId) -> Self {
        if !runtime.acting.lock().insert(app.clone()) {
            runtime.overlaps.fetch_add(1, SeqCst);
        }
        Self(runtime, app.clone())
    }
}

impl Drop for Act<'_> {
    fn drop(&mut self) {
        self.0.acting.lock().remove(&self.1);
    }
}

/// Counts as a start under way until it drops.
struct Starting<'a>(&'a FakeRuntime);

impl<'a> Starting<'a> {
    fn begin(runtime: &'a FakeRuntime) -> Self {
        let at_once = runtime.starting.fetch_add(1, SeqCst) + 1;
        runtime.busiest.fetch_max(at_once, SeqCst);
        Self(runtime)
    }
}

impl Drop for Starting<'_> {
    fn drop(&mut self) {
        self.0.starting.fetch_sub(1, SeqCst);
    }
}

/// Even a sleep of nothing would last until the next tick of the clock, 1 ms.
async fn pass(delay: Duration) {
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
}

async fn open(gate: &watch::Sender<bool>) {
    let _ = gate.subscribe().wait_for(|open| *open).await;
}

impl FakeRuntime {
    pub fn starts_of(&self, app: &str) -> usize {
        self.starts.lock().get(app).copied().unwrap_or(0)
    }

    pub fn runs(&self, app: &str) -> bool {
        self.running.lock().contains_key(app)
    }

    pub fn fail_starts(&self, app: &str, times: usize, error: StartError) {
        self.failing_starts
            .lock()
            .insert(app.parse().unwrap(), (times, error));
    }

    fn next_failure(&self, app: &AppId) -> Option<StartError> {
        let mut failing = self.failing_starts.lock();
        let (times, error) = failing.get_mut(app)?;
        *times = times.checked_sub(1)?;
        Some(error.clone())
    }
}

#[async_trait::async_trait]
impl Runtime for FakeRuntime {
    async fn inspect(&self, wasm: &Path) -> Result<Inspection, Rejection> {
        let text = tokio::fs::read_to_string(wasm).await.unwrap_or_default();
        let mut lines = text.lines();
        if lines.next() != Some("component") {
            return Err(Rejection {
                code: "not_wasm".into(),
                message: "this is not WebAssembly".into(),
                unknown_imports: Vec::new(),
            });
        }
        let mut label = || lines.next().filter(|l| !l.is_empty()).map(str::to_owned);
        Ok(Inspection {
            world: World::Http02,
            uses_async: false,
            imports: vec!["wasi:http/types@0.2.6".into()],
            exports: vec!["wasi:http/incoming-handler@0.2.6".into()],
            name: label(),
            version: label(),
            metadata: BTreeMap::from([("authors".into(), "us".into())]),
        })
    }

    async fn ensure_compiled(
        &self,
        digest: Digest,
        _uses_async: bool,
        wasm: &Path,
        progress: &(dyn Fn(CompileProgress) + Sync),
    ) -> Result<(), CompileError> {
        if self.compiled.lock().contains(&digest) {
            return Ok(());
        }
        progress(CompileProgress::Queued);
        if !wasm.exists() {
            return Err(CompileError::Component("its file is gone".into()));
        }
        progress(CompileProgress::Compiling);
        open(&self.may_compile).await;
        self.compiles.fetch_add(1, SeqCst);
        if let Some(error) = self.failing_compiles.lock().pop() {
            return Err(error);
        }
        self.compiled.lock().insert(digest);
        Ok(())
    }

    async fn remove_compiled(&self, digest: Digest) {
        self.compiled.lock().remove(&digest);
    }

    async fn ensure_running(
        &self,
        launch: Launch,
        report: &(dyn Fn(Status) + Sync),
    ) -> Result<Arc<dyn Endpoint>, StartError> {
        let _act = Act::begin(self, &launch.app);
        report(Status::Preparing);
        if !self.compiled.lock().contains(&launch.digest) {
            return Err(StartError::NotCompiled);
        }
        report(Status::Starting);
        let _starting = Starting::begin(self);
        let delay = *self.start_delay.lock();
        pass(delay).await;
        open(&self.may_start).await;
        *self.starts.lock().entry(launch.app.clone()).or_default() += 1;
        if let Some(error) = self.next_failure(&launch.app) {
            return Err(error);
        }
        self.running
            .lock()
            .insert(launch.app.clone(), launch.clone());
        Ok(Arc::new(FakeEndpoint))
    }

    async fn ensure_stopped(&self, app: &AppId, _grace: Duration) {
        let _act = Act::begin(self, app);
        let delay = *self.stop_delay.lock();
        pass(delay).await;
        self.running.lock().remove(app);
    }

    fn facts(&self) -> RuntimeFacts {
        RuntimeFacts {
            instance_slots: 100,
            memory_bytes: 1 << 30,
            guest_cores: 3.0,
            pagemap_scan: true,
            memory_mappings: 1,
        }
    }
}

pub struct FakeEndpoint;

impl Endpoint for FakeEndpoint {
    fn call(
        self: Arc<Self>,
        _id: RequestId,
        _request: Request<RequestBody>,
    ) -> BoxFuture<'static, Result<Response<ResponseBody>, Failure>> {
        let body = http_body_util::Empty::new()
            .map_err(|never| match never {})
            .boxed_unsync();
        Box::pin(async { Ok(Response::new(body)) })
    }
}

/// The edge's table, without an edge.
#[derive(Default)]
pub struct FakeRoutes(pub Mutex<HashMap<AppId, Route>>);

impl FakeRoutes {
    /// What a visit would meet: `None` is a 404.
    pub fn phase(&self, app: &str) -> Option<String> {
        self.0
            .lock()
            .get(app)
            .map(|route| format!("{:?}", route.phase))
    }
}

impl RouteSink for FakeRoutes {
    fn replace_all(&self, routes: Vec<Route>) {
        *self.0.lock() = routes
            .into_iter()
            .map(|route| (route.app.clone(), route))
            .collect();
    }

    fn upsert(&self, route: Route) {
        self.0.lock().insert(route.app.clone(), route);
    }

    fn remove(&self, app: &AppId) {
        self.0.lock().remove(app);
    }

    fn set_phase(&self, app: &AppId, phase: Phase) {
        if let Some(route) = self.0.lock().get_mut(app) {
            route.phase = phase;
        }
    }
}

/// Log lines in memory.
#[derive(Default)]
pub struct FakeLogs(pub Mutex<Vec<(AppId, LogLine)>>);

impl FakeLogs {
    pub fn text_of(&self, app: &str) -> String {
        let lines = self.0.lock();
        let of_app = lines.iter().filter(|(id, _)| id.as_str() == app);
        of_app
            .map(|(_, line)| line.message.clone())
            .collect::<Vec<_>>()
            .join("\n")
    }
}

impl LogSink for FakeLogs {
    fn write(&self, app: &AppId, line: LogLine) {
        self.0.lock().push((app.clone(), line));
    }

    fn set_rate(&self, _app: &AppId, _bytes_per_second: u64) {}

    fn tail(&self, app: &AppId, limit: usize, level: LogLevel) -> Vec<LogLine> {
        let lines = self.0.lock();
        let of_app = lines
            .iter()
            .filter(|(id, line)| id == app && line.level >= level);
        let all: Vec<_> = of_app.map(|(_, line)| line.clone()).collect();
        all[all.len().saturating_sub(limit)..].to_vec()
    }

    fn remove(&self, app: &AppId) {
        self.0.lock().retain(|(id, _)| id != app);
    }
}

/// Reading is the real store's, which has its own tests.
#[async_trait]
impl LogStore for FakeLogs {
    async fn search(
        &self,
        app: &AppId,
        filter: LogFilter,
        limit: usize,
    ) -> Result<Vec<LogLine>, LogError> {
        Ok(self.tail(app, limit, filter.level))
    }

    fn read(
        &self,
        _: &AppId,
    ) -> Result<BoxStream<'static, Result<Vec<LogLine>, LogError>>, LogError> {
        Err(LogError::Busy)
    }

    fn follow(&self, _: &AppId, _: LogFilter) -> BoxStream<'static, Followed> {
        Box::pin(futures::stream::empty())
    }
}
