//! Databases: tried before an app is given one, and looked at afterwards.

use crate::extract::{Json, PathApp};
use crate::problem::Problem;
use crate::state::Console;
use axum::Json as Answer;
use axum::extract::State;
use lodge_model::{ConnectionReport, DatabaseReport};
use lodge_supervisor::DatabaseTest;

const TAG: &str = "databases";

/// Try a database: connect, and check that an app could use it. Changes nothing.
///
/// What is wrong is a problem with the field and the remedy: 422 `invalid`, `database_refused` or
/// `database_unavailable`. A few tries at once are taken, the next gets 503 `tests_busy`.
#[utoipa::path(post, path = "/api/databases/test", tag = TAG, request_body = DatabaseTest,
    responses((status = 200, description = "an app can use it", body = ConnectionReport)))]
pub(crate) async fn test(
    State(console): State<Console>,
    Json(test): Json<DatabaseTest>,
) -> Result<Answer<ConnectionReport>, Problem> {
    Ok(Answer(console.supervisor().test_database(test).await?))
}

/// Show an app's own database: its size, connections, and slow statements since the host started.
///
/// Answers within a few seconds, whether the app runs or not. A size that is not known is null, and
/// `problem` says why.
#[utoipa::path(get, path = "/api/apps/{id}/database", tag = TAG,
    params(("id" = String, Path, description = "the app's ID")),
    responses((status = 200, description = "the report", body = DatabaseReport)))]
pub(crate) async fn show(
    State(console): State<Console>,
    PathApp(id): PathApp,
) -> Result<Answer<DatabaseReport>, Problem> {
    Ok(Answer(console.supervisor().report_database(&id).await?))
}
