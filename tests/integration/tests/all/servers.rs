//! Apps' databases on real servers, from the guests' side and from the administrator's.

use crate::capabilities::{ask, refused, told};
use lodge_harness::mariadb::Mariadb;
use lodge_harness::postgres::Postgres;
use lodge_harness::{Config, Host, eventually};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

fn with_database() -> Value {
    json!({ "database": { "kind": "new_database" }, "limits": { "statement_timeout_ms": 1000 } })
}

/// What an app does with its database, whatever the engine.
fn use_it(host: &mut Host, endless: &str) {
    for guest in ["capable-p2", "capable-p3"] {
        host.deploy_with(guest, guest, with_database());
        told(
            host,
            guest,
            "/exec",
            &[("q", "CREATE TABLE t (x varchar(20))")],
        );
        for (how, status) in [
            ("commit", 200),
            ("rollback", 200),
            ("drop", 200),
            ("trap", 500),
        ] {
            let add = format!("INSERT INTO t VALUES ('{how}')");
            let (got, text) = ask(host, guest, "/tx", &[("q", &add), ("end", how)]);
            assert_eq!(got, status, "{guest} {how}: {text}");
        }
        let rows = told(host, guest, "/sql", &[("q", "SELECT x FROM t")]);
        assert!(
            rows.contains("commit") && !rows.contains("trap") && !rows.contains("drop"),
            "{rows}"
        );
        for path in ["/sql", "/read"] {
            let begun = Instant::now();
            let ended = refused(host, guest, path, &[("q", endless)]);
            assert!(
                ended.contains("TimedOut") && ended.contains("statement_timeout_ms"),
                "{ended}"
            );
            assert!(begun.elapsed() < Duration::from_secs(6));
        }
        // The guest kept it to itself: its administrator reads it in the app's log.
        let lines = host
            .api()
            .get(&format!("/api/apps/{guest}/logs"))
            .expect(200)
            .to_string();
        assert!(
            lines.contains("data source `default`: the statement ran longer"),
            "{lines}"
        );
        let out = refused(host, guest, "/sql", &[("q", "SET ROLE other")]);
        assert!(out.contains("Refused") && out.contains("SET"), "{out}");
    }
    assert_eq!(told(host, "capable-p3", "/many", &[("n", "300")]), "300");
    for guest in ["migrating-p2", "migrating-p3"] {
        host.deploy_with(guest, guest, with_database());
        assert_eq!(host.api().act(guest, "restart")["status"], "succeeded");
        let rows = told(host, guest, "/", &[]);
        assert!(
            rows.contains("for postgres") || rows.contains("for mariadb"),
            "{rows}"
        );
        assert_eq!(rows.matches("for ").count(), 1, "{rows}");
    }
    let bad = json!({ "database": { "kind": "new_database" }, "config": { "migrate": { "value": "bad" } } });
    host.deploy_with("migrating-p2", "bad", bad);
    assert_eq!(host.visit("bad", "/").send().code(), "app_failed");
    let why = host.api().app("bad")["observed"][0]["message"].to_string();
    assert!(why.contains("migration 0002_bad"), "{why}");
}

/// The server goes away and comes back; its apps say so, and go on.
fn outlive(host: &mut Host, stop: impl FnOnce() -> Box<dyn FnOnce() + 'static>) {
    let sql = [("q", "SELECT count(*) FROM t")];
    host.deploy("hello-p2", "neighbour");
    let start = stop();
    let begun = Instant::now();
    let away = refused(host, "capable-p2", "/sql", &sql);
    assert!(
        away.contains("Unavailable") && away.contains("127.0.0.1"),
        "{away}"
    );
    assert!(begun.elapsed() < Duration::from_secs(5));
    // Nobody else is held up.
    assert_eq!(host.visit("neighbour", "/").send().status, 200);
    start();
    for guest in ["capable-p2", "capable-p3"] {
        eventually("the app is back", Duration::from_secs(10), || {
            (ask(host, guest, "/sql", &sql).0 == 200).then_some(())
        });
    }
}

