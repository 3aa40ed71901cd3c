//! What passes between visitor and app is the same as without a machine between them.

use super::{Supervisor, Worker, pair};
use crate::http2;
use crate::support::{Host, mirror, rest, running, text, until};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use lodge_edge::Settings;
use lodge_model::{FailureKind, Limits, Phase, RequestBody, ResponseBody, TrustedProxies};
use tokio::io::AsyncWriteExt as _;

#[tokio::test]
async fn the_guest_learns_who_came_and_how() {
    let (supervisor, _worker) = pair("my_shop", mirror()).await;
    let forged = "x-forwarded-for: 9.9.9.9\r\nx-forwarded-proto: https\r\nx-forwarded-host: evil\r\n\
                  x-forwarded-prefix: /evil\r\nx-lodge-app: evil\r\nx-lodge-failure: evil\r\n\
                  x-lodge-thing: evil\r\ncookie: a=1; lodge_session=evil\r\nconnection: x-mine\r\nx-mine: evil\r\n";
    let host = &supervisor.host;
    let answer = host
        .get("localhost:13000", "/apps/my-shop//x/../y?b=%20c", forged)
        .await;
    for line in [
        "GET //x/../y?b=%20c\n",
        "host: localhost:13000\n",
        "x-forwarded-for: 127.0.0.1\n",
        "x-forwarded-host: localhost:13000\n",
        "x-forwarded-proto: http\n",
        "x-forwarded-prefix: /apps/my-shop\n",
        "cookie: a=1\n",
    ] {
        assert!(answer.contains(line), "{line}{answer}");
    }
    for gone in ["9.9.9.9", "evil", "x-lodge", "x-mine", "connection: "] {
        let body = answer.split("\r\n\r\n").nth(1).unwrap();
        assert!(!body.contains(gone), "{gone} in {answer}");
    }
    let answer = host.get("my-shop.localhost", "/x", "").await;
    assert!(
        answer.contains("GET /x\n") && answer.contains("host: my-shop.localhost\n"),
        "{answer}"
    );
}

#[tokio::test]
async fn a_proxy_that_the_supervisor_trusts_is_believed_at_the_worker() {
    let worker = Worker::start("one").await;
    worker.host.app("shop", mirror());
    let settings = Settings {
        trusted_proxies: TrustedProxies::new(vec!["127.0.0.0/8".parse().unwrap()]).into(),
        ..Settings::default()
    };
    let supervisor = Supervisor::with(settings, Default::default()).await;
    supervisor.app("shop", vec![worker.target()]);
    let said =
        "x-forwarded-for: 9.9.9.9\r\nx-forwarded-proto: https\r\nx-forwarded-prefix: /outer\r\n";
    let answer = supervisor.host.get("10.0.0.1", "/apps/shop/", said).await;
    for line in [
        "x-forwarded-for: 9.9.9.9, 127.0.0.1\n",
        "x-forwarded-proto: https\n",
        "x-forwarded-prefix: /outer/apps/shop\n",
    ] {
        assert!(answer.contains(line), "{line}{answer}");
    }
}

#[tokio::test]
async fn an_answer_is_made_safe_once() {
    let phase = running(|_| async {
        let mut response = text("");
        let headers = response.headers_mut();
        for (name, value) in [
            ("location", "/there"),
            ("set-cookie", "a=1; Path=/"),
            ("set-cookie", "lodge_x=1"),
            ("set-cookie", "b=2; Domain=localhost"),
            ("service-worker-allowed", "/"),
            ("x-lodge-failure", "app_trapped"),
            ("keep-alive", "timeout=1"),
            ("x-mine", "1"),
        ] {
            headers.append(name, HeaderValue::from_static(value));
        }
        *response.status_mut() = StatusCode::FOUND;
        Ok(response)
    });
    let (supervisor, _worker) = pair("shop", phase).await;
    let answer = supervisor.host.get("127.0.0.1", "/apps/shop/", "").await;
    for line in [
        "HTTP/1.1 302",
        "location: /apps/shop/there\r\n",
        "set-cookie: a=1; Path=/apps/shop/\r\n",
        "x-mine: 1\r\n",
    ] {
        assert!(answer.contains(line), "{line} {answer}");
    }
    for gone in [
        "lodge",
        "Domain",
        "service-worker",
        "keep-alive",
        "app_trapped",
    ] {
        assert!(!answer.contains(gone), "{gone} {answer}");
    }
}

