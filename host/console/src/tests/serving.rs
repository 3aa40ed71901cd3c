//! What every answer has, and the listener.

use super::support::{TestConsole, request};
use axum::Router;
use axum::routing::get;
use http::{Method, StatusCode};
use http_body_util::BodyExt as _;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceExt as _;

#[tokio::test]
async fn every_answer_has_the_security_headers() {
    let test = TestConsole::new().await;
    for path in ["/", "/api/apps", "/nowhere", "/healthz"] {
        let answer = test.send(request(Method::GET, path, None)).await;
        assert_eq!(
            answer.headers["x-content-type-options"], "nosniff",
            "{path}"
        );
        assert_eq!(answer.headers["x-frame-options"], "DENY", "{path}");
        assert_eq!(answer.headers["cache-control"], "no-store", "{path}");
        let policy = answer.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
    }
}

#[tokio::test]
async fn unknown_paths_and_methods_are_problems() {
    let test = TestConsole::new().await;
    for path in ["/nowhere", "/api/nowhere", "/api"] {
        let answer = test.send(request(Method::GET, path, None)).await;
        assert_eq!(answer.problem(), (404, "no_such_path".into()), "{path}");
    }
    for (method, path) in [
        (Method::PUT, "/api/apps"),
        (Method::POST, "/"),
        (Method::GET, "/api/auth/login"),
    ] {
        let answer = test.send(request(method, path, None)).await;
        assert_eq!(answer.problem(), (405, "no_such_method".into()), "{path}");
        assert!(answer.headers.contains_key("allow"), "{path}");
    }
}

#[tokio::test]
async fn every_address_is_the_page_for_a_browser_and_nothing_for_a_program() {
    let test = TestConsole::new().await;
    for path in ["/", "/apps/shop/logs?level=warn", "/settings"] {
        let mut asks = request(Method::GET, path, None);
        let html = "text/html,application/xhtml+xml,*/*;q=0.8";
        asks.headers_mut().insert("accept", html.parse().unwrap());
        let page = test.send(asks).await;
        assert_eq!(page.status, 200, "{path}");
        assert_eq!(page.headers["content-type"], "text/html; charset=utf-8");
        assert_eq!(page.headers["cache-control"], "no-store");
    }
    for path in ["/api/nowhere", "/assets/nowhere.js"] {
        let mut asks = request(Method::GET, path, None);
        asks.headers_mut()
            .insert("accept", "text/html".parse().unwrap());
        assert_eq!(
            test.send(asks).await.problem(),
            (404, "no_such_path".into())
        );
    }
}

#[tokio::test]
async fn lists_are_compressed_and_event_streams_are_not() {
    let test = TestConsole::new().await;
    for (path, compressed) in [("/api/openapi.json", true), ("/api/events", false)] {
        let mut asks = request(Method::GET, path, None);
        let headers = asks.headers_mut();
        headers.insert("accept-encoding", "gzip".parse().unwrap());
        headers.insert(
            "authorization",
            format!("Bearer {}", test.token).parse().unwrap(),
        );
        let response = test.router.clone().oneshot(asks).await.unwrap();
        let coding = response.headers().get("content-encoding");
        assert_eq!(coding.is_some(), compressed, "{path}");
    }
}

#[tokio::test]
async fn a_host_that_shuts_down_is_alive_but_not_ready() {
    let test = TestConsole::new().await;
    test.console.stop();
    assert_eq!(
        test.send(request(Method::GET, "/healthz", None))
            .await
            .status,
        200
    );
    let ready = test.send(request(Method::GET, "/readyz", None)).await;
    assert_eq!(ready.problem(), (503, "shutting_down".into()));
}

#[tokio::test]
async fn events_are_told_as_they_happen_and_end_with_the_host() {
    let test = TestConsole::new().await;
    let mut asks = request(Method::GET, "/api/events", None);
    asks.headers_mut().insert(
        "authorization",
        format!("Bearer {}", test.token).parse().unwrap(),
    );
    let response = test.router.clone().oneshot(asks).await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut body = response.into_body();
    test.app("shop").await;
    let mut text = String::new();
    while !text.contains("event: app_changed") {
        let frame = body.frame().await.unwrap().unwrap();
        text.push_str(std::str::from_utf8(frame.data_ref().unwrap()).unwrap());
    }
    assert!(text.contains("event: component\n"), "{text}");
    assert!(text.contains("\"app\":\"shop\""), "{text}");
    test.console.stop();
    while body.frame().await.is_some() {}
}

#[tokio::test]
async fn event_streams_are_bounded() {
    let test = TestConsole::new().await;
    let follow = async || {
        let mut asks = request(Method::GET, "/api/events", None);
        asks.headers_mut().insert(
            "authorization",
            format!("Bearer {}", test.token).parse().unwrap(),
        );
        test.router.clone().oneshot(asks).await.unwrap()
    };
    let mut held = Vec::new();
    for _ in 0..crate::state::MAX_EVENT_STREAMS {
        held.push(follow().await);
    }
    assert_eq!(follow().await.status(), StatusCode::SERVICE_UNAVAILABLE);
    held.pop();
    assert_eq!(follow().await.status(), StatusCode::OK);
}

#[tokio::test]
async fn the_listener_serves_and_drains() {
    let test = TestConsole::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (started, under_way) = tokio::sync::oneshot::channel::<()>();
    let started = std::sync::Arc::new(parking_lot::Mutex::new(Some(started)));
    let slow = get(move || {
        let started = std::sync::Arc::clone(&started);
        async move {
            let _ = started.lock().take().unwrap().send(());
            tokio::time::sleep(Duration::from_millis(100)).await;
            "slow but served"
        }
    });
    let router = Router::new()
        .route("/slow", slow)
        .merge(test.router.clone());
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let served = tokio::spawn(crate::serve(listener, router, async {
        let _ = stopped.await;
    }));
    let mut idle = TcpStream::connect(address).await.unwrap();
    idle.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    let mut first = [0; 12];
    idle.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 200");
    let mut busy = TcpStream::connect(address).await.unwrap();
    busy.write_all(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    under_way.await.unwrap();
    stop.send(()).unwrap();
    served.await.unwrap();
    let mut text = String::new();
    busy.read_to_string(&mut text).await.unwrap();
    assert!(text.ends_with("slow but served"), "{text}");
    assert!(
        TcpStream::connect(address).await.is_err(),
        "still listening"
    );
}

#[tokio::test]
async fn a_refusal_reaches_a_client_that_goes_on_sending() {
    let test = TestConsole::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(crate::serve(
        listener,
        test.router.clone(),
        std::future::pending(),
    ));
    let client = TcpStream::connect(address).await.unwrap();
    let (mut from, mut to) = client.into_split();
    let head = format!(
        "POST /api/components HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-length: 900000000\r\n\r\n",
        test.token
    );
    to.write_all(head.as_bytes()).await.unwrap();
    for _ in 0..100 {
        to.write_all(&[0; 64 * 1024]).await.unwrap();
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    drop(to);
    let mut text = String::new();
    from.read_to_string(&mut text).await.unwrap();
    assert!(text.starts_with("HTTP/1.1 413"), "{text}");
}
