//! Connections to workers: kept, bounded, lost; and what is sent again.

use super::{GRACE, Supervisor, Worker, pair, taking_in, target};
use crate::support::{eventually, mirror, running, text, until};
use futures::future::join_all;
use lodge_edge::{Edge, ForwardSettings, Settings};
use lodge_model::BootId;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

#[tokio::test]
async fn requests_one_after_another_share_a_connection() {
    let (supervisor, worker) = pair("shop", mirror()).await;
    let mut socket = supervisor.host.connect().await;
    for n in 0..1000 {
        let body = "x".repeat(n % 7);
        let request = format!(
            "POST /{n} HTTP/1.1\r\nhost: shop.localhost\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        socket.write_all(request.as_bytes()).await.unwrap();
        until(&mut socket, &format!("POST /{n}\n")).await;
    }
    assert_eq!(worker.host.edge.connections(), 1);
}

#[tokio::test]
async fn requests_at_once_have_each_a_connection_and_leave_it_to_others() {
    let slow = running(|_| async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        Ok(text("slow"))
    });
    let (supervisor, worker) = pair("shop", slow).await;
    for _ in 0..5 {
        let answers = (0..64).map(|_| supervisor.host.get("shop.localhost", "/", ""));
        for answer in join_all(answers).await {
            assert!(answer.ends_with("slow"), "{answer}");
        }
        assert!(worker.host.edge.connections() <= 64);
    }
}

#[tokio::test]
async fn connections_to_a_worker_have_a_bound_and_a_timed_queue() {
    let worker = Worker::start("one").await;
    let stuck = worker
        .host
        .app("stuck", running(|_| std::future::pending()));
    worker.host.app("shop", mirror());
    let settings = ForwardSettings {
        connections: 2,
        queue_timeout: Duration::from_millis(100),
        ..ForwardSettings::default()
    };
    let supervisor = Supervisor::with(Settings::default(), settings).await;
    supervisor.app("stuck", vec![worker.target()]);
    supervisor.app("shop", vec![worker.target()]);
    let mut sockets = Vec::new();
    for _ in 0..2 {
        let mut socket = supervisor.host.connect().await;
        let request = b"GET / HTTP/1.1\r\nhost: stuck.localhost\r\n\r\n";
        socket.write_all(request).await.unwrap();
        sockets.push(socket);
    }
    eventually("both are taken", || stuck.snapshot().in_flight == 2).await;
    let answer = supervisor.host.get("shop.localhost", "/", "").await;
    assert!(answer.contains("host_busy"), "{answer}");
    sockets.pop();
    eventually("one is free", || stuck.snapshot().in_flight == 1).await;
    let answer = supervisor.host.get("shop.localhost", "/", "").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(worker.host.edge.connections() <= 2);
}

#[tokio::test]
async fn idle_connections_are_given_up() {
    let worker = Worker::start("one").await;
    worker.host.app("shop", mirror());
    let settings = ForwardSettings {
        idle_timeout: Duration::from_millis(100),
        ..ForwardSettings::default()
    };
    let supervisor = Supervisor::with(Settings::default(), settings).await;
    supervisor.app("shop", vec![worker.target()]);
    for _ in 0..2 {
        supervisor.host.get("shop.localhost", "/", "").await;
        eventually("it is given up", || worker.host.edge.connections() == 0).await;
    }
}

#[tokio::test]
async fn a_worker_that_comes_back_is_another_to_sign_for() {
    let (supervisor, worker) = pair("shop", mirror()).await;
    supervisor.host.get("shop.localhost", "/", "").await;
    worker.host.stop.cancel();
    worker.host.serving.await.unwrap();
    let answer = supervisor.host.get("shop.localhost", "/", "").await;
    assert!(answer.contains("environment_lost"), "{answer}");
    // The same address, another run.
    let listener = TcpListener::bind(worker.host.at).await.unwrap();
    let boot = BootId::random().unwrap();
    let settings = taking_in(boot, Settings::default());
    let edge = Edge::new(settings, worker.host.routes.clone(), Arc::new(Nobody));
    tokio::spawn(edge.serve(listener, CancellationToken::new(), GRACE));
    let answer = supervisor.host.get("shop.localhost", "/", "").await;
    assert!(
        answer.starts_with("HTTP/1.1 503") && answer.contains("environment_lost"),
        "what is signed for the former run counts no more: {answer}"
    );
    supervisor.app("shop", vec![target("one", worker.host.at, boot)]);
    let answer = supervisor.host.get("shop.localhost", "/x", "").await;
    assert!(answer.contains("GET /x\n"), "{answer}");
}

struct Nobody;

impl lodge_model::Activator for Nobody {
    fn activate(
        &self,
        _: &lodge_model::AppId,
        _: lodge_model::RequestId,
    ) -> futures::future::BoxFuture<
        'static,
        Result<Arc<dyn lodge_model::Endpoint>, lodge_model::Failure>,
    > {
        Box::pin(async { Err(lodge_model::FailureKind::AppFailed.into()) })
    }

