//! A supervisor and its workers, with a real Redis between them, all processes of this machine.

use crate::api::Api;
use crate::host::{Config, Host};
use crate::postgres::free_port;
use crate::redis::Redis;
use crate::{Visit, eventually};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// The key of every cluster of tests.
const KEY: &str = "a key of tests, of no use elsewhere";
/// Long enough for a loaded machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// How the processes of a cluster are to be started.
#[derive(Default)]
pub struct ClusterConfig {
    /// Variables of all workers.
    pub workers: Vec<(String, String)>,
    /// Variables of the supervisor.
    pub supervisor: Vec<(String, String)>,
    /// Seconds between heartbeats; none: 1.
    pub heartbeat: Option<u32>,
}

/// A running cluster. Dropped, all of it is killed.
pub struct Cluster {
    /// The real Redis.
    pub redis: Redis,
    /// The supervisor.
    pub supervisor: Host,
    /// The workers, by environment name.
    pub workers: BTreeMap<String, Host>,
    config: ClusterConfig,
}

impl Cluster {
    /// A supervisor and workers of these names, all joined.
    pub fn start(names: &[&str]) -> Self {
        Self::start_with(names, ClusterConfig::default())
    }

    /// As [`start`](Self::start), otherwise configured.
    pub fn start_with(names: &[&str], config: ClusterConfig) -> Self {
        let redis = Redis::start().unwrap();
        let supervisor = supervisor(&redis.url(), &config).start();
        let mut this = Self {
            redis,
            supervisor,
            workers: BTreeMap::new(),
            config,
        };
        for name in names {
            this.add(name);
        }
        for name in names {
            this.until_environment(name, "online");
        }
        this
    }

    /// How a worker of this name is started, with a data directory of its own.
    pub fn worker(&self, name: &str) -> Config {
        let port = free_port().unwrap();
        let url = format!("http://127.0.0.1:{port}");
        let heartbeat = self.config.heartbeat.unwrap_or(1).to_string();
        let config = shared(Config::default(), "worker", &self.redis.url())
            .at_port(port)
            .variable("APP_PROCESS_ADAPTER", "local")
            .variable("ENVIRONMENT_NAME", name)
            .variable("ENVIRONMENT_URL", &url)
            .variable("LODGE_HEARTBEAT", &heartbeat);
        let variables = self.config.workers.iter();
        variables.fold(config, |config, (name, value)| config.variable(name, value))
    }

    /// Starts a further worker.
    pub fn add(&mut self, name: &str) {
        let host = self.worker(name).start();
        self.workers.insert(name.to_owned(), host);
    }

    /// A further supervisor of the same cluster, with a data directory of its own. The control database
    /// must be a server's.
    pub fn another_supervisor(&self) -> Host {
        supervisor(&self.redis.url(), &self.config).start()
    }

    /// The supervisor's API, as root.
    pub fn api(&mut self) -> Api {
        self.supervisor.api()
    }

    /// A worker.
    pub fn at(&mut self, name: &str) -> &mut Host {
        self.workers.get_mut(name).unwrap()
    }

    /// An environment as the API shows it.
    pub fn environment(&mut self, name: &str) -> Option<Value> {
        let list = self.api().get("/api/environments").expect(200);
        let items = list["items"].as_array().unwrap().iter();
        items.clone().find(|item| item["name"] == name).cloned()
    }

    /// Waits until an environment has a status.
    pub fn until_environment(&mut self, name: &str, status: &str) {
        eventually(&format!("{name} is {status}"), PATIENCE, || {
            let environment = self.environment(name)?;
            (environment["status"] == status).then_some(())
        });
    }

    /// What is observed of an app, by environment.
    pub fn observed(&mut self, app: &str) -> BTreeMap<String, String> {
        let app = self.api().app(app);
        let seen = app["observed"].as_array().unwrap().iter();
        seen.map(|seen| {
            let text = |name: &str| seen[name].as_str().unwrap().to_owned();
            (text("environment"), text("status"))
        })
        .collect()
    }

    /// Waits until an app has these statuses, by environment.
    pub fn until_observed(&mut self, app: &str, expected: &[(&str, &str)]) {
        let expected = expected
            .iter()
            .map(|(name, status)| ((*name).to_owned(), (*status).to_owned()));
        let expected: BTreeMap<_, _> = expected.collect();
        eventually(&format!("{app} is {expected:?}"), PATIENCE, || {
            (self.observed(app) == expected).then_some(())
        });
    }

    /// A visit to an app by path at the supervisor.
    pub fn visit(&self, app: &str, path: &str) -> Visit {
        self.supervisor.visit(app, path)
    }
}

fn supervisor(redis: &str, config: &ClusterConfig) -> Config {
    let host =
        shared(Config::default(), "supervisor", redis).variable("APP_PROCESS_ADAPTER", "remote");
    let variables = config.supervisor.iter();
    variables.fold(host, |config, (name, value)| config.variable(name, value))
}

fn shared(config: Config, mode: &str, redis: &str) -> Config {
    config
        .variable("APP_MODE", mode)
        .variable("APP_DISCOVERY_ADAPTER", "remote")
        .variable("APP_COMMAND_ADAPTER", "redis")
        .variable("APP_SUPERVISOR_REDIS_URL", redis)
        .variable("APP_COMMAND_REDIS_URL", redis)
        .variable("LODGE_CLUSTER_KEY", KEY)
}
