//! One greedy app and one quiet: what the CPU gate and the memory budget do, seen by switching them
//! off. Times are compared with each other, never with a number of the machine's.

use lodge_harness::{Config, Host, eventually};
use serde_json::json;
use std::time::{Duration, Instant};

const GREEDY_REQUESTS: usize = 48;
const QUIET_VISITS: usize = 60;

/// The median time of a quiet app's visits while a neighbour keeps 48 requests busy.
fn quiet_median(greedy: &str, quiet: &str, gate: bool) -> Duration {
    let mut host = Config::default()
        .argument("--cpu-gate")
        .argument(&gate.to_string())
        .start();
    let patient = json!({ "limits": { "request_cpu_ms": 60_000, "request_timeout_ms": 120_000 } });
    host.deploy_with(greedy, "greedy", patient);
    host.deploy(quiet, "quiet");
    assert_eq!(host.visit("quiet", "/").send().status, 200);
    assert_eq!(host.visit("greedy", "/ok").send().status, 200);
    let busy: Vec<_> = (0..GREEDY_REQUESTS)
        .map(|_| host.visit("greedy", "/burn?ms=60000").begin().unwrap())
        .collect();
    let api = host.api();
    eventually("the greedy app is at work", Duration::from_secs(30), || {
        (api.stats("greedy")["in_flight"].as_u64()? as usize >= GREEDY_REQUESTS).then_some(())
    });
    let mut times: Vec<Duration> = (0..QUIET_VISITS)
        .map(|_| {
            let start = Instant::now();
            let reply = host.visit("quiet", "/").send();
            assert_eq!(reply.status, 200);
            start.elapsed()
        })
        .collect();
    drop(busy);
    times.sort();
    times[times.len() / 2]
}

fn the_gate_protects_the_quiet(greedy: &str, quiet: &str) {
    let (on, off) = (
        quiet_median(greedy, quiet, true),
        quiet_median(greedy, quiet, false),
    );
    assert!(
        off > on * 2,
        "{greedy} beside {quiet}: the quiet app's median visit took {on:?} with the gate, {off:?} without"
    );
}

#[test]
fn a_busy_0_2_app_does_not_slow_its_neighbour() {
    the_gate_protects_the_quiet("loop-p2", "hello-p2");
}

#[test]
fn a_busy_0_3_app_does_not_slow_its_neighbour() {
    the_gate_protects_the_quiet("loop-p3", "hello-p2");
}

#[test]
fn a_busy_app_does_not_slow_a_quiet_0_3_app() {
    the_gate_protects_the_quiet("loop-p2", "hello-p3");
}

/// The most memory that an app was charged while eight requests wanted 40 MiB each, and how many of
/// them were answered.
fn greedy_peak(guest: &str, limits: serde_json::Value) -> (u64, usize) {
    let mut host = Host::start();
    host.deploy_with(guest, "greedy", json!({ "limits": limits }));
    host.deploy("hello-p2", "quiet");
    let hungry: Vec<_> = (0..8)
        .map(|_| {
            let visit = host.visit("greedy", "/grow?mib=40&hold_ms=300");
            std::thread::spawn(move || visit.send().status)
        })
        .collect();
    for _ in 0..20 {
        assert_eq!(host.visit("quiet", "/").send().status, 200);
    }
    let statuses: Vec<u16> = hungry
        .into_iter()
        .map(|thread| thread.join().unwrap())
        .collect();
    assert!(
        statuses
            .iter()
            .all(|status| matches!(status, 200 | 500 | 503)),
        "{statuses:?}"
    );
    let peak = host.api().stats("greedy")["memory_peak_bytes"]
        .as_u64()
        .unwrap();
    (
        peak,
        statuses.iter().filter(|status| **status == 200).count(),
    )
}

fn the_budget_holds(guest: &str) {
    let budget = 128 << 20;
    let (peak, _) = greedy_peak(guest, json!({ "instance_reuse": 1 }));
    assert!(
        peak <= budget,
        "{guest}: {peak} bytes with the default budget"
    );
    let off = json!({ "instance_reuse": 1, "memory_bytes": 1_u64 << 40 });
    let (peak, answered) = greedy_peak(guest, off);
    assert!(peak > budget, "{guest}: {peak} bytes without a budget");
    assert_eq!(answered, 8, "{guest}: without a budget all are answered");
}

#[test]
fn all_instances_of_a_0_2_app_share_one_budget() {
    the_budget_holds("allocate-p2");
}

#[test]
fn all_instances_of_a_0_3_app_share_one_budget() {
    the_budget_holds("allocate-p3");
}

