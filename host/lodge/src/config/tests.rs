use super::*;
use clap::Parser;

#[derive(Debug, Parser)]
struct Line {
    #[command(flatten)]
    args: ServeArgs,
}

fn decide(words: &str) -> Result<Config> {
    let words = std::iter::once("lodge").chain(words.split_whitespace());
    Config::decide_in(Line::try_parse_from(words).unwrap().args, &|_| None)
}

/// Decides with one variable set that is no setting of its own.
fn decide_with(name: &str, value: &str) -> Result<Config> {
    let variable = |asked: &str| (asked == name).then(|| value.to_owned());
    Config::decide_in(ServeArgs::default(), &variable)
}

#[test]
fn defaults_listen_on_loopback() {
    let config = decide("").unwrap();
    assert_eq!(config.listen.to_string(), DEFAULT_LISTEN);
    assert_eq!(config.admin_listen.to_string(), DEFAULT_ADMIN_LISTEN);
    assert!(config.database_url.is_none());
}

#[test]
fn flags_stand_before_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("lodge.toml");
    std::fs::write(&file, "apps_domain = \"a.example\"\nmax_instances = 50\n").unwrap();
    let config = decide(&format!("--config {} --max-instances 60", file.display())).unwrap();
    assert_eq!(
        (config.apps_domain.as_deref(), config.max_instances),
        (Some("a.example"), 60)
    );
    std::fs::write(&file, "nonsense = 1\n").unwrap();
    let error = decide(&format!("--config {}", file.display())).unwrap_err();
    assert!(error.to_string().contains("nonsense"), "{error}");
}

#[test]
fn what_makes_no_sense_is_named_with_a_remedy() {
    for (words, names) in [
        ("--listen 13000", "listen=13000"),
        ("--app-mode worker", "APP_MODE=worker"),
        ("--app-mode sometimes", "APP_MODE=sometimes"),
        (
            "--app-discovery-adapter remote",
            "APP_DISCOVERY_ADAPTER=remote",
        ),
        ("--app-process-adapter docker", "APP_PROCESS_ADAPTER=docker"),
        ("--app-command-adapter kafka", "APP_COMMAND_ADAPTER=kafka"),
        (
            "--trusted-proxies 10.0.0.0/99",
            "trusted_proxies=10.0.0.0/99",
        ),
        ("--apps-domain http://x", "apps_domain=http://x"),
        ("--max-instances 1", "max_instances=1"),
        ("--max-memory 1MiB", "max_memory=1048576"),
        ("--log-format xml", "log_format=xml"),
        ("--db-dialect oracle", "DB_DIALECT=oracle"),
        ("--db-dialect postgres", "DB_HOST"),
        ("--apps-domain x.localhost", "apps_domain=x.localhost"),
        ("--listen 127.0.0.1:13001", "listen and admin_listen"),
        ("--stop-grace 99999", "stop_grace=99999"),
        ("--max-connections 0", "max_connections=0"),
        ("--config /does/not/exist", "/does/not/exist"),
    ] {
        let error = decide(words).unwrap_err().to_string();
        assert!(error.contains(names), "{words}: {error}");
    }
}

#[test]
fn flags_stand_before_variables_and_empty_ones_count_as_unset() {
    assert_eq!(
        decide_with("LODGE_MAX_INSTANCES", "70")
            .unwrap()
            .max_instances,
        70
    );
    assert_eq!(
        decide_with("LODGE_MAX_INSTANCES", "")
            .unwrap()
            .max_instances,
        DEFAULT_INSTANCES
    );
    let memory = |value: &str| decide_with("LODGE_MAX_MEMORY", value).unwrap().max_memory;
    assert_eq!((memory("2GiB"), memory("")), (2 << 30, default_memory()));
    let error = decide_with("LODGE_MAX_INSTANCES", "many")
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("LODGE_MAX_INSTANCES cannot be read"),
        "{error}"
    );
    let args = Line::try_parse_from(["lodge", "--max-instances", "60"])
        .unwrap()
        .args;
    let config = Config::decide_in(args, &|name| {
        (name == "LODGE_MAX_INSTANCES").then(|| "70".into())
    });
    assert_eq!(config.unwrap().max_instances, 60);
}

