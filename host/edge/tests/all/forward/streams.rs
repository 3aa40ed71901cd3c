//! Bodies through both machines: as they come, in any size, and whoever gives up.

use super::{GRACE, Supervisor, Worker, pair, taking_in};
use crate::support::{Host, eventually, mirror, running, text, until};
use bytes::Bytes;
use futures::{StreamExt as _, stream};
use http::{Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use lodge_edge::{ForwardSettings, Settings};
use lodge_model::{BodyError, Limits, Phase, RequestBody, ResponseBody};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const LARGE: usize = 100 * 1024 * 1024;
const PIECE: usize = 64 * 1024;

fn streamed<S>(frames: S) -> Response<ResponseBody>
where
    S: stream::Stream<Item = Result<Frame<Bytes>, BodyError>> + Send + 'static,
{
    Response::new(ResponseBody::new(StreamBody::new(Box::pin(frames))))
}

/// Sends back each frame as it comes.
fn echo() -> Phase {
    running(|request: Request<RequestBody>| async {
        let body = request.into_body().into_data_stream();
        Ok(streamed(body.map(|data| data.map(Frame::data))))
    })
}

/// Answers without an end.
fn endless() -> Phase {
    running(|_| async {
        let piece = Bytes::from(vec![b'x'; PIECE]);
        Ok(streamed(stream::repeat_with(move || {
            Ok(Frame::data(piece.clone()))
        })))
    })
}

#[tokio::test]
async fn a_hundred_megabytes_pass_both_ways() {
    let supervisor = Supervisor::start().await;
    let worker = Worker::start("one").await;
    let roomy = |route: &mut lodge_model::Route| route.limits.request_body_bytes = u64::MAX;
    let counting = running(|request: Request<RequestBody>| async {
        let mut body = request.into_body();
        let mut bytes = 0;
        while let Some(Ok(frame)) = body.frame().await {
            bytes += frame.data_ref().map_or(0, Bytes::len);
        }
        let all = Bytes::from(vec![b'x'; PIECE]);
        let pieces = stream::repeat_with(move || Ok(Frame::data(all.clone())));
        let mut response = streamed(pieces.take(LARGE / PIECE));
        response.headers_mut().insert("x-bytes", bytes.into());
        Ok(response)
    });
    worker.host.app_with("shop", counting, roomy);
    let way = supervisor.way("shop", vec![worker.target()]);
    supervisor.host.app_with("shop", Phase::Running(way), roomy);
    let mut socket = supervisor.host.connect().await;
    let head =
        format!("POST / HTTP/1.1\r\nhost: shop.localhost\r\ncontent-length: {LARGE}\r\n\r\n");
    socket.write_all(head.as_bytes()).await.unwrap();
    let piece = vec![b'x'; PIECE];
    for _ in 0..LARGE / PIECE {
        socket.write_all(&piece).await.unwrap();
    }
    let head = until(&mut socket, "\r\n\r\n").await;
    assert!(
        head.contains(&format!("x-bytes: {LARGE}\r\n")),
        "{:.300}",
        head
    );
    let mut left = LARGE;
    let mut buffer = vec![0; PIECE];
    while left > PIECE {
        let count = socket.read(&mut buffer).await.unwrap();
        assert!(count > 0, "{left} bytes are missing");
        left = left.saturating_sub(count);
    }
}

#[tokio::test]
async fn bytes_pass_as_they_come_both_ways() {
    let (supervisor, _worker) = pair("shop", echo()).await;
    let mut socket = supervisor.host.connect().await;
    let head = "POST / HTTP/1.1\r\nhost: shop.localhost\r\ntransfer-encoding: chunked\r\n\r\n";
    socket.write_all(head.as_bytes()).await.unwrap();
    for n in 0..10 {
        // Each is answered before the next is sent.
        socket
            .write_all(format!("2\r\n#{n}\r\n").as_bytes())
            .await
            .unwrap();
        until(&mut socket, &format!("#{n}")).await;
    }
    socket.write_all(b"0\r\n\r\n").await.unwrap();
    until(&mut socket, "0\r\n\r\n").await;
}

#[tokio::test]
async fn one_apps_slow_reader_holds_up_nobody_else() {
    let (supervisor, worker) = pair("slow", endless()).await;
    worker.host.app("shop", mirror());
    supervisor.app("shop", vec![worker.target()]);
    let mut readers = Vec::new();
    for _ in 0..20 {
        let mut socket = supervisor.host.connect().await;
        let request = b"GET / HTTP/1.1\r\nhost: slow.localhost\r\n\r\n";
        socket.write_all(request).await.unwrap();
        until(&mut socket, "\r\n\r\n").await;
        readers.push(socket);
    }
    for _ in 0..20 {
        let answer = supervisor.host.get("shop.localhost", "/x", "").await;
        assert!(answer.contains("GET /x\n"), "{answer}");
    }
}

#[tokio::test]
async fn a_visitor_who_leaves_ends_the_work_at_the_worker() {
    let worker = Worker::start("one").await;
    let meter = worker.host.app("shop", running(|_| std::future::pending()));
    let stream = worker.host.app("stream", endless());
    let supervisor = Supervisor::start().await;
    supervisor.app("shop", vec![worker.target()]);
    supervisor.app("stream", vec![worker.target()]);
    for (app, meter) in [("shop", meter), ("stream", stream)] {
        let mut socket = supervisor.host.connect().await;
        let request = format!("GET / HTTP/1.1\r\nhost: {app}.localhost\r\n\r\n");
        socket.write_all(request.as_bytes()).await.unwrap();
        eventually("it works", || meter.snapshot().in_flight == 1).await;
        drop(socket);
        eventually("it ends", || meter.snapshot().in_flight == 0).await;
        assert_eq!(meter.snapshot().cancelled, 1, "{app}");
    }
}

#[tokio::test]
async fn a_worker_that_dies_while_answering_breaks_the_answer_off() {
    let (supervisor, worker) = pair("shop", endless()).await;
    let meter = supervisor.app("shop", vec![worker.target()]);
    let mut socket = supervisor.host.connect().await;
    let request = b"GET / HTTP/1.1\r\nhost: shop.localhost\r\n\r\n";
    socket.write_all(request).await.unwrap();
    until(&mut socket, "xxx").await;
    worker.host.stop.cancel();
    let mut all = Vec::new();
    let read = socket.read_to_end(&mut all);
    let _ = tokio::time::timeout(Duration::from_secs(20), read)
        .await
        .unwrap();
    assert!(!all.ends_with(b"0\r\n\r\n"), "an end that is none");
    eventually("it is counted", || {
        meter.snapshot().reasons.get("bad_gateway") == Some(&1)
    })
    .await;
    let answer = supervisor.host.get("shop.localhost", "/", "").await;
    assert!(
        answer.starts_with("HTTP/1.1 503") && answer.contains("environment_lost"),
        "{answer}"
    );
    assert!(answer.contains("retry-after: 5\r\n"), "{answer}");
}

#[tokio::test]
async fn a_guest_that_fails_in_the_middle_is_no_whole_answer() {
    let broken = running(|_| async {
        let failed = BodyError::Failed(lodge_model::FailureKind::CpuLimit.into());
        let fails = stream::once(async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            Err(failed)
        });
        let first = stream::iter([Ok(Frame::data(Bytes::from_static(b"some")))]);
        Ok(streamed(first.chain(fails)))
    });
    let (supervisor, _worker) = pair("shop", broken).await;
    let answer = supervisor.host.get("shop.localhost", "/", "").await;
    assert!(answer.contains("some"), "{answer}");
    assert!(!answer.ends_with("0\r\n\r\n"), "{answer}");
}

