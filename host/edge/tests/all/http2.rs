//! HTTP/2 by prior knowledge.

use crate::support::{Host, eventually, mirror, running, text};
use bytes::Bytes;
use h2::client::{Connection, SendRequest};
use http::{Request, Response};
use lodge_edge::Settings;
use std::time::Duration;
use tokio::net::TcpStream;

pub(crate) async fn connect(host: &Host) -> SendRequest<Bytes> {
    let (client, connection): (_, Connection<TcpStream, Bytes>) = h2::client::Builder::new()
        // Beyond one stream's window, so that one that is not read does not block the others.
        .initial_connection_window_size(1 << 20)
        .handshake(host.connect().await)
        .await
        .unwrap();
    tokio::spawn(connection);
    client.ready().await.unwrap()
}

pub(crate) async fn answer(
    client: &mut SendRequest<Bytes>,
    request: Request<()>,
    body: &'static str,
) -> (Response<()>, String) {
    let (response, mut upload) = client.send_request(request, false).unwrap();
    upload.send_data(Bytes::from(body), true).unwrap();
    let (parts, mut download) = response.await.unwrap().into_parts();
    let mut text = Vec::new();
    while let Some(data) = download.data().await {
        text.extend_from_slice(&data.unwrap());
    }
    (
        Response::from_parts(parts, ()),
        String::from_utf8(text).unwrap(),
    )
}

#[tokio::test]
async fn it_is_recognized_and_the_guest_sees_no_difference() {
    let host = Host::start().await;
    host.app("shop", mirror());
    let mut client = connect(&host).await;
    let request = Request::post("http://shop.localhost/x?y")
        .header("cookie", "a=1")
        .header("cookie", "lodge_a=secret");
    let (response, seen) = answer(&mut client, request.body(()).unwrap(), "body").await;
    assert_eq!(response.status(), 200);
    assert!(
        seen.starts_with("POST /x?y\n")
            && seen.contains("host: shop.localhost\n")
            && seen.ends_with("body"),
        "{seen}"
    );
    assert!(!seen.contains("secret"), "{seen}");
    let (response, seen) = answer(
        &mut client,
        Request::get("http://127.0.0.1/apps/shop/z")
            .body(())
            .unwrap(),
        "",
    )
    .await;
    assert!(
        response.status() == 200 && seen.contains("x-forwarded-prefix: /apps/shop\n"),
        "{seen}"
    );
    let (response, seen) = answer(
        &mut client,
        Request::get("http://127.0.0.1/apps/no/").body(()).unwrap(),
        "",
    )
    .await;
    assert!(
        response.status() == 404 && seen.contains("app_not_found"),
        "{seen}"
    );
}

#[tokio::test]
async fn a_stream_that_is_reset_cancels_its_guest_only() {
    let host = Host::start().await;
    let slow = host.app("slow", running(|_| std::future::pending()));
    host.app("shop", mirror());
    let mut client = connect(&host).await;
    let request = Request::get("http://slow.localhost/").body(()).unwrap();
    let (response, mut stream) = client.send_request(request, true).unwrap();
    eventually("the guest works", || slow.snapshot().in_flight == 1).await;
    stream.send_reset(h2::Reason::CANCEL);
    drop(response);
    eventually("the guest is cancelled", || slow.snapshot().in_flight == 0).await;
    let (response, _) = answer(
        &mut client,
        Request::get("http://shop.localhost/").body(()).unwrap(),
        "",
    )
    .await;
    assert_eq!(
        (response.status().as_u16(), slow.snapshot().cancelled),
        (200, 1)
    );
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_answered() {
    let host = Host::start().await;
    host.app_with("shop", mirror(), |route| {
        route.limits.request_body_bytes = 8
    });
    let mut client = connect(&host).await;
    let request = Request::post("http://shop.localhost/").body(()).unwrap();
    let (response, seen) = answer(&mut client, request, "123456789").await;
    assert!(
        response.status() == 413 && seen.contains("body_too_large"),
        "{seen}"
    );
}

#[tokio::test]
async fn a_stream_whose_peer_does_not_read_is_reset_and_no_other() {
    let limit = Duration::from_millis(300);
    let settings = Settings {
        stall_timeout: limit,
        ..Settings::default()
    };
    let host = Host::with(settings, limit).await;
    let large = host.app(
        "large",
        running(|_| async { Ok(text(vec![b'x'; 1 << 20])) }),
    );
    let slow = host.app(
        "slow",
        running(|_| async {
            tokio::time::sleep(Duration::from_millis(900)).await;
            Ok(text("thought about it"))
        }),
    );
    let mut client = connect(&host).await;
    let get = |name: &str| {
        Request::get(format!("http://{name}.localhost/"))
            .body(())
            .unwrap()
    };
    // Its window is never opened: the first 64 KiB come, and no more.
    let (unread, _) = client.send_request(get("large"), true).unwrap();
    let unread = unread.await.unwrap().into_body();
    eventually("the stream is given up", || large.snapshot().in_flight == 0).await;
    assert_eq!(large.snapshot().cancelled, 1);
    let (response, said) = answer(&mut client, get("slow"), "").await;
    assert_eq!(
        (response.status().as_u16(), said.as_str()),
        (200, "thought about it")
    );
    assert_eq!(
        slow.snapshot().answered,
        1,
        "waiting for a guest is no stall"
    );
    drop(unread);
}

#[tokio::test]
async fn large_answers_come_whole() {
    let host = Host::start().await;
    host.app(
        "large",
        running(|_| async { Ok(text(vec![b'x'; 1 << 20])) }),
    );
    let mut client = connect(&host).await;
    let request = Request::get("http://large.localhost/").body(()).unwrap();
    let (response, mut upload) = client.send_request(request, false).unwrap();
    upload.send_data(Bytes::new(), true).unwrap();
    let (parts, mut body) = response.await.unwrap().into_parts();
    assert_eq!(parts.headers["content-length"], "1048576");
    let mut length = 0;
    while let Some(data) = body.data().await {
        let data = data.unwrap();
        length += data.len();
        body.flow_control().release_capacity(data.len()).unwrap();
    }
    assert_eq!(length, 1 << 20);
}
