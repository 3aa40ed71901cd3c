//! A worker under test: real files, seals, logs and downloads; it can crash.

use super::link::ScriptedLink;
use super::runtime::FakeRuntime;
use super::server::Server;
use super::specs::{ENVIRONMENT, id};
use async_trait::async_trait;
use lodge_capabilities::{AppLogs, HostKey};
use lodge_model::*;
use lodge_worker::*;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::sync::watch;

/// The run of the supervisor's process.
pub const BOOT: BootId = BootId([9; 16]);

/// Where everything that outlives a process is.
pub struct Bed {
    pub dir: TempDir,
    pub server: Server,
    pub settings: Settings,
    pub fetch: FetchSettings,
    pub key: &'static str,
}

/// One process's worth of worker.
pub struct Worker {
    pub tokio: tokio::runtime::Runtime,
    pub agent: Arc<Agent>,
    pub link: Arc<ScriptedLink>,
    pub runtime: Arc<FakeRuntime>,
    pub routes: Arc<Routes>,
    pub logs: Arc<AppLogs>,
    pub provider: Arc<FakeProvider>,
}

pub struct TestSigner;

impl SignRequest for TestSigner {
    fn sign(&self, request: &mut http::Request<()>, receiver: BootId) {
        let host = request.headers()["host"].to_str().unwrap();
        let text = format!("{} {} {host} {receiver}", request.method(), request.uri());
        let value = text.parse().unwrap();
        request.headers_mut().insert("x-test-signature", value);
    }
}

/// The settings of tests: as the product's, but quicker.
pub fn quick() -> Settings {
    Settings {
        heartbeat: Duration::from_millis(20),
        // By hand, or by tests that want it.
        sample_every: Duration::from_secs(3_600),
        first_retry: Duration::from_millis(20),
        longest_retry: Duration::from_millis(80),
        stop_grace: Duration::from_millis(200),
        trust_disk_after: Duration::from_millis(300),
        follow_beat: Duration::from_millis(30),
        ..Settings::default()
    }
}

pub fn quick_fetch() -> FetchSettings {
    FetchSettings {
        silence: Duration::from_millis(300),
        head: Duration::from_secs(2),
        first_retry: Duration::from_millis(5),
        longest_retry: Duration::from_millis(50),
        ..FetchSettings::default()
    }
}

impl Bed {
    pub fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
            server: Server::start(),
            settings: quick(),
            fetch: quick_fetch(),
            key: "the key of this worker, long enough",
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn components(&self) -> Arc<Components> {
        let folder = self.path("components");
        Components::open(folder, self.fetch.clone(), Arc::new(TestSigner)).unwrap()
    }

    /// Starts a process that nobody talks to yet.
    pub fn start_alone(&self) -> Worker {
        let tokio = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let _in = tokio.enter();
        let (link, runtime) = (Arc::<ScriptedLink>::default(), Arc::default());
        let (routes, provider) = (Arc::<Routes>::default(), Arc::<FakeProvider>::default());
        let logs = AppLogs::open(&self.path("logs")).unwrap();
        let agent = Agent::open(Parts {
            link: Arc::clone(&link) as _,
            runtime: Arc::<FakeRuntime>::clone(&runtime) as _,
            routes: Arc::clone(&routes) as _,
            logs: Arc::clone(&logs) as _,
            provider: Arc::clone(&provider) as _,
            components: self.components(),
            sealer: Arc::new(HostKey::from_secret(self.key.as_bytes()).unwrap()),
            key_set: Arc::new(|keys| serde_json::json!({ "keys": keys.len() })),
            data_dir: self.dir.path().to_owned(),
            environment: ENVIRONMENT.parse().unwrap(),
            settings: self.settings.clone(),
        })
        .unwrap();
        agent.run();
        drop(_in);
        Worker {
            tokio,
            agent,
            link,
            runtime,
            routes,
            logs,
            provider,
        }
    }

    /// Starts a process that is connected, and knows where its supervisor is.
    pub fn start(&self) -> Worker {
        let worker = self.start_alone();
        worker.link.say(ToWorker::Connected);
        worker.link.say(self.supervisor());
        worker
    }

    pub fn supervisor(&self) -> ToWorker {
        ToWorker::Supervisor {
            url: self.server.url.clone(),
            boot: BOOT,
        }
    }
}

impl Worker {
    /// Ends the process at this instant: every task stops where it is.
    pub fn crash(self) {
        let Self { tokio, agent, .. } = self;
        drop(agent);
        tokio.shutdown_timeout(Duration::from_secs(5));
    }

    pub fn run<T>(&self, future: impl Future<Output = T>) -> T {
        self.tokio.block_on(future)
    }

    pub fn say(&self, spec: &Specification) {
        self.link
            .say(ToWorker::Specification(Box::new(spec.clone())));
    }

