//! Calls from one app to another.

use crate::support::{Host, mirror, running, text};
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use lodge_model::{CallDepth, FailureKind, InternalCalls as _, Phase, RequestBody};

fn request(body: &'static str) -> Request<RequestBody> {
    let body = Full::new(Bytes::from_static(body.as_bytes())).map_err(|never| match never {});
    Request::post("http://shop.lodge.internal/things?q=1")
        .body(RequestBody::new(body))
        .unwrap()
}

async fn call(host: &Host, to: &str, body: &'static str) -> Result<String, FailureKind> {
    let (from, to) = ("desk".parse().unwrap(), to.parse().unwrap());
    let answered = host
        .edge
        .call(&from, &to, CallDepth(1), request(body))
        .await;
    let response = answered.map_err(|failure| failure.kind)?;
    let whole = response.into_body().collect().await.unwrap().to_bytes();
    Ok(String::from_utf8(whole.to_vec()).unwrap())
}

#[tokio::test]
async fn an_app_is_called_as_a_visitor_would_and_told_by_whom() {
    let host = Host::start().await;
    let meter = host.app("shop", mirror());
    let seen = call(&host, "shop", "content").await.unwrap();
    for part in [
        "POST /things?q=1\n",
        "host: shop.lodge.internal\n",
        "x-forwarded-for: desk.lodge.internal\n",
        "content",
    ] {
        assert!(seen.contains(part), "{part:?} in {seen}");
    }
    let counted = meter.snapshot();
    assert_eq!((counted.answered, counted.in_flight), (1, 0));
}

#[tokio::test]
async fn the_depth_of_calls_reaches_the_called_app() {
    let host = Host::start().await;
    let phase = running(|request: Request<RequestBody>| async move {
        let depth = request.extensions().get::<CallDepth>().copied();
        Ok(text(format!("{:?}", depth.map(|depth| depth.0))))
    });
    host.app("shop", phase);
    assert_eq!(call(&host, "shop", "").await.unwrap(), "Some(1)");
    // A visitor cannot pretend to one.
    assert!(host.get("shop.localhost", "/", "").await.ends_with("None"));
}

#[tokio::test]
async fn what_refuses_visitors_refuses_apps() {
    let host = Host::start().await;
    let meter = host.app("shop", Phase::Stopped);
    assert_eq!(call(&host, "shop", "").await, Err(FailureKind::AppStopped));
    assert_eq!(meter.snapshot().refused, 1);
    assert_eq!(call(&host, "none", "").await, Err(FailureKind::AppNotFound));
    let small = |route: &mut lodge_model::Route| route.limits.request_body_bytes = 3;
    host.app_with("tiny", mirror(), small);
    assert_eq!(
        call(&host, "tiny", "four").await,
        Err(FailureKind::BodyTooLarge)
    );
    let full = |route: &mut lodge_model::Route| {
        (route.limits.concurrency, route.limits.queue) = (1, 0);
    };
    host.app_with("full", running(|_| std::future::pending()), full);
    let first = call(&host, "full", "");
    let second = async {
        tokio::task::yield_now().await;
        call(&host, "full", "").await
    };
    tokio::select! {
        answered = first => panic!("{answered:?}"),
        refused = second => assert_eq!(refused, Err(FailureKind::QueueFull)),
    }
}
