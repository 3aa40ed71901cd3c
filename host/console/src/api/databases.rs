//! Databases: tried before an app is given one.

use crate::extract::Json;
use crate::problem::Problem;
use crate::state::Console;
use axum::Json as Answer;
use axum::extract::State;
use lodge_model::ConnectionReport;
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
