//! Workers that were ever seen, and the terms of supervisors.

use crate::text::{Reader, to_json};
use crate::{Database, Dialect, Error, Tx};
use lodge_model::{EnvironmentName, Registration};

/// The setting that holds the newest term.
const TERM: &str = "supervisor_term";

/// A worker as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct EnvironmentRow {
    /// How it last introduced itself.
    pub about: Registration,
    /// False: it gets no more apps (cordoned).
    pub schedulable: bool,
    /// True: its apps are moved away or stopped.
    pub draining: bool,
    /// When it last reported, in milliseconds since 1970 by the supervisor's clock.
    pub last_seen: i64,
}

/// Every worker that was ever seen and not removed, by name.
///
/// # Errors
/// The database failed or holds an unreadable row.
pub async fn all(database: &Database) -> Result<Vec<EnvironmentRow>, Error> {
    let rows = sqlx::query("SELECT * FROM environments ORDER BY name")
        .fetch_all(database.reader())
        .await?;
    rows.iter()
        .map(|row| {
            let row = Reader::new("environments", "name", row);
            Ok(EnvironmentRow {
                about: row.json("about")?,
                schedulable: row.get::<i64>("schedulable")? != 0,
                draining: row.get::<i64>("draining")? != 0,
                last_seen: row.get("last_seen")?,
            })
        })
        .collect()
}

/// Writes what is known of a worker.
///
/// # Errors
/// The database failed.
pub async fn upsert(tx: &mut Tx, row: &EnvironmentRow) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO environments (name, about, schedulable, draining, last_seen) \
         VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (name) DO UPDATE SET about = excluded.about, \
         schedulable = excluded.schedulable, draining = excluded.draining, \
         last_seen = excluded.last_seen",
    )
    .bind(row.about.environment.as_str())
    .bind(to_json(&row.about)?)
    .bind(i64::from(row.schedulable))
    .bind(i64::from(row.draining))
    .bind(row.last_seen)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Forgets a worker.
///
/// # Errors
/// The database failed.
pub async fn delete(tx: &mut Tx, name: &EnvironmentName) -> Result<(), Error> {
    sqlx::query("DELETE FROM environments WHERE name = $1")
        .bind(name.as_str())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Begins a supervisor's term: a number higher than any before. What carries a lower one is from a
/// supervisor that leads no more.
///
/// # Errors
/// The database failed.
pub async fn begin_term(database: &Database) -> Result<i64, Error> {
    let mut tx = database.begin().await?;
    let row = sqlx::query(
        "INSERT INTO settings (key, value) VALUES ($1, '1') \
         ON CONFLICT (key) DO UPDATE SET \
         value = CAST(CAST(settings.value AS BIGINT) + 1 AS TEXT) RETURNING value",
    )
    .bind(TERM)
    .fetch_one(&mut *tx)
    .await?;
    let text: String = Reader::new("settings", "key", &row).get("value")?;
    tx.commit().await?;
    text.parse()
        .map_err(|e| Error::Query(sqlx::Error::Decode(Box::<std::num::ParseIntError>::new(e))))
}

/// Whether a term is still the newest; it stays so until the transaction ends.
///
/// # Errors
/// The database failed.
pub async fn is_newest_term(tx: &mut Tx, dialect: Dialect, term: i64) -> Result<bool, Error> {
    // SQLite has one writer at a time anyway.
    let query = match dialect {
        Dialect::Sqlite => "SELECT value FROM settings WHERE key = $1",
        Dialect::Postgres => "SELECT value FROM settings WHERE key = $1 FOR SHARE",
    };
    let row = sqlx::query(query)
        .bind(TERM)
        .fetch_optional(&mut **tx)
        .await?;
    let newest = row.map(|row| Reader::new("settings", "key", &row).get::<String>("value"));
    Ok(newest.transpose()? == Some(term.to_string()))
}
