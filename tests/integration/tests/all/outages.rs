//! A database server that goes away while its apps are visited: cut off, silent, ended. Errors say what is away, nobody
//! else notices, and when it is back its apps are, with nothing stuck.

use crate::capabilities::ask;
use crate::neighbour::Neighbour;
use lodge_harness::mariadb::Mariadb;
use lodge_harness::postgres::Postgres;

use lodge_harness::{Config, Host, Proxy, Wire, eventually};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

const APPS: [(&str, &str); 2] = [("capable-p2", "shop"), ("capable-p3", "shop3")];
/// Visitors of each app at once.
const VISITORS: usize = 4;
const SQL: [(&str, &str); 1] = [("q", "SELECT count(*) FROM t")];
const PATIENCE: Duration = Duration::from_secs(60);
/// The longest visit of the neighbour's meanwhile.
const NOTICED: Duration = Duration::from_secs(5);

/// What visitors were told, and how often.
type Told = Mutex<BTreeMap<(u16, String), usize>>;

/// `url` leads to the server by the port that is given; `end` ends the server and starts it again.
fn outlived(port: u16, url: &str, end: impl FnOnce(&dyn Fn())) {
    let wire = Proxy::start();
    wire.lead_to(port);
    let through = url.replace(&format!(":{port}/"), &format!(":{}/", wire.port()));
    let mut host = Config::default()
        .variable("APPS_DATABASE_URL", &through)
        .start();
    host.deploy("hello-p2", "quiet");
    for (guest, app) in APPS {
        let fields = json!({
            "database": { "kind": "new_database" },
            "limits": { "statement_timeout_ms": 1000 },
        });
        host.deploy_with(guest, app, fields);
        let made = ask(&host, app, "/exec", &[("q", "CREATE TABLE t (x int)")]);
        assert_eq!(made.0, 200, "{app}: {}", made.1);
    }
    let neighbour = Neighbour::start(&host, "quiet");
    let (over, told) = (AtomicBool::new(false), Told::default());
    std::thread::scope(|scope| {
        for (_, app) in APPS.iter().cycle().take(APPS.len() * VISITORS) {
            let (host, over, told) = (&host, &over, &told);
            scope.spawn(move || visit(host, app, over, told));
        }
        // The visitors end even if a fault is not outlived.
        let _ends = Ends(&over);
        let serves = || all_serve(&host);
        serves();
        for harm in [Wire::Cut, Wire::Silent] {
            wire.set(harm);
            std::thread::sleep(Duration::from_secs(3));
            wire.set(Wire::Good);
            serves();
        }
        end(&serves);
    });
    let slowest = neighbour.slowest();
    neighbour.finish();
    assert!(slowest < NOTICED, "a neighbour's visit took {slowest:?}");
    let told = told.into_inner().unwrap();
    println!("{told:#?}");
    let failed = || told.keys().filter(|(status, _)| *status != 200);
    assert!(failed().count() > 0, "nobody noticed: {told:?}");
    for (status, text) in failed() {
        // The third: connections that nobody answers on are waited for, and kept until that has an end.
        let known = ["Unavailable", "TimedOut", "were in use too long"];
        let is_clear = *status == 400 && known.iter().any(|word| text.contains(word));
        assert!(is_clear, "{status} {text}");
    }
    for (_, app) in APPS {
        eventually("nothing is under way", PATIENCE, || {
            let stats = host.api().stats(app);
            (stats["in_flight"] == 0 && stats["queued"] == 0).then_some(())
        });
    }
}

/// Ends the visitors.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

fn visit(host: &Host, app: &str, over: &AtomicBool, told: &Told) {
    while !over.load(Relaxed) {
        let said = ask(host, app, "/sql", &SQL);
        let failed = said.0 != 200;
        *told.lock().unwrap().entry(said).or_default() += 1;
        if failed {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Each app reads again, several times on end: no connection of the time before fails it.
fn all_serve(host: &Host) {
    for (_, app) in APPS {
        eventually(&format!("{app} is back"), PATIENCE, || {
            (0..10)
                .all(|_| ask(host, app, "/sql", &SQL).0 == 200)
                .then_some(())
        });
    }
}

#[test]
fn apps_outlive_postgresql_that_is_cut_off_silent_and_ended() {
    let mut server = Postgres::start().unwrap();
    let (port, url) = (server.port(), server.url("postgres"));
    outlived(port, &url, |serves| {
        server.stop();
        std::thread::sleep(Duration::from_secs(1));
        server.restart().unwrap();
        serves();
    });
}

#[test]
fn apps_outlive_mariadb_that_is_cut_off_silent_and_ended() {
    let mut server = Mariadb::start().unwrap();
    let (port, url) = (server.port(), server.url("mysql"));
    outlived(port, &url, |serves| {
        server.stop();
        std::thread::sleep(Duration::from_secs(1));
        server.restart().unwrap();
        serves();
    });
}
