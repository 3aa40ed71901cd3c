//! Databases: tried before an app is given one, and looked at afterwards.

use crate::auth::Principal;
use crate::extract::{Json, JsonOrNothing, PathApp};
use crate::problem::Problem;
use crate::state::Console;
use axum::Json as Answer;
use axum::extract::State;
use lodge_model::{ConnectionReport, DatabaseReport};
use lodge_supervisor::{ClearedMigration, DatabaseTest};
use serde::Deserialize;
use utoipa::ToSchema;

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

/// What becomes of a migration that broke off. The body may be left out.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct MigrationClearing {
    /// True: it counts as done, all of it having been done by hand. False, as if not given: it runs again at
    /// the app's next start, all that it had done having been taken back.
    done: bool,
}

/// Take the mark off a migration that broke off, once the database was mended.
///
/// MySQL and MariaDB cannot take changes of tables back: there a migration that breaks off leaves a mark,
/// and the app does not start until it is taken off. Starts nothing. Without a mark 409 `no_mark`; while
/// migrations run, and where the database is away, 503 `database_unavailable`.
#[utoipa::path(post, path = "/api/apps/{id}/database/clear-migration", tag = TAG,
    request_body = Option<MigrationClearing>,
    params(("id" = String, Path, description = "the app's ID")),
    responses((status = 200, description = "the mark is off", body = ClearedMigration)))]
pub(crate) async fn clear_migration(
    State(console): State<Console>,
    principal: Principal,
    PathApp(id): PathApp,
    JsonOrNothing(clearing): JsonOrNothing<MigrationClearing>,
) -> Result<Answer<ClearedMigration>, Problem> {
    let actor = principal.actor();
    let supervisor = console.supervisor();
    Ok(Answer(
        supervisor
            .clear_migration(&id, clearing.done, &actor)
            .await?,
    ))
}
