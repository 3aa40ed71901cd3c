//! What the second machine adds, on one: both edges, the app and the visitor in one process.

use super::pair;
use crate::support::{Host, running, text, until};
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

const ROUNDS: usize = 20;
const EACH: usize = 500;

async fn one(socket: &mut TcpStream) -> Duration {
    let begin = Instant::now();
    let request = b"GET / HTTP/1.1\r\nhost: shop.localhost\r\n\r\n";
    socket.write_all(request).await.unwrap();
    until(socket, "Hello, world!").await;
    begin.elapsed()
}

async fn some(host: &Host, into: &mut Vec<Duration>) {
    let mut socket = host.connect().await;
    for _ in 0..EACH {
        into.push(one(&mut socket).await);
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// The median of a request straight to the worker and through the supervisor, in turns:
/// `cargo test --release -p lodge-edge -- --ignored --nocapture what_the_hop_adds`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn what_the_hop_adds() {
    let hello = running(|_| async { Ok(text("Hello, world!")) });
    let (supervisor, worker) = pair("shop", hello).await;
    let (mut direct, mut through) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        some(&worker.host, &mut direct).await;
        some(&supervisor.host, &mut through).await;
    }
    let (direct, through) = (median(direct), median(through));
    let added = through.saturating_sub(direct);
    println!("direct {direct:?}, through the supervisor {through:?}: {added:?} added");
}
