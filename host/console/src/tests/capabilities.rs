//! What apps are given beside CPU and memory: databases, data sources, keys.

use super::support::{TestConsole, request};
use http::Method;
use serde_json::{Value, json};

async fn patch(test: &TestConsole, id: &str, patch: Value) -> super::support::Answer {
    test.call(Method::PATCH, &format!("/api/apps/{id}"), Some(patch))
        .await
}

#[tokio::test]
async fn data_sources_are_granted_and_their_urls_masked() {
    let test = TestConsole::new().await;
    test.app("orders").await;
    test.app("shop").await;
    let refused = patch(
        &test,
        "shop",
        json!({ "data_sources": { "o": { "app": "orders" } } }),
    );
    let refused = refused.await;
    assert_eq!(
        refused.json()["field"],
        "data_sources.o.app",
        "{}",
        refused.text
    );
    patch(
        &test,
        "orders",
        json!({ "database": { "kind": "new_database" } }),
    )
    .await;
    let granted = patch(
        &test,
        "shop",
        json!({ "data_sources": {
            "o": { "app": "orders" },
            "w": { "url": "mysql://u:hunter2@h/d", "access": "read_write" },
        } }),
    )
    .await;
    assert_eq!(granted.status, 200, "{}", granted.text);
    let shown = test.get("/api/apps/shop").await;
    assert!(!(granted.text + &shown.text).contains("hunter2"));
    assert_eq!(
        shown.json()["data_sources"],
        json!({ "o": { "app": "orders", "access": "read_only" }, "w": { "access": "read_write" } })
    );
    let dropped = test.call(Method::DELETE, "/api/apps/orders?data=drop", None);
    let dropped = dropped.await;
    assert_eq!(dropped.problem(), (409, "database_in_use".into()));
    assert!(dropped.text.contains("`shop`"), "{}", dropped.text);
}

#[tokio::test]
async fn keys_are_shown_and_rotated_without_their_secrets() {
    let test = TestConsole::new().await;
    test.app("shop").await;
    let shown = test.get("/api/apps/shop/jwt").await;
    let first = shown.json()["keys"][0]["kid"].clone();
    assert_eq!(shown.json()["jwks"], json!({ "keys": [] }));
    let rotated = test
        .call(Method::POST, "/api/apps/shop/jwt/rotate", None)
        .await;
    assert_eq!(rotated.status, 202, "{}", rotated.text);
    assert_eq!(rotated.json()["operation"]["kind"], "rotate_key");
    let keys = test.get("/api/apps/shop/jwt").await;
    assert_eq!(keys.json()["keys"].as_array().unwrap().len(), 2);
    assert_eq!(keys.json()["keys"][1]["kid"], first);
    assert!(keys.json()["keys"][1]["retired_at"].is_i64());

    let shared = json!({ "jwt": { "independent": false } });
    let changed = patch(&test, "shop", shared).await;
    assert_eq!(
        changed.json()["jwt"],
        json!({ "independent": false, "algorithm": "HS256" })
    );
    let own = test
        .call(Method::POST, "/api/apps/shop/jwt/rotate", None)
        .await;
    assert_eq!(own.problem(), (409, "shared_key".into()));
    let body = json!({ "overlap_seconds": 0 });
    let all = test.call(Method::POST, "/api/jwt/rotate", Some(body)).await;
    assert_eq!(
        (&all.json()["apps"], &all.json()["key"]["shared"]),
        (&json!(1), &json!(true))
    );
    let texts = shown.text + &rotated.text + &keys.text + &changed.text + &all.text;
    assert!(!texts.contains("very-secret"), "{texts}");

    for (body, status) in [
        (json!({ "overlap_seconds": 7_776_001 }), 422),
        (json!({ "overlap": 1 }), 422),
    ] {
        let refused = test.call(Method::POST, "/api/jwt/rotate", Some(body)).await;
        assert_eq!(refused.problem().0, status, "{}", refused.text);
    }
    let mut odd = request(Method::POST, "/api/jwt/rotate", Some(&json!({})));
    odd.headers_mut().remove("content-type");
    let bearer = format!("Bearer {}", test.token);
    odd.headers_mut()
        .insert("authorization", bearer.parse().unwrap());
    assert_eq!(test.send(odd).await.problem(), (415, "not_json".into()));
}

#[tokio::test]
async fn a_database_is_tried_before_it_is_given() {
    let test = TestConsole::new().await;
    test.app("shop").await;
    let spec = |end: &str| json!({ "kind": "new_connection", "url": format!("postgres://u:hunter2@h/{end}") });
    let ask = async |body: Value| {
        test.call(Method::POST, "/api/databases/test", Some(body))
            .await
    };
    let there = ask(json!({ "database": spec("there") })).await;
    assert_eq!(
        (there.status.as_u16(), there.json()),
        (
            200,
            json!({ "engine": "postgres", "version": "17.5", "elapsed_ms": 3 })
        )
    );
    let away = ask(json!({ "database": spec("away"), "app": "shop" })).await;
    assert_eq!(away.problem(), (422, "database_unavailable".into()));
    assert_eq!(away.json()["field"], "database.url");
    assert!(!away.text.contains("hunter2"), "{}", away.text);
    // The URL that an app has can be tried without sending it again.
    patch(&test, "shop", json!({ "database": spec("there") })).await;
    let own = json!({ "database": { "kind": "new_connection" }, "app": "shop" });
    assert_eq!(ask(own).await.status, 200);
    let none = ask(json!({ "database": { "kind": "new_connection" } })).await;
    assert_eq!(none.json()["field"], "database.url");
}

#[tokio::test]
async fn a_report_of_a_database_hides_the_urls_password() {
    let test = TestConsole::new().await;
    test.app("plain").await;
    let report = test.get("/api/apps/plain/database").await.json();
    assert_eq!(report["slow_threshold_ms"], 100);
    assert!(report["size_bytes"].is_null() && report["slow"].as_array().unwrap().is_empty());
    let url = "postgres://shop:s3cret@db.example/away";
    let database = json!({ "kind": "new_connection", "url": url });
    let change = Some(json!({ "database": database }));
    let changed = test.call(Method::PATCH, "/api/apps/plain", change).await;
    assert_eq!(changed.status, 200, "{changed:?}");
    let report = test.get("/api/apps/plain/database").await;
    assert_eq!(report.json()["kind"], "new_connection");
    assert!(
        report.json()["problem"]
            .as_str()
            .unwrap()
            .contains("no answer")
    );
    assert!(!report.text.contains("s3cret"), "{}", report.text);
}
