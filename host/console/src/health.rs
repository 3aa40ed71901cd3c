//! Whether the process lives, and whether it can serve.

use crate::problem::Problem;
use crate::state::Console;
use axum::extract::State;
use http::StatusCode;

/// `/healthz`: the process lives and its runtime turns.
pub(crate) async fn alive() -> &'static str {
    "ok\n"
}

/// A worker's `/readyz`.
pub(crate) async fn worker_ready() -> &'static str {
    "ready\n"
}

/// `/readyz`: routes and observed states are loaded, which they are before there is a [`Console`];
/// 503 while shutting down. It does not ask the database: apps are served without it.
pub(crate) async fn ready(State(console): State<Console>) -> Result<&'static str, Problem> {
    if console.is_stopping() {
        return Err(Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "shutting_down",
            "this host is shutting down",
        )
        .retry_after(5));
    }
    Ok("ready\n")
}
