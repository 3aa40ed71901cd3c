use super::support::{EMAIL, HOST, PASSWORD, TestConsole, request};
use crate::{Console, Settings, ensure_root};
use http::Method;
use serde_json::json;
use sqlx::Row as _;

#[tokio::test]
async fn a_login_gives_a_token_and_a_cookie() {
    let test = TestConsole::new().await;
    let answer = test.login(" Root@Example.com", PASSWORD).await;
    assert_eq!(answer.status, 200);
    let token = answer.json()["token"].as_str().unwrap().to_owned();
    let cookie = answer.headers["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with(&format!(
        "lodge_session={token}; HttpOnly; SameSite=Strict; Path=/"
    )));
    let me = test.get("/api/auth/me").await.json();
    assert_eq!(
        (me["email"].as_str(), me["credential"].as_str()),
        (Some(EMAIL), Some("session"))
    );
    assert_eq!(me["must_change_password"], false);
}

#[tokio::test]
async fn wrong_logins_do_not_tell_what_was_wrong() {
    let test = TestConsole::new().await;
    let unknown = test.login("nobody@example.com", PASSWORD).await;
    let wrong = test.login(EMAIL, "not the password").await;
    assert_eq!(unknown.problem(), (401, "wrong_login".into()));
    assert_eq!(unknown.text, wrong.text);
    let long = test.login(EMAIL, &"x".repeat(5000)).await;
    assert_eq!(long.problem(), (401, "wrong_login".into()));
}

