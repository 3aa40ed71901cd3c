//! A control plane under test: real database, real files, simulated runtime; it can crash.

use crate::capabilities::provider::{FakeProvider, key_set, make_key};
use crate::fake::{FakeLogs, FakeRoutes, FakeRuntime, component_bytes};
use crate::workers::NoWay;
use bytes::Bytes;
use futures::stream;
use lodge_db::Database;
use lodge_harness::TestSealer;
use lodge_model::*;
use lodge_supervisor::*;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Has the host's key, unless a test says otherwise.
pub const SEALER: TestSealer = TestSealer(1);

/// Where everything that outlives a process is.
pub struct Bed {
    dir: Place,
    pub url: Option<String>,
    pub settings: Settings,
    pub sealer: TestSealer,
    /// Has apps on workers, over this link.
    pub link: Option<Box<dyn Fn() -> Arc<dyn SupervisorLink>>>,
}

enum Place {
    Own(TempDir),
    Others(PathBuf),
}

/// One process's worth of control plane.
pub struct Host {
    pub tokio: tokio::runtime::Runtime,
    pub supervisor: Arc<Supervisor>,
    pub runtime: Arc<FakeRuntime>,
    pub provider: Arc<FakeProvider>,
    pub routes: Arc<FakeRoutes>,
    pub logs: Arc<FakeLogs>,
    pub db: Database,
}

pub fn id(name: &str) -> AppId {
    name.parse().unwrap()
}

pub fn admin() -> Actor {
    Actor::new("admin@example.com")
}

/// The settings of tests: as the product's, but quicker.
pub fn quick() -> Settings {
    Settings {
        first_retry: Duration::from_millis(20),
        longest_retry: Duration::from_millis(80),
        stop_grace: Duration::from_millis(200),
        upload_wait: Duration::from_millis(200),
        upload_silence: Duration::from_millis(200),
        // By hand, so that no test depends on the clock.
        sample_every: Duration::from_secs(24 * 60 * 60),
        ..Settings::default()
    }
}

impl Bed {
    /// With SQLite in the data directory.
    pub fn sqlite() -> Self {
        Self {
            dir: Place::Own(tempfile::tempdir().unwrap()),
            url: None,
            settings: quick(),
            sealer: SEALER,
            link: None,
        }
    }

    /// In another process's data directory.
    pub fn at(dir: PathBuf, url: Option<String>) -> Self {
        Self {
            dir: Place::Others(dir),
            url,
            settings: quick(),
            sealer: SEALER,
            link: None,
        }
    }

    /// With a database on a PostgreSQL server.
    pub fn postgres(url: String) -> Self {
        Self {
            url: Some(url),
            ..Self::sqlite()
        }
    }

    pub fn dir(&self) -> &Path {
        match &self.dir {
            Place::Own(dir) => dir.path(),
            Place::Others(dir) => dir,
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir().join(name)
    }

    pub async fn database(&self) -> Database {
        match &self.url {
            Some(url) => Database::open(url).await.unwrap(),
            None => Database::open_file(&self.path("lodge.db")).await.unwrap(),
        }
    }

    /// Starts a process.
    pub fn open(&self) -> Host {
        self.open_with(FakeRuntime::default())
    }

    pub fn open_with(&self, runtime: FakeRuntime) -> Host {
        self.try_open(runtime).unwrap()
    }

    pub fn try_open(&self, runtime: FakeRuntime) -> Result<Host, Error> {
        let tokio = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let (runtime, routes, logs) = (Arc::new(runtime), Arc::default(), Arc::default());
        let provider = Arc::<FakeProvider>::default();
        let db = tokio.block_on(self.database());
        let cluster = self.link.as_ref().map(|link| {
            let _in = tokio.enter();
            Cluster {
                link: link(),
                forward: Arc::new(NoWay),
                hosts_apps: false,
            }
        });
        let parts = Parts {
            db: db.clone(),
            runtime: Arc::clone(&runtime) as _,
            routes: Arc::<FakeRoutes>::clone(&routes) as _,
            logs: Arc::<FakeLogs>::clone(&logs) as _,
            provider: Arc::<FakeProvider>::clone(&provider) as _,
            sealer: Arc::new(self.sealer),
            make_key: Arc::new(make_key),
            key_set: Arc::new(key_set),
            data_dir: self.dir().to_owned(),
            environment: LOCAL_ENVIRONMENT.parse().unwrap(),
            cluster,
            settings: self.settings.clone(),
        };
        let supervisor = tokio.block_on(Supervisor::open(parts))?;
        Ok(Host {
            tokio,
            supervisor,
            runtime,
            provider,
            routes,
            logs,
            db,
        })
    }
}

impl Host {
    /// Ends the process at this instant: every task stops where it is.
    pub fn crash(self) {
        let Self {
            tokio, supervisor, ..
        } = self;
        drop(supervisor);
        tokio.shutdown_timeout(Duration::from_secs(5));
    }

