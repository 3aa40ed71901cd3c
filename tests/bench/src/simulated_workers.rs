//! Many workers and many apps against one real supervisor and one real Redis: how long until all is as it
//! should be after a restart, what commands wait, and what supervisor and Redis are asked and hold. In
//! three sizes, so that it shows how each grows.
//!
//! The workers are simulated: each is a real end of the link (`lodge_bus::WorkerEnd`) with an agent that
//! says what it is told after some milliseconds, all in this process. No app is served.
//!
//! `simulated-workers [WORKERSxAPPS …]`; needs `lodge` (`LODGE_PROGRAM`), `redis-server` and the guest
//! `hello-p2`. `cargo xtask bench --only scale` runs it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a measuring tool: what goes wrong ends it"
)]

#[path = "simulated_workers/agent.rs"]
mod agent;
#[path = "simulated_workers/crowd.rs"]
mod crowd;
#[path = "simulated_workers/meter.rs"]
mod meter;
#[path = "simulated_workers/phases.rs"]
mod phases;
#[path = "simulated_workers/report.rs"]
mod report;

use report::Report;

/// Workers and apps.
const SIZES: [(usize, usize); 3] = [(50, 5_000), (100, 10_000), (200, 20_000)];

fn main() {
    let given: Vec<(usize, usize)> = std::env::args().skip(1).map(|text| size(&text)).collect();
    let sizes = if given.is_empty() {
        SIZES.to_vec()
    } else {
        given
    };
    let mut report = Report::default();
    for (workers, apps) in sizes {
        eprintln!("{workers} workers, {apps} apps");
        report.add(workers, apps, phases::measure(workers, apps));
    }
    report.print();
}

fn size(text: &str) -> (usize, usize) {
    let (workers, apps) = text.split_once('x').expect("WORKERSxAPPS");
    (
        workers.parse().expect("a number"),
        apps.parse().expect("a number"),
    )
}
