//! What several environments cost: a supervisor and its workers with a real Redis between them, all on
//! this machine. Requests through the supervisor's proxy beside requests to the worker itself, commands
//! and first visits across Redis, and what visitors notice of a worker that is killed.
//!
//! `cluster [ROUNDS] [SECONDS]`; needs `lodge` (`LODGE_PROGRAM`), `wrk`, `redis-server` and the guests.
//! `cargo xtask bench --only cluster` runs it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a measuring tool: what goes wrong ends it"
)]

#[path = "cluster/failover.rs"]
mod failover;
#[path = "cluster/proxy.rs"]
mod proxy;
#[path = "cluster/starts.rs"]
mod starts;
#[path = "cluster/under_way.rs"]
mod under_way;

use lodge_harness::Cluster;

fn main() {
    let number = |at: usize, default: u64| {
        let given = std::env::args().nth(at);
        given.map_or(default, |text| text.parse().expect("a number"))
    };
    let (rounds, seconds) = (number(1, 5), number(2, 5));
    let mut cluster = Cluster::start(&["env_a"]);
    starts::measure(&mut cluster);
    cluster.add("env_b");
    cluster.until_environment("env_b", "online");
    failover::measure(&mut cluster);
    under_way::measure(&mut cluster);
    proxy::measure(&mut cluster, rounds, seconds);
}
