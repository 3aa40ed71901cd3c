//! What tests share: real servers, started and ended by the tests themselves.
//!
//! [`Host`] is the real `lodge` program with a data directory and ports of its own; [`Api`] is its
//! admin API, [`Reply`] what a visitor gets. What goes wrong in here ends the test that asked for it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a harness of tests: to fail is to panic, and its threads are its own to put to sleep"
)]

mod api;
mod cluster;
mod guests;
mod host;
mod made;
pub mod mariadb;
mod network;
pub mod postgres;
mod proxy;
pub mod redis;
pub mod s3;
mod sealer;
mod server;
mod visit;

pub use api::{Answer, Api};
pub use cluster::{Cluster, ClusterConfig};
pub use guests::{guest, guest_names};
pub use host::{ANY_PORT, Config, DataDir, EMAIL, Host, PASSWORD, program};
pub use made::{component, distinct, slow_component};
pub use network::{Network, Party};
pub use proxy::{Proxy, Wire};
pub use sealer::TestSealer;
pub use server::free_port;
pub use visit::{Reply, Visit};

use std::time::{Duration, Instant};

/// Waits until `check` gives something; asks every 10 ms.
///
/// # Panics
/// It has not within `patience`.
pub fn eventually<T>(what: &str, patience: Duration, mut check: impl FnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(found) = check() {
            return found;
        }
        assert!(
            begin.elapsed() < patience,
            "not within {patience:?}: {what}"
        );
        std::thread::sleep(Duration::from_millis(10));
    }
}
