//! Environments: the places where apps run.

use super::List;
use crate::auth::Principal;
use crate::extract::{NoBody, PathEnvironment};
use crate::problem::Problem;
use crate::state::Console;
use axum::Json as Answer;
use axum::extract::State;
use http::StatusCode;
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

/// Show an environment.
#[utoipa::path(get, path = "/api/environments/{name}", tag = TAG,
    params(("name" = String, Path, description = "the environment's name")),
    responses((status = 200, description = "the environment", body = EnvironmentInfo)))]
pub(crate) async fn show(
    State(console): State<Console>,
    PathEnvironment(name): PathEnvironment,
) -> Result<Answer<EnvironmentInfo>, Problem> {
    Ok(Answer(console.supervisor().environment(&name)?))
}

/// Have an environment take no further apps. What runs there stays.
#[utoipa::path(post, path = "/api/environments/{name}/cordon", tag = TAG,
    params(("name" = String, Path, description = "the environment's name")),
    responses((status = 200, description = "as it is now", body = EnvironmentInfo)))]
pub(crate) async fn cordon(
    State(console): State<Console>,
    principal: Principal,
    PathEnvironment(name): PathEnvironment,
    _: NoBody,
) -> Result<Answer<EnvironmentInfo>, Problem> {
    set_schedulable(&console, &principal, &name, false).await
}

/// Have an environment take apps again; ends a drain too.
#[utoipa::path(post, path = "/api/environments/{name}/uncordon", tag = TAG,
    params(("name" = String, Path, description = "the environment's name")),
    responses((status = 200, description = "as it is now", body = EnvironmentInfo)))]
pub(crate) async fn uncordon(
    State(console): State<Console>,
    principal: Principal,
    PathEnvironment(name): PathEnvironment,
    _: NoBody,
) -> Result<Answer<EnvironmentInfo>, Problem> {
    set_schedulable(&console, &principal, &name, true).await
}

async fn set_schedulable(
    console: &Console,
    principal: &Principal,
    name: &lodge_model::EnvironmentName,
    schedulable: bool,
) -> Result<Answer<EnvironmentInfo>, Problem> {
    let supervisor = console.supervisor();
    let actor = principal.actor();
    let changed = supervisor.set_schedulable(name, schedulable, &actor);
    Ok(Answer(changed.await?))
}

/// Empty an environment.
///
/// It takes no further apps; those that it has are moved where others can have them, or stopped there.
/// Requests under way are finished. Follow `draining`, `apps` and `message`.
#[utoipa::path(post, path = "/api/environments/{name}/drain", tag = TAG,
    params(("name" = String, Path, description = "the environment's name")),
    responses((status = 200, description = "as it is now", body = EnvironmentInfo)))]
pub(crate) async fn drain(
    State(console): State<Console>,
    principal: Principal,
    PathEnvironment(name): PathEnvironment,
    _: NoBody,
) -> Result<Answer<EnvironmentInfo>, Problem> {
    let actor = principal.actor();
    Ok(Answer(console.supervisor().drain(&name, &actor).await?))
}

/// Forget an environment that is not there any more and has no apps.
#[utoipa::path(delete, path = "/api/environments/{name}", tag = TAG,
    params(("name" = String, Path, description = "the environment's name")),
    responses((status = 204, description = "removed")))]
pub(crate) async fn remove(
    State(console): State<Console>,
    principal: Principal,
    PathEnvironment(name): PathEnvironment,
    _: NoBody,
) -> Result<StatusCode, Problem> {
    console
        .supervisor()
        .remove_environment(&name, &principal.actor())
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
