//! Environments: the places where apps run.

use super::List;
use crate::problem::Problem;
use crate::state::Console;
use axum::Json as Answer;
use axum::extract::State;
use lodge_supervisor::EnvironmentInfo;

const TAG: &str = "environments";

/// List environments.
#[utoipa::path(get, path = "/api/environments", tag = TAG,
    responses((status = 200, description = "all of them", body = List<EnvironmentInfo>)))]
pub(crate) async fn list(
    State(console): State<Console>,
) -> Result<Answer<List<EnvironmentInfo>>, Problem> {
    Ok(Answer(List::whole(console.supervisor().environments())))
}
