//! The host's own settings: a key, a text.

use crate::{Database, Error, Tx};
use sqlx::Row;

/// The value of `key`, if it was ever set.
///
/// # Errors
/// The database failed.
pub async fn get(database: &Database, key: &str) -> Result<Option<String>, Error> {
    let row = sqlx::query("SELECT value FROM settings WHERE key = $1")
        .bind(key)
        .fetch_optional(database.reader())
        .await?;
    Ok(row.map(|row| row.try_get("value")).transpose()?)
}

/// Sets `key`.
///
/// # Errors
/// The database failed.
pub async fn set(tx: &mut Tx, key: &str, value: &str) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO settings (key, value) VALUES ($1, $2) \
         ON CONFLICT (key) DO UPDATE SET value = excluded.value",
    )
    .bind(key)
    .bind(value)
    .execute(&mut **tx)
    .await?;
    Ok(())
}
