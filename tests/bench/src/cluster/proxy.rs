//! Requests through the supervisor's proxy beside requests to the worker itself.
//!
//! On a machine of few cores both processes and the load share them, which no cluster's do. So there is a
//! second kind of row: the worker has one core for itself, and the load and the supervisor another. What
//! does not depend on the machine is the CPU time that a request costs each of them.

use lodge_bench::figures::{Figures, verdict};
use lodge_bench::load::{Load, Measured};
use lodge_bench::process;
use lodge_harness::Cluster;
use serde_json::json;
use std::time::Duration;

/// Share of the direct rate that is aimed at, and the delay at the median.
const AIM_SHARE: f64 = 0.7;
const AIM_ADDED_MS: f64 = 0.3;

/// The guests: as little work as there is, by an instance for each request, and by one for many. Whatever
/// an app does itself makes the proxy's share smaller.
const GUESTS: [(&str, &str); 2] = [("hello-p2", "fresh"), ("hello-p3", "shared")];

/// What was measured of one way.
#[derive(Default)]
struct Way {
    per_second: Figures,
    p50: Figures,
    p99: Figures,
    worker_us: Figures,
    supervisor_us: Figures,
}

struct Bench<'a> {
    cluster: &'a mut Cluster,
    app: &'static str,
    connections: u32,
    apart: bool,
    seconds: u64,
}

pub(crate) fn measure(cluster: &mut Cluster, rounds: u64, seconds: u64) {
    for (guest, app) in GUESTS {
        let fields = json!({
            "environments": ["env_a"], "start_mode": "with_host", "desired": "running",
        });
        cluster.supervisor.deploy_with(guest, app, fields);
        cluster.until_observed(app, &[("env_a", "running")]);
    }
    println!(
        "\nThrough the supervisor's proxy beside the worker itself, {rounds} rounds of {seconds} s\n\n\
         | app | connections | cores | direct req/s | proxied req/s | of direct (aim {AIM_SHARE}) | \
         direct p50 ms | added p50 ms (aim {AIM_ADDED_MS}) | direct p99 ms | added p99 ms | CPU a request, µs: worker | \
         worker, proxied | supervisor |\n\
         | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"
    );
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    for (_, app) in GUESTS {
        for connections in [1, 32] {
            for apart in [false, true] {
                if apart && cores < 2 {
                    continue;
                }
                let mut bench = Bench {
                    cluster: &mut *cluster,
                    app,
                    connections,
                    apart,
                    seconds,
                };
                bench.compare(rounds);
            }
        }
    }
    pin(cluster, &all(cores), &all(cores));
}

fn all(cores: usize) -> String {
    format!("0-{}", cores.saturating_sub(1))
}

fn pin(cluster: &mut Cluster, supervisor: &str, worker: &str) {
    process::pin(cluster.supervisor.pid(), supervisor);
    process::pin(cluster.at("env_a").pid(), worker);
}

impl Bench<'_> {
    fn compare(&mut self, rounds: u64) {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        if self.apart {
            pin(self.cluster, "0", "1");
        } else {
            pin(self.cluster, &all(cores), &all(cores));
        }
        let (mut direct, mut proxied) = (Way::default(), Way::default());
        for _ in 0..rounds {
            self.round(false, &mut direct);
            self.round(true, &mut proxied);
        }
        self.print(&direct, &proxied);
    }

    fn round(&mut self, through: bool, way: &mut Way) {
        let worker = self.cluster.at("env_a");
        let (worker, at) = (worker.pid(), worker.apps);
        let supervisor = self.cluster.supervisor.pid();
        let at = if through {
            self.cluster.supervisor.apps
        } else {
            at
        };
        let load = Load {
            url: format!("http://{at}/"),
            host: format!("{}.localhost", self.app),
            connections: self.connections,
            core: self.apart.then(|| "0".to_owned()),
        };
        load.run(1);
        let before = (process::cpu(worker), process::cpu(supervisor));
        let measured = load.run(self.seconds);
        let after = (process::cpu(worker), process::cpu(supervisor));
        way.add(measured, after.0 - before.0, after.1 - before.1);
    }

    fn print(&self, direct: &Way, proxied: &Way) {
        let share = proxied.per_second.median() / direct.per_second.median();
        let added = proxied.p50.median() - direct.p50.median();
        println!(
            "| {} | {} | {} | {:.0} | {:.0} | {share:.2} ({}) | {:.3} | {added:.3} ({}) | {:.2} | {:.2} | {:.1} | {:.1} | {:.1} |",
            self.app,
            self.connections,
            if self.apart { "apart" } else { "shared" },
            direct.per_second.median(),
            proxied.per_second.median(),
            verdict(share >= AIM_SHARE),
            direct.p50.median(),
            verdict(added < AIM_ADDED_MS),
            direct.p99.median(),
            proxied.p99.median() - direct.p99.median(),
            direct.worker_us.median(),
            proxied.worker_us.median(),
            proxied.supervisor_us.median(),
        );
    }
}

impl Way {
    fn add(&mut self, measured: Measured, worker: Duration, supervisor: Duration) {
        self.per_second.add(measured.per_second);
        self.p50.add(measured.p50_ms);
        self.p99.add(measured.p99_ms);
        let each = |time: Duration| time.as_secs_f64() * 1e6 / measured.requests.max(1.0);
        self.worker_us.add(each(worker));
        self.supervisor_us.add(each(supervisor));
    }
}
