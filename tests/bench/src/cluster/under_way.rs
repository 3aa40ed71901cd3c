//! Apps in two environments of which one is killed under load: which requests fail.
//!
//! Three kinds: a GET, which may be sent again as long as nothing of its answer came; a POST, which may
//! not, once it was sent; and an answer of 100 ms whose beginning has been sent on.

use lodge_bench::figures::Figures;
use lodge_harness::{Cluster, Visit};
use serde_json::json;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

const TIMES: usize = 5;
const CLIENTS: usize = 12;
const BEFORE: Duration = Duration::from_secs(1);
const AFTER: Duration = Duration::from_secs(2);
const BOTH: [&str; 2] = ["env_a", "env_b"];

#[derive(Clone, Copy)]
enum Kind {
    Get,
    Post,
    Stream,
}

const KINDS: [(Kind, &str); 3] = [
    (Kind::Get, "GET, answered at once"),
    (Kind::Post, "POST, answered at once"),
    (Kind::Stream, "GET, an answer of 100 ms"),
];

/// One request: when it began and ended, and whether it was answered whole.
struct Done {
    begin: Instant,
    end: Instant,
    good: bool,
}

pub(crate) fn measure(cluster: &mut Cluster) {
    for (guest, app) in [("hello-p2", "both"), ("sse-p3", "streams")] {
        let fields = json!({
            "environments": BOTH, "start_mode": "with_host", "desired": "running",
        });
        cluster.supervisor.deploy_with(guest, app, fields);
        cluster.until_observed(app, &BOTH.map(|name| (name, "running")));
    }
    println!(
        "\nAn app in two environments, `kill -9` of one, {CLIENTS} clients, {TIMES} times each\n\n\
         | requests | under way at the kill | of them failed | failed later | slowest ms |\n\
         | --- | --- | --- | --- | --- |"
    );
    for (kind, name) in KINDS {
        let (mut under_way, mut failed, mut later) = (0, 0, 0);
        let mut slowest = Figures::default();
        for time in 0..TIMES {
            let (killed, all) = kill_under_load(cluster, kind, BOTH[time % 2]);
            for done in all.iter().filter(|done| done.end >= killed) {
                let was = done.begin <= killed;
                under_way += usize::from(was);
                failed += usize::from(was && !done.good);
                later += usize::from(!was && !done.good);
                slowest.add_time(done.end - done.begin);
            }
        }
        println!(
            "| {name} | {under_way} | {failed} | {later} | {:.0} |",
            slowest.largest()
        );
    }
}

fn kill_under_load(cluster: &mut Cluster, kind: Kind, place: &str) -> (Instant, Vec<Done>) {
    let stop = Arc::new(AtomicBool::new(false));
    let at = cluster.supervisor.apps;
    let clients: Vec<JoinHandle<Vec<Done>>> = (0..CLIENTS)
        .map(|_| {
            let stop = stop.clone();
            std::thread::spawn(move || visit_until(kind, at, &stop))
        })
        .collect();
    std::thread::park_timeout(BEFORE);
    let killed = Instant::now();
    cluster.at(place).kill();
    std::thread::park_timeout(AFTER);
    stop.store(true, Relaxed);
    let all = clients
        .into_iter()
        .flat_map(|client| client.join().unwrap());
    let all = all.collect();
    cluster.at(place).start_again();
    cluster.until_environment(place, "online");
    for app in ["both", "streams"] {
        cluster.until_observed(app, &BOTH.map(|name| (name, "running")));
    }
    (killed, all)
}

fn visit_until(kind: Kind, at: SocketAddr, stop: &AtomicBool) -> Vec<Done> {
    let visit = match kind {
        Kind::Get => Visit::new(at, "both.localhost", "/"),
        Kind::Post => Visit::new(at, "both.localhost", "/").post("x"),
        Kind::Stream => Visit::new(at, "streams.localhost", "/?n=5&ms=20"),
    };
    // As a browser says it: those are spread over the workers.
    let visit = visit.header("accept", "text/html");
    let mut all = Vec::new();
    while !stop.load(Relaxed) {
        let begin = Instant::now();
        let reply = visit.try_send();
        all.push(Done {
            begin,
            end: Instant::now(),
            good: reply.is_ok_and(|reply| reply.status == 200 && reply.whole),
        });
    }
    all
}
