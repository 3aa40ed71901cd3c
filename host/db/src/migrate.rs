//! Brings a database to the schema that this program knows, when it opens.
//!
//! All pending migrations run in one transaction under a lock, so that two processes that start
//! together do it once and a crash in the middle leaves the old schema. Migrations only ever go
//! forward: a database with a newer schema is refused, not guessed at.

use crate::{Database, Dialect, Error};
use sqlx::{AssertSqlSafe, Row};

/// Every schema version's step, oldest first. Published steps never change.
const MIGRATIONS: &[&str] = &[
    include_str!("../migrations/0001_control.sql"),
    include_str!("../migrations/0002_app_keys.sql"),
    include_str!("../migrations/0003_app_history.sql"),
    include_str!("../migrations/0004_event_address.sql"),
    include_str!("../migrations/0005_environments.sql"),
];

/// The key of PostgreSQL's advisory lock: "lodge" and a number that is only ours.
const LOCK: &str = "DO $$ BEGIN PERFORM pg_advisory_xact_lock(7809643501849121); END $$";

const VERSIONS: &str = "CREATE TABLE IF NOT EXISTS schema_versions \
     (version BIGINT PRIMARY KEY, applied_at BIGINT NOT NULL)";

/// Runs what is missing.
///
/// # Errors
/// The database is newer than this program, or a step failed (then none was kept).
pub(crate) async fn run(database: &Database) -> Result<(), Error> {
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    let mut tx = database.begin().await?;
    if database.dialect() == Dialect::Postgres {
        sqlx::raw_sql(LOCK).execute(&mut *tx).await?;
    }
    sqlx::raw_sql(VERSIONS).execute(&mut *tx).await?;
    let row = sqlx::query("SELECT COALESCE(MAX(version), 0) AS found FROM schema_versions")
        .fetch_one(&mut *tx)
        .await?;
    let found: i64 = row.try_get("found")?;
    if found > known {
        return Err(Error::Newer { found, known });
    }
    for (version, text) in (1..)
        .zip(MIGRATIONS)
        .filter(|(version, _)| *version > found)
    {
        let sql = text.replace("{identity}", identity(database.dialect()));
        sqlx::raw_sql(AssertSqlSafe(sql))
            .execute(&mut *tx)
            .await
            .map_err(|source| Error::Migration { version, source })?;
        sqlx::query("INSERT INTO schema_versions (version, applied_at) VALUES ($1, $2)")
            .bind(version)
            .bind(now_ms())
            .execute(&mut *tx)
            .await?;
        tracing::info!(
            version,
            "brought the control database to a new schema version"
        );
    }
    tx.commit().await?;
    Ok(())
}

/// How each dialect spells a key that counts up by itself and is never used twice.
fn identity(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => "INTEGER PRIMARY KEY AUTOINCREMENT",
        Dialect::Postgres => "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
    }
}

fn now_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX))
}
