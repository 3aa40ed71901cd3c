//! Calls between apps, which stay in this process.

use super::parts::{App, Names, full, get, text};
use async_trait::async_trait;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use lodge_capabilities::outbound::{MAX_DEPTH, OutboundService, Settings};
use lodge_model::{
    AppId, CallDepth, Failure, FailureKind, InternalCalls, Limits, OutboundError, OutboundOptions,
    RequestBody, ResponseBody,
};
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

/// Answers with what it was called with; `broken` fails and `silent` does not answer.
struct Calls;

#[async_trait]
impl InternalCalls for Calls {
    async fn call(
        &self,
        from: &AppId,
        to: &AppId,
        depth: CallDepth,
        request: Request<RequestBody>,
    ) -> Result<Response<ResponseBody>, Failure> {
        match to.as_str() {
            "broken" => return Err(FailureKind::Trap.into()),
            "stopped" => return Err(FailureKind::AppStopped.into()),
            "missing" => return Err(FailureKind::AppNotFound.into()),
            "silent" => std::future::pending().await,
            _ => {}
        }
        let (head, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let answer = format!(
            "{from} {to} {} {} {} {:?} {:?}",
            depth.0, head.method, head.uri, head.headers, body
        );
        let answer = Full::new(answer.into()).map_err(|never| match never {});
        Ok(Response::new(answer.boxed_unsync()))
    }
}

fn service() -> (Arc<Names>, Arc<OutboundService>) {
    let names = Arc::<Names>::default();
    let service = OutboundService::new(Settings {
        resolver: names.clone(),
        ..Settings::default()
    });
    service.set_internal_calls(Arc::new(Calls));
    (names, service)
}

fn app(service: &Arc<OutboundService>, grants: &[&str]) -> App {
    let hosts: Vec<String> = grants
        .iter()
        .map(|id| format!("{id}.lodge.internal"))
        .collect();
    App::with(
        service,
        "shop",
        &hosts,
        Limits {
            request_timeout_ms: 300,
            ..Limits::default()
        },
    )
}

#[tokio::test]
async fn a_granted_app_is_called_in_process() {
    let (names, service) = service();
    let shop = app(&service, &["blog", "a_1"]);
    let request = Request::post("http://BLOG.lodge.internal/x?y")
        .header("host", "desk.lodge.internal")
        .body(full("hi"))
        .unwrap();
    let answer = text(shop.send(request).await.unwrap()).await;
    assert_eq!(
        answer,
        "shop blog 1 POST http://BLOG.lodge.internal/x?y {\"host\": \"blog.lodge.internal\"} b\"hi\""
    );
    assert!(
        shop.text("http://a-1.lodge.internal./")
            .await
            .starts_with("shop a-1 1 GET")
    );
    assert_eq!(names.lookups.load(SeqCst), 0, "its name is never looked up");
}

#[tokio::test]
async fn without_a_grant_it_is_not() {
    let (names, service) = service();
    let shop = app(&service, &["blog"]);
    let wide = App::with(&service, "shop", &["*.internal".into()], Limits::default());
    for uri in ["http://desk.lodge.internal/", "http://shop.lodge.internal/"] {
        assert!(
            matches!(shop.get(uri).await, Err(OutboundError::Denied(_))),
            "{uri}"
        );
        assert!(
            matches!(wide.get(uri).await, Err(OutboundError::Denied(_))),
            "{uri}"
        );
    }
    for uri in [
        "https://blog.lodge.internal/",
        "http://blog.lodge.internal:13000/",
    ] {
        assert!(
            matches!(shop.get(uri).await, Err(OutboundError::Malformed(_))),
            "{uri}"
        );
    }
    assert_eq!(names.lookups.load(SeqCst), 0);
}

#[tokio::test]
async fn circles_end() {
    let (_, service) = service();
    let shop = app(&service, &["blog"]);
    let at = |depth| OutboundOptions {
        depth: CallDepth(depth),
        ..OutboundOptions::default()
    };
    let call = |depth| shop.out.send(get("http://blog.lodge.internal/"), at(depth));
    let deepest = text(call(MAX_DEPTH - 1).await.unwrap()).await;
    assert!(
        deepest.starts_with(&format!("shop blog {MAX_DEPTH} ")),
        "{deepest}"
    );
    for depth in [MAX_DEPTH, u8::MAX] {
        assert!(matches!(
            call(depth).await,
            Err(OutboundError::LimitExceeded(_))
        ));
    }
    assert!(shop.logged()[0].contains("in a row"));
}

#[tokio::test]
async fn its_failures_are_told() {
    let (_, service) = service();
    let shop = app(&service, &["broken", "stopped", "missing", "silent"]);
    let call = async |id: &str| {
        shop.get(&format!("http://{id}.lodge.internal/"))
            .await
            .map(drop)
    };
    assert!(matches!(
        call("broken").await,
        Err(OutboundError::Protocol(_))
    ));
    assert!(matches!(
        call("stopped").await,
        Err(OutboundError::Refused(_))
    ));
    assert!(matches!(
        call("missing").await,
        Err(OutboundError::NameNotFound(_))
    ));
    let silent = tokio::time::timeout(Duration::from_secs(3), call("silent"));
    assert!(matches!(
        silent.await.unwrap(),
        Err(OutboundError::TimedOut(_))
    ));
    let alone = OutboundService::new(Settings::default());
    let refused = app(&alone, &["blog"])
        .get("http://blog.lodge.internal/")
        .await;
    assert!(matches!(refused, Err(OutboundError::Host(_))), "not wired");
}
