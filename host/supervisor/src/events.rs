//! The audit log: who asked for what, from where, and what became of it; of one app, or of all that
//! an administrator does.
//!
//! What became of an operation is told by the host, so that entry has no address; the one that
//! accepted it has.

use crate::supervisor::Supervisor;
use crate::{Actor, Error, Listing, Page};
use lodge_db::events::{EventRow, Filter, NewEvent};
use lodge_model::{AppId, Invalid, Operation, OperationKind, OperationStatus};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The longest text that is searched for, in characters.
pub(crate) const SEARCH_CHARACTERS: usize = 200;

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditEvent {
    /// Grows with every entry.
    pub id: i64,
    /// When, in milliseconds since 1970.
    pub time: i64,
    /// Who.
    pub actor: String,
    /// What, such as `app.start`.
    pub action: String,
    /// On which app; null: on none in particular.
    #[schema(required)]
    pub app: Option<String>,
    /// On what beside the app.
    pub subject: Option<String>,
    /// As part of which operation.
    pub operation: Option<String>,
    /// `accepted`, `succeeded`, `failed`, `superseded` or `refused`.
    pub result: String,
    /// More, for people.
    pub message: Option<String>,
    /// The address of whoever asked; null: nobody asked, or it is not known.
    #[schema(required)]
    pub address: Option<String>,
}

/// Which entries of all. What is none filters nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ActivityFilter {
    /// On this app, which need not be there any more.
    pub app: Option<String>,
    /// By exactly this one.
    pub actor: Option<String>,
    /// Of exactly this action.
    pub action: Option<String>,
    /// With exactly this result.
    pub result: Option<String>,
    /// With this text, 200 characters at most, in the actor, action, subject, app or message,
    /// whatever the case of its letters.
    pub search: Option<String>,
}

impl From<EventRow> for AuditEvent {
    fn from(row: EventRow) -> Self {
        Self {
            id: row.id,
            time: row.time,
            actor: row.actor,
            action: row.action,
            app: row.app,
            subject: row.subject,
            operation: row.operation,
            result: row.result,
            message: row.message,
            address: row.address,
        }
    }
}

/// How the audit log spells what an operation does.
pub(crate) fn action_of(kind: OperationKind) -> &'static str {
    match kind {
        OperationKind::Start => "app.start",
        OperationKind::Stop => "app.stop",
        OperationKind::Restart => "app.restart",
        OperationKind::Update => "app.update",
        OperationKind::RotateKey => "app.rotate_key",
        OperationKind::Delete => "app.delete",
    }
}

/// The entry about what became of an operation, or that it was accepted while it runs.
pub(crate) fn entry_of(operation: &Operation) -> NewEvent<'_> {
    NewEvent {
        time: operation.finished_at.unwrap_or(operation.created_at),
        actor: &operation.actor,
        action: action_of(operation.kind),
        app: Some(operation.app.as_str()),
        subject: None,
        operation: Some(operation.id.as_str()),
        result: match operation.status {
            OperationStatus::Running => "accepted",
            OperationStatus::Succeeded => "succeeded",
            OperationStatus::Failed => "failed",
            OperationStatus::Superseded => "superseded",
        },
        message: operation.error.as_deref(),
        address: None,
    }
}

/// The entry about an operation that was asked for.
pub(crate) fn accepted<'a>(operation: &'a Operation, actor: &'a Actor) -> NewEvent<'a> {
    NewEvent {
        address: actor.address(),
        ..entry_of(operation)
    }
}

impl Supervisor {
    /// What was done to an app, newest first; of one that is gone, too.
    ///
    /// # Errors
    /// There never was such an app, the page makes no sense, or the database failed.
    pub async fn events(&self, id: &AppId, page: &Page) -> Result<Listing<AuditEvent>, Error> {
        let (before, limit) = place(page)?;
        let rows = lodge_db::events::of_app(&self.db, id, before, wanted(limit)).await?;
        if rows.is_empty() && before.is_none() {
            self.index.require(id)?;
        }
        Ok(cut(rows, limit))
    }

    /// What was done, to all apps and to none, newest first.
    ///
    /// # Errors
    /// The filter or the page makes no sense, or the database failed.
    pub async fn activity(
        &self,
        filter: &ActivityFilter,
        page: &Page,
    ) -> Result<Listing<AuditEvent>, Error> {
        let (before, limit) = place(page)?;
        check_search(filter.search.as_deref())?;
        let filter = Filter {
            app: filter.app.as_deref(),
            actor: filter.actor.as_deref(),
            action: filter.action.as_deref(),
            result: filter.result.as_deref(),
            search: filter.search.as_deref().filter(|text| !text.is_empty()),
        };
        let rows = lodge_db::events::list(&self.db, &filter, before, wanted(limit)).await?;
        Ok(cut(rows, limit))
    }
}

/// Refuses a text to be searched for that is too long.
///
/// # Errors
/// It is.
pub(crate) fn check_search(text: Option<&str>) -> Result<(), Invalid> {
    match text {
        Some(text) if text.chars().nth(SEARCH_CHARACTERS).is_some() => Err(Invalid::new(
            "search",
            format!("may have {SEARCH_CHARACTERS} characters at most"),
        )),
        _ => Ok(()),
    }
}

/// Where a page begins, and how many entries it has.
fn place(page: &Page) -> Result<(Option<i64>, usize), Invalid> {
    let limit = page.limit()?;
    let before = page.cursor.as_deref().map(str::parse).transpose();
    let before = before.map_err(|_| {
        Invalid::new(
            "cursor",
            "is not one of this list's: pass `next_cursor` unchanged",
        )
    })?;
    Ok((before, limit))
}

/// One more than a page has, to see whether there is a next one.
fn wanted(limit: usize) -> u32 {
    u32::try_from(limit + 1).unwrap_or(u32::MAX)
}

fn cut(rows: Vec<EventRow>, limit: usize) -> Listing<AuditEvent> {
    let events = rows.into_iter().map(AuditEvent::from).collect();
    Listing::cut(events, limit, |event: &AuditEvent| event.id.to_string())
}
