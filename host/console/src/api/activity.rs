//! What administrators did, and who tried to be one: the audit log of the whole host.

use super::List;
use crate::extract::Query;
use crate::problem::Problem;
use crate::state::Console;
use axum::Json as Answer;
use axum::extract::State;
use lodge_supervisor::{ActivityFilter, AuditEvent, Page};
use serde::Deserialize;
use utoipa::IntoParams;

/// Which entries.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ActivityParams {
    /// The ID of the app that it was done to, which need not be there any more.
    #[param(nullable = false)]
    app: Option<String>,
    /// Who did it, exactly.
    #[param(nullable = false)]
    actor: Option<String>,
    /// What, exactly, such as `app.start` or `session.create`.
    #[param(nullable = false)]
    action: Option<String>,
    /// `accepted`, `succeeded`, `failed`, `superseded` or `refused`.
    #[param(nullable = false)]
    result: Option<String>,
    /// Part of the actor, action, subject, app or message, in whatever case; 200 characters at most.
    #[param(nullable = false)]
    search: Option<String>,
    /// `next_cursor` of the page before.
    #[param(nullable = false)]
    cursor: Option<String>,
    /// Items at most: 1 to 1,000; 100 if not given.
    #[param(nullable = false)]
    limit: Option<u32>,
}

/// Show who did what, newest first.
///
/// Everything that administrators do is in it, with the address they did it from: apps, components,
/// keys, sign-ins (refused ones too, at most one a minute for one address and account), sign-outs,
/// passwords and API tokens.
#[utoipa::path(get, path = "/api/activity", tag = "activity", params(ActivityParams),
    responses((status = 200, description = "one page", body = List<AuditEvent>)))]
pub(crate) async fn list(
    State(console): State<Console>,
    Query(params): Query<ActivityParams>,
) -> Result<Answer<List<AuditEvent>>, Problem> {
    let page = Page {
        cursor: params.cursor,
        limit: params.limit,
    };
    let filter = ActivityFilter {
        app: params.app,
        actor: params.actor,
        action: params.action,
        result: params.result,
        search: params.search,
    };
    let listing = console.supervisor().activity(&filter, &page).await?;
    Ok(Answer(listing.into()))
}
