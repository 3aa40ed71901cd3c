//! Bodies and trailers, both ways, and what happens when one side gives up.

use crate::support::{Host, eventually, mirror, rest, running, text, until};
use bytes::Bytes;
use futures::{StreamExt, stream};
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use lodge_edge::Settings;
use lodge_model::{BodyError, Failure, FailureKind, RequestBody, ResponseBody};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

fn streamed<S>(frames: S) -> Response<ResponseBody>
where
    S: stream::Stream<Item = Result<Frame<Bytes>, BodyError>> + Send + 'static,
{
    Response::new(ResponseBody::new(StreamBody::new(Box::pin(frames))))
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused_before_or_while_it_comes() {
    let host = Host::start().await;
    let meter = host.app_with("shop", mirror(), |route| {
        route.limits.request_body_bytes = 8
    });
    let head = "POST / HTTP/1.1\r\nhost: shop.localhost\r\nconnection: close\r\n";
    let answer = host
        .send(format!("{head}content-length: 8\r\n\r\n12345678"))
        .await;
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.ends_with("12345678"),
        "{answer}"
    );
    let answer = host
        .send(format!("{head}content-length: 9\r\n\r\n123456789"))
        .await;
    assert!(
        answer.starts_with("HTTP/1.1 413") && answer.contains("body_too_large"),
        "{answer}"
    );
    let chunked = format!("{head}transfer-encoding: chunked\r\n\r\n");
    let answer = host
        .send(format!("{chunked}8\r\n12345678\r\n0\r\n\r\n"))
        .await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let answer = host
        .send(format!("{chunked}5\r\n12345\r\n4\r\n6789\r\n0\r\n\r\n"))
        .await;
    assert!(
        answer.starts_with("HTTP/1.1 413") && answer.contains("body_too_large"),
        "{answer}"
    );
    assert_eq!(
        (meter.snapshot().answered, meter.snapshot().refused),
        (2, 2)
    );
}

#[tokio::test]
async fn a_refused_upload_still_gets_its_answer() {
    let host = Host::start().await;
    host.app_with("shop", mirror(), |route| {
        route.limits.request_body_bytes = 8
    });
    let mut socket = host.connect().await;
    let size = 4 * 1024 * 1024;
    let head = format!("POST / HTTP/1.1\r\nhost: shop.localhost\r\ncontent-length: {size}\r\n\r\n");
    socket.write_all(head.as_bytes()).await.unwrap();
    // A client that reads only after it has sent everything must not lose the answer to a reset.
    socket.write_all(&vec![b'x'; size]).await.unwrap();
    assert!(rest(&mut socket).await.starts_with("HTTP/1.1 413"));
}

