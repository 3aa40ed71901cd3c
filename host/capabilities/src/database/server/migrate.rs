//! Migrations on a server: each once, in order, by one host at a time.
//!
//! PostgreSQL runs each in a transaction with its record, under a lock of the records' table. MySQL and
//! MariaDB end a transaction with every change of a table, so there a record with a mark is written
//! first, and the mark taken off at the end: a migration that broke off keeps its mark until an
//! administrator has seen to it ([`super::mark`]). What they can lock over that, by a name, is the whole server's: the
//! name is known to nobody else. So no neighbour holds a lock that another app's migrations wait for.

use super::ServerSource;
use super::lease::Lease;
use super::{mark, words};
use crate::database::migrations::{check_order, checksum, failed};
use lodge_model::{AppId, DatabaseEngine, Isolation, Migration, SourceAccess, SqlError, Value};

impl ServerSource {
    /// Runs those migrations that this database has not had.
    ///
    /// # Errors
    /// Which failed, and why.
    pub(crate) async fn run_migrations(&self, migrations: Vec<Migration>) -> Result<(), SqlError> {
        check_order(&migrations)?;
        if migrations.is_empty() {
            return Ok(());
        }
        // Never lent again: who knows what a migration did to its session.
        let mut lease = Lease::new(&self.pool).await?;
        match self.engine {
            DatabaseEngine::Postgres => postgres(&mut lease, &migrations).await,
            _ => mysql(&mut lease, &self.lock, &migrations, &self.app).await,
        }
    }
}

async fn postgres(lease: &mut Lease, migrations: &[Migration]) -> Result<(), SqlError> {
    let table = "CREATE TABLE IF NOT EXISTS lodge_migrations (id text PRIMARY KEY, checksum text NOT NULL, \
                 applied_at timestamptz NOT NULL DEFAULT now())";
    if let Err(SqlError::Constraint(_) | SqlError::Database(_)) = lease.own(table).await {
        // Another host made it at the same moment, and is done by now.
        lease.own(table).await?;
    }
    for migration in migrations {
        locked(lease).await?;
        if !had(lease, migration, "$1").await? {
            let script = lease.script(&migration.sql).await;
            script.map_err(|e| failed(&migration.id, &e.to_string()))?;
            let record = "INSERT INTO lodge_migrations (id, checksum) VALUES ($1, $2)";
            lease.execute(record, record_of(migration)).await?;
        }
        lease.own("COMMIT").await?;
    }
    Ok(())
}

async fn locked(lease: &mut Lease) -> Result<(), SqlError> {
    lease
        .begin(SourceAccess::ReadWrite, Isolation::ReadCommitted)
        .await?;
    // One host at a time; who only reads the records is not kept from it, and keeps nobody.
    lease
        .own("LOCK TABLE lodge_migrations IN SHARE ROW EXCLUSIVE MODE")
        .await
}

async fn mysql(
    lease: &mut Lease,
    lock: &str,
    migrations: &[Migration],
    app: &AppId,
) -> Result<(), SqlError> {
    // A little less than the statement may take: then the server says that it waited in vain.
    let wait = lease
        .settings()
        .statement_timeout
        .as_secs()
        .saturating_sub(1);
    let got = lease.query(&mark::lock(lock, wait), Vec::new()).await?;
    if got.rows.first().and_then(|row| row.first()) != Some(&Value::Int(1)) {
        return Err(SqlError::Unavailable(
            "another host runs this database's migrations: try again".into(),
        ));
    }
    let table = "CREATE TABLE IF NOT EXISTS lodge_migrations (id varchar(255) PRIMARY KEY, checksum char(64) NOT NULL, \
                 dirty boolean NOT NULL, applied_at timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP)";
    lease.own(table).await?;
    check_mark(lease, app).await?;
    for migration in migrations {
        if had(lease, migration, "?").await? {
            continue;
        }
        words::stays_home(&migration.sql).map_err(|e| failed(&migration.id, &e.to_string()))?;
        let record = "INSERT INTO lodge_migrations (id, checksum, dirty) VALUES (?, ?, TRUE)";
        lease.execute(record, record_of(migration)).await?;
        let script = lease.script(&migration.sql).await;
        script.map_err(|e| failed(&migration.id, &format!("{e}; {}", mark::remedy(app))))?;
        let done = "UPDATE lodge_migrations SET dirty = FALSE WHERE id = ?";
        lease
            .execute(done, vec![Value::Text(migration.id.clone())])
            .await?;
    }
    Ok(())
}

/// Refuses to go on from a migration that broke off, be it one of this version's or of another's.
async fn check_mark(lease: &mut Lease, app: &AppId) -> Result<(), SqlError> {
    let marked = "SELECT id FROM lodge_migrations WHERE dirty";
    let marked = lease.query(marked, Vec::new()).await?;
    match marked.rows.into_iter().flatten().next() {
        Some(Value::Text(id)) => {
            let why = format!("it broke off before; {}", mark::remedy(app));
            Err(failed(&id, &why))
        }
        _ => Ok(()),
    }
}

/// Whether this migration was run before.
async fn had(lease: &mut Lease, migration: &Migration, place: &str) -> Result<bool, SqlError> {
    let asked = format!("SELECT checksum FROM lodge_migrations WHERE id = {place}");
    let id = vec![Value::Text(migration.id.clone())];
    let had = lease.query(&asked, id).await?;
    match had.rows.first().and_then(|row| row.first()) {
        None => Ok(false),
        // One that an administrator did by hand has no checksum.
        Some(Value::Text(before)) if before.is_empty() || *before == checksum(migration) => {
            Ok(true)
        }
        Some(_) => Err(failed(
            &migration.id,
            "it was run before with other statements: a released migration never changes; add a new one",
        )),
    }
}

fn record_of(migration: &Migration) -> Vec<Value> {
    vec![
        Value::Text(migration.id.clone()),
        Value::Text(checksum(migration)),
    ]
}
