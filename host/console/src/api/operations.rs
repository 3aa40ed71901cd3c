//! Operations: lifecycle requests that can be followed.

use super::WaitParams;
use crate::extract::{PathId, Query};
use crate::problem::Problem;
use crate::state::Console;
use axum::Json as Answer;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use lodge_model::{Operation, OperationId};
use serde::Serialize;
use utoipa::ToSchema;

const TAG: &str = "operations";

/// What was begun.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Accepted {
    /// Follow it at `/api/operations/{id}`.
    pub(crate) operation: Operation,
}

impl IntoResponse for Accepted {
    fn into_response(self) -> Response {
        let location = HeaderValue::from_str(&format!("/api/operations/{}", self.operation.id));
        let mut response = (StatusCode::ACCEPTED, Answer(self)).into_response();
        if let Ok(location) = location {
            response.headers_mut().insert(header::LOCATION, location);
        }
        response
    }
}

/// Show an operation.
#[utoipa::path(get, path = "/api/operations/{id}", tag = TAG,
    params(("id" = String, Path, description = "the operation's ID"), WaitParams),
    responses((status = 200, description = "the operation", body = Operation)))]
pub(crate) async fn show(
    State(console): State<Console>,
    PathId(id): PathId,
    Query(wait): Query<WaitParams>,
) -> Result<Answer<Operation>, Problem> {
    let id = OperationId::from_text(id);
    let supervisor = console.supervisor();
    let operation = tokio::select! {
        operation = supervisor.wait_operation(&id, wait.duration()) => operation?,
        () = console.stopped() => supervisor.operation(&id).await?,
    };
    Ok(Answer(operation))
}
