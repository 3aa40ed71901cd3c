//! A runtime, its fake provider, and apps started in it.

use super::provider::{FakeProvider, Seen};
use crate::engine::{Flavor, compiling};
use crate::inspect::inspect;
use crate::local::{LocalRuntime, Settings};
use http::Request;
use http_body_util::{BodyExt, Empty};
use lodge_model::{
    AppId, CallDepth, DatabaseKind, DatabaseSpec, Digest, Endpoint, FailureKind, Grant, Launch,
    Limits, LogLevel, LogLine, LogSink, RequestBody, RequestId, Runtime, StartError,
};
use parking_lot::Mutex;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

#[derive(Default)]
struct Lines(Mutex<Vec<String>>);

impl LogSink for Lines {
    fn write(&self, _app: &AppId, line: LogLine) {
        self.0.lock().push(line.message);
    }
    fn set_rate(&self, _app: &AppId, _bytes_per_second: u64) {}
    fn tail(&self, _app: &AppId, _limit: usize, _level: LogLevel) -> Vec<LogLine> {
        Vec::new()
    }
    fn remove(&self, _app: &AppId) {}
}

pub(super) struct Bed {
    pub(super) runtime: Arc<LocalRuntime>,
    pub(super) provider: Arc<FakeProvider>,
    log: Arc<Lines>,
    _folder: tempfile::TempDir,
}

pub(super) fn app_id() -> AppId {
    "shop".parse().unwrap()
}

impl Bed {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (log, provider) = (Arc::new(Lines::default()), Arc::<FakeProvider>::default());
        let settings = Settings {
            cache_dir: folder.path().join("cache"),
            child_command: ("unused".into(), Vec::new()),
            compile_slots: 1,
            instances: 20,
            memory_bytes: 1 << 40,
            guest_turns: 2,
        };
        Self {
            runtime: LocalRuntime::new(settings, log.clone(), provider.clone()).unwrap(),
            provider,
            log,
            _folder: folder,
        }
    }

    pub(super) fn seen(&self) -> &Seen {
        &self.provider.seen
    }

    /// The launch of a guest, compiled, whose app has a database.
    pub(super) fn launch(&self, guest: &str) -> Launch {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../target/guests")
            .join(format!("{guest}.wasm"));
        let bytes = std::fs::read(&path).unwrap_or_else(|e| {
            panic!("{}: {e}: run `cargo xtask guests`", path.display());
        });
        let inspection = inspect(&bytes).unwrap();
        let flavor = Flavor::of(inspection.uses_async);
        let digest = Digest::from_bytes(Sha256::digest(&bytes).into());
        let (artifacts, engine) = (&self.runtime.artifacts, self.runtime.engines.get(flavor));
        if artifacts.verify(digest, flavor, engine).is_err() {
            let code = compiling(flavor).unwrap().precompile_component(&bytes);
            std::fs::write(artifacts.part_path(digest, flavor, engine), code.unwrap()).unwrap();
            artifacts.adopt(digest, flavor, engine).unwrap();
        }
        let database = DatabaseSpec {
            kind: DatabaseKind::NewDatabase,
            ..DatabaseSpec::default()
        };
        Launch {
            app: app_id(),
            digest,
            world: inspection.world,
            uses_async: inspection.uses_async,
            limits: Limits::default(),
            grant: Grant {
                app: app_id(),
                database,
                sources: BTreeMap::new(),
                source_databases: Default::default(),
                jwt_keys: Vec::new(),
                config: BTreeMap::new(),
                outbound_hosts: Vec::new(),
                limits: Limits::default(),
            },
            meter: Arc::default(),
        }
    }

    pub(super) async fn run(&self, launch: Launch) -> Result<Arc<dyn Endpoint>, StartError> {
        self.runtime.ensure_running(launch, &|_| {}).await
    }

    pub(super) async fn start(&self, guest: &str) -> Arc<dyn Endpoint> {
        self.run(self.launch(guest)).await.unwrap()
    }

    pub(super) fn log(&self) -> String {
        self.log.0.lock().join("\n")
    }
}

pub(super) async fn get(app: &Arc<dyn Endpoint>, path: &str) -> Result<String, FailureKind> {
    get_at_depth(app, path, None).await
}

pub(super) async fn get_at_depth(
    app: &Arc<dyn Endpoint>,
    path: &str,
    depth: Option<CallDepth>,
) -> Result<String, FailureKind> {
    let mut request = request(path);
    request
        .extensions_mut()
        .extend(depth.map(extension).unwrap_or_default());
    let answered = app.clone().call(RequestId(1), request).await;
    let response = answered.map_err(|failure| failure.kind)?;
    let body = response.into_body().collect().await.unwrap().to_bytes();
    Ok(String::from_utf8(body.to_vec()).unwrap())
}

/// A request without a body.
pub(super) fn request(path: &str) -> Request<RequestBody> {
    let nothing = Empty::new().map_err(|never| match never {});
    Request::get(path)
        .header("host", "shop.localhost")
        // Nobody's to set: the depth is what the host says.
        .header("x-lodge-depth", "7")
        .body(RequestBody::new(nothing))
        .unwrap()
}

fn extension(depth: CallDepth) -> http::Extensions {
    let mut extensions = http::Extensions::new();
    extensions.insert(depth);
    extensions
}

/// Waits until it is true.
#[track_caller]
pub(super) fn soon(what: &str, is: impl Fn() -> bool) -> impl Future<Output = ()> {
    let begun = Instant::now();
    async move {
        while !is() {
            assert!(begun.elapsed() < Duration::from_secs(5), "not soon: {what}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}
