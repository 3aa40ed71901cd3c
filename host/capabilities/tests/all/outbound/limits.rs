//! Every bound, exceeded.

use super::parts::{App, Names, get, text, until};
use super::server::Server;
use bytes::Bytes;
use futures::{StreamExt, stream};
use http::Request;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use lodge_capabilities::outbound::{BODY_BYTES, OutboundService, Settings, WAITING};
use lodge_model::{Limits, OutboundError, OutboundOptions};
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::{Duration, Instant};

/// What a connection is charged.
const CONNECTION: u64 = 256 * 1024;

/// More than what the calls of a test are charged beside their connections.
const CALLS: u64 = 64 * 1024;

fn exceeded<T>(result: Result<T, OutboundError>) -> String {
    match result {
        Err(OutboundError::LimitExceeded(text)) => text,
        Err(error) => panic!("{error:?}"),
        Ok(_) => panic!("it was let through"),
    }
}

fn limits(outbound_concurrency: u32) -> Limits {
    Limits {
        outbound_concurrency,
        ..Limits::default()
    }
}

#[tokio::test]
async fn calls_at_once_are_bounded_and_wait_their_turn() {
    let server = Server::start().await;
    let service = OutboundService::new(Settings::default());
    let app = Arc::new(App::with(&service, "shop", &server.grant(), limits(1)));
    let held = app.get(&server.uri("/drip")).await.unwrap();
    let began = Instant::now();
    let text = exceeded(app.get(&server.uri("/hello")).await);
    assert!(
        text.contains("outbound_concurrency") && text.contains('1'),
        "{text}"
    );
    assert!(began.elapsed() >= Duration::from_secs(4));
    assert!(app.logged()[0].contains("outbound_concurrency"));
    let waiters: Vec<_> = (0..WAITING)
        .map(|_| {
            let (app, uri) = (app.clone(), server.uri("/hello"));
            tokio::spawn(async move { app.get(&uri).await.map(drop) })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let began = Instant::now();
    exceeded(app.get(&server.uri("/hello")).await);
    assert!(
        began.elapsed() < Duration::from_secs(1),
        "one too many does not even wait"
    );
    drop(held);
    for waiter in waiters {
        waiter.await.unwrap().unwrap();
    }
    let none = App::with(&service, "blog", &server.grant(), limits(0));
    exceeded(none.get(&server.uri("/hello")).await);
}

#[tokio::test]
async fn a_call_keeps_its_place_until_its_body_ends() {
    let server = Server::start().await;
    let service = OutboundService::new(Settings::default());
    let app = App::with(&service, "shop", &server.grant(), limits(1));
    for _ in 0..3 {
        let mut response = app.get(&server.uri("/hello")).await.unwrap();
        while let Some(frame) = response.body_mut().frame().await {
            frame.unwrap();
        }
        // The body has ended, though the response is still there.
        let uri = server.uri("/hello");
        let next = tokio::time::timeout(Duration::from_secs(2), app.text(&uri));
        assert_eq!(next.await.unwrap(), "hello");
    }
}

#[tokio::test]
async fn a_response_without_end_is_broken_off() {
    let server = Server::start().await;
    let app = App::new(&server.grant());
    let mut body = app.get(&server.uri("/endless")).await.unwrap().into_body();
    let mut seen = 0;
    let error = loop {
        match body.frame().await.unwrap() {
            Ok(frame) => seen += frame.into_data().unwrap().len() as u64,
            Err(error) => break error.to_string(),
        }
    };
    assert!(
        seen <= BODY_BYTES && seen > BODY_BYTES - 1024 * 1024,
        "{seen}"
    );
    assert!(error.contains(&BODY_BYTES.to_string()), "{error}");
    assert!(body.frame().await.is_none());
    assert!(
        app.account.peak.load(SeqCst) <= CONNECTION + CALLS,
        "nothing was collected"
    );
    assert!(app.logged()[0].contains(&BODY_BYTES.to_string()));
}

#[tokio::test]
async fn a_request_without_end_is_broken_off() {
    let server = Server::start().await;
    let app = App::new(&server.grant());
    let chunk = Bytes::from(vec![0; 1024 * 1024]);
    let frames = stream::repeat(chunk).map(|chunk| Ok(Frame::data(chunk)));
    let request = Request::post(server.uri("/drain")).body(StreamBody::new(frames).boxed_unsync());
    let text = exceeded(app.send(request.unwrap()).await);
    assert!(text.contains(&BODY_BYTES.to_string()), "{text}");
}

#[tokio::test]
async fn heads_are_bounded_both_ways() {
    let large: &'static [u8] = {
        let head = format!(
            "HTTP/1.1 200 OK\r\nx-large: {}\r\n\r\n",
            "x".repeat(70 * 1024)
        );
        head.into_bytes().leak()
    };
    let many: &'static [u8] = {
        let head = format!("HTTP/1.1 200 OK\r\n{}\r\n", "x: 1\r\n".repeat(101));
        head.into_bytes().leak()
    };
    for answer in [large, many] {
        let server = Server::raw(answer).await;
        exceeded(App::new(&server.grant()).get(&server.uri("/")).await);
    }
    let server = Server::start().await;
    let app = App::new(&server.grant());
    let request = Request::get(server.uri("/hello")).header("x-large", "x".repeat(64 * 1024));
    exceeded(app.send(request.body(super::parts::empty()).unwrap()).await);
    let path = format!("/{}", "x".repeat(60 * 1024));
    let request = Request::get(server.uri(&path)).header("x-large", "x".repeat(8 * 1024));
    exceeded(app.send(request.body(super::parts::empty()).unwrap()).await);
    assert_eq!(server.accepted.load(SeqCst), 0);
}

