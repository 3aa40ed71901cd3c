//! The console's own queries on PostgreSQL, a real one: users, sessions, tokens, idempotency keys.

use super::support::{EMAIL, PASSWORD, TestConsole};
use crate::ensure_root;
use http::Method;
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_consoles_queries_work_on_postgresql_too() {
    let server = lodge_harness::postgres::Postgres::start().unwrap();
    let test = TestConsole::at(&server.create_database("console").unwrap()).await;

    let body = json!({ "name": "ci", "expires_in_days": 1 });
    let key = [("idempotency-key", "k")];
    let make = async || {
        let body = Some(body.clone());
        test.call_with(Method::POST, "/api/tokens", body, &key)
            .await
    };
    let made = make().await;
    assert_eq!(made.status, 201, "{made:?}");
    let again = make().await;
    assert_eq!(again.problem(), (409, "idempotency_answer_not_kept".into()));
    let listed = test.get("/api/tokens").await.json();
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    let path = format!("/api/tokens/{}", made.json()["id"].as_str().unwrap());
    assert_eq!(test.call(Method::DELETE, &path, None).await.status, 204);

    let change = json!({ "current_password": PASSWORD, "new_password": "a new password" });
    let changed = test
        .call(Method::POST, "/api/auth/password", Some(change))
        .await;
    assert_eq!(changed.status, 204, "{changed:?}");
    assert_eq!(test.login(EMAIL, PASSWORD).await.status, 401);
    assert_eq!(test.login(EMAIL, "a new password").await.status, 200);
    assert_eq!(
        test.call(Method::POST, "/api/auth/logout", None)
            .await
            .status,
        204
    );
    assert_eq!(test.get("/api/auth/me").await.status, 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hosts_that_start_together_make_one_root_user() {
    let server = lodge_harness::postgres::Postgres::start().unwrap();
    let url = server.create_database("root").unwrap();
    let db = lodge_db::Database::open(&url).await.unwrap();
    let starts = (0..4).map(|_| ensure_root(&db, None, None));
    let made = futures::future::join_all(starts).await;
    let made = made
        .into_iter()
        .filter(|made| made.as_ref().unwrap().is_some());
    assert_eq!(made.count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_control_database_a_change_is_refused_for_now() {
    let mut server = lodge_harness::postgres::Postgres::start().unwrap();
    let test = TestConsole::at(&server.create_database("away").unwrap()).await;
    let body = json!({ "name": "ci", "expires_in_days": 1 });
    let make = async || {
        let body = Some(body.clone());
        test.call(Method::POST, "/api/tokens", body).await
    };
    assert_eq!(make().await.status, 201);
    server.kill();
    let refused = make().await;
    assert_eq!(refused.problem(), (503, "control_database_away".into()));
    assert_eq!(refused.headers["retry-after"], "5");
    server.restart().unwrap();
    assert_eq!(make().await.status, 201);
}
