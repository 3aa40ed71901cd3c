//! Environments as the API shows them where there is only this process.

use super::support::TestConsole;
use http::Method;
use serde_json::json;

#[tokio::test]
async fn this_process_is_one_that_cannot_be_emptied() {
    let test = TestConsole::new().await;
    let local = test.get("/api/environments/local").await.json();
    for (field, value) in [
        ("name", json!("local")),
        ("status", json!("online")),
        ("schedulable", json!(true)),
        ("draining", json!(false)),
        ("url", json!(null)),
        ("proxy_url", json!(null)),
        ("message", json!(null)),
        ("dead_letters", json!(0)),
    ] {
        assert_eq!(local[field], value, "{field}");
    }
    for (method, act) in [
        (Method::POST, "/cordon"),
        (Method::POST, "/uncordon"),
        (Method::POST, "/drain"),
        (Method::DELETE, ""),
    ] {
        let path = format!("/api/environments/local{act}");
        let refused = test.call(method, &path, None).await;
        assert_eq!(
            refused.problem(),
            (409, "environment_local".into()),
            "{path}"
        );
    }
    for name in ["moon", "no%20name"] {
        let none = test.get(&format!("/api/environments/{name}")).await;
        assert_eq!(none.problem(), (404, "environment_not_found".into()));
    }
}

#[tokio::test]
async fn an_app_says_who_chose_where_it_runs() {
    let test = TestConsole::new().await;
    let shop = test.app("shop").await.json();
    assert_eq!(
        (&shop["placement"], &shop["failover"], &shop["environments"]),
        (&json!("automatic"), &json!(false), &json!(["local"]))
    );
    let patch = json!({ "environments": ["local"], "failover": true });
    let named = test.call(Method::PATCH, "/api/apps/shop", Some(patch));
    let named = named.await.json();
    assert_eq!(
        (&named["placement"], &named["failover"]),
        (&json!("named"), &json!(true))
    );
    let patch = json!({ "environments": ["moon"] });
    let unknown = test
        .call(Method::PATCH, "/api/apps/shop", Some(patch))
        .await;
    let detail = unknown.json()["detail"].to_string();
    assert!(
        detail.contains("`moon`") && detail.contains("`local`"),
        "{detail}"
    );
}