#[test]
fn apps_live_on_postgresql() {
    let server = std::rc::Rc::new(std::cell::RefCell::new(Postgres::start().unwrap()));
    let control = server.borrow().create_database("control").unwrap();
    // Nothing but the control database is named: apps' databases are made beside it.
    let mut host = Config::default().variable("DATABASE_URL", &control).start();
    use_it(&mut host, "SELECT pg_sleep(60)");
    assert_eq!(
        host.api().app("capable-p2")["database"]["engine"],
        "postgres"
    );
    let schema = json!({ "database": { "kind": "new_schema" } });
    host.deploy_with("capable-p2", "schema", schema);
    told(
        &host,
        "schema",
        "/exec",
        &[("q", "CREATE TABLE t (x text)")],
    );
    // By its URL, the control database is no app's.
    let steal = json!({ "database": { "kind": "new_connection", "url": control } });
    host.deploy_with("capable-p2", "thief", steal.clone());
    assert_eq!(host.visit("thief", "/").send().code(), "app_failed");
    let why = host.api().app("thief")["observed"][0]["message"].to_string();
    assert!(
        why.contains("control database") && !why.contains("p@ss"),
        "{why}"
    );
    let tried = host.api().post("/api/databases/test", &steal).expect(422);
    assert_eq!(tried["code"], "database_refused");
    let room = json!({ "database": { "kind": "new_database" } });
    let report = host.api().post("/api/databases/test", &room).expect(200);
    assert_eq!(report["engine"], "postgres");
    // Nor does an outgoing grant lead to the server.
    let place = control
        .rsplit_once('@')
        .unwrap()
        .1
        .split('/')
        .next()
        .unwrap();
    let fields = json!({ "outbound_hosts": [place] });
    host.deploy_with("capable-p2", "caller", fields);
    let (status, text) = ask(
        &host,
        "caller",
        "/out",
        &[("authority", place), ("path", "/")],
    );
    assert_eq!(status, 400, "{text}");
    let stopped = server.clone();
    outlive(&mut host, move || {
        stopped.borrow_mut().stop();
        Box::new(move || stopped.borrow_mut().restart().unwrap())
    });
    // Deleted with its data, an app's room is gone.
    host.api().delete("/api/apps/schema?data=drop").expect(202);
    eventually("it is gone", Duration::from_secs(10), || {
        (host.api().get("/api/apps/schema").status == 404).then_some(())
    });
    let schema = json!({ "database": { "kind": "new_schema" } });
    host.deploy_with("capable-p2", "schema", schema);
    told(
        &host,
        "schema",
        "/exec",
        &[("q", "CREATE TABLE t (x text)")],
    );
    assert!(!host.log_text().contains("p@ss"));
}

#[test]
fn apps_live_on_mariadb() {
    let server = std::rc::Rc::new(std::cell::RefCell::new(Mariadb::start().unwrap()));
    let url = server.borrow().url("");
    let mut host = Config::default()
        .variable("APPS_DATABASE_URL", &url)
        .start();
    use_it(&mut host, "SELECT SLEEP(60)");
    assert_eq!(
        host.api().app("capable-p2")["database"]["engine"],
        "mariadb"
    );
    let schema = json!({ "id": "schema", "component": { "name": "capable-p2" }, "database": { "kind": "new_schema" } });
    let refused = host.api().post("/api/apps", &schema).expect(422);
    assert!(refused.to_string().contains("database.kind"), "{refused}");
    // A file is still to be had, if it is asked for.
    let file = json!({ "database": { "kind": "new_database", "engine": "sqlite" } });
    host.deploy_with("capable-p2", "file", file);
    told(&host, "file", "/exec", &[("q", "CREATE TABLE t (x text)")]);
    let stopped = server.clone();
    outlive(&mut host, move || {
        stopped.borrow_mut().stop();
        Box::new(move || stopped.borrow_mut().restart().unwrap())
    });
}
