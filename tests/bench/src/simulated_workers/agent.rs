//! One simulated worker: believes what it is told, and says after some milliseconds that it is so.

use lodge_bus::{Settings, WorkerEnd};
use lodge_model::{
    AppId, BootId, Capacity, EnvironmentName, Goal, Load, Observed, Registration, Report,
    Specification, Status, ToWorker, WorkerLink as _,
};
use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What a start or a stop takes here.
const WORK: Duration = Duration::from_millis(3);
/// As real workers do by default.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// One worker.
pub(crate) struct Agent {
    link: Arc<WorkerEnd>,
    environment: EnvironmentName,
    apps: Mutex<HashMap<AppId, Running>>,
    /// What all agents together were told.
    told: Arc<Told>,
}

/// Counts what all agents were told.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// Specifications since the last [`Told::begin`].
    specifications: AtomicU64,
    /// Of those, of how many apps, each once.
    apps: AtomicU64,
    round: AtomicU64,
}

/// What is of an app.
#[derive(Clone, Copy)]
struct Running {
    status: Status,
    /// The round in which it was last told of.
    round: u64,
}

impl Told {
    /// Counts anew.
    pub(crate) fn begin(&self) {
        self.round.fetch_add(1, Relaxed);
        self.specifications.store(0, Relaxed);
        self.apps.store(0, Relaxed);
    }

    pub(crate) fn apps(&self) -> u64 {
        self.apps.load(Relaxed)
    }

    pub(crate) fn specifications(&self) -> u64 {
        self.specifications.load(Relaxed)
    }
}

/// Begins, and goes on until the runtime ends. `index` says which of all it is.
pub(crate) fn start(index: usize, settings: Settings, folder: &Path, told: Arc<Told>) {
    let name = name(index);
    let registration = Registration {
        environment: name.parse().unwrap(),
        boot: BootId::random().unwrap(),
        worker_id: format!("simulated-{index}"),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        url: None,
        // Nobody listens: no app of these is visited.
        proxy_url: "http://127.0.0.1:9".to_owned(),
        heartbeat_ms: u64::try_from(HEARTBEAT.as_millis()).unwrap(),
        capacity: Capacity {
            cores: 4.0,
            memory_bytes: 1 << 40,
            instance_slots: 10_000,
        },
        started_at: 0,
    };
    let agent = Arc::new(Agent {
        environment: registration.environment.clone(),
        link: WorkerEnd::open(settings, registration, &folder.join(&name)),
        apps: Mutex::default(),
        told,
    });
    tokio::spawn(agent.clone().listen());
    tokio::spawn(agent.beat(index));
}

/// The environment's name.
pub(crate) fn name(index: usize) -> String {
    format!("sim-{index}")
}

impl Agent {
    async fn listen(self: Arc<Self>) {
        loop {
            match self.link.next().await {
                ToWorker::Specification(told) => {
                    tokio::spawn(self.clone().act(told));
                }
                ToWorker::Refused { reason } => panic!("{}: {reason}", self.environment),
                _ => {}
            }
        }
    }

    /// Not all at the same moment, as in life.
    async fn beat(self: Arc<Self>, index: usize) {
        tokio::time::sleep(HEARTBEAT.mul_f64(index as f64 % 100.0 / 100.0)).await;
        loop {
            let load = {
                let apps = self.apps.lock().unwrap();
                let runs = |running: &&Running| running.status == Status::Running;
                Load {
                    apps: apps.len() as u64,
                    running: apps.values().filter(runs).count() as u64,
                    ..Load::default()
                }
            };
            self.link.beat(load);
            tokio::time::sleep(HEARTBEAT).await;
        }
    }

    async fn act(self: Arc<Self>, told: Box<Specification>) {
        let status = match told.goal {
            Goal::Running => Status::Running,
            Goal::Waiting => Status::Waiting,
            Goal::Stopped | Goal::Gone(_) => Status::Stopped,
        };
        let before = self.note(&told, status);
        let restarts = told.restart_before == told.revision.generation;
        if before != Some(status) || restarts {
            if status == Status::Running {
                self.say(&told, Status::Starting);
            }
            tokio::time::sleep(WORK).await;
        }
        self.say(&told, status);
        self.link.done(&told.app, told.revision).await;
    }

    /// What it was before.
    fn note(&self, told: &Specification, status: Status) -> Option<Status> {
        self.told.specifications.fetch_add(1, Relaxed);
        let round = self.told.round.load(Relaxed);
        let mut apps = self.apps.lock().unwrap();
        let before = apps.get(&told.app).copied();
        if before.is_none_or(|before| before.round < round) {
            self.told.apps.fetch_add(1, Relaxed);
        }
        apps.insert(told.app.clone(), Running { status, round });
        before.map(|before| before.status)
    }

    fn say(&self, told: &Specification, status: Status) {
        self.link.report(Report {
            app: told.app.clone(),
            observed: Observed {
                environment: self.environment.clone(),
                status,
                since: told.revision.generation,
                version: Some(told.component.version.clone()),
                message: None,
            },
            revision: told.revision,
            gone: matches!(told.goal, Goal::Gone(_)),
        });
    }
}
