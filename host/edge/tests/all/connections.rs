//! Connections: good ones, slow ones, broken ones, too many.

use crate::support::{Host, eventually, mirror, rest, running, text, until};
use lodge_edge::{Drained, Settings};
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt;

const SHORT: Duration = Duration::from_millis(300);

#[tokio::test]
async fn a_connection_serves_many_requests_sent_ahead_too() {
    let host = Host::start().await;
    host.app("shop", mirror());
    let mut socket = host.connect().await;
    for n in 0..3 {
        socket
            .write_all(format!("GET /{n} HTTP/1.1\r\nhost: shop.localhost\r\n\r\n").as_bytes())
            .await
            .unwrap();
        until(&mut socket, &format!("GET /{n}\n")).await;
    }
    let ahead: String = (10..20)
        .map(|n| format!("GET /{n} HTTP/1.1\r\nhost: shop.localhost\r\n\r\n"))
        .collect();
    socket.write_all(ahead.as_bytes()).await.unwrap();
    let answers = until(&mut socket, "GET /19\n").await;
    let order: Vec<_> = answers
        .match_indices("GET /1")
        .map(|(at, _)| &answers[at + 6..at + 7])
        .collect();
    assert_eq!(order.concat(), "0123456789");
    assert_eq!(host.edge.connections(), 1);
}

#[tokio::test]
async fn slow_heads_and_idle_connections_are_closed() {
    let settings = Settings {
        head_timeout: SHORT,
        idle_timeout: SHORT,
        ..Settings::default()
    };
    let host = Host::with(settings, SHORT).await;
    host.app("shop", mirror());
    let begin = Instant::now();
    let mut silent = host.connect().await;
    assert_eq!(rest(&mut silent).await, "");
    assert!(begin.elapsed() >= SHORT);
    // A byte now and then is no excuse.
    let mut dripping = host.connect().await;
    let begin = Instant::now();
    for byte in "GET / HTTP/1.1\r\nhost: shop.localhost\r\nx-a: b".bytes() {
        if dripping.write_all(&[byte]).await.is_err() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(begin.elapsed() < 6 * SHORT, "cut off while dripping");
    let mut idle = host.connect().await;
    idle.write_all(b"GET / HTTP/1.1\r\nhost: shop.localhost\r\n\r\n")
        .await
        .unwrap();
    assert!(
        rest(&mut idle).await.starts_with("HTTP/1.1 200"),
        "closed by the edge after a while"
    );
    eventually("all are gone", || host.edge.connections() == 0).await;
}

#[tokio::test]
async fn a_slow_guest_is_no_idle_connection() {
    let settings = Settings {
        head_timeout: SHORT,
        idle_timeout: SHORT,
        stall_timeout: SHORT,
        ..Settings::default()
    };
    let host = Host::with(settings, SHORT).await;
    host.app(
        "shop",
        running(|_| async {
            tokio::time::sleep(4 * SHORT).await;
            Ok(text("thought about it"))
        }),
    );
    assert!(
        host.get("shop.localhost", "/", "")
            .await
            .ends_with("thought about it")
    );
}

#[tokio::test]
async fn oversized_heads_are_refused() {
    let host = Host::start().await;
    host.app("shop", mirror());
    let long = "x".repeat(60 * 1024);
    let answer = host
        .get("shop.localhost", "/", &format!("x-long: {long}\r\n"))
        .await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{}", &answer[..100]);
    let long = "x".repeat(80 * 1024);
    let answer = host
        .get("shop.localhost", "/", &format!("x-long: {long}\r\n"))
        .await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    let many: String = (0..101).map(|n| format!("x-{n}: y\r\n")).collect();
    let answer = host.get("shop.localhost", "/", &many).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
}

#[tokio::test]
async fn ambiguous_messages_are_refused_or_close_the_connection() {
    let host = Host::start().await;
    let meter = host.app("shop", mirror());
    let smuggled = "GET /smuggled HTTP/1.1\r\nhost: shop.localhost\r\n\r\n";
    for framing in [
        "content-length: 4\r\ncontent-length: 5\r\n",
        "content-length: +4\r\n",
        "content-length: 4, 4\r\n",
        "transfer-encoding: identity\r\n",
        "transfer-encoding: chunked, identity\r\n",
        "transfer-encoding : chunked\r\n",
        "content-length: 4\r\n x: folded\r\n",
        "content-length: 4\r\ntransfer-encoding: chunked\r\n",
    ] {
        let request =
            format!("POST / HTTP/1.1\r\nhost: shop.localhost\r\n{framing}\r\n0\r\n\r\n{smuggled}");
        let answer = host.send(request).await;
        assert!(!answer.contains("GET /smuggled"), "{framing}{answer}");
    }
    assert!(
        host.send("\x16\x03\x01\x02\x00\x01")
            .await
            .starts_with("HTTP/1.1 400"),
        "TLS on a plain port"
    );
    assert!(meter.snapshot().answered <= 1);
}

#[tokio::test]
async fn a_client_that_half_closes_counts_as_gone() {
    let host = Host::start().await;
    let meter = host.app("shop", running(|_| std::future::pending()));
    let mut socket = host.connect().await;
    socket
        .write_all(b"GET / HTTP/1.1\r\nhost: shop.localhost\r\n\r\n")
        .await
        .unwrap();
    eventually("the guest works", || meter.snapshot().in_flight == 1).await;
    socket.shutdown().await.unwrap();
    assert_eq!(rest(&mut socket).await, "");
    assert_eq!(meter.snapshot().cancelled, 1);
}

#[tokio::test]
async fn connections_beyond_the_bound_wait_and_idle_ones_make_room() {
    let settings = Settings {
        max_connections: 2,
        ..Settings::default()
    };
    let host = Host::with(settings, Duration::from_secs(1)).await;
    host.app("shop", mirror());
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut socket = host.connect().await;
        socket
            .write_all(b"GET / HTTP/1.1\r\nhost: shop.localhost\r\n\r\n")
            .await
            .unwrap();
        until(&mut socket, "GET /\n").await;
        held.push(socket);
    }
    let begin = Instant::now();
    assert!(
        host.get("shop.localhost", "/third", "")
            .await
            .contains("GET /third")
    );
    assert!(
        begin.elapsed() >= Duration::from_millis(500),
        "it had to wait for an idle one to go"
    );
}