#[test]
fn variables_of_several_environments_are_refused_and_others_noticed() {
    for name in [
        "APP_SUPERVISOR_REDIS_URL",
        "LODGE_CLUSTER_KEY",
        "ENVIRONMENT_NAME",
        "SUPERVISOR_URL",
    ] {
        let error = decide_with(name, "redis://secret").unwrap_err().to_string();
        assert!(
            error.contains(name) && error.contains("unset it") && !error.contains("secret"),
            "{error}"
        );
        assert!(decide_with(name, "").unwrap().notices.is_empty());
    }
    assert!(decide_with("ENVIRONMENT_NAME", "local").is_ok());
    let name = "APPEND_PRESET_BUILT_IN_PLUGINS";
    let notices = decide_with(name, "x").unwrap().notices;
    assert!(
        notices[0].contains(name) && notices[0].contains("no effect"),
        "{notices:?}"
    );
}

#[test]
fn what_apps_are_given_is_checked_without_being_shown() {
    let key = "0123456789abcdef0123456789abcdef";
    for (name, good, bad) in [
        ("APPS_DATABASE_URL", "sqlite:", "oracle://u:hunter2@db"),
        (
            "APPS_DATABASE_URL",
            "mariadb://u:hunter2@db",
            "postgres://u:hunter2@db?sslkey=/root/key",
        ),
        ("LODGE_SECRET_KEY", key, "hunter2"),
    ] {
        let config = decide_with(name, good).unwrap();
        assert!(!format!("{config:?}").contains("hunter2"));
        let error = decide_with(name, bad).unwrap_err().to_string();
        assert!(
            error.contains(name) && !error.contains("hunter2"),
            "{error}"
        );
    }
    assert_eq!(
        decide_with("LODGE_SECRET_KEY", key)
            .unwrap()
            .secret_key
            .unwrap()
            .0,
        key
    );
    let name = "LODGE_OUTBOUND_PRIVATE_NETWORKS";
    let open = decide_with(name, "10.1.0.0/16, 192.168.0.7").unwrap();
    assert_eq!(open.outbound_private_networks.len(), 2);
    let error = decide_with(name, "10.1.0.0/33").unwrap_err().to_string();
    assert!(
        error.contains("outbound_private_networks=10.1.0.0/33"),
        "{error}"
    );
}

#[test]
fn the_seeds_database_variables_make_a_url_that_no_debug_line_shows() {
    let config =
        decide("--db-dialect postgres --db-host db --db-user u --db-password p@ss --db-database d")
            .unwrap();
    assert_eq!(
        config.database_url.as_ref().unwrap().0,
        "postgres://u:p%40ss@db:5432/d"
    );
    assert!(!format!("{config:?}").contains("p%40ss"));
}

#[test]
fn apps_databases_are_made_where_the_control_database_is_unless_told_otherwise() {
    let service = |config: Config| config.apps_database.map(|url| url.0);
    let control = "postgres://u:p@db/lodge";
    let with = |name: &str, value: &str| decide_with(name, value).unwrap();
    assert_eq!(
        service(with("DATABASE_URL", control)).as_deref(),
        Some(control)
    );
    assert_eq!(service(with("DATABASE_URL", "sqlite:/tmp/x.db")), None);
    // By a socket: not for apps.
    let socket = "postgres:///lodge?host=/var/run/postgresql";
    assert_eq!(service(with("DATABASE_URL", socket)), None);
    let words = format!("--database-url {control} --apps-database-url sqlite:");
    assert_eq!(service(decide(&words).unwrap()), None);
    let words = format!("--database-url {control} --apps-database-url mysql://u@m");
    assert_eq!(
        service(decide(&words).unwrap()).as_deref(),
        Some("mysql://u@m")
    );
}
