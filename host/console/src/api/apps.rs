//! Apps: what they are, and what is done to them.

use super::operations::Accepted;
use super::{List, PageParams};
use crate::auth::Principal;
use crate::extract::{Json, NoBody, PathApp, Query};
use crate::problem::Problem;
use crate::state::{Console, now_ms};
use axum::Json as Answer;
use axum::extract::State;
use http::{HeaderMap, StatusCode};
use lodge_model::{App, DataPolicy, Desired, Digest, EnvironmentName, MeterSnapshot, Status};
use lodge_supervisor::{
    AppFilter, AppPatch, AppUsage, AuditEvent, HistoryRange, NewApp, Page, StatsHistory,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

const TAG: &str = "apps";

/// An app, and where it is reached.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AppAnswer {
    /// The app, without its secrets.
    #[serde(flatten)]
    app: App,
    /// Where it is reached, the most isolated way first.
    urls: Vec<String>,
}

impl AppAnswer {
    fn new(console: &Console, headers: &HeaderMap, app: App) -> Self {
        // Masked by the supervisor already; secrets are worth a second lock on the door.
        let app = app.masked();
        Self {
            urls: console.settings().addresses.of(&app, headers),
            app,
        }
    }
}

/// How an app is to be created.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct CreateParams {
    /// Check everything, create nothing.
    #[serde(default)]
    #[param(nullable = false, required = false)]
    dry_run: bool,
}

/// Create an app.
#[utoipa::path(post, path = "/api/apps", tag = TAG, params(CreateParams), request_body = NewApp,
    responses(
        (status = 201, description = "created", body = AppAnswer),
        (status = 200, description = "it would be created like this", body = AppAnswer)))]
pub(crate) async fn create(
    State(console): State<Console>,
    principal: Principal,
    Query(params): Query<CreateParams>,
    headers: HeaderMap,
    Json(new): Json<NewApp>,
) -> Result<(StatusCode, Answer<AppAnswer>), Problem> {
    if params.dry_run {
        let app = console.supervisor().check_new_app(new)?;
        let app = AppAnswer::new(&console, &headers, app);
        return Ok((StatusCode::OK, Answer(app)));
    }
    let app = console
        .supervisor()
        .create_app(new, &principal.actor())
        .await?;
    Ok((
        StatusCode::CREATED,
        Answer(AppAnswer::new(&console, &headers, app)),
    ))
}

/// Which apps.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListParams {
    /// Part of the ID, display name or a domain.
    #[param(nullable = false)]
    search: Option<String>,
    /// What was last observed of them.
    #[param(nullable = false)]
    status: Option<Status>,
    /// What was asked for.
    #[param(nullable = false)]
    desired: Option<Desired>,
    /// The digest of the component they run.
    #[param(value_type = Option<String>, nullable = false)]
    component: Option<Digest>,
    /// A tag that they have.
    #[param(nullable = false)]
    tag: Option<String>,
    /// An environment that they are placed in.
    #[param(value_type = Option<String>, nullable = false)]
    environment: Option<EnvironmentName>,
    /// `next_cursor` of the page before.
    #[param(nullable = false)]
    cursor: Option<String>,
    /// Items at most: 1 to 1,000; 100 if not given.
    #[param(nullable = false)]
    limit: Option<u32>,
}

/// List apps, by ID.
#[utoipa::path(get, path = "/api/apps", tag = TAG, params(ListParams),
    responses((status = 200, description = "one page", body = List<AppAnswer>)))]
pub(crate) async fn list(
    State(console): State<Console>,
    headers: HeaderMap,
    Query(params): Query<ListParams>,
) -> Result<Answer<List<AppAnswer>>, Problem> {
    let filter = AppFilter {
        search: params.search,
        status: params.status,
        desired: params.desired,
        component: params.component,
        tag: params.tag,
        environment: params.environment,
    };
    let page = Page {
        cursor: params.cursor,
        limit: params.limit,
    };
    let listing = console.supervisor().apps(&filter, &page)?;
    let items = listing
        .items
        .into_iter()
        .map(|app| AppAnswer::new(&console, &headers, app));
    Ok(Answer(List {
        items: items.collect(),
        next_cursor: listing.next_cursor,
    }))
}

/// Show an app.
#[utoipa::path(get, path = "/api/apps/{id}", tag = TAG,
    params(("id" = String, Path, description = "the app's ID")),
    responses((status = 200, description = "the app", body = AppAnswer)))]
pub(crate) async fn show(
    State(console): State<Console>,
    headers: HeaderMap,
    PathApp(id): PathApp,
) -> Result<Answer<AppAnswer>, Problem> {
    let app = console.supervisor().app(&id)?;
    Ok(Answer(AppAnswer::new(&console, &headers, app)))
}

/// Change an app.
///
/// What is absent stays as it is. Lists are replaced as a whole, limits and configuration key by
/// key. Changes come into force at once; requests under way end as they began.
#[utoipa::path(patch, path = "/api/apps/{id}", tag = TAG, request_body = AppPatch,
    params(("id" = String, Path, description = "the app's ID")),
    responses((status = 200, description = "the app as it is now", body = AppAnswer)))]