    pub fn run<T>(&self, future: impl Future<Output = T>) -> T {
        self.tokio.block_on(future)
    }

    pub fn upload_bytes(
        &self,
        bytes: Bytes,
        new: NewComponent,
    ) -> Result<(Component, bool), Error> {
        let body = stream::iter([Ok::<_, io::Error>(bytes)]);
        self.run(self.supervisor.upload(body, new, &admin()))
    }

    /// Uploads a component and waits until it is compiled.
    pub fn component(&self, name: &str, version: &str) -> Component {
        let bytes = component_bytes(name, version, "");
        let (component, _) = self.upload_bytes(bytes, NewComponent::default()).unwrap();
        self.until("the component is ready", || {
            self.supervisor.component(&component.digest).unwrap().status == ComponentStatus::Ready
        });
        self.supervisor.component(&component.digest).unwrap()
    }

    pub fn create_from(&self, json: serde_json::Value) -> Result<App, Error> {
        let new: NewApp = serde_json::from_value(json).unwrap();
        self.run(self.supervisor.create_app(new, &admin()))
    }

    /// An app of the component `hello`, which is uploaded if it is not there.
    pub fn create(&self, name: &str, start_mode: &str) -> App {
        self.component("hello", "1.0.0");
        self.create_from(serde_json::json!({
            "id": name, "component": {"name": "hello"}, "start_mode": start_mode,
        }))
        .unwrap()
    }

    pub fn patch(&self, name: &str, json: serde_json::Value) -> Result<App, Error> {
        let patch: AppPatch = serde_json::from_value(json).unwrap();
        self.run(self.supervisor.update_app(&id(name), patch, &admin()))
    }

    pub fn start(&self, name: &str) -> Operation {
        self.run(self.supervisor.start(&id(name), &admin()))
            .unwrap()
    }

    pub fn stop(&self, name: &str) -> Operation {
        self.run(self.supervisor.stop(&id(name), &admin())).unwrap()
    }

    pub fn restart(&self, name: &str) -> Operation {
        self.run(self.supervisor.restart(&id(name), &admin()))
            .unwrap()
    }

    pub fn delete(&self, name: &str, data: DataPolicy) -> Operation {
        self.run(self.supervisor.delete_app(&id(name), data, &admin()))
            .unwrap()
    }

    /// Waits for the end of an operation.
    pub fn end_of(&self, operation: &Operation) -> Operation {
        let waited = self
            .supervisor
            .wait_operation(&operation.id, Duration::from_secs(10));
        self.run(waited).unwrap()
    }

    /// The operation must succeed.
    pub fn done(&self, operation: &Operation) {
        let ended = self.end_of(operation);
        assert_eq!(ended.status, OperationStatus::Succeeded, "{ended:?}");
    }

    pub fn observed(&self, name: &str) -> Observed {
        self.supervisor.app(&id(name)).unwrap().observed.remove(0)
    }

    pub fn status(&self, name: &str) -> Status {
        self.observed(name).status
    }

    pub fn visit(&self, name: &str) -> Result<(), FailureKind> {
        let visit = self.supervisor.activate(&id(name), RequestId(7));
        self.run(visit).map(drop).map_err(|failure| failure.kind)
    }

    /// Waits until something holds, 10 s at most.
    #[track_caller]
    pub fn until(&self, what: &str, holds: impl FnMut() -> bool) {
        self.until_within(what, Duration::from_secs(10), holds);
    }

    #[track_caller]
    pub fn until_within(&self, what: &str, most: Duration, mut holds: impl FnMut() -> bool) {
        let deadline = Instant::now() + most;
        while !holds() {
            assert!(Instant::now() < deadline, "never: {what}");
            self.pause(2);
        }
    }

    #[track_caller]
    pub fn until_status(&self, name: &str, status: Status) {
        self.until(&format!("{name} is {status:?}"), || {
            self.status(name) == status
        });
    }

    pub fn pause(&self, ms: u64) {
        self.run(async { tokio::time::sleep(Duration::from_millis(ms)).await });
    }
}
