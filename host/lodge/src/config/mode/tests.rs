use super::super::{Config, ServeArgs};
use super::*;
use clap::Parser;
use std::collections::HashMap;

const KEY: &str = "hunter2-0123456789abcdef01234567";
const REDIS: &str = "redis://:hunter2@redis:6379/0";

/// As the seeds' compose file has them, and the key.
const SUPERVISOR: &[(&str, &str)] = &[
    ("APP_MODE", "supervisor"),
    ("APP_DISCOVERY_ADAPTER", "remote"),
    ("APP_PROCESS_ADAPTER", "remote"),
    ("APP_SUPERVISOR_REDIS_URL", REDIS),
    ("APP_COMMAND_ADAPTER", "redis"),
    ("APP_COMMAND_REDIS_URL", "redis://:hunter2@commands:6379/1"),
    ("LODGE_CLUSTER_KEY", KEY),
];
const WORKER: &[(&str, &str)] = &[
    ("APP_MODE", "worker"),
    ("APP_DISCOVERY_ADAPTER", "remote"),
    ("APP_PROCESS_ADAPTER", "local"),
    ("APP_SUPERVISOR_REDIS_URL", REDIS),
    ("APP_COMMAND_ADAPTER", "redis"),
    ("LODGE_CLUSTER_KEY", KEY),
    ("ENVIRONMENT_NAME", "env_a"),
    ("ENVIRONMENT_URL", "http://localhost:15000"),
    ("ENVIRONMENT_PROXY_URL", "http://worker_a/"),
];

/// Decides with these variables, of which some are changed; an empty one is unset.
fn decide(variables: &[(&str, &str)], changed: &[(&str, &str)]) -> Result<Config> {
    let all: HashMap<_, _> = variables.iter().chain(changed).copied().collect();
    let read = |name: &str| all.get(name).map(|value| (*value).to_owned());
    Config::decide_in(ServeArgs::default(), &read)
}

fn worker(changed: &[(&str, &str)]) -> WorkerRole {
    match decide(WORKER, changed).unwrap().role {
        Role::Worker(worker) => worker,
        other => panic!("{other:?}"),
    }
}