#[tokio::test]
async fn heads_and_answers_without_a_body() {
    let phase = running(|request: Request<RequestBody>| async move {
        let mut response = text("");
        match request.uri().path() {
            "/304" => *response.status_mut() = StatusCode::NOT_MODIFIED,
            "/204" => *response.status_mut() = StatusCode::NO_CONTENT,
            _ => {
                let length = HeaderValue::from_static("1234");
                response.headers_mut().insert("content-length", length);
            }
        }
        let tag = HeaderValue::from_static("\"tag\"");
        response.headers_mut().insert("etag", tag);
        Ok(response)
    });
    let (supervisor, worker) = pair("shop", phase).await;
    let mut socket = supervisor.host.connect().await;
    for (method, path, line) in [
        ("HEAD", "/", "content-length: 1234\r\n"),
        ("GET", "/304", "HTTP/1.1 304"),
        ("GET", "/204", "HTTP/1.1 204"),
        ("HEAD", "/", "content-length: 1234\r\n"),
    ] {
        let request = format!("{method} {path} HTTP/1.1\r\nhost: shop.localhost\r\n\r\n");
        socket.write_all(request.as_bytes()).await.unwrap();
        let answer = until(&mut socket, "\r\n\r\n").await;
        assert!(
            answer.contains(line) && answer.contains("\"tag\""),
            "{answer}"
        );
    }
    assert_eq!(worker.host.edge.connections(), 1);
}

#[tokio::test]
async fn expectations_are_met_and_a_body_of_any_method_passes() {
    let (supervisor, _worker) = pair("shop", mirror()).await;
    let host = &supervisor.host;
    let mut socket = host.connect().await;
    let head =
        "POST / HTTP/1.1\r\nhost: shop.localhost\r\nexpect: 100-continue\r\nconnection: close\r\n";
    let head = format!("{head}content-length: 3\r\n\r\n");
    socket.write_all(head.as_bytes()).await.unwrap();
    until(&mut socket, "HTTP/1.1 100 Continue\r\n\r\n").await;
    socket.write_all(b"abc").await.unwrap();
    assert!(rest(&mut socket).await.ends_with("abc"));
    for method in ["GET", "DELETE", "PATCH"] {
        let head = format!("{method} / HTTP/1.1\r\nhost: shop.localhost\r\nconnection: close\r\n");
        let chunked = format!("{head}transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
        let answer = host.send(chunked).await;
        assert!(answer.ends_with("abc"), "{answer}");
        let sized = format!("{head}content-length: 3\r\n\r\nabc");
        let answer = host.send(sized).await;
        assert!(answer.ends_with("abc"), "{answer}");
    }
    let old = host.send("GET /old HTTP/1.0\r\nhost: shop.localhost\r\n\r\n");
    assert!(old.await.contains("GET /old\n"));
}

#[tokio::test]
async fn what_comes_by_http2_goes_on_by_http1() {
    let (supervisor, worker) = pair("shop", mirror()).await;
    let mut client = http2::connect(&supervisor.host).await;
    for method in ["POST", "GET"] {
        let request = Request::builder()
            .method(method)
            .uri("http://shop.localhost/x?y");
        let request = request.body(()).unwrap();
        // Its length is not told before.
        let (response, seen) = http2::answer(&mut client, request, "body").await;
        assert_eq!(response.status(), 200);
        assert!(seen.starts_with(&format!("{method} /x?y\n")), "{seen}");
        assert!(seen.contains("host: shop.localhost\n"), "{seen}");
        assert!(seen.ends_with("body"), "{seen}");
    }
    assert_eq!(worker.host.edge.connections(), 1);
}

#[tokio::test]
async fn trailers_pass_both_ways() {
    let phase = running(|request: Request<RequestBody>| async {
        let body = request.into_body().collect().await;
        let body = body.map_err(|_| lodge_model::Failure::from(FailureKind::Trap))?;
        let sum = body.trailers().and_then(|t| t.get("x-sum").cloned());
        let mut trailers = HeaderMap::new();
        trailers.insert("x-sum", sum.unwrap_or(HeaderValue::from_static("none")));
        let frames = [
            Ok(Frame::data(Bytes::from_static(b"body"))),
            Ok(Frame::trailers(trailers)),
        ];
        let body = ResponseBody::new(StreamBody::new(futures::stream::iter(frames)));
        let mut response = http::Response::new(body);
        let names = HeaderValue::from_static("x-sum");
        response.headers_mut().insert("trailer", names);
        Ok(response)
    });
    let (supervisor, _worker) = pair("shop", phase).await;
    let answer = supervisor.host.send(
        "POST / HTTP/1.1\r\nhost: shop.localhost\r\nte: trailers\r\nconnection: close\r\n\
         trailer: x-sum\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nx-sum: 42\r\n\r\n",
    );
    let answer = answer.await;
    assert!(
        answer.contains("body") && answer.contains("x-sum: 42\r\n"),
        "{answer}"
    );
}

#[tokio::test]
async fn what_fails_at_the_worker_is_the_visitors_page() {
    let supervisor = Supervisor::start().await;
    let worker = Worker::start("one").await;
    let small = |route: &mut lodge_model::Route| route.limits.request_body_bytes = 3;
    let failing = |kind: FailureKind| running(move |_| async move { Err(kind.into()) });
    worker.host.app("trap", failing(FailureKind::Trap));
    worker.host.app("cpu", failing(FailureKind::CpuLimit));
    worker.host.app("stopped", Phase::Stopped);
    worker.host.app_with("small", mirror(), small);
    for (app, status, code) in [
        ("trap", 500, "app_trapped"),
        ("cpu", 504, "cpu_limit_exceeded"),
        ("stopped", 503, "app_stopped"),
        ("small", 413, "body_too_large"),
        // The worker has no such app: that is not the visitor's slip of the pen.
        ("absent", 503, "environment_lost"),
    ] {
        let meter = supervisor.app(app, vec![worker.target()]);
        let host = &supervisor.host;
        let head = format!("POST / HTTP/1.1\r\nhost: {app}.localhost\r\nconnection: close\r\n");
        let answer = host
            .send(format!("{head}content-length: 4\r\n\r\nbody"))
            .await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{answer}"
        );
        assert!(answer.contains(&format!("\"code\":\"{code}\"")), "{answer}");
        assert!(!answer.contains("x-lodge"), "{answer}");
        assert_eq!(meter.snapshot().reasons[code], 1);
        let name = format!("{app}.localhost");
        let page = host.get(&name, "/", "accept: text/html\r\n").await;
        assert!(app == "small" || page.contains("<!doctype html>"), "{page}");
    }
}

