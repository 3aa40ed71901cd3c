use super::*;
use clap::Parser;

#[derive(Debug, Parser)]
struct Line {
    #[command(flatten)]
    args: ServeArgs,
}

fn decide(words: &str) -> Result<Config> {
    let words = std::iter::once("lodge").chain(words.split_whitespace());
    Config::decide(Line::try_parse_from(words).unwrap().args)
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
    assert_eq!((config.apps_domain.as_deref(), config.max_instances), (Some("a.example"), 60));
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
        ("--app-discovery-adapter remote", "APP_DISCOVERY_ADAPTER=remote"),
        ("--app-process-adapter docker", "APP_PROCESS_ADAPTER=docker"),
        ("--app-command-adapter kafka", "APP_COMMAND_ADAPTER=kafka"),
        ("--trusted-proxies 10.0.0.0/99", "trusted_proxies=10.0.0.0/99"),
        ("--apps-domain http://x", "apps_domain=http://x"),
        ("--max-instances 1", "max_instances=1"),
        ("--log-format xml", "log_format=xml"),
        ("--db-dialect oracle", "DB_DIALECT=oracle"),
        ("--db-dialect postgres", "DB_HOST"),
        ("--config /does/not/exist", "/does/not/exist"),
    ] {
        let error = decide(words).unwrap_err().to_string();
        assert!(error.contains(names), "{words}: {error}");
    }
}

#[test]
fn the_seeds_database_variables_make_a_url_that_no_debug_line_shows() {
    let config = decide("--db-dialect postgres --db-host db --db-user u --db-password p@ss --db-database d").unwrap();
    assert_eq!(config.database_url.as_ref().unwrap().0, "postgres://u:p%40ss@db:5432/d");
    assert!(!format!("{config:?}").contains("p%40ss"));
}
