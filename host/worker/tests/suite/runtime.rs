//! The runtime's port, simulated: starts and compiles succeed, fail or hang as the test says, and what
//! happened is remembered in order. (Guests that run are the whole system's tests.)

use async_trait::async_trait;
use futures::future::BoxFuture;
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

/// What was done with an app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// It runs, for this generation.
    Started(i64),
    Stopped,
}

pub struct FakeRuntime {
    pub compiled: Mutex<BTreeSet<Digest>>,
    pub running: Mutex<HashMap<AppId, Launch>>,
    pub deeds: Mutex<BTreeMap<AppId, Vec<Deed>>>,
    pub compiles: AtomicUsize,
    /// Starts of these apps fail so often with this.
    pub failing_starts: Mutex<HashMap<AppId, (usize, StartError)>>,
    /// The next compiles fail with these.
    pub failing_compiles: Mutex<Vec<CompileError>>,
    /// Starts of these apps hang until they are cancelled.
    pub hanging: watch::Sender<BTreeSet<AppId>>,
    /// Starts and stops take up to so long.
    pub slowness: Mutex<Duration>,
    acting: Mutex<BTreeSet<AppId>>,
    /// Acts on one app while another is under way: none may be.
    pub overlaps: AtomicUsize,
    pub starting: AtomicUsize,
}

impl Default for FakeRuntime {
    fn default() -> Self {
        Self {
            compiled: Mutex::default(),
            running: Mutex::default(),
            deeds: Mutex::default(),
            compiles: AtomicUsize::new(0),
            failing_starts: Mutex::default(),
            failing_compiles: Mutex::default(),
            hanging: watch::Sender::default(),
            slowness: Mutex::default(),
            acting: Mutex::default(),
            overlaps: AtomicUsize::new(0),
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

struct Starting<'a>(&'a FakeRuntime);

impl Drop for Starting<'_> {
    fn drop(&mut self) {
        self.0.starting.fetch_sub(1, SeqCst);
    }
}

impl FakeRuntime {
    pub fn fail_starts(&self, app: &str, times: usize, error: StartError) {
        let failing = (times, error);
        self.failing_starts
            .lock()
            .insert(app.parse().unwrap(), failing);
    }

    pub fn deeds_of(&self, app: &str) -> Vec<Deed> {
        self.deeds.lock().get(app).cloned().unwrap_or_default()
    }

    pub fn starts_of(&self, app: &str) -> usize {
        let deeds = self.deeds_of(app);
        deeds.iter().filter(|deed| **deed != Deed::Stopped).count()
    }

    pub fn hang(&self, apps: &[&str]) {
        let apps = apps.iter().map(|app| app.parse().unwrap()).collect();
        self.hanging.send_replace(apps);
    }

    fn next_failure(&self, app: &AppId) -> Option<StartError> {
        let mut failing = self.failing_starts.lock();
        let (times, error) = failing.get_mut(app)?;
        *times = times.checked_sub(1)?;
        Some(error.clone())
    }

    fn note(&self, app: &AppId, deed: Deed) {
        self.deeds.lock().entry(app.clone()).or_default().push(deed);
    }

    async fn pass(&self) {
        let most = self.slowness.lock().as_micros() as u64;
        match most {
            0 => tokio::task::yield_now().await,
            most => {
                let mut random = [0; 8];
                getrandom::fill(&mut random).unwrap();
                let time = Duration::from_micros(u64::from_le_bytes(random) % most);
                tokio::time::sleep(time).await;
            }
        }
    }
}

#[async_trait]
impl Runtime for FakeRuntime {
    async fn inspect(&self, _: &Path) -> Result<Inspection, Rejection> {
        panic!("a worker inspects nothing")
    }

    async fn ensure_compiled(
        &self,
        digest: Digest,
        _: bool,
        wasm: &Path,
        progress: &(dyn Fn(CompileProgress) + Sync),
    ) -> Result<(), CompileError> {
        if self.compiled.lock().contains(&digest) {
            return Ok(());
        }
        assert!(wasm.exists(), "compiled before it was there");
        progress(CompileProgress::Compiling);
        self.pass().await;
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
        self.starting.fetch_add(1, SeqCst);
        let _starting = Starting(self);
        let mut hanging = self.hanging.subscribe();
        let may_go = hanging.wait_for(|apps| !apps.contains(&launch.app));
        may_go.await.map(drop).unwrap();
        self.pass().await;
        if let Some(error) = self.next_failure(&launch.app) {
            return Err(error);
        }
        let generation = launch.grant.config["generation"].0.parse().unwrap();
        self.note(&launch.app, Deed::Started(generation));
        self.running.lock().insert(launch.app.clone(), launch);
        Ok(Arc::new(FakeEndpoint))
    }

    async fn ensure_stopped(&self, app: &AppId, _: Duration) {
        let _act = Act::begin(self, app);
        self.pass().await;
        if self.running.lock().remove(app).is_some() {
            self.note(app, Deed::Stopped);
        }
    }

    fn facts(&self) -> RuntimeFacts {
        RuntimeFacts {
            instance_slots: 100,
            memory_bytes: 1 << 30,
            guest_cores: 1.0,
            pagemap_scan: true,
            memory_mappings: 1,
        }
    }
}

struct FakeEndpoint;

impl Endpoint for FakeEndpoint {
    fn call(
        self: Arc<Self>,
        _: RequestId,
        _: Request<RequestBody>,
    ) -> BoxFuture<'static, Result<Response<ResponseBody>, Failure>> {
        let body = http_body_util::Empty::new()
            .map_err(|never| match never {})
            .boxed_unsync();
        Box::pin(async { Ok(Response::new(body)) })
    }
}