#[tokio::test]
async fn a_worker_that_falls_silent_is_given_up() {
    let silent = running(|_| async {
        let first = stream::iter([Ok(Frame::data(Bytes::from_static(b"some")))]);
        Ok(streamed(first.chain(stream::pending())))
    });
    let worker = Worker::start("one").await;
    worker.host.app("shop", silent);
    let settings = ForwardSettings {
        grace: GRACE,
        ..ForwardSettings::default()
    };
    let supervisor = Supervisor::with(Settings::default(), settings).await;
    let way = supervisor.way("shop", vec![worker.target()]);
    let impatient = |route: &mut lodge_model::Route| {
        route.limits = Limits {
            request_timeout_ms: 100,
            ..Limits::default()
        };
    };
    let phase = Phase::Running(way);
    let meter = supervisor.host.app_with("shop", phase, impatient);
    let answer = supervisor.host.get("shop.localhost", "/", "").await;
    assert!(
        answer.contains("some") && !answer.ends_with("0\r\n\r\n"),
        "{answer}"
    );
    assert_eq!(meter.snapshot().reasons["bad_gateway"], 1);
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused_while_it_comes() {
    let supervisor = Supervisor::start().await;
    let worker = Worker::start("one").await;
    worker.host.app("shop", mirror());
    let way = supervisor.way("shop", vec![worker.target()]);
    supervisor
        .host
        .app_with("shop", Phase::Running(way), |route| {
            route.limits.request_body_bytes = 8
        });
    let head = "POST / HTTP/1.1\r\nhost: shop.localhost\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n";
    let body = "5\r\n12345\r\n4\r\n6789\r\n0\r\n\r\n";
    let answer = supervisor.host.send(format!("{head}{body}")).await;
    assert!(
        answer.starts_with("HTTP/1.1 413") && answer.contains("body_too_large"),
        "{answer}"
    );
}

#[tokio::test]
async fn a_worker_is_patient_with_its_supervisor_and_not_with_visitors() {
    let short = Duration::from_millis(500);
    let boot = lodge_model::BootId::random().unwrap();
    let settings = Settings {
        stall_timeout: short,
        idle_timeout: short,
        head_timeout: short,
        ..Settings::default()
    };
    let host = Host::with(taking_in(boot, settings), GRACE).await;
    let meter = host.app("shop", endless());
    host.app("quick", running(|_| async { Ok(text("quick")) }));
    let worker = Worker {
        host,
        boot,
        name: "one",
    };
    let supervisor = Supervisor::start().await;
    supervisor.app("shop", vec![worker.target()]);
    supervisor.app("quick", vec![worker.target()]);
    let mut reader = supervisor.host.connect().await;
    let request = b"GET / HTTP/1.1\r\nhost: shop.localhost\r\n\r\n";
    reader.write_all(request).await.unwrap();
    let mut direct = worker.host.connect().await;
    direct.write_all(request).await.unwrap();
    eventually("both are served", || meter.snapshot().in_flight == 2).await;
    supervisor.host.get("quick.localhost", "/", "").await;
    eventually("the direct one is cut off", || {
        meter.snapshot().in_flight == 1
    })
    .await;
    tokio::time::sleep(2 * short).await;
    assert_eq!(meter.snapshot().in_flight, 1);
    // The connection that lay idle meanwhile is still there, and so is the busy one.
    assert_eq!(worker.host.edge.connections(), 2);
}
