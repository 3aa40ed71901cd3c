//! The audit log of the whole host: who did what, and from where.

use super::support::{EMAIL, PASSWORD, TestConsole, request};
use crate::Settings;
use axum::extract::ConnectInfo;
use http::Method;
use lodge_supervisor::Actor;
use serde_json::{Value, json};
use std::net::SocketAddr;

async fn rows(test: &TestConsole, query: &str) -> Vec<Value> {
    let answer = test.get(&format!("/api/activity{query}")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["items"].as_array().unwrap().clone()
}

fn texts<'a>(rows: &'a [Value], member: &str) -> Vec<&'a str> {
    rows.iter()
        .map(|row| row[member].as_str().unwrap_or("-"))
        .collect()
}

#[tokio::test]
async fn what_an_administrator_does_is_there_with_the_address() {
    let proxy = "192.0.2.1/32".parse().unwrap();
    let test = TestConsole::with(Settings {
        trusted_proxies: lodge_model::TrustedProxies::new(vec![proxy]).into(),
        ..Settings::default()
    })
    .await;
    test.app("shop").await;
    let from = [("x-forwarded-for", "198.51.100.7")];
    test.call_with(Method::POST, "/api/apps/shop/stop", None, &from)
        .await;
    let body = Some(json!({ "name": "ci" }));
    let token = test.call(Method::POST, "/api/tokens", body).await.json();
    let path = format!("/api/tokens/{}", token["id"].as_str().unwrap());
    test.call(Method::DELETE, &path, None).await;
    let change = json!({ "current_password": "wrong wrong", "new_password": "a new password" });
    test.call(Method::POST, "/api/auth/password", Some(change))
        .await;
    let change = json!({ "current_password": PASSWORD, "new_password": "a new password" });
    test.call(Method::POST, "/api/auth/password", Some(change))
        .await;
    let all = rows(&test, "").await;
    for action in [
        "session.create",
        "component.upload",
        "app.create",
        "app.stop",
        "token.create",
        "token.remove",
        "user.password",
    ] {
        let row = all.iter().find(|row| row["action"] == action);
        assert!(row.is_some(), "{action} is missing: {all:?}");
        let asked = all
            .iter()
            .filter(|row| row["action"] == action && row["operation"].is_null());
        for row in asked {
            assert_eq!(row["address"], "192.0.2.1", "{row}");
        }
    }
    let stops = rows(&test, "?action=app.stop&result=accepted").await;
    assert_eq!(texts(&stops, "address"), ["198.51.100.7"]);
    assert_eq!(texts(&stops, "app"), ["shop"]);
    let refused = rows(&test, "?action=user.password&result=refused").await;
    assert_eq!(texts(&refused, "actor"), [EMAIL]);
    let of_app = test.get("/api/apps/shop/events").await.json();
    assert_eq!(of_app["items"][0]["app"], "shop");
    assert!(
        of_app["items"][0]
            .as_object()
            .unwrap()
            .contains_key("address")
    );
    test.call(Method::POST, "/api/auth/logout", None).await;
}

#[tokio::test]
async fn entries_are_found_by_what_they_say() {
    let test = TestConsole::new().await;
    test.app("shop").await;
    test.app("Shop_2").await;
    test.call(Method::POST, "/api/apps/shop/stop", None).await;
    let found = async |query: &str| texts(&rows(&test, query).await, "action").join(" ");
    assert_eq!(found("?action=app.create&app=shop").await, "app.create");
    assert_eq!(found("?search=APP.CREATE&app=shop").await, "app.create");
    assert_eq!(found("?search=HELLO@1").await, "component.upload");
    // What means something to LIKE is text like any other.
    assert_eq!(found("?search=%25").await, "");
    assert_eq!(found("?search=p_c").await, "");
    assert_eq!(found("?actor=nobody").await, "");
    assert!(found(&format!("?actor={EMAIL}")).await.contains("app.stop"));
    let long = format!("/api/activity?search={}", "x".repeat(201));
    assert_eq!(test.get(&long).await.problem(), (422, "invalid".into()));
    let just = format!("/api/activity?search={}", "x".repeat(200));
    assert_eq!(test.get(&just).await.status, 200);
    assert_eq!(
        test.get("/api/activity?cursor=x").await.json()["field"],
        "cursor"
    );
}

#[tokio::test]
async fn pages_hold_while_entries_are_added() {
    let test = TestConsole::new().await;
    let add = async |n: usize| {
        let actor = Actor::new(format!("user-{n}"));
        crate::audit::record(&test.console, &actor, "test.act", None)
            .await
            .unwrap();
    };
    for n in 0..50 {
        add(n).await;
    }
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    for page in 0.. {
        let path = format!("/api/activity?action=test.act&limit=7{cursor}");
        let answer = test.get(&path).await.json();
        let items = answer["items"].as_array().unwrap();
        seen.extend(texts(items, "actor").iter().map(|s| (*s).to_owned()));
        add(1000 + page).await;
        match answer["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let expected: Vec<_> = (0..50).rev().map(|n| format!("user-{n}")).collect();
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn refused_logins_are_there_and_cannot_flood() {
    let test = TestConsole::strict(5, 100).await;
    for _ in 0..4 {
        assert_eq!(test.login(EMAIL, "wrong wrong").await.status, 401);
    }
    assert_eq!(
        test.login("no\u{1b}body@x", "wrong wrong").await.status,
        401
    );
    // Beyond what is free, whatever account is named.
    for n in 0..100 {
        let email = format!("user-{n}@example.com");
        assert_eq!(test.login(&email, "wrong wrong").await.status, 429);
    }
    let refused = rows(&test, "?result=refused").await;
    assert_eq!(
        texts(&refused, "actor"),
        ["user-0@example.com", "no\u{fffd}body@x", EMAIL]
    );
    assert_eq!(texts(&refused, "action"), ["session.create"; 3]);
    assert_eq!(texts(&refused, "address"), ["192.0.2.1"; 3]);
    assert!(!format!("{refused:?}").contains("wrong wrong"));
    // From many addresses.
    for n in 0..200_u8 {
        let body = json!({ "email": format!("x{n}@example.com"), "password": "wrong wrong" });
        let mut attempt = request(Method::POST, "/api/auth/login", Some(&body));
        let peer = SocketAddr::from(([10, 0, 0, n], 1));
        attempt.extensions_mut().insert(ConnectInfo(peer));
        test.send(attempt).await;
    }
    assert!(rows(&test, "?result=refused&limit=1000").await.len() <= 60);
}
