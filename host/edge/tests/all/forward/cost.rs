//! What the second machine adds, on one: both edges, the app and the visitor in one process.

use super::pair;
use crate::support::{Host, running, text, until};
use futures::future::join_all;
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

/// What requests cost.
#[derive(Default)]
struct Cost {
    times: Vec<Duration>,
    /// The processors' time of a request, all sides together.
    cpu: Vec<Duration>,
}

impl Cost {
    /// Adds that of some requests over so many connections.
    async fn add(&mut self, host: &Host, at_once: usize) {
        let mut sockets = Vec::new();
        for _ in 0..at_once {
            sockets.push(host.connect().await);
        }
        let before = cpu_time();
        let visits = sockets.into_iter().map(|mut socket| {
            tokio::spawn(async move {
                let mut times = Vec::with_capacity(EACH);
                for _ in 0..EACH {
                    times.push(one(&mut socket).await);
                }
                times
            })
        });
        for times in join_all(visits).await {
            self.times.extend(times.unwrap());
        }
        self.cpu
            .push((cpu_time() - before) / (at_once * EACH) as u32);
    }
}

fn cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.try_into().unwrap()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// The medians of a request straight to the worker and through the supervisor, in turns:
/// `cargo test --release -p lodge-edge -- --ignored --nocapture what_the_hop_adds`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn what_the_hop_adds() {
    let hello = running(|_| async { Ok(text("Hello, world!")) });
    let (supervisor, worker) = pair("shop", hello).await;
    for at_once in [1, 16] {
        let (mut direct, mut through) = (Cost::default(), Cost::default());
        for _ in 0..ROUNDS {
            direct.add(&worker.host, at_once).await;
            through.add(&supervisor.host, at_once).await;
        }
        for (what, direct, through) in [
            ("time", direct.times, through.times),
            ("processors", direct.cpu, through.cpu),
        ] {
            let (direct, through) = (median(direct), median(through));
            let added = through.saturating_sub(direct);
            println!(
                "{at_once} at once, {what}: direct {direct:?}, through the supervisor {through:?}: {added:?} added"
            );
        }
    }
}
