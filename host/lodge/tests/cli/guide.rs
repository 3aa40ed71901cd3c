//! NocoBase's guide to several environments (`plugin-app-supervisor`, "Multi-Environment Mode"), walked through by
//! command line: its variables as it writes them, and three workers at addresses of their own.

use crate::support::User;
use lodge_harness::postgres::Postgres;
use lodge_harness::redis::Redis;
use lodge_harness::{Config, Host, Visit, eventually, free_port, guest};
use std::net::SocketAddr;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);

/// What all processes share.
struct Services {
    redis: Redis,
    postgres: Postgres,
}

impl Services {
    fn start() -> Self {
        let postgres = Postgres::start().unwrap();
        for name in ["supervisor", "apps"] {
            postgres.create_owned_database(name).unwrap();
        }
        let sql = "ALTER ROLE apps CREATEDB CREATEROLE";
        postgres.query("postgres", sql).unwrap();
        let redis = Redis::start().unwrap();
        Self { redis, postgres }
    }

    /// The variables of both parts.
    fn shared(&self, config: Config, mode: &str, process: &str, database: &str) -> Config {
        config
            .variable("DB_DIALECT", "postgres")
            .variable("DB_HOST", "127.0.0.1")
            .variable("DB_PORT", &self.postgres.port().to_string())
            .variable("DB_DATABASE", database)
            .variable("DB_USER", database)
            .variable("DB_PASSWORD", database)
            .variable("TZ", "Asia/Shanghai")
            .variable("APP_MODE", mode)
            .variable("APP_DISCOVERY_ADAPTER", "remote")
            .variable("APP_PROCESS_ADAPTER", process)
            .variable("APP_SUPERVISOR_REDIS_URL", &self.redis.url())
            .variable("APP_COMMAND_ADAPTER", "redis")
            .variable("APP_COMMAND_REDIS_URL", &self.redis.url())
            .variable(
                "APPEND_PRESET_BUILT_IN_PLUGINS",
                "@nocobase/plugin-app-supervisor",
            )
            // What the guide does not have: who may say anything to whom.
            .variable("LODGE_CLUSTER_KEY", "a key of tests, of no use elsewhere")
    }

    fn supervisor(&self) -> Host {
        self.shared(Config::default(), "supervisor", "remote", "supervisor")
            .start()
    }

    fn worker(&self, name: &str, address: [u8; 4]) -> Host {
        let at = SocketAddr::from((address, free_port().unwrap()));
        let url = format!("http://{at}");
        let config = Config::default().at_address(address, at.port());
        self.shared(config, "worker", "local", "apps")
            .variable("ENVIRONMENT_NAME", name)
            .variable("ENVIRONMENT_URL", &url)
            .variable("ENVIRONMENT_PROXY_URL", &url)
            .variable("LODGE_HEARTBEAT", "1")
            .start()
    }
}

impl User {
    fn visit(&self, app: &str, path: &str) -> Visit {
        self.host.visit(app, path)
    }

    /// The line of a table that begins with a name; empty if there is none.
    fn line(&self, table: &str, name: &str) -> String {
        let text = self.ok(table);
        let line = text.lines().find(|line| line.starts_with(name));
        line.unwrap_or_default().to_owned()
    }

    fn until_line(&self, table: &str, name: &str, says: &str) {
        eventually(&format!("{name} is {says}"), PATIENCE, || {
            self.line(table, name).contains(says).then_some(())
        });
    }
}

#[test]
fn the_guide_to_several_environments_can_be_followed() {
    let services = Services::start();
    let user = User::logged_in_before(services.supervisor());
    let mut workers: Vec<_> = [("env_a", 2), ("env_b", 3), ("env_c", 4)]
        .map(|(name, last)| services.worker(name, [127, 0, 0, last]))
        .into();

    // Environment list: identifier, version, access URL, status, heartbeat.
    for (name, worker) in ["env_a", "env_b", "env_c"].iter().zip(&workers) {
        user.until_line("env list", name, "online");
        let line = user.line("env list", name);
        assert!(line.contains(&worker.apps.to_string()), "{line}");
        assert!(line.contains(env!("CARGO_PKG_VERSION")), "{line}");
    }

    // Creating an application, in one environment and in two; starting it, visiting it.
    user.file("count.wasm", &guest("counting-p2"));
    let database = "--database new_database --database-engine postgres";
    user.ok(&format!(
        "app create crm --component count.wasm --environment env_a {database}"
    ));
    user.ok(&format!(
        "app create shop --component count.wasm --environment env_a --environment env_b {database}"
    ));
    for app in ["crm", "shop"] {
        user.ok(&format!("app start {app}"));
        let reply = user.visit(app, "/visit?n=1").send();
        assert_eq!((reply.status, reply.text().as_str()), (200, "noted"));
    }
    // Application list: where and how.
    let line = user.line("app list", "shop");
    assert!(line.contains("env_a") && line.contains("env_b"), "{line}");
    let shown = user.ok("app show shop");
    assert!(shown.contains("env_a=running env_b=running"), "{shown}");
    // At the worker's own address too, and at its other one with the same data.
    for worker in &workers[..2] {
        assert_eq!(worker.visit("shop", "/visit?n=2").send().status, 200);
    }
    assert_eq!(workers[2].visit("shop", "/").send().status, 404);

    // Stopping and starting, in unison.
    user.ok("app stop shop");
    for worker in &workers[..2] {
        assert_eq!(worker.visit("shop", "/").send().status, 503);
    }
    user.ok("app start shop");

    // A worker that goes is seen to; what it has moves when it is drained first.
    let drained = user.ok("env drain env_b");
    assert!(
        drained.contains("stopped there") && drained.contains("shop"),
        "{drained}"
    );
    user.until_line("env list", "env_b", "drain");
    eventually("env_b is empty", PATIENCE, || {
        (workers[1].visit("shop", "/").send().status != 200).then_some(())
    });
    assert_eq!(user.visit("shop", "/").send().status, 200);
    user.ok("app update shop --environment env_a --environment env_c");
    eventually("it is at the third", PATIENCE, || {
        (workers[2].visit("shop", "/").send().status == 200).then_some(())
    });
    drop(workers.remove(1));
    user.until_line("env list", "env_b", "lost");
    user.ok("env rm env_b");
    assert!(!user.ok("env list").contains("env_b"));

    // Deleting.
    for app in ["crm", "shop"] {
        user.ok(&format!("app rm {app} --data drop"));
        assert_eq!(user.visit(app, "/").send().status, 404);
    }
}