#[tokio::test]
async fn both_logs_have_one_reference() {
    struct Noting(parking_lot::Mutex<Vec<u64>>);
    impl lodge_model::Endpoint for Noting {
        fn call(
            self: std::sync::Arc<Self>,
            id: lodge_model::RequestId,
            _: Request<RequestBody>,
        ) -> futures::future::BoxFuture<'static, crate::support::Answer> {
            self.0.lock().push(id.0);
            Box::pin(async { Err(FailureKind::Trap.into()) })
        }
    }
    let noting = std::sync::Arc::new(Noting(Default::default()));
    let (supervisor, _worker) = pair("shop", Phase::Running(noting.clone())).await;
    let answer = supervisor.host.get("shop.localhost", "/", "").await;
    let id = noting.0.lock()[0];
    assert!(
        answer.contains(&format!("\"reference\":\"{id:016x}\"")),
        "{answer}"
    );
}

#[tokio::test]
async fn a_header_that_would_not_fit_is_told_so() {
    let (supervisor, _worker) = pair("shop", mirror()).await;
    let lines: String = (0..90).map(|n| format!("x-{n}: 1\r\n")).collect();
    let host: &Host = &supervisor.host;
    assert!(
        host.get("shop.localhost", "/", &lines)
            .await
            .contains("x-89: 1\n")
    );
    let lines: String = (0..98).map(|n| format!("x-{n}: 1\r\n")).collect();
    let answer = host.get("shop.localhost", "/", &lines).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    assert!(answer.contains("header_too_large"), "{answer}");
}

#[tokio::test]
async fn the_worker_keeps_the_apps_limits_and_the_supervisor_waits_a_little_longer() {
    let worker = Worker::start("one").await;
    worker.host.app("shop", running(|_| std::future::pending()));
    let settings = lodge_edge::ForwardSettings {
        grace: std::time::Duration::from_millis(50),
        ..Default::default()
    };
    let supervisor = Supervisor::with(Settings::default(), settings).await;
    let way = supervisor.way("shop", vec![worker.target()]);
    supervisor
        .host
        .app_with("shop", Phase::Running(way), |route| {
            route.limits = Limits {
                request_timeout_ms: 100,
                ..Limits::default()
            };
        });
    let answer = supervisor.host.get("shop.localhost", "/", "").await;
    assert!(
        answer.starts_with("HTTP/1.1 504") && answer.contains("deadline_exceeded"),
        "{answer}"
    );
}
