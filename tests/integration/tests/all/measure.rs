//! Guests that take without end, on each engine of databases: what they take is bounded and named in their app's log,
//! and their neighbours are served meanwhile.

use crate::capabilities::ask;
use crate::neighbour::Neighbour;
use lodge_harness::mariadb::Mariadb;
use lodge_harness::postgres::Postgres;
use lodge_harness::{Config, Host, eventually};
use serde_json::json;
use std::net::TcpListener;
use std::time::{Duration, Instant};

/// The longest visit of the neighbour's while others take; the bench measures what it really notices.
const NOTICED: Duration = Duration::from_secs(5);
/// A transaction stands still for ten seconds at most.
const PATIENCE: Duration = Duration::from_secs(30);

/// Ten million rows, and a statement without an end, as an engine says them.
struct Words {
    many: &'static str,
    endless: &'static str,
}

const RECURSIVE: Words = Words {
    many: "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000000) SELECT i, 'row' FROM n",
    endless: "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
};

/// MariaDB ends recursion by itself, after a thousand rounds.
const SEQUENCES: Words = Words {
    many: "SELECT seq, 'row' FROM seq_1_to_10000000",
    endless: "SELECT count(*) FROM seq_1_to_10000000 a, seq_1_to_10000000 b",
};

/// Two apps of both worlds take all that their databases, log and network give.
fn taken(host: &mut Host, words: &Words) {
    let inside = TcpListener::bind("127.0.0.1:0").unwrap();
    inside.set_nonblocking(true).unwrap();
    let named = format!("localhost:{}", inside.local_addr().unwrap().port());
    host.deploy("hello-p2", "quiet");
    let fields = json!({
        "database": { "kind": "new_database" },
        "limits": { "statement_timeout_ms": 2000, "request_cpu_ms": 20_000, "instance_reuse": 1_000_000 },
        "outbound_hosts": [named],
    });
    let apps = [("capable-p2", "greedy"), ("capable-p3", "greedy3")];
    for (guest, app) in apps {
        host.deploy_with(guest, app, fields.clone());
        assert_eq!(
            ask(host, app, "/exec", &[("q", "CREATE TABLE t (x int)")]).0,
            200
        );
    }
    let neighbour = Neighbour::start(host, "quiet");
    for (_, app) in apps {
        let _ = neighbour.slowest();
        take(host, app, &named, words);
        let slowest = neighbour.slowest();
        assert!(
            slowest < NOTICED,
            "{app}: a neighbour's visit took {slowest:?}"
        );
    }
    // They wait for few connections, and each no longer than it may run.
    let fields = json!({
        "database": { "kind": "new_database" },
        "limits": { "statement_timeout_ms": 60_000, "request_timeout_ms": 80_000, "request_cpu_ms": 20_000 },
    });
    host.deploy_with("capable-p3", "many", fields);
    let many = ask(host, "many", "/many", &[("n", "1000")]);
    assert_eq!(many, (200, "1000".into()), "a thousand statements at once");
    neighbour.finish();
    assert!(inside.accept().is_err(), "a name led inside");
    assert!(host.resident_bytes() < 1 << 30, "{}", host.resident_bytes());
}

/// One app takes; all of it ends and is named.
fn take(host: &mut Host, app: &str, inside: &str, words: &Words) {
    if app == "greedy" {
        let held = [("q", "INSERT INTO t VALUES (1)"), ("end", "hold")];
        assert_eq!(ask(host, app, "/tx", &held).0, 200, "{app}");
        names(host, app, "stood still");
    }
    // Left open and forgotten: an instance that nobody visits is given up within a second, and that with it.
    let left = [("q", "INSERT INTO t VALUES (2)"), ("end", "leave")];
    assert_eq!(ask(host, app, "/tx", &left).0, 200, "{app}");
    let collected = ask(host, app, "/sql", &[("q", words.many)]);
    assert_eq!(collected.0, 400, "{app}: {:.300}", collected.1);
    let begun = Instant::now();
    let streamed = ask(host, app, "/read", &[("q", words.many)]);
    assert!(
        streamed == (200, "10000000".into()) || streamed.1.contains("TimedOut"),
        "{app}: {streamed:?}"
    );
    let endless = ask(host, app, "/read", &[("q", words.endless)]);
    assert!(endless.1.contains("TimedOut"), "{app}: {endless:?}");
    assert!(begun.elapsed() < PATIENCE, "{app}: {:?}", begun.elapsed());
    let out = ask(host, app, "/out", &[("authority", inside), ("path", "/")]);
    assert_eq!(out.0, 400, "{app}: {}", out.1);
    names(host, app, "ran longer than it may");
    names(host, app, inside);
    let kept = ask(host, app, "/sql", &[("q", "SELECT count(*) FROM t")]);
    assert_eq!(
        kept,
        (200, "[[Value::Int(0)]]".into()),
        "{app}: what was left open is undone"
    );
}

/// Waits until the app's log names what it did.
fn names(host: &mut Host, app: &str, what: &str) {
    let api = host.api();
    eventually(&format!("{app}'s log names `{what}`"), PATIENCE, || {
        let lines = api.get(&format!("/api/apps/{app}/logs?limit=5000"));
        lines.expect(200).to_string().contains(what).then_some(())
    });
}

/// The files below a folder.
fn files(folder: &std::path::Path) -> impl Iterator<Item = std::fs::DirEntry> {
    let entries: Vec<_> = std::fs::read_dir(folder).unwrap().flatten().collect();
    entries.into_iter().flat_map(|entry| {
        if entry.path().is_dir() {
            std::fs::read_dir(entry.path()).unwrap().flatten().collect()
        } else {
            vec![entry]
        }
    })
}

#[test]
fn what_is_taken_without_end_is_held_and_named_on_sqlite() {
    let mut host = Host::start();
    taken(&mut host, &RECURSIVE);
    assert_eq!(ask(&host, "greedy", "/flood", &[("mib", "1024")]).0, 200);
    let lines = host.api().get("/api/apps/greedy/logs?limit=5000");
    assert!(lines.expect(200).to_string().contains("dropped"));
    let folder = host.data().path().join("logs");
    let kept: u64 = files(&folder)
        .map(|file| file.metadata().unwrap().len())
        .sum();
    assert!(kept < 20 << 20, "{kept} bytes of logs");
}

#[test]
fn what_is_taken_without_end_is_held_and_named_on_postgresql() {
    let server = Postgres::start().unwrap();
    let control = server.create_database("control").unwrap();
    let mut host = Config::default().variable("DATABASE_URL", &control).start();
    taken(&mut host, &RECURSIVE);
}

#[test]
fn what_is_taken_without_end_is_held_and_named_on_mariadb() {
    let server = Mariadb::start().unwrap();
    let apps = server.url("");
    let mut host = Config::default()
        .variable("APPS_DATABASE_URL", &apps)
        .start();
    taken(&mut host, &SEQUENCES);
}