#[tokio::test]
async fn each_step_has_its_timeout() {
    let server = Server::start().await;
    let names = Arc::<Names>::default();
    names.set("silent.test", &[]);
    let service = OutboundService::new(Settings {
        resolver: names,
        ..Settings::default()
    });
    let hosts = [server.address.to_string(), "silent.test".into()];
    let patient = App::with(&service, "shop", &hosts, Limits::default());
    let brief = Some(Duration::from_millis(200));
    let timed_out = async |uri: &str, options| {
        let began = Instant::now();
        let answer = patient.out.send(get(uri), options).await;
        assert!(matches!(answer, Err(OutboundError::TimedOut(_))), "{uri}");
        assert!(began.elapsed() < Duration::from_secs(5), "{uri}");
    };
    let connect = OutboundOptions {
        connect_timeout: brief,
        ..OutboundOptions::default()
    };
    timed_out("http://silent.test/", connect).await;
    let first_byte = OutboundOptions {
        first_byte_timeout: brief,
        ..OutboundOptions::default()
    };
    timed_out(&server.uri("/silent"), first_byte).await;
    let between = OutboundOptions {
        between_bytes_timeout: brief,
        ..OutboundOptions::default()
    };
    let mut body = patient
        .out
        .send(get(&server.uri("/drip")), between)
        .await
        .unwrap()
        .into_body();
    body.frame().await.unwrap().unwrap();
    let error = body.frame().await.unwrap().unwrap_err();
    assert!(error.to_string().contains("200 ms"), "{error}");
    // Without options, the app's own patience.
    let limits = Limits {
        request_timeout_ms: 200,
        ..Limits::default()
    };
    let hasty = App::with(&service, "blog", &hosts, limits);
    for uri in [server.uri("/silent"), "http://silent.test/".into()] {
        assert!(
            matches!(hasty.get(&uri).await, Err(OutboundError::TimedOut(_))),
            "{uri}"
        );
    }
}