#[tokio::test]
async fn attempts_are_limited_per_address() {
    let test = TestConsole::strict(3, 100).await;
    for _ in 0..3 {
        assert_eq!(
            test.login("nobody@example.com", "wrong wrong").await.status,
            401
        );
    }
    let refused = test.login(EMAIL, PASSWORD).await;
    assert_eq!(refused.problem(), (429, "too_many_attempts".into()));
    let wait: u64 = refused.headers["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
}

#[tokio::test]
async fn attempts_are_limited_per_account_from_any_address() {
    let test = TestConsole::strict(100, 2).await;
    for last in [1, 2, 3] {
        let body = json!({ "email": EMAIL, "password": "wrong wrong" });
        let mut attempt = request(Method::POST, "/api/auth/login", Some(&body));
        let peer = std::net::SocketAddr::from(([10, 0, 0, last], 1));
        attempt
            .extensions_mut()
            .insert(axum::extract::ConnectInfo(peer));
        let expected = if last < 3 { 401 } else { 429 };
        assert_eq!(test.send(attempt).await.status, expected, "attempt {last}");
    }
}

#[tokio::test]
async fn a_logout_ends_the_session() {
    let test = TestConsole::new().await;
    let out = test.call(Method::POST, "/api/auth/logout", None).await;
    assert_eq!(out.status, 204);
    assert!(
        out.headers["set-cookie"]
            .to_str()
            .unwrap()
            .contains("Max-Age=0")
    );
    assert_eq!(
        test.get("/api/auth/me").await.problem(),
        (401, "unauthorized".into())
    );
}

#[tokio::test]
async fn a_new_password_ends_other_sessions() {
    let test = TestConsole::new().await;
    let other = test.login(EMAIL, PASSWORD).await.json()["token"]
        .as_str()
        .unwrap()
        .to_owned();
    let change = |current: &str, new: &str| {
        Some(json!({ "current_password": current, "new_password": new }))
    };
    let path = "/api/auth/password";
    let wrong = test
        .call(Method::POST, path, change("not it, no", "a new password"))
        .await;
    assert_eq!(
        (wrong.status.as_u16(), wrong.json()["field"].as_str()),
        (422, Some("current_password"))
    );
    let short = test
        .call(Method::POST, path, change(PASSWORD, "short"))
        .await;
    assert_eq!(short.json()["field"], "new_password");
    let done = test
        .call(Method::POST, path, change(PASSWORD, "a new password"))
        .await;
    assert_eq!(done.status, 204);
    assert_eq!(
        test.get("/api/auth/me").await.status,
        200,
        "this session stays"
    );
    let mut asks = request(Method::GET, "/api/auth/me", None);
    asks.headers_mut()
        .insert("authorization", format!("Bearer {other}").parse().unwrap());
    assert_eq!(test.send(asks).await.status, 401, "the other one ends");
    assert_eq!(test.login(EMAIL, PASSWORD).await.status, 401);
    assert_eq!(test.login(EMAIL, "a new password").await.status, 200);
}

#[tokio::test]
async fn a_cookie_reads_and_writes_only_from_the_consoles_own_page() {
    let test = TestConsole::new().await;
    let cookie = format!("lodge_session={}", test.token);
    let send = async |method: Method, headers: &[(&'static str, &str)]| {
        let path = if method == Method::GET {
            "/api/auth/me"
        } else {
            "/api/tokens"
        };
        let body = json!({ "name": "t" });
        let mut request = request(
            method.clone(),
            path,
            (method == Method::POST).then_some(&body),
        );
        request
            .headers_mut()
            .insert("cookie", cookie.parse().unwrap());
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        test.send(request).await
    };
    assert_eq!(send(Method::GET, &[]).await.status, 200);
    let own = format!("http://{HOST}");
    assert_eq!(send(Method::POST, &[("origin", &own)]).await.status, 201);
    for headers in [
        &[][..],
        &[("origin", "http://127.0.0.1:13000")],
        &[("origin", "https://evil.example")],
        &[("origin", own.as_str()), ("sec-fetch-site", "same-site")],
    ] {
        let refused = send(Method::POST, headers).await;
        assert_eq!(
            refused.problem(),
            (403, "cross_origin".into()),
            "{headers:?}"
        );
    }
}

#[tokio::test]
async fn another_sites_page_logs_nobody_in() {
    let test = TestConsole::new().await;
    let body = json!({ "email": EMAIL, "password": PASSWORD });
    let mut attempt = request(Method::POST, "/api/auth/login", Some(&body));
    attempt
        .headers_mut()
        .insert("origin", "https://evil.example".parse().unwrap());
    assert_eq!(
        test.send(attempt).await.problem(),
        (403, "cross_origin".into())
    );
}

#[tokio::test]
async fn junk_beside_a_session_cookie_does_not_lock_out() {
    let test = TestConsole::new().await;
    let mut asks = request(Method::GET, "/api/auth/me", None);
    let cookie = format!("lodge_session=junk; lodge_session={}", test.token);
    asks.headers_mut().insert("cookie", cookie.parse().unwrap());
    assert_eq!(test.send(asks).await.status, 200);
}

#[tokio::test]
async fn the_root_user_is_made_once() {
    let folder = tempfile::tempdir().unwrap();
    let db = lodge_db::Database::open_file(&folder.path().join("lodge.db"))
        .await
        .unwrap();
    assert!(ensure_root(&db, Some("no address"), None).await.is_err());
    assert!(ensure_root(&db, None, Some("short")).await.is_err());
    let generated = ensure_root(&db, None, None).await.unwrap().unwrap();
    assert_eq!(generated.reveal().len(), 23);
    // The pair counts at the first start only.
    assert!(
        ensure_root(&db, Some("x@y.z"), Some("another password"))
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        lodge_db::users::by_email(&db, "x@y.z")
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn logins_and_their_ends_are_in_the_audit_log() {
    let test = TestConsole::new().await;
    test.call(Method::POST, "/api/auth/logout", None).await;
    let rows = sqlx::query("SELECT action, actor FROM events ORDER BY id")
        .fetch_all(test.db.reader())
        .await
        .unwrap();
    let found: Vec<(String, String)> = rows
        .iter()
        .map(|row| (row.get("action"), row.get("actor")))
        .collect();
    let expected = ["session.create", "session.remove"].map(|a| (a.to_owned(), EMAIL.to_owned()));
    assert_eq!(found, expected);
}

#[tokio::test]
async fn settings_that_let_nobody_in_are_refused() {
    let test = TestConsole::new().await;
    let limits = crate::LoginLimits {
        per_address: 0,
        ..Default::default()
    };
    let settings = Settings {
        login_limits: limits,
        ..Settings::default()
    };
    let supervisor = std::sync::Arc::clone(test.console.supervisor());
    assert!(
        Console::open(test.db.clone(), supervisor, settings)
            .await
            .is_err()
    );
}
