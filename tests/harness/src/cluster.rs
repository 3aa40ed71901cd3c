//! A supervisor and its workers, with a real Redis between them, all processes of this machine.

use crate::api::Api;
use crate::host::{Config, Host};
use crate::network::{Network, Party};
use crate::postgres::Postgres;
use crate::redis::Redis;
use crate::server::free_port;
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
    /// True: a real PostgreSQL has the control database and the apps' databases.
    pub postgres: bool,
    /// True: processes reach each other through a network that can be harmed.
    pub harmable: bool,
}

/// A running cluster. Dropped, all of it is killed.
pub struct Cluster {
    /// The real Redis.
    pub redis: Redis,
    /// The supervisor.
    pub supervisor: Host,
    /// The workers, by environment name.
    pub workers: BTreeMap<String, Host>,
    /// The real PostgreSQL, if there is to be one.
    pub postgres: Option<Postgres>,
    /// The ways between processes, if they are to be harmed.
    pub network: Option<Network>,
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
        let postgres = config.postgres.then(|| Postgres::start().unwrap());
        let network = config.harmable.then(Network::default);
        if let Some(postgres) = &postgres {
            postgres.create_owned_database("control").unwrap();
            postgres.create_owned_database("apps").unwrap();
            let sql = "ALTER ROLE apps CREATEDB CREATEROLE";
            postgres.query("postgres", sql).unwrap();
        }
        let outside = Outside {
            redis: &redis,
            postgres: postgres.as_ref(),
            network: network.as_ref(),
        };
        let supervisor = supervisor(&outside, &config);
        let mut this = Self {
            redis,
            supervisor,
            workers: BTreeMap::new(),
            postgres,
            network,
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
        let me = Party::Worker(name.to_owned());
        let outside = self.outside();
        let by = outside.way(Party::Supervisor, me.clone(), port);
        let mut config = shared(Config::default(), "worker", &outside.redis(&me))
            .at_port(port)
            .variable("APP_PROCESS_ADAPTER", "local")
            .variable("ENVIRONMENT_NAME", name)
            .variable("ENVIRONMENT_URL", &url)
            .variable("ENVIRONMENT_PROXY_URL", &format!("http://127.0.0.1:{by}"))
            .variable("LODGE_HEARTBEAT", &heartbeat);
        if let Some(database) = outside.database(&me, Party::Apps, "apps") {
            // Apps' databases are found again from any worker by the same key.
            config = config
                .variable("APPS_DATABASE_URL", &database)
                .variable("LODGE_SECRET_KEY", KEY);
        }
        let variables = self.config.workers.iter();
        variables.fold(config, |config, (name, value)| config.variable(name, value))
    }

    fn outside(&self) -> Outside<'_> {
        Outside {
            redis: &self.redis,
            postgres: self.postgres.as_ref(),
            network: self.network.as_ref(),
        }
    }

    /// Starts a further worker.
    pub fn add(&mut self, name: &str) {
        let host = self.worker(name).start();
        self.workers.insert(name.to_owned(), host);
    }

    /// A further supervisor of the same cluster, with a data directory of its own. The control database
    /// must be a server's.
    pub fn another_supervisor(&self) -> Host {
        supervisor(&self.outside(), &self.config)
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

/// What all processes of a cluster reach, and how.
struct Outside<'a> {
    redis: &'a Redis,
    postgres: Option<&'a Postgres>,
    network: Option<&'a Network>,
}

impl Outside<'_> {
    fn way(&self, from: Party, to: Party, port: u16) -> u16 {
        let network = self.network;
        network.map_or(port, |network| network.way(from, to, port))
    }

    fn redis(&self, from: &Party) -> String {
        let port = self.redis.port();
        self.redis
            .url_by(self.way(from.clone(), Party::Redis, port))
    }

    /// The URL of a database whose owner has its name, for `from`.
    fn database(&self, from: &Party, to: Party, name: &str) -> Option<String> {
        let port = self.way(from.clone(), to, self.postgres?.port());
        Some(format!("postgres://{name}:{name}@127.0.0.1:{port}/{name}"))
    }
}

fn supervisor(outside: &Outside<'_>, config: &ClusterConfig) -> Host {
    let me = Party::Supervisor;
    let mut host = shared(Config::default(), "supervisor", &outside.redis(&me))
        .variable("APP_PROCESS_ADAPTER", "remote");
    if let Some(database) = outside.database(&me, Party::Control, "control") {
        host = host.variable("DATABASE_URL", &database);
    }
    if outside.network.is_some() {
        // Where it listens is known when it does.
        let by = outside.way(Party::Workers, me.clone(), 0);
        host = host.variable("SUPERVISOR_URL", &format!("http://127.0.0.1:{by}"));
    }
    let variables = config.supervisor.iter();
    let host = variables.fold(host, |host, (name, value)| host.variable(name, value));
    let host = host.start();
    outside.way(Party::Workers, me, host.admin.port());
    host
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
