//! Components for workers: signed requests only, in parts, and nothing of the API by it.

use super::support::{Answer, TestConsole, request};
use crate::{Settings, VerifyRequest};
use http::Method;
use http::request::Parts;
use std::sync::Arc;

/// Takes one signature.
struct Signed;

impl VerifyRequest for Signed {
    fn verify(&self, request: &Parts) -> bool {
        request.headers.get("x-signature").is_some_and(|s| s == "s")
    }
}

async fn cluster() -> (TestConsole, String) {
    let test = TestConsole::with(Settings {
        cluster: Some(Arc::new(Signed)),
        ..Settings::default()
    })
    .await;
    let digest = test.component().await;
    (test, digest)
}

/// As a worker asks.
async fn ask(test: &TestConsole, digest: &str, headers: &[(&'static str, &str)]) -> Answer {
    let mut asks = request(Method::GET, &format!("/cluster/components/{digest}"), None);
    for (name, value) in [("x-signature", "s")].iter().chain(headers) {
        asks.headers_mut().insert(*name, value.parse().unwrap());
    }
    test.send(asks).await
}

#[tokio::test]
async fn a_component_is_read_whole_and_in_parts() {
    let (test, digest) = cluster().await;
    let whole = ask(&test, &digest, &[("accept-encoding", "gzip")]).await;
    assert_eq!(
        (whole.status.as_u16(), whole.text.as_str()),
        (200, "\0asm hello 1.0")
    );
    let tag = format!("\"{digest}\"");
    assert_eq!(whole.headers["etag"], tag);
    assert_eq!(whole.headers["accept-ranges"], "bytes");
    assert_eq!(whole.headers["content-length"], "14");
    assert_eq!(whole.headers["content-type"], "application/wasm");
    assert!(!whole.headers.contains_key("content-encoding"));
    let part = ask(&test, &digest, &[("range", "bytes=5-"), ("if-range", &tag)]).await;
    assert_eq!(
        (part.status.as_u16(), part.text.as_str()),
        (206, "hello 1.0")
    );
    assert_eq!(part.headers["content-range"], "bytes 5-13/14");
    assert_eq!(part.headers["content-length"], "9");
    let beyond = ask(&test, &digest, &[("range", "bytes=14-")]).await;
    assert_eq!(beyond.problem(), (416, "no_such_range".into()));
    assert_eq!(beyond.headers["content-range"], "bytes */14");
    let known = ask(&test, &digest, &[("if-none-match", &tag)]).await;
    assert_eq!((known.status.as_u16(), known.text.as_str()), (304, ""));
    let none = ask(&test, &"0".repeat(64), &[]).await;
    assert_eq!(none.problem(), (404, "component_not_found".into()));
    assert_eq!(
        ask(&test, "12", &[]).await.problem(),
        (422, "invalid".into())
    );
}

#[tokio::test]
async fn only_workers_may_ask_and_only_that() {
    let (test, digest) = cluster().await;
    let path = format!("/cluster/components/{digest}");
    // An administrator's token is none of a worker's signature, and the other way round.
    assert_eq!(test.get(&path).await.problem(), (403, "not_signed".into()));
    let mut asks = request(Method::GET, "/api/components", None);
    asks.headers_mut()
        .insert("x-signature", "s".parse().unwrap());
    assert_eq!(test.send(asks).await.problem().0, 401);
    assert_eq!(test.call(Method::POST, &path, None).await.problem().0, 405);
    let alone = TestConsole::new().await;
    let absent = ask(&alone, &digest, &[]).await;
    assert_eq!(absent.problem(), (404, "no_such_path".into()));
}
