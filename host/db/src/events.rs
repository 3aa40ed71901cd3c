//! The audit log: who did what, when, from where, with which result. Rows are added, never changed.
//!
//! Read newest first, by the key: a page goes on below the last entry of the one before, whatever was
//! added meanwhile. Unfiltered, by app and by actor an index leads there; the other filters look at
//! entries until a page is full, at all of them if nothing fits.

use crate::text::{Reader, plain};
use crate::{Database, Error, Tx};
use lodge_model::AppId;
use sqlx::AssertSqlSafe;
use sqlx::any::AnyRow;

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
    /// From which address it was asked.
    pub address: Option<&'a str>,
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
    /// From which address it was asked.
    pub address: Option<String>,
}

/// Which entries. What is none filters nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Filter<'a> {
    /// On this app.
    pub app: Option<&'a str>,
    /// By this one.
    pub actor: Option<&'a str>,
    /// Of this action.
    pub action: Option<&'a str>,
    /// With this result.
    pub result: Option<&'a str>,
    /// With this text in the actor, action, subject, app or message, whatever the case of its
    /// letters (on SQLite, of those from A to Z).
    pub search: Option<&'a str>,
}

/// Adds an entry.
///
/// # Errors
/// The database failed.
pub async fn insert(tx: &mut Tx, event: &NewEvent<'_>) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO events (time, actor, action, app, subject, operation, result, message, \
         address) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(event.time)
    .bind(plain(event.actor))
    .bind(event.action)
    .bind(event.app)
    .bind(event.subject.map(plain))
    .bind(event.operation)
    .bind(event.result)
    .bind(event.message.map(plain))
    .bind(event.address)
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
    let filter = Filter {
        app: Some(app.as_str()),
        ..Filter::default()
    };
    list(database, &filter, before, limit).await
}

/// The entries that a filter lets through, newest first, at most `limit`, older than the entry
/// `before`.
///
/// # Errors
/// The database failed or holds an unreadable row.
pub async fn list(
    database: &Database,
    filter: &Filter<'_>,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<EventRow>, Error> {
    let (conditions, values) = conditions(filter);
    let sql = format!("SELECT * FROM events WHERE id < $1{conditions} ORDER BY id DESC LIMIT $2");
    let mut query = sqlx::query(AssertSqlSafe(sql))
        .bind(before.unwrap_or(i64::MAX))
        .bind(i64::from(limit));
    for value in values {
        query = query.bind(value);
    }
    let rows = query.fetch_all(database.reader()).await?;
    rows.iter().map(read).collect()
}

/// What a filter adds to `id < $1` and `$2` lines: text that is ours alone, and its values in order.
fn conditions(filter: &Filter<'_>) -> (String, Vec<String>) {
    let (mut sql, mut values) = (String::new(), Vec::new());
    let exact = [
        ("app", filter.app),
        ("actor", filter.actor),
        ("action", filter.action),
        ("result", filter.result),
    ];
    for (column, value) in exact {
        if let Some(value) = value {
            values.push(plain(value));
            sql.push_str(&format!(" AND {column} = ${}", values.len() + 2));
        }
    }
    if let Some(text) = filter.search {
        values.push(format!("%{}%", literal(&plain(text))));
        let place = values.len() + 2;
        let columns = ["actor", "action", "subject", "app", "message"];
        let fits = columns
            .map(|column| format!("LOWER({column}) LIKE LOWER(${place}) ESCAPE '!'"))
            .join(" OR ");
        sql.push_str(&format!(" AND ({fits})"));
    }
    (sql, values)
}

/// A text as a pattern that only it fits.
fn literal(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(c);
    }
    pattern
}

fn read(row: &AnyRow) -> Result<EventRow, Error> {
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
        address: row.get("address")?,
    })
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
