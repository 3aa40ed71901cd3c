//! The help desk, a business application as a team would use it: in a browser, on each database engine.

use crate::capabilities::told;
use lodge_harness::mariadb::Mariadb;
use lodge_harness::postgres::Postgres;
use lodge_harness::{Config, Host, eventually};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Two desks side by side, used in a browser; then what no browser shows.
fn use_desks(host: &mut Host, engine: &str) {
    for id in ["one", "two"] {
        let fields = json!({
            "database": { "kind": "new_database" },
            "config": { "webhook_url": { "value": "http://sink.lodge.internal/say?line=the%20desk%20rang" } },
            "outbound_hosts": ["sink.lodge.internal"],
        });
        host.deploy_with("desk", id, fields);
        assert_eq!(host.api().app(id)["database"]["engine"], engine);
    }
    host.deploy("capable-p2", "sink");
    let port = host.apps.port();
    let addresses = [
        format!("http://one.localhost:{port}/"),
        format!("http://two.localhost:{port}/"),
        format!("http://{}/apps/one/", host.apps),
    ];
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../e2e");
    assert!(
        folder.join("node_modules").is_dir(),
        "run `npm ci` in tests/e2e, or `cargo xtask test`"
    );
    let played = Command::new("node")
        .arg("desk.mjs")
        .arg(engine)
        .args(addresses)
        .current_dir(folder)
        .output()
        .expect("node runs");
    let said = String::from_utf8_lossy(&played.stderr);
    assert!(
        played.status.success(),
        "{said}\n{}",
        String::from_utf8_lossy(&played.stdout)
    );
    eventually("the webhook was called", Duration::from_secs(10), || {
        let lines = host
            .api()
            .get("/api/apps/sink/logs")
            .expect(200)
            .to_string();
        lines.contains("the desk rang").then_some(())
    });
    tokens(host);
}

/// Tokens of one desk are worth nothing at another, unless they share the key.
fn tokens(host: &mut Host) {
    for id in ["red", "blue"] {
        let fields =
            json!({ "database": { "kind": "new_database" }, "jwt": { "independent": false } });
        host.deploy_with("desk", id, fields);
    }
    let ask = |app: &str, token: &str| {
        let bearer = format!("Bearer {token}");
        host.visit(app, "/api/me")
            .header("authorization", &bearer)
            .send()
    };
    let [one, two, red] = ["one", "two", "red"].map(|app| sign_up(host, app));
    for (token, app, status) in [
        (&one, "one", 200),
        (&one, "two", 401),
        (&two, "one", 401),
        (&one, "red", 401),
        (&red, "red", 200),
        (&red, "blue", 200),
        (&red, "one", 401),
    ] {
        let reply = ask(app, token);
        assert_eq!(reply.status, status, "at {app}: {}", reply.text());
    }
    assert_eq!(ask("blue", &red).json()["sub"], Value::from("1"));
}

/// A new account's token.
fn sign_up(host: &Host, app: &str) -> String {
    let form = "name=Eve&email=eve%40example.com&password=correct+horse";
    let reply = host
        .visit(app, "/signup")
        .header("content-type", "application/x-www-form-urlencoded")
        .post(form)
        .send();
    assert_eq!(reply.status, 303, "{}", reply.text());
    let cookie = reply.header("set-cookie").expect("a session").to_owned();
    let (_, rest) = cookie.split_once('=').unwrap();
    rest.split(';').next().unwrap().to_owned()
}

#[test]
fn a_help_desk_on_sqlite() {
    use_desks(&mut Host::start(), "sqlite");
}

#[test]
fn a_help_desk_on_postgresql() {
    let server = Postgres::start().unwrap();
    let url = server.url("postgres");
    let mut host = Config::default()
        .variable("APPS_DATABASE_URL", &url)
        .start();
    use_desks(&mut host, "postgres");
}

#[test]
fn a_help_desk_on_mariadb() {
    let server = Mariadb::start().unwrap();
    let url = server.url("");
    let mut host = Config::default()
        .variable("APPS_DATABASE_URL", &url)
        .start();
    use_desks(&mut host, "mariadb");
    // What it keeps is where it should be: another app of the same host sees none of it.
    let fields = json!({ "database": { "kind": "new_database" } });
    host.deploy_with("capable-p2", "other", fields);
    let tables = told(&host, "other", "/sql", &[("q", "SHOW TABLES")]);
    assert_eq!(tables, "[]");
}