    pub fn pause(&self, time: Duration) {
        self.run(async { tokio::time::sleep(time).await });
    }

    /// Waits until something holds, 20 s at most.
    #[track_caller]
    pub fn until(&self, what: &str, mut holds: impl FnMut() -> bool) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while !holds() {
            let reports = self.link.reports.lock();
            let last: Vec<_> = reports.iter().rev().take(3).collect();
            assert!(Instant::now() < deadline, "never: {what}; {last:#?}");
            drop(reports);
            self.pause(Duration::from_millis(2));
        }
    }

    /// Waits until this is what was last reported, of this generation, and acknowledged.
    #[track_caller]
    pub fn until_settled(&self, app: &str, status: Status, generation: i64) {
        self.until(&format!("{app} is {status:?} for {generation}"), || {
            let newest = self.link.newest(app);
            let is_so = newest.is_some_and(|report| {
                report.observed.status == status && report.revision.generation == generation
            });
            let done = self.link.done_up_to(app);
            is_so && done.is_some_and(|revision| revision.generation >= generation)
        });
        assert_eq!(*self.link.too_early.lock(), []);
    }

    /// What the newest report says beside the status.
    pub fn message(&self, app: &str) -> String {
        let newest = self.link.newest(app);
        newest
            .and_then(|report| report.observed.message)
            .unwrap_or_default()
    }

    pub fn visit(&self, app: &str) -> Result<(), FailureKind> {
        let visit = self.agent.activate(&id(app), RequestId(7));
        self.run(visit).map(drop).map_err(|failure| failure.kind)
    }
}

/// The edge's table, without an edge.
#[derive(Default)]
pub struct Routes(pub Mutex<HashMap<AppId, Route>>);

impl Routes {
    /// What a visit would meet: `None` is a 404.
    pub fn phase(&self, app: &str) -> Option<String> {
        let routes = self.0.lock();
        routes.get(app).map(|route| format!("{:?}", route.phase))
    }
}

impl RouteSink for Routes {
    fn replace_all(&self, routes: Vec<Route>) {
        let routes = routes.into_iter().map(|route| (route.app.clone(), route));
        *self.0.lock() = routes.collect();
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

/// The provider's port, scripted: remembers what was removed, and fails as the test says.
pub struct FakeProvider {
    pub removed: Mutex<Vec<(AppId, DataPolicy)>>,
    /// So many removals fail.
    pub failing_removals: AtomicUsize,
    /// A migration that broke off.
    pub marked: Mutex<Option<String>>,
    /// False: tries hang.
    pub may_test: watch::Sender<bool>,
}

impl Default for FakeProvider {
    fn default() -> Self {
        Self {
            removed: Mutex::default(),
            marked: Mutex::default(),
            failing_removals: AtomicUsize::new(0),
            may_test: watch::Sender::new(true),
        }
    }
}

#[async_trait]
impl Provider for FakeProvider {
    async fn open(&self, _: &Grant, _: Arc<dyn Account>) -> Result<Capabilities, GrantError> {
        Err(GrantError::Unavailable("the runtime is simulated".into()))
    }

    async fn close(&self, _: &AppId) {}

    async fn remove(&self, grant: &Grant, data: DataPolicy) -> Result<(), GrantError> {
        let left = |n: usize| n.checked_sub(1);
        if self
            .failing_removals
            .fetch_update(SeqCst, SeqCst, left)
            .is_ok()
        {
            return Err(GrantError::Unavailable("the server is away".into()));
        }
        self.removed.lock().push((grant.app.clone(), data));
        Ok(())
    }

    fn check_database(&self, _: &DatabaseSpec) -> Result<(), Invalid> {
        Ok(())
    }

    async fn test_database(
        &self,
        _: &AppId,
        database: &DatabaseSpec,
    ) -> Result<ConnectionReport, GrantError> {
        let _ = self.may_test.subscribe().wait_for(|open| *open).await;
        match &database.url {
            Some(url) if url.contains("bad") => Err(GrantError::Refused("no rights".into())),
            _ => Ok(ConnectionReport {
                engine: DatabaseEngine::Postgres,
                version: "17".into(),
                elapsed_ms: 1,
            }),
        }
    }

    async fn clear_migration(
        &self,
        _: &AppId,
        _: &DatabaseSpec,
        _: bool,
    ) -> Result<Option<String>, GrantError> {
        let _ = self.may_test.subscribe().wait_for(|open| *open).await;
        Ok(self.marked.lock().take())
    }

    async fn report_database(
        &self,
        _: &AppId,
        database: &DatabaseSpec,
        _: &Limits,
    ) -> DatabaseReport {
        DatabaseReport::empty(database.kind, Duration::from_millis(100))
    }
}
