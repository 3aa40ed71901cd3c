//! The admin listener's layers and endpoints, top to bottom: this file is the map.
//!
//! Endpoints are registered through [`OpenApiRouter`], so that none can be missing from the
//! document. What stands in [`open`] needs no credential; what stands in [`guarded`] does; what workers
//! ask ([`cluster`]) is signed. A test
//! asks every endpoint of the document without one.

use crate::api::{
    about, activity, apps, auth, components, databases, environments, events, jwt, logs,
    operations, settings, tokens,
};
use crate::auth::require;
use crate::cluster::WASM;
use crate::metrics::WorkerFigures;
use crate::openapi::{self, Document};
use crate::problem::Problem;
use crate::state::Console;
use crate::{cluster, health, idempotency, metrics, page};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Extension, Router, middleware};
use http::{HeaderMap, Method, StatusCode, Uri};
use std::any::Any;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate, SizeAbove};
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Everything the admin listener serves.
pub fn router(console: Console) -> Router {
    let (api, document) = api(&console).split_for_parts();
    let document = Document::new(&openapi::finish(document));
    Router::new()
        .route("/", get(page::root))
        .route("/assets/{name}", get(page::asset))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(metrics::show))
        .merge(api)
        .merge(cluster::routes(&console))
        .fallback(no_such_path)
        .method_not_allowed_fallback(no_such_method)
        .with_state(console)
        // From the inside out: the last layer sees a request first.
        .layer(Extension(document))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(CompressionLayer::new().compress_when(worth_it()))
        .layer(middleware::map_response(page::secure))
}

/// What a worker's admin listener serves: whether it lives, and `figures` if they are for everybody. It is
/// there once its apps' routes are known, whether Redis and its supervisor are or not.
pub fn worker_router(figures: Option<WorkerFigures>) -> Router {
    Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::worker_ready))
        .route("/metrics", get(|| metrics::show_worker(figures)))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::map_response(page::secure))
}

/// Lists are worth compressing; event streams, and what is compressed already, are not. Components are read
/// in ranges, which are those of their own bytes.
fn worth_it() -> impl Predicate {
    SizeAbove::new(1024)
        .and(NotForContentType::SSE)
        .and(NotForContentType::IMAGES)
        .and(NotForContentType::const_new(WASM))
}

/// The OpenAPI document, as `/api/openapi.json` serves it.
pub fn openapi_document(console: &Console) -> OpenApi {
    openapi::finish(api(console).into_openapi())
}

fn api(console: &Console) -> OpenApiRouter<Console> {
    OpenApiRouter::with_openapi(openapi::skeleton())
        .merge(open())
        .merge(guarded(console))
}

/// Endpoints that anybody may ask.
fn open() -> OpenApiRouter<Console> {
    OpenApiRouter::new()
        .routes(routes!(auth::login))
        .routes(routes!(openapi::show))
        .routes(routes!(settings::console))
}

/// Endpoints that need a credential.
fn guarded(console: &Console) -> OpenApiRouter<Console> {
    OpenApiRouter::new()
        .routes(routes!(auth::logout))
        .routes(routes!(auth::me))
        .routes(routes!(auth::password))
        .routes(routes!(tokens::create, tokens::list))
        .routes(routes!(tokens::remove))
        .routes(routes!(components::upload, components::list))
        .routes(routes!(components::show, components::remove))
        .routes(routes!(apps::create, apps::list))
        .routes(routes!(apps::show, apps::update, apps::remove))
        .routes(routes!(apps::start))
        .routes(routes!(apps::stop))
        .routes(routes!(apps::restart))
        .routes(routes!(logs::logs))
        .routes(routes!(logs::live))
        .routes(routes!(logs::download))
        .routes(routes!(apps::stats))
        .routes(routes!(apps::stats_history))
        .routes(routes!(apps::usage))
        .routes(routes!(apps::events))
        .routes(routes!(jwt::show))
        .routes(routes!(jwt::rotate))
        .routes(routes!(jwt::rotate_shared))
        .routes(routes!(databases::test))
        .routes(routes!(databases::show))
        .routes(routes!(databases::clear_migration))
        .routes(routes!(environments::list))
        .routes(routes!(environments::show, environments::remove))
        .routes(routes!(environments::cordon))
        .routes(routes!(environments::uncordon))
        .routes(routes!(environments::drain))
        .routes(routes!(about::show))
        .routes(routes!(operations::show))
        .routes(routes!(settings::show, settings::update))
        .routes(routes!(events::follow))
        .routes(routes!(activity::list))
        .route_layer(middleware::from_fn_with_state(
            console.clone(),
            idempotency::layer,
        ))
        .route_layer(middleware::from_fn_with_state(console.clone(), require))
}

/// An address of the web console's, or nothing.
async fn no_such_path(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let ours = ["/api", "/assets/", "/cluster/", "/metrics"];
    let is_page = !ours.iter().any(|start| uri.path().starts_with(start));
    if is_page && method == Method::GET && page::wants_page(&headers) {
        return page::show();
    }
    let path: String = uri.path().chars().take(100).collect();
    Problem::new(
        StatusCode::NOT_FOUND,
        "no_such_path",
        format!("there is nothing at {path}: /api/openapi.json lists what there is"),
    )
    .into_response()
}

async fn no_such_method(method: Method, uri: Uri) -> Problem {
    let path: String = uri.path().chars().take(100).collect();
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "no_such_method",
        format!("{path} does not take {method}: the `Allow` header lists what it takes"),
    )
}

/// A handler's panic is a bug of ours: the request fails, the process goes on.
#[expect(clippy::needless_pass_by_value, reason = "the layer's signature")]
fn panicked(payload: Box<dyn Any + Send + 'static>) -> Response {
    let text = payload
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| payload.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    Problem::internal(&format_args!("a handler panicked: {text}")).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tower::ServiceExt as _;

    #[tokio::test]
    async fn a_panic_is_a_problem_that_hides_its_text() {
        let router = Router::new()
            .route(
                "/",
                get(async || -> &'static str { panic!("the secret cause") }),
            )
            .layer(CatchPanicLayer::custom(panicked));
        let response = router
            .oneshot(http::Request::new(axum::body::Body::empty()))
            .await
            .unwrap();
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(
            response.headers()["content-type"],
            "application/problem+json"
        );
        let body = axum::body::to_bytes(response.into_body(), 10_000)
            .await
            .unwrap();
        let text = String::from_utf8_lossy(&body).into_owned();
        assert!(
            text.contains("\"internal\"") && !text.contains("secret cause"),
            "{text}"
        );
    }
}
