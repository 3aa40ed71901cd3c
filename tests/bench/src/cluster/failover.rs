//! An app with failover whose worker is killed: how long until another one answers.
//!
//! Most of it is the waiting for heartbeats that do not come: three of them, and up to a second until
//! somebody looks. What is Lodge's own work is what follows.

use lodge_bench::figures::Figures;
use lodge_harness::{Api, Cluster};
use serde_json::json;
use std::time::{Duration, Instant};

const TIMES: u32 = 6;
const APP: &str = "moves";
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(2);

pub(crate) fn measure(cluster: &mut Cluster) {
    let fields = json!({
        "environments": ["env_a"], "start_mode": "with_host", "desired": "running", "failover": true,
    });
    cluster.supervisor.deploy_with("hello-p2", APP, fields);
    cluster.until_observed(APP, &[("env_a", "running")]);
    let (mut lost, mut answered, mut work) =
        (Figures::default(), Figures::default(), Figures::default());
    for time in 0..TIMES {
        // At another moment between two heartbeats each time.
        std::thread::park_timeout(Duration::from_millis(u64::from(time) * 170));
        let api = cluster.api();
        let app = api.app(APP);
        let place = app["environments"][0].as_str().unwrap().to_owned();
        let begin = Instant::now();
        cluster.at(&place).kill();
        let (until_lost, until_answered) = wait(cluster, &api, &place, begin);
        lost.add_time(until_lost);
        answered.add_time(until_answered);
        work.add_time(until_answered.saturating_sub(until_lost));
        cluster.at(&place).start_again();
        cluster.until_environment(&place, "online");
    }
    println!(
        "\nFailover: `kill -9` of the worker, heartbeat 1 s, {TIMES} times\n\n\
         | what | median ms | longest ms |\n| --- | --- | --- |"
    );
    let row = |what: &str, times: &Figures| {
        println!(
            "| {what} | {:.0} | {:.0} |",
            times.median(),
            times.largest()
        );
    };
    row(
        "until the worker is held for lost (3 heartbeats, looked for each second)",
        &lost,
    );
    row("from then until a visit is answered by the other", &work);
    row("together", &answered);
}

fn wait(cluster: &Cluster, api: &Api, place: &str, begin: Instant) -> (Duration, Duration) {
    let mut lost = None;
    loop {
        if lost.is_none() && is_lost(api, place) {
            lost = Some(begin.elapsed());
        }
        let answered = cluster.visit(APP, "/").try_send();
        if answered.is_ok_and(|reply| reply.status == 200) {
            let took = begin.elapsed();
            return (lost.unwrap_or(took), took);
        }
        assert!(begin.elapsed() < PATIENCE, "it does not move");
        std::thread::park_timeout(PAUSE);
    }
}

fn is_lost(api: &Api, place: &str) -> bool {
    let environment = api.get(&format!("/api/environments/{place}")).expect(200);
    environment["status"] == "lost"
}
