//! What a worker takes in, and from whom.

use super::{Worker, key, pair};
use crate::support::{Host, mirror};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request};
use http_body_util::BodyExt as _;
use lodge_model::{BootId, Claim, ClusterKey, Forwarding as _, RequestId, Signer};

/// A signed request for the app `shop`, as bytes.
fn signed(worker: &Worker, key: &ClusterKey, path: &str, app: Option<&'static str>) -> String {
    let signer = Signer::new(key, BootId::random().unwrap());
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("host", "shop.example.com"),
        ("x-forwarded-for", "192.0.2.7"),
        ("x-forwarded-prefix", "/apps/shop"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let app = app.map(HeaderValue::from_static);
    let claim = Claim {
        app: app.as_ref(),
        id: Some(RequestId(0xabc)),
        body: app.is_none().then_some(&b""[..]),
    };
    let uri = path.parse().unwrap();
    signer
        .to(worker.boot)
        .sign(&Method::GET, &uri, &mut headers, &claim);
    let mut text = format!("GET {path} HTTP/1.1\r\nconnection: close\r\n");
    for (name, value) in &headers {
        text += &format!("{name}: {}\r\n", value.to_str().unwrap());
    }
    text + "\r\n"
}

async fn refused(worker: &Worker, request: &str) {
    let answer = worker.host.send(request).await;
    assert!(answer.starts_with("HTTP/1.1 403"), "{request}\n{answer}");
    assert!(
        answer.contains("x-lodge-failure: signature_invalid\r\n"),
        "{answer}"
    );
    assert!(answer.ends_with("\r\n\r\n"), "nothing else: {answer}");
}

#[tokio::test]
async fn a_signed_request_reaches_the_app_that_it_names() {
    let worker = Worker::start("one").await;
    worker.host.app("shop", mirror());
    let request = signed(&worker, &key(), "/x?y", Some("shop"));
    let answer = worker.host.send(&request).await;
    for line in [
        "GET /x?y\n",
        "host: shop.example.com\n",
        "x-forwarded-for: 192.0.2.7\n",
        "x-forwarded-prefix: /apps/shop\n",
    ] {
        assert!(answer.contains(line), "{line}{answer}");
    }
    assert!(!answer.contains("x-lodge"), "{answer}");
    refused(&worker, &request).await;
}

#[tokio::test]
async fn what_was_changed_or_meant_for_another_is_refused() {
    let worker = Worker::start("one").await;
    worker.host.app("shop", mirror());
    worker.host.app("other", mirror());
    for (from, to) in [
        ("GET /x", "GET /y"),
        ("GET", "POST"),
        ("192.0.2.7", "192.0.2.8"),
        ("shop.example.com", "evil.example"),
        ("x-lodge-app: shop", "x-lodge-app: other"),
        ("x-lodge-app: shop\r\n", ""),
        ("0000000abc", "0000000abd"),
        ("GET /x", "GET http://evil.example/x"),
    ] {
        let request = signed(&worker, &key(), "/x", Some("shop"));
        assert!(request.contains(from), "{from} in {request}");
        refused(&worker, &request.replacen(from, to, 1)).await;
    }
    let another = ClusterKey::new("another key for tests, as long as it must be").unwrap();
    refused(&worker, &signed(&worker, &another, "/x", Some("shop"))).await;
    let elsewhere = Worker::start("two").await;
    refused(&worker, &signed(&elsewhere, &key(), "/x", Some("shop"))).await;
    refused(&worker, "GET /x HTTP/1.1\r\nhost: shop.localhost\r\nconnection: close\r\nx-lodge-signature: 1\r\n\r\n").await;
    refused(
        &worker,
        "POST /x HTTP/1.1\r\nhost: a\r\nconnection: close\r\nx-lodge-signature: 1\r\ncontent-length: 5\r\n\r\n12345",
    )
    .await;
}

#[tokio::test]
async fn ordinary_visits_go_on_as_they_were_and_are_not_believed() {
    let worker = Worker::start("one").await;
    worker.host.app("shop", mirror());
    let junk = "x-lodge-app: other\r\nx-lodge-request: 00\r\nx-lodge-environment: x\r\nx-forwarded-for: 9.9.9.9\r\n";
    let answer = worker.host.get("127.0.0.1", "/apps/shop/x", junk).await;
    assert!(answer.contains("GET /x\n"), "{answer}");
    assert!(answer.contains("x-forwarded-for: 127.0.0.1\n"), "{answer}");
    assert!(
        !answer.contains("x-lodge") && !answer.contains("9.9.9.9"),
        "{answer}"
    );
    let answer = worker.host.get("127.0.0.1", "/.lodge/logs", "").await;
    assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
    // Where nothing is taken in, a signature is a field like others, and goes.
    let host = Host::start().await;
    host.app("shop", mirror());
    let answer = host
        .get("shop.localhost", "/", "x-lodge-signature: 1\r\n")
        .await;
    assert!(
        answer.starts_with("HTTP/1.1 200") && !answer.contains("x-lodge"),
        "{answer}"
    );
}

#[tokio::test]
async fn a_worker_is_asked_itself() {
    let (supervisor, worker) = pair("shop", mirror()).await;
    for body in ["", "question"] {
        let request = Request::post("/.lodge/logs?app=shop").body(Bytes::from(body));
        let target = worker.target();
        let answer = supervisor.forward.ask(&target, request.unwrap());
        let (head, answer) = answer.await.unwrap().into_parts();
        let answer = answer.collect().await.unwrap().to_bytes();
        assert_eq!(head.status, 200);
        assert_eq!(answer, format!("POST /.lodge/logs?app=shop {body}"));
    }
    let ask = |path: &str, size: usize| {
        let request = Request::get(path).body(Bytes::from(vec![0; size])).unwrap();
        let target = worker.target();
        let forward = supervisor.forward.clone();
        async move { forward.ask(&target, request).await }
    };
    assert_eq!(ask("/.lodge/none", 0).await.unwrap().status(), 404);
    let error = ask("/elsewhere", 0).await.unwrap_err();
    assert!(error.0.ends_with("refused: bad_request"), "{error}");
    let error = ask("/.lodge/logs", 2 * 1024 * 1024).await.unwrap_err();
    assert!(error.0.contains("body_too_large"), "{error}");
    // What was asked cannot be changed on its way.
    let request = signed(&worker, &key(), "/.lodge/logs", None);
    let longer = request.replace("\r\n\r\n", "\r\ncontent-length: 1\r\n\r\nx");
    refused(&worker, &longer).await;
    worker.host.stop.cancel();
    worker.host.serving.await.unwrap();
    let request = Request::get("/.lodge/logs").body(Bytes::new()).unwrap();
    let target = super::target("one", worker.host.at, worker.boot);
    let error = supervisor.forward.ask(&target, request).await.unwrap_err();
    assert!(error.0.contains("one cannot be reached"), "{error}");
}
