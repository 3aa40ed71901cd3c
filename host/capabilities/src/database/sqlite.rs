//! An SQLite file of an app's own, used within this process.
//!
//! SQLite runs in the host, so everything that a statement can take is bounded: time (the progress
//! handler, [`watch`]; functions that it cannot end are replaced, [`functions`]), what it may touch (the
//! authorizer, [`rules`]), memory (the app's, [`guard`]), the size of a value, of a result, of the file
//! and of temporary files. Each connection has a thread of its own, whose CPU is
//! charged to the app. Connections are made when needed and closed when idle; who finds none waits
//! in order, as long as a statement may take.
//!
//! How it fails: every refusal names the limit or the rule. A connection whose statement was given up
//! in the middle is closed, never used again.

mod declared;
mod functions;
#[expect(
    unsafe_code,
    reason = "SQLite's authorizer, limits, functions and memory, which sqlx does not offer"
)]
mod guard;
mod lease;
mod migrate;
mod pattern;
mod pool;
mod rules;
mod transaction;
mod value;
mod watch;

use super::report::Connections;
use super::result::Collected;
use super::script;
use async_trait::async_trait;
use declared::Types;
use futures::StreamExt as _;
pub(super) use guard::prepare;
use lease::Lease;
use lodge_model::{
    Account, Cursor, DataSource, DatabaseEngine, ExecuteOutcome, Isolation, Row, Rows,
    SourceAccess, SqlError, Transaction, Value,
};
use pool::Pool;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use transaction::SqliteTransaction;

/// Rows of one batch of a cursor.
const BATCH_ROWS: usize = 128;
/// Bytes after which a batch is full, whatever its rows.
const BATCH_BYTES: u64 = 64 << 10;

/// What bounds one app's file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SqliteSettings {
    /// Connections at once.
    pub(crate) connections: usize,
    /// Run time of one statement, and of a wait for a connection.
    pub(crate) statement_timeout: Duration,
    /// Size of one result, and of one value.
    pub(crate) result_bytes: u64,
    /// Size of the file.
    pub(crate) storage_bytes: u64,
    /// Nothing is written through this source.
    pub(crate) read_only: bool,
}

/// One app's file.
pub(crate) struct SqliteSource {
    pool: Arc<Pool>,
}

impl SqliteSource {
    /// Connects to nothing yet; the file is made by the first statement.
    pub(crate) fn new(
        path: &Path,
        settings: SqliteSettings,
        account: Arc<dyn Account>,
    ) -> Arc<Self> {
        Arc::new(Self {
            pool: Pool::new(path, settings, account),
        })
    }

    pub(super) fn open_connections(&self) -> Connections {
        self.pool.connections()
    }

    async fn begin_statement(&self, sql: &str) -> Result<Lease, SqlError> {
        script::check_single(sql)?;
        let mut lease = Lease::take(&self.pool).await?;
        lease.begin(false);
        Ok(lease)
    }
}

#[async_trait]
impl DataSource for SqliteSource {
    fn engine(&self) -> DatabaseEngine {
        DatabaseEngine::Sqlite
    }

    async fn query(&self, sql: &str, parameters: Vec<Value>) -> Result<Rows, SqlError> {
        let mut lease = self.begin_statement(sql).await?;
        let rows = lease.query(sql, parameters).await;
        lease.end(rows)
    }

    async fn execute(&self, sql: &str, parameters: Vec<Value>) -> Result<ExecuteOutcome, SqlError> {
        let mut lease = self.begin_statement(sql).await?;
        let outcome = lease.execute(sql, parameters).await;
        lease.end(outcome)
    }

    async fn read(&self, sql: &str, parameters: Vec<Value>) -> Result<Cursor, SqlError> {
        let mut lease = self.begin_statement(sql).await?;
        let described = lease.describe(sql).await;
        let (columns, types) = match described {
            Ok(described) => described,
            Err(e) => return lease.end(Err(e)),
        };
        let (send, receive) = mpsc::channel(1);
        let wanted = lease.wanted();
        let sql = sql.to_owned();
        tokio::spawn(async move {
            let ended = send_rows(&mut lease, &sql, parameters, &types, &send).await;
            if let Err(error) = lease.end(ended) {
                // The reader may be gone.
                let _ = send.send(Err(error)).await;
            }
        });
        let batches = futures::stream::unfold((receive, wanted), |(mut receive, wanted)| async {
            let next = receive.recv().await?;
            Some((next, (receive, wanted)))
        });
        Ok(Cursor {
            columns,
            batches: batches.boxed(),
        })
    }

    async fn begin(
        &self,
        access: SourceAccess,
        _isolation: Isolation,
    ) -> Result<Box<dyn Transaction>, SqlError> {
        // SQLite's transactions are serializable, whatever was asked for.
        let lease = Lease::take(&self.pool).await?;
        Ok(Box::new(SqliteTransaction::begin(lease, access).await?))
    }
}

/// Reads a result to its end, or until nobody takes its rows.
async fn send_rows(
    lease: &mut Lease,
    sql: &str,
    parameters: Vec<Value>,
    types: &Types,
    send: &mpsc::Sender<Result<Vec<Row>, SqlError>>,
) -> Result<(), SqlError> {
    let account = lease.account().clone();
    // A single row may be that large; the rows of a batch are not counted together.
    let limit = lease.settings().result_bytes + BATCH_BYTES;
    let mut rows = lease.stream(sql, parameters)?;
    let mut batch = Collected::new(&*account, limit);
    while let Some(row) = rows.next().await {
        let mut row = value::row(&row?)?;
        declared::read(types, &mut row);
        batch.push(row)?;
        let is_full = batch.len() == BATCH_ROWS || batch.bytes() >= BATCH_BYTES;
        if is_full && send.send(Ok(batch.take())).await.is_err() {
            return Ok(());
        }
    }
    if batch.len() > 0 {
        // Whoever stopped reading does not want the rest either.
        let _ = send.send(Ok(batch.take())).await;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
