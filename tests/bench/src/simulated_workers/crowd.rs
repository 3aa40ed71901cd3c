//! The supervisor, its Redis, its simulated workers and its apps.

use crate::agent::{self, Told};
use crate::meter::Meter;
use lodge_bench::figures::Figures;
use lodge_bus::Settings;
use lodge_harness::redis::Redis;
use lodge_harness::{Api, Config, Host};
use lodge_model::ClusterKey;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::runtime::Runtime;

const KEY: &str = "a key of measurements, of no use elsewhere";
/// Longer than this nothing is waited for: it is told as not done.
const PATIENCE: Duration = Duration::from_secs(180);
/// Connections that create apps.
const CREATORS: usize = 8;
const LOOK: Duration = Duration::from_millis(200);

pub(crate) struct Crowd {
    pub(crate) redis: Redis,
    pub(crate) supervisor: Host,
    pub(crate) meter: Meter,
    pub(crate) told: Arc<Told>,
    pub(crate) workers: usize,
    pub(crate) apps: usize,
    agents: Option<Runtime>,
    folder: TempDir,
}

impl Crowd {
    pub(crate) fn start(workers: usize, apps: usize) -> Self {
        let redis = Redis::start().unwrap();
        let url = redis.url();
        let supervisor = Config::default()
            .variable("APP_MODE", "supervisor")
            .variable("APP_PROCESS_ADAPTER", "remote")
            .variable("APP_DISCOVERY_ADAPTER", "remote")
            .variable("APP_COMMAND_ADAPTER", "redis")
            .variable("APP_SUPERVISOR_REDIS_URL", &url)
            .variable("APP_COMMAND_REDIS_URL", &url)
            .variable("LODGE_CLUSTER_KEY", KEY)
            .variable("RUST_LOG", "warn")
            .start();
        Self {
            meter: Meter::new(&url),
            redis,
            supervisor,
            told: Arc::default(),
            workers,
            apps,
            agents: None,
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// Starts the workers; returns when the supervisor knows all of them.
    pub(crate) fn join(&mut self) -> Option<Duration> {
        let begin = Instant::now();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .unwrap();
        let key = ClusterKey::new(KEY).unwrap();
        let settings = Settings::new(&self.redis.url(), &self.redis.url(), key);
        runtime.block_on(async {
            for index in 0..self.workers {
                let folder = self.folder.path();
                agent::start(index, settings.clone(), folder, self.told.clone());
            }
        });
        self.agents = Some(runtime);
        self.until(begin, |crowd| crowd.environments().0 == crowd.workers)
    }

    /// Creates the apps, each to run on the next worker; returns when all are accepted.
    pub(crate) fn create(&mut self) -> Duration {
        let api = self.supervisor.api();
        let digest = api.upload_guest("hello-p2");
        let begin = Instant::now();
        let next = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..CREATORS {
                scope.spawn(|| {
                    loop {
                        let at = next.fetch_add(1, Relaxed);
                        if at >= self.apps {
                            return;
                        }
                        let app = json!({
                            "id": app(at), "component": { "digest": digest },
                            "environments": [agent::name(at % self.workers)],
                            "start_mode": "with_host", "desired": "running",
                        });
                        api.post("/api/apps", &app).expect(201);
                    }
                });
            }
        });
        begin.elapsed()
    }

    /// Workers that are online, and apps that run.
    pub(crate) fn environments(&mut self) -> (usize, usize) {
        let list = self.supervisor.api().get("/api/environments").expect(200);
        let mut sums = (0, 0);
        for item in list["items"].as_array().unwrap() {
            sums.0 += usize::from(item["status"] == "online");
            sums.1 += usize::try_from(item["running"].as_u64().unwrap()).unwrap();
        }
        sums
    }

    pub(crate) fn all_run(&mut self) -> bool {
        self.environments() == (self.workers, self.apps)
    }

    /// Waits; none: not in time.
    pub(crate) fn until(
        &mut self,
        begin: Instant,
        mut check: impl FnMut(&mut Self) -> bool,
    ) -> Option<Duration> {
        while !check(self) {
            if begin.elapsed() > PATIENCE {
                return None;
            }
            std::thread::park_timeout(LOOK);
        }
        Some(begin.elapsed())
    }

    /// So many commands, one after another.
    pub(crate) fn commands(&mut self, count: usize) -> Figures {
        let api = self.supervisor.api();
        let mut times = Figures::default();
        for at in 0..count {
            times.add_time(command(&api, at * 37 % self.apps).unwrap());
        }
        times
    }

    /// Commands one after another, until told to stop.
    pub(crate) fn keep_commanding(&mut self) -> Commander {
        let (api, apps) = (self.supervisor.api(), self.apps);
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let thread = std::thread::spawn(move || {
            let mut times = Figures::default();
            let mut at = 0;
            while !stopped.load(Relaxed) {
                if let Some(took) = command(&api, at * 37 % apps) {
                    times.add_time(took);
                }
                at += 1;
                std::thread::park_timeout(Duration::from_millis(20));
            }
            times
        });
        Commander { stop, thread }
    }
}

/// See [`Crowd::keep_commanding`].
pub(crate) struct Commander {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Figures>,
}

impl Commander {
    pub(crate) fn stop(self) -> Figures {
        self.stop.store(true, Relaxed);
        self.thread.join().unwrap()
    }
}

fn app(at: usize) -> String {
    format!("app-{at}")
}

/// Restarts an app; how long until it is done and written down. None: there was no answer.
fn command(api: &Api, at: usize) -> Option<Duration> {
    let begin = Instant::now();
    let path = format!("/api/apps/{}/restart", app(at));
    let post = ureq::http::Method::POST;
    let accepted = api.try_send(post, &path, None).ok()?;
    let accepted = accepted.expect(202);
    let id = accepted["operation"]["id"].as_str().unwrap().to_owned();
    let path = format!("/api/operations/{id}?wait_ms=10000");
    while begin.elapsed() < PATIENCE {
        let get = ureq::http::Method::GET;
        let operation: Value = api.try_send(get, &path, None).ok()?.expect(200);
        if operation["status"] != "running" {
            assert_eq!(operation["status"], "succeeded", "{operation}");
            break;
        }
    }
    Some(begin.elapsed())
}
