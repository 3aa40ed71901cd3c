//! Uploaded components.

use crate::text::{Reader, name_of, plain, to_json};
use crate::{Database, Error, Tx};
use lodge_model::{Component, ComponentStatus, Digest};
use sqlx::any::AnyRow;

/// A component as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComponentRow {
    /// What the API shows.
    pub component: Component,
    /// Whether it needs the engine with the component model's async features.
    pub uses_async: bool,
}

/// Every component, oldest first.
///
/// # Errors
/// The database failed or holds an unreadable row.
pub async fn all(database: &Database) -> Result<Vec<ComponentRow>, Error> {
    let rows = sqlx::query("SELECT * FROM components ORDER BY created_at, digest")
        .fetch_all(database.reader())
        .await?;
    rows.iter().map(read).collect()
}

/// Adds a component.
///
/// # Errors
/// [`Error::Taken`]: its digest, or its name and version, are there already. The database failed.
pub async fn insert(tx: &mut Tx, row: &ComponentRow) -> Result<(), Error> {
    let c = &row.component;
    sqlx::query(
        "INSERT INTO components (digest, name, version, size, world, uses_async, imports, \
         exports, metadata, status, error, compile_ms, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
    )
    .bind(c.digest.to_hex())
    .bind(&c.name)
    .bind(&c.version)
    .bind(i64::try_from(c.size).unwrap_or(i64::MAX))
    .bind(name_of(&c.world)?)
    .bind(i64::from(row.uses_async))
    .bind(to_json(&c.imports)?)
    .bind(to_json(&c.exports)?)
    .bind(to_json(&c.metadata)?)
    .bind(name_of(&c.status)?)
    .bind(c.error.as_deref().map(plain))
    .bind(c.compile_ms.and_then(|ms| i64::try_from(ms).ok()))
    .bind(c.created_at)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Writes how far a component is. Nothing if it is gone.
///
/// # Errors
/// The database failed.
pub async fn set_status(
    tx: &mut Tx,
    digest: Digest,
    status: ComponentStatus,
    error: Option<&str>,
    compile_ms: Option<u64>,
) -> Result<(), Error> {
    sqlx::query("UPDATE components SET status = $2, error = $3, compile_ms = $4 WHERE digest = $1")
        .bind(digest.to_hex())
        .bind(name_of(&status)?)
        .bind(error.map(plain))
        .bind(compile_ms.and_then(|ms| i64::try_from(ms).ok()))
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Removes a component. True: it was there.
///
/// # Errors
/// [`Error::Referenced`]: an app uses it. The database failed.
pub async fn delete(tx: &mut Tx, digest: Digest) -> Result<bool, Error> {
    let done = sqlx::query("DELETE FROM components WHERE digest = $1")
        .bind(digest.to_hex())
        .execute(&mut **tx)
        .await?;
    Ok(done.rows_affected() > 0)
}

fn read(row: &AnyRow) -> Result<ComponentRow, Error> {
    let row = Reader::new("components", "digest", row);
    let compile_ms: Option<i64> = row.get("compile_ms")?;
    Ok(ComponentRow {
        component: Component {
            digest: row.id("digest")?,
            name: row.get("name")?,
            version: row.get("version")?,
            size: row.unsigned("size")?,
            world: row.name("world")?,
            imports: row.json("imports")?,
            exports: row.json("exports")?,
            metadata: row.json("metadata")?,
            status: row.name("status")?,
            error: row.get("error")?,
            compile_ms: compile_ms.and_then(|ms| u64::try_from(ms).ok()),
            created_at: row.get("created_at")?,
        },
        uses_async: row.get::<i64>("uses_async")? != 0,
    })
}
