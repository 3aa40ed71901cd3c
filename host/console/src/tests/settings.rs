//! Settings of the host, tags, and creations that are only checked.

use super::support::TestConsole;
use http::Method;
use serde_json::{Value, json};

async fn patch(test: &TestConsole, body: Value) -> super::support::Answer {
    test.call(Method::PATCH, "/api/settings", Some(body)).await
}

#[tokio::test]
async fn new_apps_get_the_limits_that_are_set() {
    let test = TestConsole::new().await;
    let digest = test.component().await;
    let set = patch(
        &test,
        json!({ "default_limits": { "concurrency": 7, "cpu_cores": 0.5 } }),
    )
    .await;
    assert_eq!(set.status, 200, "{}", set.text);
    assert_eq!(set.json()["limits"]["concurrency"], 7);
    assert_eq!(set.json()["limits"]["queue"], 256);
    let new = json!({ "id": "shop", "component": { "digest": digest }, "limits": { "queue": 3 } });
    let app = test.call(Method::POST, "/api/apps", Some(new)).await.json();
    assert_eq!(app["limits"]["concurrency"], 7);
    assert_eq!(app["limits"]["cpu_cores"], 0.5);
    assert_eq!(app["limits"]["queue"], 3);
    // As built in again; the app keeps what it has.
    let set = patch(&test, json!({ "default_limits": {} })).await.json();
    assert_eq!(set["limits"]["concurrency"], 64);
    assert_eq!(
        test.get("/api/apps/shop").await.json()["limits"]["concurrency"],
        7
    );
}

#[tokio::test]
async fn what_breaks_a_rule_is_named_and_changes_nothing() {
    let test = TestConsole::new().await;
    let before = test.get("/api/settings").await.json();
    for (body, field) in [
        (
            json!({ "default_limits": { "concurrency": 0 } }),
            "default_limits.concurrency",
        ),
        (
            json!({ "language": "fr", "trusted_proxies": ["10.0.0.0/8", "x"] }),
            "trusted_proxies[1]",
        ),
        (json!({ "language": "not a language" }), "language"),
    ] {
        let refused = patch(&test, body).await;
        assert_eq!(refused.status, 422, "{}", refused.text);
        assert_eq!(refused.json()["field"], field);
    }
    assert_eq!(test.get("/api/settings").await.json(), before);
}

#[tokio::test]
async fn the_language_is_told_before_anybody_is_signed_in() {
    let test = TestConsole::new().await;
    let set = patch(
        &test,
        json!({ "language": "zh-CN", "trusted_proxies": ["10.0.0.1"] }),
    )
    .await;
    assert_eq!(
        set.json()["trusted_proxies"],
        json!({ "cidrs": ["10.0.0.1/32"], "configured": false })
    );
    let open = test
        .send(super::support::request(Method::GET, "/api/console", None))
        .await;
    assert_eq!(open.json(), json!({ "language": "zh-CN" }));
    let cleared = patch(&test, json!({ "language": null })).await;
    assert_eq!(cleared.json()["language"], Value::Null);
    assert_eq!(
        cleared.json()["trusted_proxies"]["cidrs"],
        json!(["10.0.0.1/32"])
    );
}

#[tokio::test]
async fn a_dry_run_checks_all_and_makes_nothing() {
    let test = TestConsole::new().await;
    let digest = test.component().await;
    let new = json!({ "id": "shop", "component": { "digest": digest }, "tags": ["blue", "green"] });
    let path = "/api/apps?dry_run=true";
    let checked = test.call(Method::POST, path, Some(new.clone())).await;
    assert_eq!(
        (checked.status.as_u16(), checked.json()["id"].as_str()),
        (200, Some("shop"))
    );
    assert_eq!(test.get("/api/apps/shop").await.status, 404);
    assert_eq!(
        test.call(Method::POST, "/api/apps", Some(new.clone()))
            .await
            .status,
        201
    );
    let taken = test.call(Method::POST, path, Some(new)).await;
    assert_eq!(
        (taken.status.as_u16(), taken.json()["field"].as_str()),
        (409, Some("id")),
        "{}",
        taken.text
    );
}

#[tokio::test]
async fn apps_are_found_by_tag() {
    let test = TestConsole::new().await;
    let digest = test.component().await;
    for (id, tags) in [
        ("one", json!(["blue"])),
        ("two", json!(["blue", "green"])),
        ("three", json!([])),
    ] {
        let new = json!({ "id": id, "component": { "digest": digest }, "tags": tags });
        assert_eq!(
            test.call(Method::POST, "/api/apps", Some(new)).await.status,
            201
        );
    }
    let ids = async |query: &str| {
        let list = test.get(&format!("/api/apps?{query}")).await.json();
        let items = list["items"].as_array().unwrap().clone();
        items
            .iter()
            .map(|app| app["id"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(ids("tag=blue").await, ["one", "two"]);
    assert_eq!(ids("tag=green").await, ["two"]);
    assert!(ids("tag=red").await.is_empty());
    let changed = json!({ "tags": ["red"] });
    assert_eq!(
        test.call(Method::PATCH, "/api/apps/three", Some(changed))
            .await
            .status,
        200
    );
    assert_eq!(ids("tag=red").await, ["three"]);
    let bad = test
        .call(
            Method::PATCH,
            "/api/apps/three",
            Some(json!({ "tags": ["a,b"] })),
        )
        .await;
    assert_eq!(bad.json()["field"], "tags[0]");
}
