//! From a command to a running app, and from a first visit to its answer, across Redis.

use lodge_bench::figures::{Figures, verdict};
use lodge_harness::{Cluster, Visit};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const TIMES: usize = 50;
const AIM_MS: f64 = 20.0;
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn measure(cluster: &mut Cluster) {
    println!(
        "\nAcross Redis, a compiled component, {TIMES} times each\n\n\
         | what | median ms | p95 ms | aim |\n| --- | --- | --- | --- |"
    );
    commands(cluster);
    first_visits(cluster, true);
    first_visits(cluster, false);
}

fn commands(cluster: &mut Cluster) {
    let fields = json!({ "environments": ["env_a"], "start_mode": "with_host" });
    cluster
        .supervisor
        .deploy_with("hello-p2", "commanded", fields);
    let api = cluster.api();
    let (mut accepted, mut running, mut ended) =
        (Figures::default(), Figures::default(), Figures::default());
    // The first compiles it there.
    api.act("commanded", "start");
    for _ in 0..TIMES {
        api.act("commanded", "stop");
        let begin = Instant::now();
        let answer = api
            .post("/api/apps/commanded/start", &Value::Null)
            .expect(202);
        accepted.add_time(begin.elapsed());
        while api.status("commanded") != "running" {
            assert!(begin.elapsed() < PATIENCE, "it does not start");
        }
        running.add_time(begin.elapsed());
        let id = answer["operation"]["id"].as_str().unwrap();
        let path = format!("/api/operations/{id}?wait_ms=10000");
        assert_eq!(api.get(&path).expect(200)["status"], "succeeded");
        ended.add_time(begin.elapsed());
    }
    row(
        "`POST …/start` until it is accepted (written down)",
        &accepted,
        None,
    );
    row(
        "until the supervisor sees it running",
        &running,
        Some(AIM_MS),
    );
    row("until its operation has ended (written down)", &ended, None);
}

fn first_visits(cluster: &mut Cluster, through: bool) {
    let name = |at: usize| format!("first-{}-{at}", if through { "p" } else { "d" });
    for at in 0..TIMES {
        let fields = json!({ "environments": ["env_a"] });
        cluster
            .supervisor
            .deploy_with("hello-p2", &name(at), fields);
    }
    for at in 0..TIMES {
        cluster.until_observed(&name(at), &[("env_a", "waiting")]);
    }
    let at = if through {
        cluster.supervisor.apps
    } else {
        cluster.at("env_a").apps
    };
    let mut times = Figures::default();
    for app in 0..TIMES {
        let visit = Visit::new(at, &format!("{}.localhost", name(app)), "/");
        let begin = Instant::now();
        let reply = visit.send();
        times.add_time(begin.elapsed());
        assert_eq!(reply.status, 200, "{}", reply.text());
    }
    let what = if through {
        "first visit of a waiting app, through the proxy"
    } else {
        "first visit of a waiting app, at the worker itself"
    };
    row(what, &times, None);
}

fn row(what: &str, times: &Figures, aim: Option<f64>) {
    let median = times.median();
    let aim = aim.map_or("–".to_owned(), |aim| {
        format!("{aim:.0} ({})", verdict(median < aim))
    });
    println!(
        "| {what} | {median:.2} | {:.2} | {aim} |",
        times.percentile(95)
    );
}
