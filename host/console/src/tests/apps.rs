use super::support::TestConsole;
use http::Method;
use serde_json::{Value, json};

async fn follow(test: &TestConsole, accepted: Value) -> Value {
    let id = accepted["operation"]["id"].as_str().unwrap().to_owned();
    test.get(&format!("/api/operations/{id}?wait_ms=30000"))
        .await
        .json()
}

#[tokio::test]
async fn an_app_lives_through_its_whole_life() {
    let test = TestConsole::new().await;
    let created = test.app("my_shop").await;
    assert_eq!(created.status, 201, "{}", created.text);
    let created = created.json();
    assert_eq!(created["desired"], "running");
    assert_eq!(created["observed"][0]["status"], "waiting");
    assert_eq!(
        created["urls"],
        json!([
            "http://my-shop.localhost:13000/",
            "http://127.0.0.1:13000/apps/my_shop/"
        ])
    );
    let started = test
        .call(Method::POST, "/api/apps/my_shop/start", None)
        .await;
    assert_eq!(started.status, 202);
    let operation = follow(&test, started.json()).await;
    assert_eq!(
        (&operation["status"], &operation["actor"]),
        (&json!("succeeded"), &json!("root@example.com"))
    );
    let location = started.headers["location"].to_str().unwrap();
    assert_eq!(test.get(location).await.json()["id"], operation["id"]);
    assert_eq!(
        test.get("/api/apps/my_shop").await.json()["observed"][0]["status"],
        "running"
    );
    for (verb, status) in [("stop", "stopped"), ("restart", "running")] {
        let accepted = test
            .call(Method::POST, &format!("/api/apps/my_shop/{verb}"), None)
            .await;
        assert_eq!(
            follow(&test, accepted.json()).await["status"],
            "succeeded",
            "{verb}"
        );
        let app = test.get("/api/apps/my_shop").await.json();
        assert_eq!(app["observed"][0]["status"], status, "{verb}");
    }
    let removed = test
        .call(Method::DELETE, "/api/apps/my_shop?data=drop", None)
        .await;
    assert_eq!(removed.status, 202);
    assert_eq!(follow(&test, removed.json()).await["status"], "succeeded");
    assert_eq!(
        test.get("/api/apps/my_shop").await.problem(),
        (404, "app_not_found".into())
    );
}

#[tokio::test]
async fn an_app_is_changed_field_by_field_and_keeps_its_secrets() {
    let test = TestConsole::new().await;
    test.app("shop").await;
    let patch = json!({
        "display_name": "The Shop", "domains": ["shop.example.com"], "path_access": "redirect",
        "limits": { "concurrency": 2, "cpu_cores": 0.5 }, "jwt": { "independent": false },
        "config": { "GREETING": { "value": "hi" }, "KEY": { "value": "s3cret", "secret": true } },
        "database": { "kind": "new_connection", "url": "postgres://u:hunter2@db/x" },
    });
    let changed = test
        .call(Method::PATCH, "/api/apps/shop", Some(patch))
        .await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    let shown = test.get("/api/apps/shop").await;
    let listed = test.get("/api/apps?search=example.com").await;
    for answer in [&changed, &shown, &listed] {
        assert!(
            !answer.text.contains("s3cret") && !answer.text.contains("hunter2"),
            "{}",
            answer.text
        );
    }
    let app = shown.json();
    assert_eq!(app["limits"]["concurrency"], 2);
    assert_eq!(app["limits"]["queue"], 256);
    assert_eq!(
        app["config"]["KEY"],
        json!({ "value": null, "secret": true })
    );
    assert_eq!(app["urls"][0], "http://shop.example.com:13000/");
    assert_eq!(listed.json()["items"][0]["id"], "shop");
}

