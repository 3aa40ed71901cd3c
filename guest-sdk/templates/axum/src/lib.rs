use axum::extract::{Path, Query};
use axum::response::Html;
use axum::routing::get;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};

/// The application: called once an instance, then every request goes through its router.
#[lodge_sdk::http]
fn app() -> Router {
    Router::new()
        .route("/", get(home))
        .route("/hello/{name}", get(hello))
        .route("/api/hello", get(api))
}

async fn home() -> Html<&'static str> {
    // Links without a leading slash work under /apps/{{name}}/ as well as on the app's own host name.
    Html("<!doctype html><title>{{name}}</title><h1>{{name}}</h1><p><a href=\"hello/World\">Say hello</a>")
}

async fn hello(Path(name): Path<String>) -> String {
    format!("Hello, {name}!\n")
}

#[derive(Deserialize)]
struct Who {
    name: String,
}

#[derive(Serialize)]
struct Greeting {
    greeting: String,
}

async fn api(Query(who): Query<Who>) -> Json<Greeting> {
    Json(Greeting { greeting: format!("Hello, {}!", who.name) })
}
