//! The audit log: who did what, when, with which result. Rows are added, never changed.

use crate::text::{Reader, plain};
use crate::{Database, Error, Tx};
use lodge_model::AppId;

/// An entry to be added.
#[derive(Debug, Clone, Default)]
pub struct NewEvent<'a> {
    /// When, in milliseconds since 1970.
    pub time: i64,
    /// Who: a user's email, a token's name, or `system`.
    pub actor: &'a str,
    /// What, as `noun.verb`: `app.start`, `component.upload`, `session.create`.
    pub action: &'a str,
    /// On which app.
    pub app: Option<&'a str>,
    /// On what else: a component, a user.
    pub subject: Option<&'a str>,
    /// As part of which operation.
    pub operation: Option<&'a str>,
    /// `accepted`, `succeeded`, `failed`, `superseded` or `refused`.
    pub result: &'a str,
    /// More, for people; never a secret.
    pub message: Option<&'a str>,
}

/// An entry as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRow {
    /// Grows with every entry.
    pub id: i64,
    /// When, in milliseconds since 1970.
    pub time: i64,
    /// Who.
    pub actor: String,
    /// What.
    pub action: String,
    /// On which app.
    pub app: Option<String>,
    /// On what else.
    pub subject: Option<String>,
    /// As part of which operation.
    pub operation: Option<String>,
    /// With which result.
    pub result: String,
    /// More, for people.
    pub message: Option<String>,
}

/// Adds an entry.
///
/// # Errors
/// The database failed.
pub async fn insert(tx: &mut Tx, event: &NewEvent<'_>) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO events (time, actor, action, app, subject, operation, result, message) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(event.time)
    .bind(plain(event.actor))
    .bind(event.action)
    .bind(event.app)
    .bind(event.subject.map(plain))
    .bind(event.operation)
    .bind(event.result)
    .bind(event.message.map(plain))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// An app's entries, newest first, at most `limit`, older than the entry `before`.
///
/// # Errors
/// The database failed or holds an unreadable row.
pub async fn of_app(
    database: &Database,
    app: &AppId,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<EventRow>, Error> {
    let rows =
        sqlx::query("SELECT * FROM events WHERE app = $1 AND id < $2 ORDER BY id DESC LIMIT $3")
            .bind(app.as_str())
            .bind(before.unwrap_or(i64::MAX))
            .bind(i64::from(limit))
            .fetch_all(database.reader())
            .await?;
    rows.iter()
        .map(|row| {
            let row = Reader::new("events", "action", row);
            Ok(EventRow {
                id: row.get("id")?,
                time: row.get("time")?,
                actor: row.get("actor")?,
                action: row.get("action")?,
                app: row.get("app")?,
                subject: row.get("subject")?,
                operation: row.get("operation")?,
                result: row.get("result")?,
                message: row.get("message")?,
            })
        })
        .collect()
}

/// Removes entries older than `time` (milliseconds since 1970); gives how many.
///
/// # Errors
/// The database failed.
pub async fn prune(tx: &mut Tx, time: i64) -> Result<u64, Error> {
    let done = sqlx::query("DELETE FROM events WHERE time < $1")
        .bind(time)
        .execute(&mut **tx)
        .await?;
    Ok(done.rows_affected())
}
