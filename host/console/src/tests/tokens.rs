use super::support::{TestConsole, request};
use http::Method;
use serde_json::json;

#[tokio::test]
async fn a_token_works_until_it_is_removed() {
    let test = TestConsole::new().await;
    let body = Some(json!({ "name": " ci ", "expires_in_days": 1 }));
    let made = test.call(Method::POST, "/api/tokens", body).await;
    assert_eq!(made.status, 201);
    let made = made.json();
    let token = made["token"].as_str().unwrap().to_owned();
    assert!(token.starts_with("lodge_token_"));
    assert_eq!(made["name"], "ci");
    assert_eq!(
        made["expires_at"].as_i64().unwrap() - made["created_at"].as_i64().unwrap(),
        24 * 3600 * 1000
    );
    let ask = async || {
        let mut asks = request(Method::GET, "/api/auth/me", None);
        asks.headers_mut()
            .insert("authorization", format!("Bearer {token}").parse().unwrap());
        test.send(asks).await
    };
    assert_eq!(ask().await.json()["credential"], "token");
    let listed = test.get("/api/tokens").await;
    assert!(!listed.text.contains(&token), "a list shows no secret");
    assert!(listed.json()["items"][0]["last_used"].is_i64());
    let path = format!("/api/tokens/{}", made["id"].as_str().unwrap());
    assert_eq!(test.call(Method::DELETE, &path, None).await.status, 204);
    assert_eq!(ask().await.status, 401);
    let again = test.call(Method::DELETE, &path, None).await;
    assert_eq!(again.problem(), (404, "token_not_found".into()));
}

#[tokio::test]
async fn a_token_is_not_taken_from_a_cookie() {
    let test = TestConsole::new().await;
    let made = test
        .call(Method::POST, "/api/tokens", Some(json!({ "name": "ci" })))
        .await
        .json();
    let mut asks = request(Method::GET, "/api/auth/me", None);
    let cookie = format!("lodge_session={}", made["token"].as_str().unwrap());
    asks.headers_mut().insert("cookie", cookie.parse().unwrap());
    assert_eq!(test.send(asks).await.status, 401);
}

#[tokio::test]
async fn odd_tokens_are_refused_by_field() {
    let test = TestConsole::new().await;
    for (body, field) in [
        (json!({ "name": "" }), "name"),
        (json!({ "name": "x".repeat(101) }), "name"),
        (
            json!({ "name": "x", "expires_in_days": 0 }),
            "expires_in_days",
        ),
        (
            json!({ "name": "x", "expires_in_days": 3651 }),
            "expires_in_days",
        ),
        (json!({}), "name"),
        (json!({ "name": "x", "scope": "all" }), "scope"),
    ] {
        let refused = test.call(Method::POST, "/api/tokens", Some(body)).await;
        assert_eq!(refused.problem(), (422, "invalid".into()));
        assert_eq!(refused.json()["field"], field);
    }
}

#[tokio::test]
async fn tokens_are_bounded() {
    let test = TestConsole::new().await;
    for index in 0..100 {
        let body = Some(json!({ "name": format!("t{index}") }));
        assert_eq!(
            test.call(Method::POST, "/api/tokens", body).await.status,
            201
        );
    }
    let more = test
        .call(Method::POST, "/api/tokens", Some(json!({ "name": "more" })))
        .await;
    assert_eq!(more.problem(), (409, "too_many_tokens".into()));
}
