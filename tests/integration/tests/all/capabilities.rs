//! What the host gives apps: databases, tokens, configuration, key-value, log. One app's is never another's.

use lodge_harness::{Host, eventually};
use serde_json::json;
use std::time::{Duration, Instant};

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02x}")).collect()
}

/// An app's answer to what `path` asks for, with the query's values.
pub(crate) fn ask(host: &Host, app: &str, path: &str, query: &[(&str, &str)]) -> (u16, String) {
    let query: Vec<_> = query
        .iter()
        .map(|(name, value)| format!("{name}={}", encoded(value)))
        .collect();
    let reply = host
        .visit(app, &format!("{path}?{}", query.join("&")))
        .send();
    (reply.status, reply.text())
}

#[track_caller]
pub(crate) fn told(host: &Host, app: &str, path: &str, query: &[(&str, &str)]) -> String {
    let (status, text) = ask(host, app, path, query);
    assert_eq!(status, 200, "{app} {path} {query:?}: {text}");
    text
}

#[track_caller]
pub(crate) fn refused(host: &Host, app: &str, path: &str, query: &[(&str, &str)]) -> String {
    let (status, text) = ask(host, app, path, query);
    assert_eq!(status, 400, "{app} {path} {query:?}: {text}");
    text
}

fn with_database() -> serde_json::Value {
    json!({ "database": { "kind": "new_database" } })
}

const ENDLESS: &str =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";

#[test]
fn each_app_has_a_database_of_its_own_that_outlives_the_host() {
    let mut host = Host::start();
    for (guest, app) in [("capable-p2", "one"), ("capable-p3", "two")] {
        host.deploy_with(guest, app, with_database());
        told(&host, app, "/exec", &[("q", "CREATE TABLE t (x)")]);
        let add = format!("INSERT INTO t VALUES ('of {app}')");
        assert_eq!(told(&host, app, "/exec", &[("q", &add)]), "1");
    }
    host.deploy("capable-p2", "none");
    let without = refused(&host, "none", "/sql", &[("q", "SELECT 1")]);
    assert!(without.contains("NoSuchSource"), "{without}");
    for name in ["two", "../two/database", ""] {
        let query = [("q", "SELECT 1"), ("source", name)];
        assert!(refused(&host, "one", "/sql", &query).contains("NoSuchSource"));
    }
    host.kill();
    host.start_again();
    for app in ["one", "two"] {
        let rows = told(&host, app, "/sql", &[("q", "SELECT x FROM t")]);
        assert!(rows.contains(&format!("of {app}")), "{rows}");
    }
    let api = host.api();
    api.delete("/api/apps/one?data=drop").expect(202);
    let folder = host.data().path().join("apps/one");
    eventually("its data are gone", Duration::from_secs(10), || {
        (!folder.exists()).then_some(())
    });
}

#[test]
fn transactions_end_with_their_guest() {
    let mut host = Host::start();
    for guest in ["capable-p2", "capable-p3"] {
        host.deploy_with(guest, guest, with_database());
        told(&host, guest, "/exec", &[("q", "CREATE TABLE t (x)")]);
        for (how, status) in [
            ("commit", 200),
            ("rollback", 200),
            ("drop", 200),
            ("trap", 500),
        ] {
            let add = format!("INSERT INTO t VALUES ('{how}')");
            let begun = Instant::now();
            let (got, text) = ask(&host, guest, "/tx", &[("q", &add), ("end", how)]);
            assert_eq!(got, status, "{guest} {how}: {text}");
            // The one before holds no lock any more.
            assert!(begun.elapsed() < Duration::from_secs(5), "{guest} {how}");
        }
        let rows = told(&host, guest, "/sql", &[("q", "SELECT x FROM t")]);
        assert!(
            rows.contains("commit") && !rows.contains("trap") && !rows.contains("drop"),
            "{rows}"
        );
    }
    // A transaction that its guest forgot ends with the instance.
    let add = [("q", "INSERT INTO t VALUES (1)"), ("end", "leave")];
    told(&host, "capable-p2", "/tx", &add);
    let begun = Instant::now();
    told(
        &host,
        "capable-p2",
        "/exec",
        &[("q", "INSERT INTO t VALUES (2)")],
    );
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[test]
fn rows_stream_and_runaway_statements_hurt_nobody() {
    let mut host = Host::start();
    let limits = json!({ "database": { "kind": "new_database" }, "limits": { "statement_timeout_ms": 500 } });
    for guest in ["capable-p2", "capable-p3"] {
        host.deploy_with(guest, guest, limits.clone());
        let many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 10000) SELECT i, 'row' FROM n";
        assert_eq!(told(&host, guest, "/read", &[("q", many)]), "10000");
        for path in ["/sql", "/read"] {
            let ended = refused(&host, guest, path, &[("q", ENDLESS)]);
            assert!(
                ended.contains("TimedOut") && ended.contains("statement_timeout_ms"),
                "{ended}"
            );
        }
        let out = refused(&host, guest, "/sql", &[("q", "ATTACH 'x' AS y")]);
        assert!(out.contains("Refused") && out.contains("ATTACH"), "{out}");
        let huge = refused(
            &host,
            guest,
            "/sql",
            &[("q", "SELECT zeroblob(1000000000)")],
        );
        assert!(huge.contains("result_bytes"), "{huge}");
    }
    assert_eq!(
        told(
            &host,
            "capable-p3",
            "/read",
            &[("q", "SELECT 1 UNION SELECT 2"), ("stop", "1")]
        ),
        "1"
    );
    assert_eq!(told(&host, "capable-p3", "/many", &[("n", "1000")]), "1000");
    // Its CPU was charged to the app: about two statements of half a second each.
    let used = host.api().stats("capable-p2")["cpu_ms"].as_u64().unwrap();
    assert!(used > 400, "{used} ms");
}

