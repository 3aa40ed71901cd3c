//! A small site: a page, an admin page and a JSON API, as an axum router.
//! Its links are relative, so it works at its own host name and under `/apps/hello/` alike.

use axum::extract::Query;
use axum::response::{Html, IntoResponse};
use axum::routing::get;
use axum::{Json, Router};
use lodge_sdk::{StatusCode, header};
use serde::{Deserialize, Serialize};

#[lodge_sdk::http]
fn app() -> Router {
    Router::new()
        .route("/", get(Html(include_str!("../pages/index.html"))))
        // Without the slash, the page's relative links would lead elsewhere.
        .route(
            "/admin",
            get((
                StatusCode::PERMANENT_REDIRECT,
                [(header::LOCATION, "admin/")],
            )),
        )
        .route("/admin/", get(Html(include_str!("../pages/admin.html"))))
        .route("/api/hello", get(hello))
        .route("/style.css", get(style))
        .fallback((
            StatusCode::NOT_FOUND,
            Html(include_str!("../pages/missing.html")),
        ))
}

#[derive(Deserialize)]
struct Who {
    name: Option<String>,
}

#[derive(Serialize)]
struct Greeting {
    greeting: String,
}

async fn hello(Query(who): Query<Who>) -> Json<Greeting> {
    let name = who.name.filter(|name| !name.trim().is_empty());
    Json(Greeting {
        greeting: format!("Hello, {}!", name.as_deref().unwrap_or("World")),
    })
}

async fn style() -> impl IntoResponse {
    let headers = [
        (header::CONTENT_TYPE, "text/css; charset=utf-8"),
        (header::CACHE_CONTROL, "max-age=300"),
    ];
    (headers, include_str!("../pages/style.css"))
}
