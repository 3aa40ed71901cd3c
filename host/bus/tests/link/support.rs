//! What the tests share: a cluster of one Redis, and words in it.

use lodge_bus::{Settings, SupervisorEnd, WorkerEnd};
use lodge_harness::redis::Redis;
use lodge_model::{
    AppId, BootId, Capacity, ClusterKey, ComponentRef, DatabaseSpec, Digest, EnvironmentName,
    FromWorkers, Goal, Grant, Limits, Observed, PathAccess, Registration, Report, Revision, Secret,
    Specification, Status, SupervisorLink as _, ToWorker, WorkerLink as _, World,
};
use redis::aio::MultiplexedConnection;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

/// Far longer than anything takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// A Redis, a key and a worker's data directory.
pub(crate) struct Cluster {
    pub(crate) redis: Redis,
    pub(crate) key: &'static str,
    pub(crate) state: TempDir,
}

impl Cluster {
    pub(crate) fn start() -> Self {
        Self {
            redis: Redis::start().unwrap(),
            key: "the cluster's key of forty-two characters.",
            state: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn settings(&self) -> Settings {
        let key = ClusterKey::new(self.key).unwrap();
        Settings::new(&self.redis.url(), &self.redis.url(), key)
    }

    /// A supervisor that says where it is.
    pub(crate) fn supervisor(&self) -> Arc<SupervisorEnd> {
        let url = Some("http://supervisor:13001".to_owned());
        SupervisorEnd::open(self.settings(), BootId::random().unwrap(), 1, url)
    }

    /// The worker `here` on the cluster's data directory.
    pub(crate) fn worker(&self) -> Arc<WorkerEnd> {
        self.worker_with("here", "first", self.state.path())
    }

    pub(crate) fn worker_with(&self, name: &str, id: &str, state: &Path) -> Arc<WorkerEnd> {
        WorkerEnd::open(self.settings(), registration(name, id), state)
    }

    /// A connection of somebody who may do everything in Redis.
    pub(crate) async fn intruder(&self) -> MultiplexedConnection {
        let client = redis::Client::open(self.redis.url()).unwrap();
        client.get_multiplexed_async_connection().await.unwrap()
    }

    /// The name of something in Redis that ends like this.
    pub(crate) async fn name(&self, end: &str) -> String {
        let mut redis = self.intruder().await;
        let keys: Vec<String> = redis::cmd("KEYS")
            .arg(format!("lodge:*:{end}"))
            .query_async(&mut redis)
            .await
            .unwrap();
        assert_eq!(keys.len(), 1, "{end}: {keys:?}");
        keys.into_iter().next().unwrap()
    }
}

pub(crate) fn here() -> EnvironmentName {
    "here".parse().unwrap()
}

pub(crate) fn app(id: &str) -> AppId {
    id.parse().unwrap()
}

pub(crate) fn at(generation: i64) -> Revision {
    Revision {
        generation,
        ..Revision::default()
    }
}

pub(crate) fn registration(name: &str, id: &str) -> Registration {
    Registration {
        environment: name.parse().unwrap(),
        boot: BootId::random().unwrap(),
        worker_id: id.to_owned(),
        version: "0.1.0".to_owned(),
        url: None,
        proxy_url: format!("http://{id}:13000"),
        heartbeat_ms: 10_000,
        capacity: Capacity::default(),
        started_at: 0,
    }
}

pub(crate) fn specification(id: &str, generation: i64) -> Specification {
    specification_in("here", id, generation)
}

pub(crate) fn specification_in(environment: &str, id: &str, generation: i64) -> Specification {
    Specification {
        app: app(id),
        environment: environment.parse().unwrap(),
        revision: at(generation),
        goal: Goal::Running,
        restart_before: 0,
        operation: None,
        component: ComponentRef {
            name: "component".to_owned(),
            version: "1.0.0".to_owned(),
            digest: Digest::from_bytes([1; 32]),
        },
        component_size: 1,
        world: World::Http02,
        uses_async: false,
        domains: Vec::new(),
        path_access: PathAccess::default(),
        grant: Grant {
            app: app(id),
            database: DatabaseSpec::default(),
            sources: BTreeMap::new(),
            source_databases: BTreeMap::new(),
            jwt_keys: Vec::new(),
            config: BTreeMap::from([("token".to_owned(), Secret("hunter2-secret".to_owned()))]),
            outbound_hosts: Vec::new(),
            limits: Limits::default(),
        },
    }
}

pub(crate) fn report(id: &str, generation: i64, message: &str) -> Report {
    Report {
        app: app(id),
        observed: Observed {
            environment: here(),
            status: Status::Running,
            since: 1,
            version: None,
            message: Some(message.to_owned()),
        },
        revision: at(generation),
        gone: false,
    }
}

/// What the supervisor hears next of what `pick` wants; the rest is passed over.
pub(crate) async fn heard<T>(
    supervisor: &SupervisorEnd,
    what: &str,
    mut pick: impl FnMut(FromWorkers) -> Option<T>,
) -> T {
    let wait = async {
        loop {
            if let Some(found) = pick(supervisor.next().await) {
                return found;
            }
        }
    };
    let found = tokio::time::timeout(PATIENCE, wait).await;
    found.unwrap_or_else(|_| panic!("the supervisor never heard {what}"))
}

/// What the worker is told next of what `pick` wants; the rest is passed over.
pub(crate) async fn told<T>(
    worker: &WorkerEnd,
    what: &str,
    mut pick: impl FnMut(ToWorker) -> Option<T>,
) -> T {
    let wait = async {
        loop {
            if let Some(found) = pick(worker.next().await) {
                return found;
            }
        }
    };
    let found = tokio::time::timeout(PATIENCE, wait).await;
    found.unwrap_or_else(|_| panic!("the worker was never told {what}"))
}

pub(crate) async fn joined(supervisor: &SupervisorEnd) -> Registration {
    heard(supervisor, "a worker join", |heard| match heard {
        FromWorkers::Joined(registration) => Some(registration),
        _ => None,
    })
    .await
}

pub(crate) async fn reported(supervisor: &SupervisorEnd) -> Report {
    heard(supervisor, "a report", |heard| match heard {
        FromWorkers::Report(report) => Some(report),
        _ => None,
    })
    .await
}

/// The next specification that the worker is told.
pub(crate) async fn specified(worker: &WorkerEnd) -> Specification {
    told(worker, "a specification", |told| match told {
        ToWorker::Specification(specification) => Some(*specification),
        _ => None,
    })
    .await
}

pub(crate) async fn connected(supervisor: &SupervisorEnd, worker: &WorkerEnd) {
    heard(supervisor, "that it is connected", |heard| {
        (heard == FromWorkers::Connected).then_some(())
    })
    .await;
    told(worker, "that it is connected", |told| {
        (told == ToWorker::Connected).then_some(())
    })
    .await;
}

/// Publishes as soon as Redis is there again.
pub(crate) async fn publish(supervisor: &SupervisorEnd, specification: &Specification) {
    let wait = async {
        while supervisor.publish(specification).await.is_err() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap();
}

/// Waits until the answer of a command to Redis is this.
pub(crate) async fn eventually(redis: &mut MultiplexedConnection, asked: &redis::Cmd, wanted: i64) {
    let wait = async {
        loop {
            let answer: i64 = asked.query_async(redis).await.unwrap();
            if answer == wanted {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let waited = tokio::time::timeout(PATIENCE, wait).await;
    assert!(waited.is_ok(), "the answer never was {wanted}");
}
