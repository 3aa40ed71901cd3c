//! The audit log of an app: who asked for what, and what became of it.

use crate::supervisor::Supervisor;
use crate::{Error, Listing, Page};
use lodge_db::events::{EventRow, NewEvent};
use lodge_model::{AppId, Invalid, Operation, OperationKind, OperationStatus};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

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
    /// On what beside the app.
    pub subject: Option<String>,
    /// As part of which operation.
    pub operation: Option<String>,
    /// `accepted`, `succeeded`, `failed` or `superseded`.
    pub result: String,
    /// More, for people.
    pub message: Option<String>,
}

impl From<EventRow> for AuditEvent {
    fn from(row: EventRow) -> Self {
        Self {
            id: row.id,
            time: row.time,
            actor: row.actor,
            action: row.action,
            subject: row.subject,
            operation: row.operation,
            result: row.result,
            message: row.message,
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
    }
}

impl Supervisor {
    /// What was done to an app, newest first; of one that is gone, too.
    ///
    /// # Errors
    /// There never was such an app, the page makes no sense, or the database failed.
    pub async fn events(&self, id: &AppId, page: &Page) -> Result<Listing<AuditEvent>, Error> {
        let limit = page.limit()?;
        let before = page
            .cursor
            .as_deref()
            .map(str::parse)
            .transpose()
            .map_err(|_| {
                Invalid::new(
                    "cursor",
                    "is not one of this list's: pass `next_cursor` unchanged",
                )
            })?;
        let wanted = u32::try_from(limit + 1).unwrap_or(u32::MAX);
        let rows = lodge_db::events::of_app(&self.db, id, before, wanted).await?;
        if rows.is_empty() && before.is_none() {
            self.index.require(id)?;
        }
        let events = rows.into_iter().map(AuditEvent::from).collect();
        Ok(Listing::cut(events, limit, |event: &AuditEvent| {
            event.id.to_string()
        }))
    }
}