#[test]
fn configuration_key_value_and_log_are_the_apps_own() {
    let mut host = Host::start();
    let config = json!({ "config": {
        "greeting": { "value": "hello" },
        "password": { "value": "hunter2", "secret": true },
    }});
    host.deploy_with("capable-p2", "one", config);
    host.deploy("capable-p2", "two");
    assert_eq!(
        told(&host, "one", "/config", &[("key", "greeting")]),
        "hello"
    );
    assert_eq!(
        told(&host, "one", "/config", &[("key", "password")]),
        "hunter2"
    );
    refused(&host, "two", "/config", &[("key", "password")]);
    let change = json!({ "config": { "greeting": { "value": "bye" } } });
    host.api().patch("/api/apps/one", &change).expect(200);
    eventually(
        "the new configuration is in force",
        Duration::from_secs(10),
        || (ask(&host, "one", "/config", &[("key", "greeting")]).1 == "bye").then_some(()),
    );
    for (app, sums) in [("one", ["1", "2"]), ("two", ["1", "2"])] {
        for sum in sums {
            assert_eq!(told(&host, app, "/count", &[("key", "home")]), sum);
        }
    }
    told(&host, "one", "/say", &[("line", "the disk is nearly full")]);
    let lines = host.api().get("/api/apps/one/logs").expect(200).to_string();
    assert!(
        lines.contains("capable: the disk is nearly full"),
        "{lines}"
    );
    assert!(!host.log_text().contains("hunter2") && !lines.contains("hunter2"));
}

#[test]
fn what_is_logged_as_json_is_kept_as_fields() {
    let mut host = Host::start();
    for guest in ["capable-p2", "capable-p3"] {
        host.deploy_with(guest, guest, json!({}));
        let said = r#"{"message":"closed","ticket":7,"by":["Ada"],"level":"error"}"#;
        told(&host, guest, "/say", &[("line", said)]);
        let found = || {
            let path = format!("/api/apps/{guest}/logs?search=ticket%3D7");
            let lines = host.api().get(&path).expect(200);
            let lines = lines["items"].as_array().unwrap().clone();
            (lines.len() == 3).then_some(lines)
        };
        // What was printed reaches the log when the guest is through with it.
        for line in eventually("all three are there", Duration::from_secs(10), found) {
            let fields = match line["source"] == "app" {
                true => json!({ "by": ["Ada"], "level": "error", "ticket": 7 }),
                false => json!({ "by": ["Ada"], "ticket": 7 }),
            };
            let (level, message) = match line["source"] == "app" {
                true => ("warn", "capable: closed"),
                false => ("error", "closed"),
            };
            assert_eq!(line["fields"], fields, "{line}");
            assert_eq!(
                (&line["level"], &line["message"]),
                (&json!(level), &json!(message))
            );
        }
    }
}

