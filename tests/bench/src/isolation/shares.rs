//! What greedy apps get of the CPU: caps, equal shares, weights, all of it when alone; and whether what is charged to
//! apps adds up to what the process used.

use crate::visitors::{Crowd, Place};
use lodge_bench::figures::verdict;
use lodge_bench::process::{cpu, cpu_of_thread};
use lodge_harness::{Api, Host, eventually};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

/// Requests of each greedy app at once.
const GREEDY: usize = 8;
/// Until shares are what they come to be.
const WARM_UP: Duration = Duration::from_secs(1);

pub(crate) fn measure(seconds: u64) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let time = Duration::from_secs(seconds * 2);
    println!(
        "What greedy apps got of the CPU, in cores, over {} s:\n",
        time.as_secs()
    );
    println!(
        "| apps | wanted | got | off by | aim | charged of what the process used | without its clock |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    let cap = |cores: f64| json!({ "cpu_cores": cores });
    for cores in [0.25, 0.5, 1.0] {
        let got = share(&runtime, &[("capped", cap(cores))], time);
        row(&format!("a cap of {cores}"), &[cores], &got, Some(0.05));
    }
    let got = share(&runtime, &[("one", json!({})), ("two", json!({}))], time);
    let half = got.cores.iter().sum::<f64>() / 2.0;
    row("two that are equal", &[half, half], &got, Some(0.05));
    let weight = |weight: u32| json!({ "cpu_weight": weight });
    let got = share(
        &runtime,
        &[("light", weight(100)), ("heavy", weight(300))],
        time,
    );
    let all = got.cores.iter().sum::<f64>();
    row(
        "weights 1 : 3",
        &[all / 4.0, all * 3.0 / 4.0],
        &got,
        Some(0.10),
    );
    let before = whole_machine(time / 2);
    let got = share(&runtime, &[("alone", json!({}))], time);
    let machine = f64::midpoint(before, whole_machine(time / 2));
    row("one alone", &[machine], &got, Some(0.10));
    println!();
}

/// What as many native threads as there are cores get of them: a virtual machine's may be less than whole.
fn whole_machine(time: Duration) -> f64 {
    let start = Instant::now();
    let me = std::process::id();
    let before = cpu(me);
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().unwrap().get() {
            scope.spawn(|| while start.elapsed() < time {});
        }
    });
    (cpu(me) - before).as_secs_f64() / start.elapsed().as_secs_f64()
}

/// What apps got.
struct Got {
    cores: Vec<f64>,
    /// What all of them were charged, of the CPU that the process used.
    charged: f64,
    /// The same, the thread left out that ends guests' turns: a thousand times a second, however much they do.
    charged_without_clock: f64,
}

fn share(runtime: &Runtime, apps: &[(&'static str, Value)], time: Duration) -> Got {
    let mut host = Host::start();
    for (app, limits) in apps {
        let mut limits = limits.clone();
        limits["request_cpu_ms"] = json!(600_000);
        limits["request_timeout_ms"] = json!(600_000);
        host.deploy_with("loop-p2", app, json!({ "limits": limits }));
        assert_eq!(host.visit(app, "/ok").send().status, 200);
    }
    let api = host.api();
    let _guard = runtime.enter();
    let crowds: Vec<_> = apps
        .iter()
        .map(|(app, _)| Crowd::at_once(&Place::new(host.apps, app, "/"), GREEDY))
        .collect();
    for (app, _) in apps {
        eventually("it is at work", Duration::from_secs(30), || {
            (api.stats(app)["in_flight"].as_u64()? as usize >= GREEDY).then_some(())
        });
    }
    std::thread::sleep(WARM_UP);
    let clock = || cpu_of_thread(host.pid(), "lodge-epoch");
    let (before, process, start) = (charged(&api, apps), cpu(host.pid()), Instant::now());
    let clock_before = clock();
    std::thread::sleep(time);
    let (after, process, took) = (
        charged(&api, apps),
        cpu(host.pid()) - process,
        start.elapsed(),
    );
    let clock = clock() - clock_before;
    drop(crowds);
    let used: Vec<f64> = after
        .iter()
        .zip(before)
        .map(|(after, before)| after - before)
        .collect();
    let sum: f64 = used.iter().sum();
    Got {
        charged: sum / process.as_secs_f64(),
        charged_without_clock: sum / (process - clock).as_secs_f64(),
        cores: used.iter().map(|used| used / took.as_secs_f64()).collect(),
    }
}

/// Seconds of CPU that each was charged so far.
fn charged(api: &Api, apps: &[(&'static str, Value)]) -> Vec<f64> {
    apps.iter()
        .map(|(app, _)| api.stats(app)["cpu_ms"].as_u64().unwrap() as f64 / 1e3)
        .collect()
}

fn row(what: &str, wanted: &[f64], got: &Got, aim: Option<f64>) {
    let list = |figures: &[f64]| {
        let texts: Vec<_> = figures
            .iter()
            .map(|figure| format!("{figure:.3}"))
            .collect();
        texts.join(", ")
    };
    let off = wanted
        .iter()
        .zip(&got.cores)
        .map(|(wanted, got)| (got / wanted - 1.0).abs())
        .fold(0.0, f64::max);
    let aim = aim.map_or("-".to_owned(), |aim| {
        format!("{:.0} %: {}", aim * 100.0, verdict(off <= aim))
    });
    println!(
        "| {what} | {} | {} | {:.1} % | {aim} | {:.3} | {:.3} |",
        list(wanted),
        list(&got.cores),
        off * 100.0,
        got.charged,
        got.charged_without_clock,
    );
}
