//! HTTP/2 by prior knowledge.

use crate::support::{Host, eventually, mirror, running};
use bytes::Bytes;
use h2::client::{Connection, SendRequest};
use http::{Request, Response};
use tokio::net::TcpStream;

async fn connect(host: &Host) -> SendRequest<Bytes> {
    let (client, connection): (_, Connection<TcpStream, Bytes>) =
        h2::client::handshake(host.connect().await).await.unwrap();
    tokio::spawn(connection);
    client.ready().await.unwrap()
}

async fn answer(
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