#[tokio::test]
async fn calls_and_connections_are_charged_to_the_apps_memory() {
    let server = Server::start().await;
    let app = App::new(&server.grant());
    app.account.budget.store(CONNECTION + CALLS, SeqCst);
    let held = app.get(&server.uri("/drip")).await.unwrap();
    let reserved = app.account.reserved.load(SeqCst);
    assert!(
        reserved > CONNECTION && reserved < CONNECTION + CALLS / 8,
        "{reserved}"
    );
    let text = exceeded(app.get(&server.uri("/hello")).await);
    assert!(
        text.contains("memory_bytes") && text.contains("connection"),
        "{text}"
    );
    let large = Request::get(server.uri("/hello")).header("x-large", "x".repeat(60 * 1024));
    let large = large.body(super::parts::empty()).unwrap();
    let text = exceeded(app.send(large).await);
    assert!(
        text.contains("memory_bytes") && text.contains("call"),
        "{text}"
    );
    drop(held);
    until("the memory is not given back", || {
        app.account.reserved.load(SeqCst) == 0
    })
    .await;
    assert_eq!(app.text(&server.uri("/hello")).await, "hello");
}

#[tokio::test]
async fn abandoned_lookups_hold_up_their_own_app_only() {
    let server = Server::start().await;
    let port = server.address.port();
    let names = Arc::<Names>::default();
    names.set("silent.test", &[]);
    names.set("api.test", &[&[server.address]]);
    let service = OutboundService::new(Settings {
        private_networks: vec!["127.0.0.0/8".parse().unwrap()],
        resolver: names.clone(),
        ..Settings::default()
    });
    let open = |id| App::with(&service, id, &[format!("*.test:{port}")], Limits::default());
    let (shop, blog) = (open("shop"), open("blog"));
    let brief = OutboundOptions {
        connect_timeout: Some(Duration::from_millis(50)),
        ..OutboundOptions::default()
    };
    for _ in 0..20 {
        let silent = get(&format!("http://silent.test:{port}/"));
        shop.out.send(silent, brief).await.unwrap_err();
    }
    assert_eq!(names.lookups.load(SeqCst), 4, "given up, and still counted");
    let uri = format!("http://api.test:{port}/hello");
    let held_up = shop.out.send(get(&uri), brief).await;
    assert!(matches!(held_up, Err(OutboundError::TimedOut(_))));
    assert_eq!(blog.text(&uri).await, "hello");
}

#[tokio::test]
async fn idle_connections_to_many_hosts_are_bounded() {
    let server = Server::start().await;
    let names = Arc::<Names>::default();
    let service = OutboundService::new(Settings {
        private_networks: vec!["127.0.0.0/8".parse().unwrap()],
        resolver: names.clone(),
        ..Settings::default()
    });
    let port = server.address.port();
    let app = App::with(&service, "shop", &[format!("*.test:{port}")], limits(2));
    for n in 0..100 {
        names.set(&format!("h{n}.test"), &[&[server.address]]);
        assert_eq!(
            app.text(&format!("http://h{n}.test:{port}/hello")).await,
            "hello"
        );
    }
    assert_eq!(server.accepted.load(SeqCst), 100);
    let peak = app.account.peak.load(SeqCst) / CONNECTION;
    assert!(peak <= 2 + 16 + 2 + 2, "{peak} connections");
}

#[tokio::test]
async fn the_process_has_a_bounded_number_of_connections() {
    let server = Server::start().await;
    let service = OutboundService::new(Settings {
        connections: 1,
        ..Settings::default()
    });
    let open = |id| App::with(&service, id, &server.grant(), Limits::default());
    let (shop, blog) = (open("shop"), open("blog"));
    let held = shop.get(&server.uri("/drip")).await.unwrap();
    let refused = exceeded(blog.get(&server.uri("/hello")).await);
    assert!(refused.contains("host has too many"), "{refused}");
    drop(held);
    assert_eq!(
        text(blog.get(&server.uri("/hello")).await.unwrap()).await,
        "hello"
    );
}

#[tokio::test]
async fn when_connections_are_scarce_none_is_kept_idle() {
    let server = Server::start().await;
    let service = OutboundService::new(Settings {
        connections: 4,
        ..Settings::default()
    });
    let app = App::with(&service, "shop", &server.grant(), Limits::default());
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(app.get(&server.uri("/drip")).await.unwrap());
    }
    for _ in 0..3 {
        app.text(&server.uri("/hello")).await;
    }
    assert_eq!(server.accepted.load(SeqCst), 6);
}