    fn key_set(&self, _: &lodge_model::AppId) -> Option<String> {
        None
    }
}

/// A server that counts requests: answers the first of each connection if `polite`, and ends it at the
/// next after reading it.
async fn rude(polite: bool, said: &'static str) -> (std::net::SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    let seen = Arc::new(AtomicUsize::new(0));
    let counter = seen.clone();
    tokio::spawn(async move {
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            let counter = counter.clone();
            tokio::spawn(async move {
                let mut polite = polite;
                let mut buffer = [0; 4096];
                while socket.read(&mut buffer).await.is_ok_and(|n| n > 0) {
                    counter.fetch_add(1, SeqCst);
                    if !std::mem::take(&mut polite) {
                        let _ = socket.write_all(said.as_bytes()).await;
                        return;
                    }
                    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
                    socket.write_all(answer).await.unwrap();
                }
            });
        }
    });
    (at, seen)
}

fn post(app: &str) -> String {
    format!(
        "POST / HTTP/1.1\r\nhost: {app}.localhost\r\nconnection: close\r\ncontent-length: 1\r\n\r\nx"
    )
}

#[tokio::test]
async fn a_get_is_sent_again_when_a_kept_connection_ends_and_a_post_is_not() {
    let (at, seen) = rude(true, "").await;
    let supervisor = Supervisor::start().await;
    supervisor.app("shop", vec![target("one", at, BootId([1; 16]))]);
    for _ in 0..3 {
        // The second and third go by a kept connection first.
        let answer = supervisor.host.get("shop.localhost", "/", "").await;
        assert!(answer.ends_with("ok"), "{answer}");
    }
    assert_eq!(seen.load(SeqCst), 5);
    let answer = supervisor.host.send(post("shop")).await;
    assert!(
        answer.starts_with("HTTP/1.1 502") && answer.contains("bad_gateway"),
        "{answer}"
    );
    assert_eq!(seen.load(SeqCst), 6);
}

#[tokio::test]
async fn a_kept_connection_that_was_closed_costs_no_request() {
    let worker = Worker::start("one").await;
    worker.host.app("shop", mirror());
    let supervisor = Supervisor::start().await;
    supervisor.app("shop", vec![worker.target()]);
    supervisor.host.get("shop.localhost", "/", "").await;
    worker.host.stop.cancel();
    worker.host.serving.await.unwrap();
    // The same run listens again: only its connections were lost.
    let listener = TcpListener::bind(worker.host.at).await.unwrap();
    let settings = taking_in(worker.boot, Settings::default());
    let edge = Edge::new(settings, worker.host.routes.clone(), Arc::new(Nobody));
    tokio::spawn(edge.serve(listener, CancellationToken::new(), GRACE));
    // Nothing of it was sent, so even a POST goes by a new one.
    let answer = supervisor.host.send(post("shop")).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test]
async fn what_a_broken_worker_got_is_tried_elsewhere_only_if_it_is_harmless() {
    let (at, seen) = rude(false, "").await;
    let (cut, cut_seen) = rude(false, "HTTP/1.1 200 O").await;
    let worker = Worker::start("two").await;
    let apps = ["shop", "half"];
    let supervisor = Supervisor::start().await;
    for (app, bad) in apps.into_iter().zip([at, cut]) {
        worker.host.app(app, mirror());
        let one = target("one", bad, BootId([1; 16]));
        supervisor.app(app, vec![one, worker.target()]);
    }
    let sticky = "accept: text/html\r\ncookie: lodge_affinity=one\r\n";
    let answer = supervisor.host.get("shop.localhost", "/x", sticky).await;
    assert!(answer.contains("GET /x\n"), "{answer}");
    assert_eq!(seen.load(SeqCst), 1);
    // A byte of an answer came: it is not sent again.
    let answer = supervisor.host.get("half.localhost", "/x", sticky).await;
    assert!(answer.starts_with("HTTP/1.1 502"), "{answer}");
    assert_eq!(cut_seen.load(SeqCst), 1);
    let posted = post("shop").replace("connection", "cookie: lodge_affinity=one\r\nconnection");
    let answer = supervisor.host.send(posted).await;
    assert!(answer.starts_with("HTTP/1.1 502"), "{answer}");
    assert_eq!(seen.load(SeqCst), 2);
}

#[tokio::test]
async fn a_request_that_ends_its_worker_does_not_end_them_all() {
    let mut targets = Vec::new();
    let mut counters = Vec::new();
    for name in ["one", "two", "three"] {
        let (at, seen) = rude(false, "").await;
        targets.push(target(name, at, BootId([1; 16])));
        counters.push(seen);
    }
    let supervisor = Supervisor::start().await;
    supervisor.app("shop", targets);
    let answer = supervisor.host.get("shop.localhost", "/", "").await;
    assert!(answer.starts_with("HTTP/1.1 502"), "{answer}");
    let seen: usize = counters.iter().map(|seen| seen.load(SeqCst)).sum();
    assert_eq!(seen, 2);
}
