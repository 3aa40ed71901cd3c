//! Migrations: each once, in order, with its record in one transaction. `BEGIN IMMEDIATE` lets one
//! host at a time look and act.

use super::SqliteSource;
use super::lease::Lease;
use crate::database::migrations::{check_order, checksum, failed};
use lodge_model::{Migration, SqlError, Value};

const TABLE: &str = "CREATE TABLE IF NOT EXISTS lodge_migrations (id TEXT PRIMARY KEY, checksum TEXT NOT NULL, \
                     applied_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP) STRICT";

impl SqliteSource {
    /// Runs those migrations that this database has not had.
    ///
    /// # Errors
    /// Which failed, and why; nothing of it stays.
    pub(crate) async fn run_migrations(&self, migrations: Vec<Migration>) -> Result<(), SqlError> {
        check_order(&migrations)?;
        if migrations.is_empty() {
            return Ok(());
        }
        let mut lease = Lease::take(&self.pool).await?;
        lease.own(TABLE).await?;
        for migration in &migrations {
            lease.own("BEGIN IMMEDIATE").await?;
            match run(&mut lease, migration).await {
                Ok(()) => lease.own("COMMIT").await?,
                // The connection is closed, and so rolled back.
                Err(e) => return Err(e),
            }
        }
        lease.end(Ok(()))
    }
}

async fn run(lease: &mut Lease, migration: &Migration) -> Result<(), SqlError> {
    let id = &migration.id;
    let checksum = checksum(migration);
    lease.begin(true);
    let had = lease
        .query(
            "SELECT checksum FROM lodge_migrations WHERE id = ?",
            vec![Value::Text(id.clone())],
        )
        .await?;
    match had.rows.first().and_then(|row| row.first()) {
        Some(Value::Text(before)) if *before == checksum => return Ok(()),
        Some(_) => {
            return Err(failed(
                id,
                "it was run before with other statements: a released migration never changes; add a new one",
            ));
        }
        None => {}
    }
    lease
        .script(&migration.sql)
        .await
        .map_err(|e| failed(id, &e.to_string()))?;
    lease.begin(true);
    let record = vec![Value::Text(id.clone()), Value::Text(checksum)];
    lease
        .execute(
            "INSERT INTO lodge_migrations (id, checksum) VALUES (?, ?)",
            record,
        )
        .await
        .map(drop)
}
