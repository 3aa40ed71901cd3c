//! Hours in minutes: honest and hostile visitors together, and whether memory, descriptors and slots come back.
//!
//! `soak [MINUTES]`; needs `lodge` (`LODGE_PROGRAM`) and the guests. `cargo xtask bench --only soak` runs it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a measuring tool: what goes wrong ends it"
)]

use lodge_bench::process::resident_mib;
use lodge_harness::{Api, Host, eventually};
use serde_json::json;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// Who must always be answered 200: guest, app, path.
const HONEST: [(&str, &str, &str); 4] = [
    ("hello-p2", "hello", "/"),
    ("hello-p3", "hello3", "/"),
    ("capable-p2", "shop", "/count?key=a"),
    ("capable-p3", "shop3", "/sql?q=SELECT%201"),
];
/// Who does its worst, with a time between.
const HOSTILE: [(&str, &str, &str); 10] = [
    ("loop-p2", "loop", "/burn?ms=200"),
    ("loop-p3", "loop3", "/burn?ms=200"),
    ("hostile-p2", "bad", "/grow_small"),
    ("hostile-p2", "bad", "/endless_body"),
    ("hostile-p2", "bad", "/hold_bodies"),
    ("hostile-p2", "bad", "/ok"),
    ("hostile-p3", "bad3", "/streams"),
    ("hostile-p3", "bad3", "/trap_after"),
    ("hostile-p3", "bad3", "/log_flood"),
    ("panic-p2", "panic", "/mid"),
];

#[derive(Default)]
struct Told {
    over: AtomicBool,
    served: AtomicU64,
    failed: AtomicU64,
    attacks: AtomicU64,
}

fn main() {
    let minutes = std::env::args()
        .nth(1)
        .map_or(20, |text| text.parse().expect("a number"));
    let mut host = Host::start();
    for (guest, app, _) in HONEST {
        host.deploy_with(
            guest,
            app,
            json!({ "database": { "kind": "new_database" } }),
        );
    }
    for (guest, app, _) in HOSTILE {
        if host.api().get(&format!("/api/apps/{app}")).status == 404 {
            host.deploy_with(guest, app, json!({ "limits": { "request_cpu_ms": 500 } }));
        }
    }
    let api = host.api();
    let told = Told::default();
    println!("| minute | memory | descriptors | instances | honest served | failed | attacks |");
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    std::thread::scope(|scope| {
        let (host, told) = (&host, &told);
        for (_, app, path) in HONEST {
            scope.spawn(move || visit(host, app, path, told));
        }
        for (_, app, path) in HOSTILE {
            scope.spawn(move || attack(host, app, path, told));
        }
        let begun = Instant::now();
        for minute in 0..=minutes {
            if minute > 0 {
                let end = begun + Duration::from_secs(60) * minute;
                std::thread::sleep(end.saturating_duration_since(Instant::now()));
            }
            row(host, &api, &minute.to_string(), told);
        }
        told.over.store(true, Relaxed);
    });
    eventually("all comes back", Duration::from_secs(60), || {
        (held(&api) == 0).then_some(())
    });
    row(&host, &api, "after", &told);
}

fn row(host: &Host, api: &Api, minute: &str, told: &Told) {
    let files = std::fs::read_dir(format!("/proc/{}/fd", host.pid()))
        .unwrap()
        .count();
    println!(
        "| {minute} | {:.0} MiB | {files} | {} | {} | {} | {} |",
        resident_mib(host.pid()),
        held(api),
        told.served.load(Relaxed),
        told.failed.load(Relaxed),
        told.attacks.load(Relaxed),
    );
}

/// Instances that all apps hold.
fn held(api: &Api) -> u64 {
    let apps = HONEST.iter().chain(&HOSTILE);
    let mut names: Vec<_> = apps.map(|(_, app, _)| *app).collect();
    names.dedup();
    let instances = |app: &&str| api.stats(app)["instances"].as_u64().unwrap();
    names.iter().map(instances).sum()
}

fn visit(host: &Host, app: &str, path: &str, told: &Told) {
    while !told.over.load(Relaxed) {
        let failure = match host.visit(app, path).try_send() {
            Ok(reply) if reply.status == 200 && reply.whole => None,
            Ok(reply) => Some(format!("{} {}", reply.status, reply.text())),
            Err(error) => Some(error.to_string()),
        };
        let counter = if failure.is_none() {
            &told.served
        } else {
            &told.failed
        };
        counter.fetch_add(1, Relaxed);
        if let Some(failure) = failure {
            println!("{app}{path}: {failure}");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// One attack after the other; an answer without end is given up after a while.
fn attack(host: &Host, app: &str, path: &str, told: &Told) {
    use std::io::Read as _;
    while !told.over.load(Relaxed) {
        let Ok(mut connection) = host.visit(app, path).begin() else {
            continue;
        };
        connection
            .set_read_timeout(Some(Duration::from_secs(5)))
            .unwrap();
        let (end, mut bytes) = (Instant::now() + Duration::from_secs(2), vec![0; 64 << 10]);
        while Instant::now() < end && connection.read(&mut bytes).is_ok_and(|read| read > 0) {}
        told.attacks.fetch_add(1, Relaxed);
        std::thread::sleep(Duration::from_millis(50));
    }
}
