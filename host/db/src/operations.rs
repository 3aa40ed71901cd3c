//! Operations: what was asked of each app, and what became of it.

use crate::text::{Reader, name_of, plain};
use crate::{Database, Error, Tx};
use lodge_model::{AppId, Operation, OperationId, OperationStatus};
use sqlx::any::AnyRow;

/// An operation as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationRow {
    /// What the API shows.
    pub operation: Operation,
    /// The app's generation that it asked for: reached, it is done.
    pub generation: i64,
}

/// Adds an operation.
///
/// # Errors
/// The database failed.
pub async fn insert(tx: &mut Tx, row: &OperationRow) -> Result<(), Error> {
    let o = &row.operation;
    sqlx::query(
        "INSERT INTO operations (id, app, kind, status, progress, error, actor, generation, \
         created_at, finished_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(o.id.as_str())
    .bind(o.app.as_str())
    .bind(name_of(&o.kind)?)
    .bind(name_of(&o.status)?)
    .bind(o.progress.as_deref().map(plain))
    .bind(o.error.as_deref().map(plain))
    .bind(plain(&o.actor))
    .bind(row.generation)
    .bind(o.created_at)
    .bind(o.finished_at)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Ends an operation that runs; one that has ended stays as it is. True: it ended now.
///
/// # Errors
/// The database failed.
pub async fn finish(
    tx: &mut Tx,
    id: &OperationId,
    status: OperationStatus,
    error: Option<&str>,
    finished_at: i64,
) -> Result<bool, Error> {
    let done = sqlx::query(
        "UPDATE operations SET status = $2, error = $3, progress = NULL, finished_at = $4 \
         WHERE id = $1 AND status = 'running'",
    )
    .bind(id.as_str())
    .bind(name_of(&status)?)
    .bind(error.map(plain))
    .bind(finished_at)
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Ends every running operation of an app, since `by` takes their place; gives them as they are
/// now.
///
/// # Errors
/// The database failed or holds an unreadable row.
pub async fn supersede(
    tx: &mut Tx,
    app: &AppId,
    by: &OperationId,
    finished_at: i64,
) -> Result<Vec<Operation>, Error> {
    let rows = sqlx::query(
        "UPDATE operations SET status = 'superseded', error = $2, progress = NULL, \
         finished_at = $3 WHERE app = $1 AND status = 'running' RETURNING *",
    )
    .bind(app.as_str())
    .bind(format!("a later request took its place: {by}"))
    .bind(finished_at)
    .fetch_all(&mut **tx)
    .await?;
    rows.iter()
        .map(|row| read(row).map(|row| row.operation))
        .collect()
}

/// One operation.
///
/// # Errors
/// The database failed or holds an unreadable row.
pub async fn get(database: &Database, id: &OperationId) -> Result<Option<OperationRow>, Error> {
    let row = sqlx::query("SELECT * FROM operations WHERE id = $1")
        .bind(id.as_str())
        .fetch_optional(database.reader())
        .await?;
    row.as_ref().map(read).transpose()
}

/// Every operation that has not ended, oldest first.
///
/// # Errors
/// The database failed or holds an unreadable row.
pub async fn unfinished(database: &Database) -> Result<Vec<OperationRow>, Error> {
    let rows =
        sqlx::query("SELECT * FROM operations WHERE status = 'running' ORDER BY created_at, id")
            .fetch_all(database.reader())
            .await?;
    rows.iter().map(read).collect()
}

/// Removes operations that ended before `time` (milliseconds since 1970); gives how many.
///
/// # Errors
/// The database failed.
pub async fn prune(tx: &mut Tx, time: i64) -> Result<u64, Error> {
    let done = sqlx::query("DELETE FROM operations WHERE finished_at < $1")
        .bind(time)
        .execute(&mut **tx)
        .await?;
    Ok(done.rows_affected())
}

fn read(row: &AnyRow) -> Result<OperationRow, Error> {
    let row = Reader::new("operations", "id", row);
    Ok(OperationRow {
        operation: Operation {
            id: OperationId::from_text(row.get::<String>("id")?),
            kind: row.name("kind")?,
            app: row.id::<AppId>("app")?,
            status: row.name("status")?,
            progress: row.get("progress")?,
            error: row.get("error")?,
            actor: row.get("actor")?,
            created_at: row.get("created_at")?,
            finished_at: row.get("finished_at")?,
        },
        generation: row.get("generation")?,
    })
}