#[tokio::test]
async fn refusals_name_the_field() {
    let test = TestConsole::new().await;
    let digest = test.component().await;
    for (patch, field) in [
        (
            json!({ "limits": { "concurrency": 0 } }),
            "limits.concurrency",
        ),
        (json!({ "limits": { "memory": 1 } }), "limits.memory"),
        (json!({ "limits": { "queue": "many" } }), "limits.queue"),
        (json!({ "id": "API" }), "id"),
        (json!({ "start_mode": "never" }), "start_mode"),
        (json!({ "domains": ["a.b", "http://x"] }), "domains[1]"),
        (json!({ "environments": ["moon"] }), "environments[0]"),
        (json!({ "config": { "A": { "value": null } } }), "config.A"),
        (
            json!({ "database": { "kind": "new_connection" } }),
            "database.url",
        ),
        (json!({ "surprise": 1 }), "surprise"),
    ] {
        let mut body = json!({ "id": "shop", "component": { "digest": digest } });
        for (key, value) in patch.as_object().unwrap() {
            body[key] = value.clone();
        }
        let refused = test.call(Method::POST, "/api/apps", Some(body)).await;
        assert_eq!(refused.problem(), (422, "invalid".into()), "{patch}");
        assert_eq!(refused.json()["field"], field, "{patch}: {}", refused.text);
    }
    let none = test
        .call(Method::POST, "/api/apps", Some(json!({ "id": "shop" })))
        .await;
    assert_eq!(none.problem().0, 422);
}

#[tokio::test]
async fn what_contradicts_is_a_conflict() {
    let test = TestConsole::new().await;
    test.app("my_shop").await;
    assert_eq!(test.app("my_shop").await.problem().0, 409);
    assert_eq!(test.app("my-shop").await.problem().0, 409);
    let digest = test.component().await;
    let used = test
        .call(Method::DELETE, &format!("/api/components/{digest}"), None)
        .await;
    assert_eq!(used.problem(), (409, "component_in_use".into()));
}

#[tokio::test]
async fn unknown_apps_and_operations_are_not_found() {
    let test = TestConsole::new().await;
    for path in [
        "/api/apps/nobody",
        "/api/apps/NOT%20AN%20ID",
        "/api/apps/nobody/stats",
        "/api/apps/nobody/logs",
    ] {
        assert_eq!(
            test.get(path).await.problem(),
            (404, "app_not_found".into()),
            "{path}"
        );
    }
    assert_eq!(
        test.get("/api/operations/op_1").await.problem(),
        (404, "operation_not_found".into())
    );
    let start = test
        .call(Method::POST, "/api/apps/nobody/start", None)
        .await;
    assert_eq!(start.problem(), (404, "app_not_found".into()));
}

#[tokio::test]
async fn lists_have_pages_and_filters() {
    let test = TestConsole::new().await;
    for id in ["a1", "a2", "a3"] {
        test.app(id).await;
    }
    let mut path = "/api/apps?limit=2".to_owned();
    let mut found = Vec::new();
    loop {
        let page = test.get(&path).await.json();
        found.extend(
            page["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|app| app["id"].clone()),
        );
        let Some(cursor) = page["next_cursor"].as_str() else {
            break;
        };
        path = format!("/api/apps?limit=2&cursor={cursor}");
    }
    assert_eq!(found, ["a1", "a2", "a3"]);
    let waiting = test
        .get("/api/apps?status=waiting&desired=running")
        .await
        .json();
    assert_eq!(waiting["items"].as_array().unwrap().len(), 3);
    assert!(
        test.get("/api/apps?status=failed").await.json()["items"]
            .as_array()
            .unwrap()
            .is_empty()
    );
    for (query, field) in [
        ("status=odd", "status"),
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("component=12", "component"),
    ] {
        let refused = test.get(&format!("/api/apps?{query}")).await;
        assert_eq!(
            (refused.status.as_u16(), refused.json()["field"].as_str()),
            (422, Some(field)),
            "{}",
            refused.text
        );
    }
}

#[tokio::test]
async fn logs_stats_events_and_environments_are_shown() {
    let test = TestConsole::new().await;
    test.app("shop").await;
    test.logs.add(super::support::line("hello"));
    let logs = test
        .get("/api/apps/shop/logs?limit=5&level=info")
        .await
        .json();
    assert_eq!(logs["items"][0]["message"], "hello");
    for limit in ["0", "5001"] {
        let refused = test
            .get(&format!("/api/apps/shop/logs?limit={limit}"))
            .await;
        assert_eq!(
            (refused.status.as_u16(), refused.json()["field"].as_str()),
            (422, Some("limit"))
        );
    }
    assert_eq!(test.get("/api/apps/shop/stats").await.json()["answered"], 0);
    let events = test.get("/api/apps/shop/events").await.json();
    assert_eq!(events["items"][0]["actor"], "root@example.com", "{events}");
    let environments = test.get("/api/environments").await.json();
    assert_eq!(environments["items"][0]["name"], "local");
    assert_eq!(environments["items"][0]["apps"], 1);
}