/// Budgets add up to more than the host has: the greedy are told so, and who needs little has it.
#[test]
fn all_apps_together_share_the_hosts_memory() {
    let mut host = Config::default()
        .argument("--max-memory")
        .argument("200MiB")
        .start();
    let limits = json!({ "memory_bytes": 1_u64 << 40, "queue_timeout_ms": 500 });
    for greedy in ["one", "two", "three"] {
        host.deploy_with("allocate-p2", greedy, json!({ "limits": limits }));
    }
    host.deploy("hello-p2", "quiet");
    let before = host.resident_bytes();
    let hungry: Vec<_> = ["one", "two", "three"]
        .iter()
        .cycle()
        .take(12)
        .map(|app| {
            let visit = host.visit(app, "/grow?mib=40&hold_ms=1000");
            std::thread::spawn(move || visit.send())
        })
        .collect();
    let mut most = 0;
    while hungry.iter().any(|thread| !thread.is_finished()) {
        assert_eq!(host.visit("quiet", "/").send().status, 200);
        most = most.max(host.resident_bytes());
    }
    let codes: Vec<_> = hungry
        .into_iter()
        .map(|thread| thread.join().unwrap())
        .map(|reply| match reply.status {
            200 => "answered".to_owned(),
            _ => reply.code(),
        })
        .collect();
    let count = |code: &str| codes.iter().filter(|found| *found == code).count();
    assert!(
        count("answered") >= 1 && count("host_busy") >= 1,
        "{codes:?}"
    );
    assert_eq!(count("answered") + count("host_busy"), 12, "{codes:?}");
    assert!(most - before < 256 << 20, "{} bytes more", most - before);
    let told = host.api().log("one").join("\n") + &host.api().log("two").join("\n");
    assert!(told.contains("max_memory"), "{told}");
}

/// Cores that an app used with a cap of 0.2, alone on the machine, while it has one request without end.
fn cores_of_capped(guest: &str, first: &str, endless: &str) -> f64 {
    let mut host = Host::start();
    let limits =
        json!({ "cpu_cores": 0.2, "request_cpu_ms": 60_000, "request_timeout_ms": 120_000 });
    let database = json!({ "kind": "new_database" });
    let fields = json!({ "limits": limits, "database": database });
    host.deploy_with(guest, "capped", fields);
    assert_eq!(host.visit("capped", first).send().status, 200);
    let busy = host.visit("capped", endless).begin().unwrap();
    let api = host.api();
    let cpu = || api.stats("capped")["cpu_ms"].as_u64().unwrap();
    std::thread::sleep(Duration::from_millis(500)); // the bucket's first 20 ms are spent
    let (before, start) = (cpu(), Instant::now());
    // A machine that is busy with other things gives it less; it is never more, and never nothing.
    let used = eventually("it goes on", Duration::from_secs(60), || {
        let used = cpu() - before;
        (used >= 400).then_some(used)
    });
    let cores = used as f64 / start.elapsed().as_millis() as f64;
    drop(busy);
    cores
}

#[test]
fn a_hard_cap_holds_an_app_that_is_alone() {
    let cores = cores_of_capped("loop-p2", "/ok", "/");
    assert!(cores < 0.25, "{cores} cores of the 0.2 allowed");
}

#[test]
fn a_hard_cap_holds_for_statements_too() {
    let statement = "/sql?q=WITH%20RECURSIVE%20n(i)%20AS%20(SELECT%201%20UNION%20ALL%20SELECT%20i%2B1%20FROM%20n)%20SELECT%20sum(i)%20FROM%20n";
    let cores = cores_of_capped("capable-p2", "/sql?q=SELECT%201", statement);
    assert!(cores < 0.25, "{cores} cores of the 0.2 allowed");
}

/// What of the CPU a heavy app got beside a light one, by weights 3 : 1, with so many busy requests each.
fn heavy_share(requests: usize) -> f64 {
    // One guest at a time, however many cores there are: both always want the turn.
    let mut host = Config::default()
        .argument("--guest-threads")
        .argument("1")
        .start();
    let apps = [("light", 100), ("heavy", 300)];
    for (app, weight) in apps {
        let limits = json!({ "cpu_weight": weight, "request_cpu_ms": 600_000, "request_timeout_ms": 600_000 });
        host.deploy_with("loop-p2", app, json!({ "limits": limits }));
        assert_eq!(host.visit(app, "/ok").send().status, 200);
    }
    let busy: Vec<_> = apps
        .iter()
        .cycle()
        .take(2 * requests)
        .map(|(app, _)| host.visit(app, "/").begin().unwrap())
        .collect();
    let api = host.api();
    let cpu = |app: &str| api.stats(app)["cpu_ms"].as_u64().unwrap();
    let both = || (cpu("light"), cpu("heavy"));
    eventually("both are at work", Duration::from_secs(30), || {
        let at_work =
            |app: &str| api.stats(app)["in_flight"].as_u64().unwrap() as usize == requests;
        (at_work("light") && at_work("heavy")).then_some(())
    });
    let before = both();
    let share = eventually("they have used a second", Duration::from_secs(60), || {
        let (light, heavy) = both();
        let (light, heavy) = (light - before.0, heavy - before.1);
        (light + heavy >= 1_000).then(|| heavy as f64 / (light + heavy) as f64)
    });
    drop(busy);
    share
}

#[test]
fn weights_divide_the_cpu_between_one_busy_request_each_and_between_many() {
    for requests in [1, 8] {
        let share = heavy_share(requests);
        assert!((0.70..0.80).contains(&share), "{requests} each: {share}");
    }
}