#[tokio::test]
async fn a_panic_ends_its_connection_only() {
    let host = Host::start().await;
    let meter = host.app("shop", running(|_| async { panic!("on purpose") }));
    host.app("other", mirror());
    assert_eq!(host.get("shop.localhost", "/", "").await, "");
    assert!(
        host.get("other.localhost", "/", "")
            .await
            .starts_with("HTTP/1.1 200")
    );
    eventually("its turn is given back", || meter.snapshot().in_flight == 0).await;
    eventually("it is gone", || host.edge.connections() == 0).await;
}

#[tokio::test]
async fn shutdown_lets_requests_finish() {
    let host = Host::start().await;
    let meter = host.app(
        "shop",
        running(|_| async {
            tokio::time::sleep(SHORT).await;
            Ok(text("finished"))
        }),
    );
    let mut busy = host.connect().await;
    busy.write_all(b"GET / HTTP/1.1\r\nhost: shop.localhost\r\n\r\n")
        .await
        .unwrap();
    let mut idle = host.connect().await;
    eventually("one works", || {
        meter.snapshot().in_flight == 1 && host.edge.connections() == 2
    })
    .await;
    host.stop.cancel();
    let answer = rest(&mut busy).await;
    assert!(
        answer.ends_with("finished") && answer.contains("connection: close"),
        "{answer}"
    );
    assert_eq!(rest(&mut idle).await, "");
    assert_eq!(host.serving.await.unwrap(), Drained { cut_off: 0 });
    assert!(
        tokio::net::TcpStream::connect(host.at).await.is_err(),
        "no longer listening"
    );
}

#[tokio::test]
async fn shutdown_cuts_off_what_does_not_finish() {
    let host = Host::with(Settings::default(), SHORT).await;
    let meter = host.app("shop", running(|_| std::future::pending()));
    let mut socket = host.connect().await;
    socket
        .write_all(b"GET / HTTP/1.1\r\nhost: shop.localhost\r\n\r\n")
        .await
        .unwrap();
    eventually("one works", || meter.snapshot().in_flight == 1).await;
    host.stop.cancel();
    assert_eq!(host.serving.await.unwrap(), Drained { cut_off: 1 });
    assert_eq!(meter.snapshot().in_flight, 0);
}