#[test]
fn migrations_run_once_before_an_app_serves_or_it_does_not_start() {
    let mut host = Host::start();
    for guest in ["migrating-p2", "migrating-p3"] {
        host.deploy_with(guest, guest, with_database());
        for _ in 0..2 {
            let rows = told(&host, guest, "/", &[]);
            assert_eq!(rows.matches("for sqlite").count(), 1, "{rows}");
            assert_eq!(host.api().act(guest, "restart")["status"], "succeeded");
        }
    }
    let asking = json!({
        "database": { "kind": "new_database" },
        "config": { "migrate": { "value": "order" } },
    });
    for (app, fields, why) in [
        ("order", asking, "migration 0001_table"),
        ("without", json!({}), "database.kind"),
    ] {
        host.deploy_with("migrating-p2", app, fields);
        assert_eq!(host.visit(app, "/").send().code(), "app_failed");
        let told = host.api().app(app)["observed"][0]["message"].to_string();
        assert!(told.contains(why), "{told}");
    }
}

#[test]
fn outgoing_requests_go_where_they_were_granted_and_nowhere_else() {
    let mut host = Host::start();
    host.deploy("hello-p2", "hello");
    let own = host.apps.to_string();
    for guest in ["capable-p2", "capable-p3"] {
        let fields = json!({ "outbound_hosts": ["hello.lodge.internal", "localhost", own, "other.lodge.internal"] });
        host.deploy_with(guest, guest, fields);
        let out = |authority: &str| {
            ask(
                &host,
                guest,
                "/out",
                &[("authority", authority), ("path", "/")],
            )
        };
        assert_eq!(
            out("hello.lodge.internal"),
            (200, "200 Hello, World!".into())
        );
        let (status, text) = out("other.lodge.internal");
        assert!(status == 400 || text.starts_with("404"), "{text}");
        for forbidden in [
            "example.com",
            "127.0.0.1:1",
            "2130706433",
            "[::1]",
            "localhost",
            "localhost:22",
            &own,
        ] {
            let (status, text) = out(forbidden);
            assert_eq!(status, 400, "{guest} {forbidden}: {text}");
        }
        let lines = host
            .api()
            .get(&format!("/api/apps/{guest}/logs"))
            .expect(200)
            .to_string();
        assert!(
            lines.contains("example.com") && lines.contains("localhost"),
            "{lines}"
        );
    }
    assert!(host.api().stats("hello")["answered"].as_u64().unwrap() >= 2);
}

#[test]
fn an_app_that_calls_itself_comes_to_an_end() {
    let mut host = Host::start();
    host.deploy_with(
        "capable-p2",
        "loop",
        json!({ "outbound_hosts": ["loop.lodge.internal"] }),
    );
    let reply = host
        .visit("loop", "/again?authority=loop.lodge.internal")
        .send();
    // Eight calls answered one another; the ninth was refused, and said so.
    assert_eq!(reply.text().matches("200").count(), 7, "{}", reply.text());
    let lines = host
        .api()
        .get("/api/apps/loop/logs")
        .expect(200)
        .to_string();
    assert!(lines.contains("in a row"), "{lines}");
}

#[test]
fn an_app_reads_or_writes_anothers_database_only_as_granted() {
    let mut host = Host::start();
    host.deploy_with("capable-p2", "orders", with_database());
    told(&host, "orders", "/exec", &[("q", "CREATE TABLE t (x)")]);
    for (app, access) in [("reader", "read_only"), ("writer", "read_write")] {
        let sources = json!({ "data_sources": { "shop": { "app": "orders", "access": access } } });
        host.deploy_with("capable-p2", app, sources);
    }
    let shop = |q| [("q", q), ("source", "shop")];
    told(
        &host,
        "writer",
        "/exec",
        &shop("INSERT INTO t VALUES ('shared')"),
    );
    assert!(told(&host, "reader", "/sql", &shop("SELECT x FROM t")).contains("shared"));
    for write in [
        "INSERT INTO t VALUES (1)",
        "DROP TABLE t",
        "PRAGMA query_only = OFF",
    ] {
        refused(&host, "reader", "/exec", &shop(write));
    }
    refused(&host, "reader", "/sql", &[("q", "SELECT 1")]);
    host.deploy("capable-p2", "stranger");
    assert!(refused(&host, "stranger", "/sql", &shop("SELECT 1")).contains("NoSuchSource"));
}