#[tokio::test]
async fn expectations_are_met_only_if_somebody_reads() {
    let host = Host::start().await;
    host.app_with("shop", mirror(), |route| {
        route.limits.request_body_bytes = 8
    });
    let head =
        "POST / HTTP/1.1\r\nhost: shop.localhost\r\nexpect: 100-continue\r\nconnection: close\r\n";
    let mut socket = host.connect().await;
    socket
        .write_all(format!("{head}content-length: 3\r\n\r\n").as_bytes())
        .await
        .unwrap();
    until(&mut socket, "HTTP/1.1 100 Continue\r\n\r\n").await;
    socket.write_all(b"abc").await.unwrap();
    assert!(rest(&mut socket).await.ends_with("abc"));
    let answer = host.send(format!("{head}content-length: 9\r\n\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
}

#[tokio::test]
async fn large_bodies_and_trailers_pass_both_ways() {
    let host = Host::start().await;
    host.app(
        "shop",
        running(|request: Request<RequestBody>| async {
            let body = request
                .into_body()
                .collect()
                .await
                .map_err(|_| Failure::from(FailureKind::Trap))?;
            let sent = body.trailers().and_then(|t| t.get("x-sum").cloned());
            let mut trailers = HeaderMap::new();
            trailers.insert(
                "x-sum",
                sent.unwrap_or_else(|| HeaderValue::from_static("none")),
            );
            let length = body.to_bytes().len();
            let data = Frame::data(Bytes::from(format!("{length} bytes")));
            let mut response = streamed(stream::iter([Ok(data), Ok(Frame::trailers(trailers))]));
            response
                .headers_mut()
                .insert("trailer", HeaderValue::from_static("x-sum"));
            Ok(response)
        }),
    );
    let size = 5 * 1024 * 1024;
    let mut request = format!(
        "POST / HTTP/1.1\r\nhost: shop.localhost\r\nte: trailers\r\nconnection: close\r\n\
         trailer: x-sum\r\ntransfer-encoding: chunked\r\n\r\n{size:x}\r\n"
    )
    .into_bytes();
    request.extend(std::iter::repeat_n(b'x', size));
    request.extend_from_slice(b"\r\n0\r\nx-sum: 42\r\n\r\n");
    let answer = host.send(request).await;
    assert!(
        answer.contains("5242880 bytes") && answer.contains("x-sum: 42\r\n"),
        "{answer}"
    );
}

#[tokio::test]
async fn heads_have_no_body_and_count_as_answered() {
    let host = Host::start().await;
    let meter = host.app(
        "shop",
        running(|_| async {
            let mut response = streamed(stream::pending());
            response
                .headers_mut()
                .insert("content-length", HeaderValue::from_static("1234"));
            Ok(response)
        }),
    );
    let answer = host
        .send("HEAD / HTTP/1.1\r\nhost: shop.localhost\r\nconnection: close\r\n\r\n")
        .await;
    assert!(
        answer.contains("content-length: 1234\r\n") && answer.ends_with("\r\n\r\n"),
        "{answer}"
    );
    eventually("the turn is given back", || meter.snapshot().in_flight == 0).await;
    assert_eq!(
        (meter.snapshot().answered, meter.snapshot().cancelled),
        (1, 0)
    );
}

#[tokio::test]
async fn events_arrive_as_they_are_sent_and_a_visitor_who_leaves_ends_them() {
    let host = Host::start().await;
    let meter = host.app(
        "shop",
        running(|_| async {
            Ok(streamed(stream::iter(0..).then(|n| async move {
                tokio::time::sleep(Duration::from_millis(10)).await;
                Ok(Frame::data(Bytes::from(format!("data: {n}\n\n"))))
            })))
        }),
    );
    let mut socket = host.connect().await;
    socket
        .write_all(b"GET / HTTP/1.1\r\nhost: shop.localhost\r\n\r\n")
        .await
        .unwrap();
    until(&mut socket, "data: 3\n\n").await;
    assert_eq!(meter.snapshot().in_flight, 1);
    drop(socket);
    eventually("the guest is cancelled", || meter.snapshot().in_flight == 0).await;
    assert_eq!(
        (meter.snapshot().answered, meter.snapshot().cancelled),
        (0, 1)
    );
}

#[tokio::test]
async fn a_visitor_who_leaves_before_the_answer_cancels_the_guest() {
    let host = Host::start().await;
    let meter = host.app("shop", running(|_| std::future::pending()));
    let mut socket = host.connect().await;
    socket
        .write_all(b"GET / HTTP/1.1\r\nhost: shop.localhost\r\n\r\n")
        .await
        .unwrap();
    eventually("the guest works", || meter.snapshot().in_flight == 1).await;
    drop(socket);
    eventually("the guest is cancelled", || meter.snapshot().in_flight == 0).await;
    assert_eq!(meter.snapshot().cancelled, 1);
}

#[tokio::test]
async fn a_guest_that_fails_is_a_page_before_and_a_broken_body_after_its_answer_began() {
    let host = Host::start().await;
    let trapped = host.app("trap", running(|_| async { Err(FailureKind::Trap.into()) }));
    let answer = host.get("trap.localhost", "/", "").await;
    assert!(
        answer.starts_with("HTTP/1.1 500") && answer.contains("app_trapped"),
        "{answer}"
    );
    let broken = host.app(
        "broken",
        running(|_| async {
            let failed = BodyError::Failed(FailureKind::CpuLimit.into());
            let fails = stream::once(async {
                tokio::time::sleep(Duration::from_millis(50)).await;
                Err(failed)
            });
            Ok(streamed(
                stream::iter([Ok(Frame::data(Bytes::from("some")))]).chain(fails),
            ))
        }),
    );
    let answer = host.get("broken.localhost", "/", "").await;
    assert!(
        answer.contains("some") && !answer.ends_with("0\r\n\r\n"),
        "an end that is none: {answer}"
    );
    assert_eq!(
        (trapped.snapshot().trapped, broken.snapshot().cpu_limited),
        (1, 1)
    );
}

#[tokio::test]
async fn a_body_that_stands_still_is_given_up() {
    let settings = Settings {
        stall_timeout: Duration::from_millis(200),
        ..Settings::default()
    };
    let host = Host::with(settings, Duration::from_secs(1)).await;
    host.app(
        "shop",
        running(|request: Request<RequestBody>| async {
            let error = request.into_body().collect().await.err();
            Ok(text(
                error.map_or("whole".into(), |error| error.to_string()),
            ))
        }),
    );
    let head = "POST / HTTP/1.1\r\nhost: shop.localhost\r\ncontent-length: 9\r\n\r\n123";
    let answer = host.send(head).await;
    assert!(answer.contains("stood still for 200 ms"), "{answer}");
}

#[tokio::test]
async fn a_visitor_who_does_not_read_is_cut_off() {
    let timeout = Duration::from_millis(300);
    let settings = Settings {
        stall_timeout: timeout,
        head_timeout: timeout,
        ..Settings::default()
    };
    let host = Host::with(settings, Duration::from_secs(1)).await;
    let meter = host.app(
        "shop",
        running(|_| async {
            Ok(streamed(stream::repeat_with(|| {
                Ok(Frame::data(Bytes::from(vec![b'x'; 64 * 1024])))
            })))
        }),
    );
    let mut socket = host.connect().await;
    socket
        .write_all(b"GET / HTTP/1.1\r\nhost: shop.localhost\r\n\r\n")
        .await
        .unwrap();
    eventually("the answer is on its way", || {
        meter.snapshot().in_flight == 1
    })
    .await;
    eventually("the visitor is cut off", || meter.snapshot().in_flight == 0).await;
    assert_eq!(meter.snapshot().cancelled, 1);
    let mut left = Vec::new();
    let _ = socket.read_to_end(&mut left).await;
}

#[tokio::test]
async fn the_time_to_the_head_is_counted_and_not_the_stream() {
    const THINKS: Duration = Duration::from_millis(40);
    const STREAMS: Duration = Duration::from_millis(400);
    let host = Host::start().await;
    let phase = running(|_| async {
        tokio::time::sleep(THINKS).await;
        let slow = stream::once(async {
            tokio::time::sleep(STREAMS).await;
            Ok(Frame::data(Bytes::from_static(b"late")))
        });
        Ok(streamed(slow))
    });
    let meter = host.app("shop", phase);
    assert!(host.get("shop.localhost", "/", "").await.contains("late"));
    let latency = meter.reading().latencies.summary().unwrap();
    // An eighth may be missing from either.
    assert!((35.0..350.0).contains(&latency.p99_ms), "{latency:?}");
}

#[tokio::test]
async fn the_time_of_a_refusal_is_counted_too() {
    let host = Host::start().await;
    let meter = host.app("shop", lodge_model::Phase::Stopped);
    host.get("shop.localhost", "/", "").await;
    let latency = meter.reading().latencies.summary().unwrap();
    assert!(latency.p99_ms < 100.0, "{latency:?}");
    assert_eq!(meter.snapshot().reasons["app_stopped"], 1);
}
