//! What is set for the whole host while it runs.

use crate::auth::Principal;
use crate::extract::Json;
use crate::problem::Problem;
use crate::state::Console;
use axum::Json as Answer;
use axum::extract::State;
use lodge_supervisor::{Preferences, PreferencesPatch};
use serde::Serialize;
use utoipa::ToSchema;

const TAG: &str = "settings";

/// Show the host's settings.
#[utoipa::path(get, path = "/api/settings", tag = TAG,
    responses((status = 200, description = "the settings", body = Preferences)))]
pub(crate) async fn show(State(console): State<Console>) -> Answer<Preferences> {
    Answer(console.supervisor().preferences())
}

/// Change the host's settings.
///
/// What is absent stays as it is. Default limits are for apps created from then on; trusted proxies
/// count for connections made from then on.
#[utoipa::path(patch, path = "/api/settings", tag = TAG, request_body = PreferencesPatch,
    responses((status = 200, description = "the settings as they are now", body = Preferences)))]
pub(crate) async fn update(
    State(console): State<Console>,
    principal: Principal,
    Json(patch): Json<PreferencesPatch>,
) -> Result<Answer<Preferences>, Problem> {
    let actor = principal.actor();
    let changed = console.supervisor().change_preferences(patch, &actor);
    Ok(Answer(changed.await?))
}

/// What the web console wants to know before anybody is signed in.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ConsoleInfo {
    /// The language for whoever chose none; null: that of the browser.
    language: Option<String>,
}

/// Show what the web console wants to know before anybody is signed in.
#[utoipa::path(get, path = "/api/console", tag = "console", security(()),
    responses((status = 200, description = "for the sign-in page", body = ConsoleInfo)))]
pub(crate) async fn console(State(console): State<Console>) -> Answer<ConsoleInfo> {
    let language = console.supervisor().preferences().language;
    Answer(ConsoleInfo { language })
}