fn supervisor(changed: &[(&str, &str)]) -> SupervisorRole {
    match decide(SUPERVISOR, changed).unwrap().role {
        Role::Supervisor(supervisor) => supervisor,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_seeds_variables_make_a_supervisor() {
    let role = supervisor(&[]);
    assert_eq!(role.cluster.redis.0, REDIS);
    assert!(role.cluster.command_redis.0.contains("commands"));
    assert_eq!(role.cluster.key.secret(), KEY.as_bytes());
    assert!(role.url.is_none() && !role.hosts_apps);
    let changed = [
        ("APP_PROCESS_ADAPTER", "local"),
        ("APP_COMMAND_REDIS_URL", ""),
        ("SUPERVISOR_URL", "http://supervisor:13001"),
        ("ENVIRONMENT_NAME", "local"),
    ];
    let role = supervisor(&changed);
    assert!(role.hosts_apps);
    assert_eq!(role.cluster.command_redis.0, REDIS);
    assert_eq!(role.url.as_deref(), Some("http://supervisor:13001"));
    assert!(!supervisor(&[("APP_PROCESS_ADAPTER", "")]).hosts_apps);
}

#[test]
fn the_seeds_variables_make_a_worker() {
    let role = worker(&[]);
    assert_eq!(role.environment.as_str(), "env_a");
    assert_eq!(role.url.as_deref(), Some("http://localhost:15000"));
    assert_eq!(role.proxy_url, "http://worker_a");
    assert_eq!(role.cluster.command_redis.0, REDIS);
    assert_eq!(role.heartbeat, Duration::from_secs(10));
    let role = worker(&[("ENVIRONMENT_PROXY_URL", ""), ("LODGE_HEARTBEAT", "120")]);
    assert_eq!(role.proxy_url, "http://localhost:15000");
    assert_eq!(role.heartbeat, Duration::from_secs(120));
    let changed = [
        ("ENVIRONMENT_URL", ""),
        ("ENVIRONMENT_PROXY_URL", "https://[::1]:8443"),
        ("ENVIRONMENT_NAME", "lodge-worker-0.eu"),
        ("APP_SUPERVISOR_REDIS_URL", "rediss://redis"),
        ("APP_PROCESS_ADAPTER", ""),
    ];
    let role = worker(&changed);
    assert_eq!(
        (role.url, role.proxy_url.as_str()),
        (None, "https://[::1]:8443")
    );
}

#[test]
fn a_line_and_a_file_can_say_the_same() {
    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        args: ServeArgs,
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("lodge.toml");
    let lines = format!(
        "app_mode = \"worker\"\napp_discovery_adapter = \"remote\"\napp_command_adapter = \"redis\"\n\
         app_supervisor_redis_url = \"{REDIS}\"\ncluster_key = \"{KEY}\"\nheartbeat = 30\n"
    );
    std::fs::write(&file, lines).unwrap();
    let line = format!(
        "lodge --config {} --environment-name w --environment-proxy-url http://w:80 --heartbeat 40",
        file.display()
    );
    let args = Line::try_parse_from(line.split(' ')).unwrap().args;
    let role = Config::decide_in(args, &|_| None).unwrap().role;
    let Role::Worker(role) = role else {
        panic!("{role:?}")
    };
    assert_eq!(
        (role.heartbeat.as_secs(), role.proxy_url.as_str()),
        (40, "http://w")
    );
}

/// One that is refused: which variables, what is changed, what the line says.
type Refusal = (
    &'static [(&'static str, &'static str)],
    &'static str,
    &'static str,
    &'static str,
);

#[rustfmt::skip]
const REFUSALS: &[Refusal] = &[
    // All in one, with what is another part's.
    (&[], "APP_MODE", "sometimes", "APP_MODE=sometimes: unknown; choose supervisor or worker"),
    (&[], "APP_DISCOVERY_ADAPTER", "remote", "APP_DISCOVERY_ADAPTER=remote without APP_MODE: set APP_MODE=supervisor"),
    (&[], "APP_DISCOVERY_ADAPTER", "pigeon", "APP_DISCOVERY_ADAPTER=pigeon: unknown adapter; use local"),
    (&[], "APP_PROCESS_ADAPTER", "remote", "APP_PROCESS_ADAPTER=remote without APP_MODE: set APP_MODE=supervisor"),
    (&[], "APP_PROCESS_ADAPTER", "docker", "APP_PROCESS_ADAPTER=docker: unknown adapter; use local"),
    (&[], "APP_COMMAND_ADAPTER", "redis", "APP_COMMAND_ADAPTER=redis without APP_MODE: set APP_MODE=supervisor"),
    (&[], "APP_COMMAND_ADAPTER", "kafka", "APP_COMMAND_ADAPTER=kafka: unknown adapter; unset it"),
    (&[], "APP_SUPERVISOR_REDIS_URL", REDIS, "APP_SUPERVISOR_REDIS_URL is set without APP_MODE: set APP_MODE="),
    (&[], "APP_COMMAND_REDIS_URL", REDIS, "APP_COMMAND_REDIS_URL is set without APP_MODE: set APP_MODE="),
    (&[], "LODGE_CLUSTER_KEY", KEY, "LODGE_CLUSTER_KEY is set without APP_MODE: set APP_MODE="),
    (&[], "SUPERVISOR_URL", "http://s:13001", "SUPERVISOR_URL is set without APP_MODE: set APP_MODE="),
    (&[], "ENVIRONMENT_NAME", "env_a", "ENVIRONMENT_NAME is set without APP_MODE: set APP_MODE="),
    (&[], "ENVIRONMENT_URL", "http://w", "ENVIRONMENT_URL is set without APP_MODE: set APP_MODE="),
    (&[], "ENVIRONMENT_PROXY_URL", "http://w", "ENVIRONMENT_PROXY_URL is set without APP_MODE: set APP_MODE="),
    (&[], "LODGE_HEARTBEAT", "10", "LODGE_HEARTBEAT is set without APP_MODE: set APP_MODE="),
    // A supervisor without what it needs, or with what is a worker's.
    (SUPERVISOR, "APP_DISCOVERY_ADAPTER", "", "APP_MODE=supervisor needs APP_DISCOVERY_ADAPTER=remote: set it"),
    (SUPERVISOR, "APP_DISCOVERY_ADAPTER", "local", "APP_DISCOVERY_ADAPTER=local: APP_MODE=supervisor needs APP_DISCOVERY_ADAPTER=remote"),
    (SUPERVISOR, "APP_COMMAND_ADAPTER", "", "APP_MODE=supervisor needs APP_COMMAND_ADAPTER=redis: set it"),
    (SUPERVISOR, "APP_COMMAND_ADAPTER", "kafka", "APP_COMMAND_ADAPTER=kafka: APP_MODE=supervisor needs APP_COMMAND_ADAPTER=redis"),
    (SUPERVISOR, "APP_PROCESS_ADAPTER", "docker", "APP_PROCESS_ADAPTER=docker: unknown adapter; use remote, or local"),
    (SUPERVISOR, "APP_SUPERVISOR_REDIS_URL", "", "APP_MODE=supervisor needs APP_SUPERVISOR_REDIS_URL: set it"),
    (SUPERVISOR, "LODGE_CLUSTER_KEY", "", "APP_MODE=supervisor needs LODGE_CLUSTER_KEY: set the same"),
    (SUPERVISOR, "LODGE_CLUSTER_KEY", "hunter2", "LODGE_CLUSTER_KEY: has 7 characters; give 32 or more"),
    (SUPERVISOR, "ENVIRONMENT_NAME", "env_a", "ENVIRONMENT_NAME is set with APP_MODE=supervisor: unset it, or set APP_MODE=worker"),
    (SUPERVISOR, "ENVIRONMENT_URL", "http://w", "ENVIRONMENT_URL is set with APP_MODE=supervisor: unset it"),
    (SUPERVISOR, "ENVIRONMENT_PROXY_URL", "http://w", "ENVIRONMENT_PROXY_URL is set with APP_MODE=supervisor: unset it"),
    (SUPERVISOR, "SUPERVISOR_URL", "supervisor:13001", "SUPERVISOR_URL: begins with neither http:// nor https://"),
    // A worker likewise.
    (WORKER, "APP_DISCOVERY_ADAPTER", "", "APP_MODE=worker needs APP_DISCOVERY_ADAPTER=remote: set it"),
    (WORKER, "APP_DISCOVERY_ADAPTER", "local", "APP_DISCOVERY_ADAPTER=local: APP_MODE=worker needs APP_DISCOVERY_ADAPTER=remote"),
    (WORKER, "APP_COMMAND_ADAPTER", "", "APP_MODE=worker needs APP_COMMAND_ADAPTER=redis: set it"),
    (WORKER, "APP_COMMAND_ADAPTER", REDIS, "APP_COMMAND_ADAPTER: APP_MODE=worker needs APP_COMMAND_ADAPTER=redis"),
    (WORKER, "APP_PROCESS_ADAPTER", "remote", "APP_PROCESS_ADAPTER=remote is the supervisor's: set local"),
    (WORKER, "APP_PROCESS_ADAPTER", "docker", "APP_PROCESS_ADAPTER=docker: unknown adapter; a worker's is local"),
    (WORKER, "APP_SUPERVISOR_REDIS_URL", "", "APP_MODE=worker needs APP_SUPERVISOR_REDIS_URL: set it"),
    (WORKER, "LODGE_CLUSTER_KEY", "", "APP_MODE=worker needs LODGE_CLUSTER_KEY: set the same"),
    (WORKER, "SUPERVISOR_URL", "http://s", "SUPERVISOR_URL is set with APP_MODE=worker: set it on the supervisor"),
    (WORKER, "ENVIRONMENT_NAME", "", "APP_MODE=worker needs ENVIRONMENT_NAME: 1 to 63 letters"),
    (WORKER, "ENVIRONMENT_NAME", "local", "ENVIRONMENT_NAME=local: that is the supervisor's own"),
    (WORKER, "ENVIRONMENT_NAME", "env a", "ENVIRONMENT_NAME: not a name; use 1 to 63 letters"),
    (WORKER, "LODGE_HEARTBEAT", "0", "LODGE_HEARTBEAT=0: out of range; choose 1 to 600"),
    (WORKER, "LODGE_HEARTBEAT", "601", "LODGE_HEARTBEAT=601: out of range; choose 1 to 600"),
    (WORKER, "LODGE_HEARTBEAT", "often", "LODGE_HEARTBEAT cannot be read"),
    (WORKER, "DATABASE_URL", "sqlite:/hunter2.db", "database_url (DATABASE_URL) of a worker: must begin with"),
    (WORKER, "DATABASE_URL", "postgres:///hunter2?host=/run", "database_url (DATABASE_URL) of a worker: names no host"),
    (WORKER, "DB_DIALECT", "oracle", "DB_DIALECT=oracle: apps' databases are made in sqlite, postgres, mysql or mariadb"),
    // Addresses.
    (WORKER, "APP_SUPERVISOR_REDIS_URL", "redis:6379", "APP_SUPERVISOR_REDIS_URL: names no host; write it like"),
    (WORKER, "APP_SUPERVISOR_REDIS_URL", "redis://:hunter2", "APP_SUPERVISOR_REDIS_URL: not an address; write it like"),
    (WORKER, "APP_SUPERVISOR_REDIS_URL", "redis:///run/hunter2", "APP_SUPERVISOR_REDIS_URL: names no host"),
    (WORKER, "APP_SUPERVISOR_REDIS_URL", "http://hunter2@redis", "APP_SUPERVISOR_REDIS_URL: begins with neither redis:// nor"),
    (WORKER, "APP_COMMAND_REDIS_URL", "redis://:hunter2@r:6379/first", "APP_COMMAND_REDIS_URL: what follows the host"),
    (WORKER, "APP_COMMAND_REDIS_URL", "hunter2", "APP_COMMAND_REDIS_URL: not an address"),
    (WORKER, "ENVIRONMENT_URL", "hunter2", "ENVIRONMENT_URL: not an address; write it like"),
    (WORKER, "ENVIRONMENT_URL", "ftp://hunter2", "ENVIRONMENT_URL: begins with neither http:// nor https://"),
    (WORKER, "ENVIRONMENT_URL", "http://u:hunter2@w", "ENVIRONMENT_URL: holds a user or a password"),
    (WORKER, "ENVIRONMENT_PROXY_URL", "http://w/hunter2", "ENVIRONMENT_PROXY_URL: has something after host and port"),
    (WORKER, "ENVIRONMENT_PROXY_URL", "http://w?k=hunter2", "ENVIRONMENT_PROXY_URL: has something after host and port"),
    (WORKER, "ENVIRONMENT_PROXY_URL", "http://0.0.0.0:80", "ENVIRONMENT_PROXY_URL: leads nowhere"),
    (WORKER, "ENVIRONMENT_PROXY_URL", "http://[::]", "ENVIRONMENT_PROXY_URL: leads nowhere"),
    (WORKER, "ENVIRONMENT_PROXY_URL", "http://w:0", "ENVIRONMENT_PROXY_URL: leads nowhere"),
];

#[test]
fn what_is_missing_or_contradictory_is_one_line_with_the_variable_and_the_remedy() {
    for (variables, name, value, line) in REFUSALS {
        let error = decide(variables, &[(name, value)]).unwrap_err();
        let said = format!("{error:#}");
        assert!(said.starts_with(line), "{name}={value}: {said}");
        assert!(!said.contains("hunter2") && !said.contains('\n'), "{said}");
    }
    let nowhere = [("ENVIRONMENT_URL", ""), ("ENVIRONMENT_PROXY_URL", "")];
    let said = decide(WORKER, &nowhere).unwrap_err().to_string();
    let line = "APP_MODE=worker needs ENVIRONMENT_URL or ENVIRONMENT_PROXY_URL";
    assert!(said.starts_with(line), "{said}");
}

#[test]
fn no_line_for_debugging_shows_a_secret() {
    for variables in [SUPERVISOR, WORKER] {
        let shown = format!("{:?}", decide(variables, &[]).unwrap());
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}

#[test]
fn a_worker_has_no_users_and_says_so() {
    let root = [
        ("INIT_ROOT_EMAIL", "a@b"),
        ("INIT_ROOT_PASSWORD", "hunter2"),
    ];
    let config = decide(WORKER, &root).unwrap();
    assert!(config.root_email.is_none() && config.root_password.is_none());
    let said = config.notices.join("\n");
    assert!(
        said.contains("INIT_ROOT_EMAIL") && said.contains("INIT_ROOT_PASSWORD"),
        "{said}"
    );
    assert!(!said.contains("hunter2"));
    let config = decide(SUPERVISOR, &root).unwrap();
    assert!(config.notices.is_empty() && config.root_email.is_some());
    let notices = decide(SUPERVISOR, &[("LODGE_HEARTBEAT", "30")])
        .unwrap()
        .notices;
    assert!(notices[0].starts_with("LODGE_HEARTBEAT is set and has no effect"));
}

#[test]
fn a_workers_databases_are_its_apps() {
    let seeds = [
        ("DB_DIALECT", "postgres"),
        ("DB_HOST", "postgres"),
        ("DB_DATABASE", "apps"),
        ("DB_USER", "u"),
        ("DB_PASSWORD", "p"),
    ];
    let service = |changed: &[(&str, &str)]| {
        let config = decide(WORKER, changed).unwrap();
        assert!(config.database_url.is_none());
        config.apps_database.map(|url| url.0)
    };
    assert_eq!(service(&[]), None);
    let of_parts = "postgres://u:p@postgres:5432/apps";
    assert_eq!(service(&seeds).as_deref(), Some(of_parts));
    let mut others = seeds.to_vec();
    others[0].1 = "mariadb";
    assert_eq!(
        service(&others).as_deref(),
        Some("mariadb://u:p@postgres:3306/apps")
    );
    others.push(("DATABASE_URL", "mysql://u:p@m"));
    assert_eq!(service(&others).as_deref(), Some("mysql://u:p@m"));
    others.push(("APPS_DATABASE_URL", "postgres://u:p@q"));
    assert_eq!(service(&others).as_deref(), Some("postgres://u:p@q"));
    assert_eq!(service(&[("DATABASE_URL", "sqlite:")]), None);
    // A supervisor's control data is in neither of the two.
    assert!(decide(SUPERVISOR, &[("DB_DIALECT", "mysql")]).is_err());
}

const STORE: &[(&str, &str)] = &[
    ("LODGE_COMPONENT_STORE", "s3://components/lodge"),
    ("AWS_ENDPOINT", "http://minio:9000"),
    ("AWS_ACCESS_KEY_ID", "someone"),
    ("AWS_SECRET_ACCESS_KEY", "hunter2"),
    ("AWS_ALLOW_HTTP", "true"),
];

#[test]
fn both_may_have_a_component_store() {
    assert!(worker(&[]).cluster.store.is_none());
    assert!(worker(STORE).cluster.store.is_some());
    let store = supervisor(STORE).cluster.store.unwrap();
    assert_eq!(store.open().unwrap().name(), "s3://components/lodge");
    let alone = decide(&[], STORE).unwrap_err().to_string();
    assert!(
        alone.starts_with("LODGE_COMPONENT_STORE is set without APP_MODE"),
        "{alone}"
    );
    let plain: Vec<_> = STORE[..4].to_vec();
    let refused = decide(WORKER, &plain).unwrap_err().to_string();
    assert!(refused.starts_with("AWS_ENDPOINT is http"), "{refused}");
}

#[test]
fn an_authority_is_for_a_redis_with_tls() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, "PEM").unwrap();
    let file = file.to_str().unwrap();
    let tls = ("APP_SUPERVISOR_REDIS_URL", "rediss://:hunter2@redis:6379/0");
    let role = worker(&[tls, ("LODGE_REDIS_CA", file)]);
    assert_eq!(role.cluster.redis_authorities.as_deref(), Some(&b"PEM"[..]));
    for (changed, said) in [
        (&[("LODGE_REDIS_CA", file)][..], "no Redis speaks TLS"),
        (
            &[tls, ("LODGE_REDIS_CA", "/nowhere/ca.pem")],
            "cannot be read",
        ),
    ] {
        let error = decide(WORKER, changed).unwrap_err().to_string();
        assert!(
            error.starts_with("LODGE_REDIS_CA") && error.contains(said),
            "{error}"
        );
        assert!(!error.contains("hunter2"), "{error}");
    }
    let alone = decide(&[], &[("LODGE_REDIS_CA", file)]).unwrap_err();
    assert!(alone.to_string().contains("without APP_MODE"), "{alone}");
}
