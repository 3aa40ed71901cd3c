//! `Idempotency-Key`.

use super::support::{Answer, TestConsole};
use axum::body::Body;
use http::{Method, Request};
use serde_json::{Value, json};

async fn keyed(test: &TestConsole, key: &str, path: &str, body: Option<Value>) -> Answer {
    test.call_with(Method::POST, path, body, &[("idempotency-key", key)])
        .await
}

#[tokio::test]
async fn a_repeated_request_gets_the_same_answer_and_acts_once() {
    let test = TestConsole::new().await;
    let digest = test.component().await;
    // Without an ID, so that acting twice would make two apps.
    let body = Some(json!({ "component": { "digest": digest } }));
    let first = keyed(&test, "k1", "/api/apps", body.clone()).await;
    let again = keyed(&test, "k1", "/api/apps", body.clone()).await;
    assert_eq!((first.status.as_u16(), again.status.as_u16()), (201, 201));
    assert_eq!(first.text, again.text);
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert_eq!(again.headers["content-type"], "application/json");
    assert_eq!(
        test.get("/api/apps").await.json()["items"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    keyed(&test, "k2", "/api/apps", body).await;
    assert_eq!(
        test.get("/api/apps").await.json()["items"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
}

#[tokio::test]
async fn a_key_belongs_to_one_request() {
    let test = TestConsole::new().await;
    test.app("shop").await;
    assert_eq!(
        keyed(&test, "k", "/api/apps/shop/start", None).await.status,
        202
    );
    for (path, body) in [
        ("/api/apps/shop/stop", None),
        ("/api/apps/shop/start", Some(json!({ "other": "body" }))),
    ] {
        let refused = keyed(&test, "k", path, body).await;
        assert_eq!(
            refused.problem(),
            (422, "idempotency_key_reused".into()),
            "{path}"
        );
    }
    assert_eq!(
        keyed(&test, "k", "/api/apps/shop/start", None).await.status,
        202
    );
}

#[tokio::test]
async fn refusals_are_repeated_too() {
    let test = TestConsole::new().await;
    let body = Some(json!({ "id": "API" }));
    let first = keyed(&test, "k", "/api/apps", body.clone()).await;
    let again = keyed(&test, "k", "/api/apps", body).await;
    assert_eq!(
        (first.problem(), &first.text),
        (again.problem(), &again.text)
    );
}

#[tokio::test]
async fn uploads_are_repeated_by_their_bytes() {
    let test = TestConsole::new().await;
    let upload = async |bytes: &'static str| {
        let request = Request::post("/api/components")
            .header("authorization", format!("Bearer {}", test.token))
            .header("idempotency-key", "up")
            .body(Body::from(bytes))
            .unwrap();
        test.send(request).await
    };
    assert_eq!(upload("\0asm hello 1").await.status, 201);
    assert_eq!(
        upload("\0asm hello 1").await.status,
        201,
        "not 200: the same answer"
    );
    assert_eq!(
        upload("\0asm hello 2").await.problem(),
        (422, "idempotency_key_reused".into())
    );
}

#[tokio::test]
async fn a_secret_answer_is_not_kept() {
    let test = TestConsole::new().await;
    let body = Some(json!({ "name": "ci" }));
    let first = keyed(&test, "k", "/api/tokens", body.clone()).await;
    assert_eq!(first.status, 201);
    let again = keyed(&test, "k", "/api/tokens", body).await;
    assert_eq!(again.problem(), (409, "idempotency_answer_not_kept".into()));
    assert_eq!(
        test.get("/api/tokens").await.json()["items"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn a_request_under_way_holds_its_key_and_ends_without_its_sender() {
    let test = TestConsole::new().await;
    let (sender, receiver) = futures::channel::mpsc::unbounded::<std::io::Result<bytes::Bytes>>();
    let slow = Request::post("/api/components")
        .header("authorization", format!("Bearer {}", test.token))
        .header("idempotency-key", "slow")
        .body(Body::from_stream(receiver))
        .unwrap();
    let router = test.router.clone();
    let sent = tokio::spawn(tower::ServiceExt::oneshot(router, slow));
    let claimed = async || {
        let rows = sqlx::query("SELECT key FROM idempotency").fetch_all(test.db.reader());
        !rows.await.unwrap().is_empty()
    };
    while !claimed().await {
        tokio::task::yield_now().await;
    }
    let busy = keyed(&test, "slow", "/api/components", None).await;
    assert_eq!(busy.problem(), (409, "idempotency_key_in_progress".into()));
    sent.abort();
    sender.unbounded_send(Ok("\0asm hello 1".into())).unwrap();
    drop(sender);
    while test.get("/api/components").await.json()["items"]
        .as_array()
        .unwrap()
        .is_empty()
    {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn odd_keys_are_refused() {
    let test = TestConsole::new().await;
    for key in ["", &"x".repeat(256)] {
        let refused = keyed(&test, key, "/api/tokens", Some(json!({ "name": "x" }))).await;
        assert_eq!(refused.problem(), (422, "invalid".into()));
        assert_eq!(refused.json()["field"], "idempotency-key");
    }
}