pub(crate) async fn update(
    State(console): State<Console>,
    principal: Principal,
    headers: HeaderMap,
    PathApp(id): PathApp,
    Json(patch): Json<AppPatch>,
) -> Result<Answer<AppAnswer>, Problem> {
    let app = console
        .supervisor()
        .update_app(&id, patch, &principal.actor())
        .await?;
    Ok(Answer(AppAnswer::new(&console, &headers, app)))
}

/// What becomes of an app's data.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct RemoveParams {
    /// `keep` if not given.
    #[param(inline, nullable = false)]
    data: Option<DataPolicy>,
}

/// Remove an app.
#[utoipa::path(delete, path = "/api/apps/{id}", tag = TAG,
    params(("id" = String, Path, description = "the app's ID"), RemoveParams),
    responses((status = 202, description = "under way", body = Accepted)))]
pub(crate) async fn remove(
    State(console): State<Console>,
    principal: Principal,
    PathApp(id): PathApp,
    Query(params): Query<RemoveParams>,
    _: NoBody,
) -> Result<Accepted, Problem> {
    let data = params.data.unwrap_or(DataPolicy::Keep);
    let operation = console
        .supervisor()
        .delete_app(&id, data, &principal.actor())
        .await?;
    Ok(Accepted { operation })
}

/// Start an app at once, whatever its start mode.
#[utoipa::path(post, path = "/api/apps/{id}/start", tag = TAG,
    params(("id" = String, Path, description = "the app's ID")),
    responses((status = 202, description = "under way", body = Accepted)))]
pub(crate) async fn start(
    State(console): State<Console>,
    principal: Principal,
    PathApp(id): PathApp,
    _: NoBody,
) -> Result<Accepted, Problem> {
    let operation = console.supervisor().start(&id, &principal.actor()).await?;
    Ok(Accepted { operation })
}

/// Stop an app. It stays stopped, whoever visits, until it is started.
#[utoipa::path(post, path = "/api/apps/{id}/stop", tag = TAG,
    params(("id" = String, Path, description = "the app's ID")),
    responses((status = 202, description = "under way", body = Accepted)))]
pub(crate) async fn stop(
    State(console): State<Console>,
    principal: Principal,
    PathApp(id): PathApp,
    _: NoBody,
) -> Result<Accepted, Problem> {
    let operation = console.supervisor().stop(&id, &principal.actor()).await?;
    Ok(Accepted { operation })
}

/// Stop an app and start it.
#[utoipa::path(post, path = "/api/apps/{id}/restart", tag = TAG,
    params(("id" = String, Path, description = "the app's ID")),
    responses((status = 202, description = "under way", body = Accepted)))]
pub(crate) async fn restart(
    State(console): State<Console>,
    principal: Principal,
    PathApp(id): PathApp,
    _: NoBody,
) -> Result<Accepted, Problem> {
    let operation = console
        .supervisor()
        .restart(&id, &principal.actor())
        .await?;
    Ok(Accepted { operation })
}

/// Show what an app used and how its requests ended, since the host started.
#[utoipa::path(get, path = "/api/apps/{id}/stats", tag = TAG,
    params(("id" = String, Path, description = "the app's ID")),
    responses((status = 200, description = "the counters", body = MeterSnapshot)))]
pub(crate) async fn stats(
    State(console): State<Console>,
    PathApp(id): PathApp,
) -> Result<Answer<MeterSnapshot>, Problem> {
    Ok(Answer(console.supervisor().stats(&id)?))
}

/// How far back.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct HistoryParams {
    /// `hour` if not given.
    #[param(inline, nullable = false)]
    range: Option<HistoryRange>,
}

/// Show what an app used and how its requests ended, over time.
///
/// A point a minute, ten minutes or an hour; points in which nothing happened are left out.
#[utoipa::path(get, path = "/api/apps/{id}/stats/history", tag = TAG,
    params(("id" = String, Path, description = "the app's ID"), HistoryParams),
    responses((status = 200, description = "the points", body = StatsHistory)))]
pub(crate) async fn stats_history(
    State(console): State<Console>,
    PathApp(id): PathApp,
    Query(params): Query<HistoryParams>,
) -> Result<Answer<StatsHistory>, Problem> {
    let range = params.range.unwrap_or_default();
    let history = console.supervisor().stats_history(&id, range, now_ms());
    Ok(Answer(history.await?))
}

/// Show what every app uses now that was visited in the last minute or holds anything.
#[utoipa::path(get, path = "/api/usage", tag = TAG,
    responses((status = 200, description = "all of them, by ID", body = List<AppUsage>)))]
pub(crate) async fn usage(State(console): State<Console>) -> Answer<List<AppUsage>> {
    Answer(List::whole(console.supervisor().usage()))
}

/// Show who did what to an app, newest first. The record of a removal outlives the app.
#[utoipa::path(get, path = "/api/apps/{id}/events", tag = TAG,
    params(("id" = String, Path, description = "the app's ID"), PageParams),
    responses((status = 200, description = "one page", body = List<AuditEvent>)))]
pub(crate) async fn events(
    State(console): State<Console>,
    PathApp(id): PathApp,
    Query(page): Query<PageParams>,
) -> Result<Answer<List<AuditEvent>>, Problem> {
    Ok(Answer(
        console.supervisor().events(&id, &page.into()).await?.into(),
    ))
}
