//! What an app costs that runs and is not visited, and how soon one of many answers: 10,000 apps of one component, and
//! 1,000 apps of as many components.
//!
//! `density [APPS] [COMPONENTS]`; needs `lodge` (`LODGE_PROGRAM`) and the guests. `cargo xtask bench --only density` runs
//! it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a measuring tool: what goes wrong ends it"
)]

use lodge_bench::figures::{Figures, verdict};
use lodge_bench::process::resident_mib;
use lodge_harness::{Api, Host, distinct, eventually, guest};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Threads that ask the API.
const ASKERS: usize = 4;
/// Apps whose first visit is timed.
const VISITED: usize = 1_000;
const PATIENCE: Duration = Duration::from_secs(600);
/// What an app may cost beyond the first, in KiB.
const AIM_KIB: f64 = 50.0;
/// A first visit's median and 99th percentile, in milliseconds.
const AIM_MS: (f64, f64) = (2.0, 10.0);

fn main() {
    let number = |at: usize, default: usize| {
        let given = std::env::args().nth(at);
        given.map_or(default, |text| text.parse().expect("a number"))
    };
    println!("| apps | memory each | aim | ready after | first visit p50 | p99 | aim |");
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    one_component(number(1, 10_000));
    many_components(number(2, 1_000));
}

fn one_component(apps: usize) {
    let mut host = Host::start();
    let api = host.api();
    let digest = api.upload_guest("hello-p2");
    let component = |_| json!({ "digest": digest });
    run(&host, &api, 0..1, component);
    settle(&host);
    let (before, begun) = (resident_mib(host.pid()), Instant::now());
    run(&host, &api, 1..apps + 1, component);
    report(
        &host,
        &format!("{apps} of one component"),
        apps,
        before,
        begun,
        Some(AIM_KIB),
    );
}

fn many_components(apps: usize) {
    let mut host = Host::start();
    let api = host.api();
    let hello = guest("hello-p2");
    let component = |number: usize| {
        let wasm = distinct(&hello, u32::try_from(number).unwrap());
        let uploaded = api.try_upload(&format!("?name=hello-{number}&version=1.0.0"), wasm);
        let digest = uploaded.unwrap().expect(201)["digest"].clone();
        assert_eq!(api.compiled(digest.as_str().unwrap())["status"], "ready");
        json!({ "digest": digest })
    };
    run(&host, &api, 0..1, component);
    settle(&host);
    let (before, begun) = (resident_mib(host.pid()), Instant::now());
    run(&host, &api, 1..apps + 1, component);
    report(
        &host,
        &format!("{apps} of as many components"),
        apps,
        before,
        begun,
        None,
    );
}

/// Makes apps and waits until all of them run.
fn run(
    host: &Host,
    api: &Api,
    numbers: std::ops::Range<usize>,
    component: impl Fn(usize) -> Value + Sync,
) {
    std::thread::scope(|scope| {
        for asker in 0..ASKERS {
            let (numbers, component) = (numbers.clone(), &component);
            scope.spawn(move || {
                for number in numbers.skip(asker).step_by(ASKERS) {
                    let app = json!({
                        "id": format!("app-{number}"),
                        "component": component(number),
                        "start_mode": "with_host",
                        "desired": "running",
                    });
                    api.post("/api/apps", &app).expect(201);
                }
            });
        }
    });
    eventually("all run", PATIENCE, || {
        let others = ["waiting", "preparing", "starting", "failed", "stopped"];
        let none = |status: &&str| {
            let page = api.get(&format!("/api/apps?limit=1&status={status}"));
            page.expect(200)["items"].as_array().unwrap().is_empty()
        };
        others.iter().all(none).then_some(())
    });
    assert_eq!(host.visit("app-0", "/").send().status, 200);
}

/// Until idle instances and what starts left behind are gone.
fn settle(host: &Host) {
    let mut last = f64::MAX;
    loop {
        std::thread::sleep(Duration::from_secs(2));
        let now = resident_mib(host.pid());
        if now >= last {
            return;
        }
        last = now;
    }
}

fn report(host: &Host, what: &str, apps: usize, before: f64, begun: Instant, aim: Option<f64>) {
    let ready = begun.elapsed();
    settle(host);
    let each = (resident_mib(host.pid()) - before) * 1024.0 / apps as f64;
    let mut first = Figures::default();
    // Spread over all of them, in no order that a cache could guess.
    for number in (0..VISITED.min(apps)).map(|visit| visit * 7_919 % apps + 1) {
        let visit = host.visit(&format!("app-{number}"), "/");
        let begun = Instant::now();
        assert_eq!(visit.send().status, 200);
        first.add_time(begun.elapsed());
    }
    let (p50, p99) = (first.median(), first.percentile(99));
    println!(
        "| {what} | {each:.1} KiB | {} | {:.1} s | {p50:.2} ms | {p99:.2} ms | {} |",
        aim.map_or("-".to_owned(), |aim| format!(
            "{aim:.0} KiB: {}",
            verdict(each <= aim)
        )),
        ready.as_secs_f64(),
        verdict(p50 <= AIM_MS.0 && p99 <= AIM_MS.1),
    );
}
