//! No endpoint without a credential, and none whose authorization nobody thought of.

use super::support::{TestConsole, request};
use crate::openapi_document;
use http::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The endpoints that anybody may ask, on purpose.
const OPEN: &[&str] = &[
    "POST /api/auth/login",
    "GET /api/openapi.json",
    "GET /api/console",
];

/// Every other endpoint, with what a user who is logged in gets for a sensible request. A new
/// endpoint must be added here: think about who may use it.
fn cases() -> Vec<(&'static str, Option<Value>, u16)> {
    let no_app = 404;
    vec![
        ("GET /api/auth/me", None, 200),
        (
            "POST /api/auth/password",
            Some(json!({ "current_password": "x", "new_password": "12345678" })),
            422,
        ),
        ("POST /api/tokens", Some(json!({ "name": "x" })), 201),
        ("GET /api/tokens", None, 200),
        ("DELETE /api/tokens/{id}", None, 404),
        ("POST /api/components", None, 422),
        ("GET /api/components", None, 200),
        ("GET /api/components/{digest}", None, 422),
        ("DELETE /api/components/{digest}", None, 422),
        ("POST /api/apps", Some(json!({ "id": "x" })), 422),
        ("GET /api/apps", None, 200),
        ("GET /api/apps/{id}", None, no_app),
        ("PATCH /api/apps/{id}", Some(json!({})), no_app),
        ("DELETE /api/apps/{id}", None, no_app),
        ("POST /api/apps/{id}/start", None, no_app),
        ("POST /api/apps/{id}/stop", None, no_app),
        ("POST /api/apps/{id}/restart", None, no_app),
        ("GET /api/apps/{id}/logs", None, no_app),
        ("GET /api/apps/{id}/logs/live", None, no_app),
        ("GET /api/apps/{id}/logs/download", None, no_app),
        ("GET /api/apps/{id}/stats", None, no_app),
        ("GET /api/apps/{id}/stats/history", None, no_app),
        ("GET /api/usage", None, 200),
        ("GET /api/apps/{id}/events", None, no_app),
        ("GET /api/apps/{id}/jwt", None, no_app),
        ("POST /api/apps/{id}/jwt/rotate", None, no_app),
        ("POST /api/jwt/rotate", None, 200),
        (
            "POST /api/databases/test",
            Some(json!({ "database": { "kind": "none" } })),
            422,
        ),
        ("GET /api/apps/{id}/database", None, no_app),
        ("POST /api/apps/{id}/database/clear-migration", None, no_app),
        ("GET /api/environments", None, 200),
        ("GET /api/environments/{name}", None, 404),
        ("POST /api/environments/{name}/cordon", None, 404),
        ("POST /api/environments/{name}/uncordon", None, 404),
        ("POST /api/environments/{name}/drain", None, 404),
        ("DELETE /api/environments/{name}", None, 404),
        ("GET /api/about", None, 200),
        ("GET /api/operations/{id}", None, 404),
        ("GET /api/events", None, 200),
        ("GET /api/settings", None, 200),
        ("PATCH /api/settings", Some(json!({})), 200),
        ("GET /api/activity", None, 200),
        ("POST /api/auth/logout", None, 204),
    ]
}

/// Every `METHOD /path` of the document.
fn endpoints(test: &TestConsole) -> BTreeSet<String> {
    let document = serde_json::to_value(openapi_document(&test.console)).unwrap();
    let mut found = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            if ["get", "put", "post", "patch", "delete"].contains(&method.as_str()) {
                found.insert(format!("{} {path}", method.to_uppercase()));
            }
        }
    }
    found
}

fn parts(endpoint: &str) -> (Method, String) {
    let (method, path) = endpoint.split_once(' ').unwrap();
    (
        method.parse().unwrap(),
        path.replace("{id}", "nobody")
            .replace("{name}", "nowhere")
            .replace("{digest}", "12"),
    )
}

#[tokio::test]
async fn every_endpoint_refuses_without_a_credential() {
    let test = TestConsole::new().await;
    let endpoints = endpoints(&test);
    assert!(endpoints.len() > 20, "{endpoints:?}");
    for endpoint in &endpoints {
        let (method, path) = parts(endpoint);
        for credential in [
            None,
            Some("Bearer lodge_session_00"),
            Some("Bearer lodge_token_00"),
            Some("Basic cm9vdDo="),
        ] {
            let mut asks = request(method.clone(), &path, None);
            if let Some(value) = credential {
                asks.headers_mut()
                    .insert("authorization", value.parse().unwrap());
            }
            let answer = test.send(asks).await;
            if OPEN.contains(&endpoint.as_str()) {
                assert!(!answer.text.contains("\"unauthorized\""), "{endpoint}");
            } else {
                assert_eq!(answer.problem(), (401, "unauthorized".into()), "{endpoint}");
                assert_eq!(answer.headers["www-authenticate"], "Bearer");
            }
        }
    }
}

#[tokio::test]
async fn every_endpoint_has_a_case() {
    let test = TestConsole::new().await;
    let cased: BTreeSet<String> = cases()
        .iter()
        .map(|(endpoint, _, _)| *endpoint)
        .chain(OPEN.iter().copied())
        .map(str::to_owned)
        .collect();
    assert_eq!(cased, endpoints(&test), "add what is missing to `cases`");
    for (endpoint, body, status) in cases() {
        let (method, path) = parts(endpoint);
        if path == "/api/events" {
            continue; // Its body does not end; `serving` follows it.
        }
        let answer = test.call(method, &path, body).await;
        assert_eq!(
            answer.status.as_u16(),
            status,
            "{endpoint}: {}",
            answer.text
        );
    }
}

#[tokio::test]
async fn what_lies_beside_the_api_is_open_but_the_metrics() {
    let test = TestConsole::new().await;
    for path in ["/", "/healthz", "/readyz"] {
        assert_eq!(
            test.send(request(Method::GET, path, None)).await.status,
            200,
            "{path}"
        );
    }
    assert_eq!(
        test.send(request(Method::GET, "/metrics", None))
            .await
            .problem()
            .0,
        401
    );
    assert!(
        test.get("/metrics")
            .await
            .text
            .contains("# TYPE lodge_apps gauge")
    );
    let open = crate::Settings {
        open_metrics: true,
        ..Default::default()
    };
    let test = TestConsole::with(open).await;
    assert_eq!(
        test.send(request(Method::GET, "/metrics", None))
            .await
            .status,
        200
    );
}
