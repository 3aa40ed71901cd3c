//! What goes over the wire: heads, bodies, connections, and servers that misbehave.

use super::parts::{App, empty, full, text, until};
use super::server::Server;
use http::{Method, Request};
use http_body_util::BodyExt;
use lodge_capabilities::outbound::{OutboundService, Settings};
use lodge_model::{Limits, OutboundError};
use std::sync::atomic::Ordering::SeqCst;

#[tokio::test]
async fn bodies_go_both_ways() {
    let server = Server::start().await;
    let app = App::new(&server.grant());
    let body = "ä".repeat(100_000);
    let request = Request::post(server.uri("/echo"))
        .body(full(body.clone()))
        .unwrap();
    assert_eq!(text(app.send(request).await.unwrap()).await, body);
    assert_eq!(
        app.get(&server.uri("/nowhere")).await.unwrap().status(),
        404
    );
}

#[tokio::test]
async fn the_host_is_the_uris_and_the_connection_the_hosts() {
    let server = Server::start().await;
    let app = App::new(&server.grant());
    let request = Request::get(server.uri("/head?x=1"))
        .header("host", "internal.example")
        .header("connection", "x-secret")
        .header("x-secret", "1")
        .header("transfer-encoding", "chunked")
        .header("upgrade", "h2c")
        .header("x-kept", "2")
        .body(empty())
        .unwrap();
    let response = app.send(request).await.unwrap();
    assert!(response.headers().get("keep-alive").is_none(), "hop by hop");
    let head = text(response).await;
    let expected = format!(
        "/head?x=1 {{\"x-kept\": \"2\", \"host\": \"{}\"}}",
        server.address
    );
    assert_eq!(head, expected);
}

#[tokio::test]
async fn what_cannot_be_sent_is_malformed() {
    let server = Server::start().await;
    let app = App::new(&server.grant());
    let uri = server.uri("/hello");
    for request in [
        Request::builder()
            .method(Method::CONNECT)
            .uri(&uri)
            .body(empty())
            .unwrap(),
        Request::post(&uri)
            .header("content-length", "9")
            .body(full("five!"))
            .unwrap(),
        Request::get("/hello").body(empty()).unwrap(),
        Request::get(uri.replace("http://", "http://user:pw@"))
            .body(empty())
            .unwrap(),
    ] {
        let refused = app.send(request).await;
        assert!(matches!(refused, Err(OutboundError::Malformed(_))));
    }
    assert_eq!(server.accepted.load(SeqCst), 0);
}

#[tokio::test]
async fn connections_are_kept_and_never_shared_between_apps() {
    let server = Server::start().await;
    let service = OutboundService::new(Settings::default());
    let open = |id| App::with(&service, id, &server.grant(), Limits::default());
    let (shop, blog) = (open("shop"), open("blog"));
    let first = shop.text(&server.uri("/peer")).await;
    assert_eq!(shop.text(&server.uri("/peer")).await, first);
    assert_ne!(blog.text(&server.uri("/peer")).await, first);
    assert_eq!(shop.text(&server.uri("/peer")).await, first);
    drop((shop, blog));
    until("an app's connections close with it", || {
        server.open.load(SeqCst) == 0
    })
    .await;
}

#[tokio::test]
async fn a_dropped_response_ends_its_connection() {
    let server = Server::start().await;
    let app = App::new(&server.grant());
    let mut response = app.get(&server.uri("/endless")).await.unwrap();
    response.body_mut().frame().await.unwrap().unwrap();
    assert_eq!(server.open.load(SeqCst), 1);
    drop(response);
    until("the connection stays", || server.open.load(SeqCst) == 0).await;
    until("its memory stays charged", || {
        app.account.reserved.load(SeqCst) == 0
    })
    .await;
}

#[tokio::test]
async fn broken_servers_are_errors() {
    let get = async |answer: &'static [u8]| {
        let server = Server::raw(answer).await;
        App::new(&server.grant()).get(&server.uri("/")).await
    };
    for answer in [
        &b"SSH-2.0-OpenSSH_9.2\r\n\r\n"[..],
        b"",
        b"HTTP/1.1 200",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
    ] {
        let broken = get(answer).await;
        assert!(
            matches!(broken, Err(OutboundError::Protocol(_))),
            "{answer:?}"
        );
    }
    let short = get(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nten bytes.")
        .await
        .unwrap();
    assert!(
        short.into_body().collect().await.is_err(),
        "a body cut short is no body"
    );
}
