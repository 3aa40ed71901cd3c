//! What migrations have in common, whatever the engine.

use lodge_model::{DatabaseError, Migration, SqlError};
use sha2::{Digest as _, Sha256};

/// Checks that IDs are unique and ascending.
///
/// # Errors
/// The first that is not.
pub(crate) fn check_order(migrations: &[Migration]) -> Result<(), SqlError> {
    let ids = migrations.iter().map(|migration| &migration.id);
    match ids.clone().zip(ids.skip(1)).find(|(one, next)| one >= next) {
        Some((_, next)) => Err(failed(
            next,
            "migrations have unique, ascending IDs, such as 0001_accounts, 0002_orders",
        )),
        None => Ok(()),
    }
}

/// What tells whether a migration's statements changed.
pub(crate) fn checksum(migration: &Migration) -> String {
    hex::encode(Sha256::digest(migration.sql.as_bytes()))
}

/// A migration failed so.
pub(crate) fn failed(id: &str, why: &str) -> SqlError {
    SqlError::Database(DatabaseError {
        code: String::new(),
        message: format!("migration {id}: {why}"),
    })
}
