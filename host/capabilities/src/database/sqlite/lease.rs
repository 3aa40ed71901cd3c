//! Connections: made when needed, lent to one statement or transaction at a time, closed when idle.

use super::watch::{OPERATIONS, Watch};
use super::{SqliteSettings, guard, value};
use crate::database::report::{Connections, Waiting};
use crate::database::result::Collected;
use futures::StreamExt as _;
use futures::stream::BoxStream;
use lodge_model::{Account, Column, ExecuteOutcome, Rows, SqlError, Value};
use parking_lot::Mutex;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteRow, SqliteSynchronous,
};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Executor as _, SqlSafeStr as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError};

/// A connection that nobody used for this long is closed.
const IDLE: Duration = Duration::from_secs(10);
const PAGE_BYTES: u64 = 4096;
/// Prepared statements that a connection keeps.
const STATEMENTS: usize = 64;
/// The page cache of one connection, in KiB.
const CACHE_KIB: i64 = 2_000;
/// Rows that SQLite's thread reads ahead.
const ROWS_AHEAD: usize = 64;

/// One app's connections.
pub(super) struct Pool {
    path: PathBuf,
    pub(super) settings: SqliteSettings,
    account: Arc<dyn Account>,
    turns: Arc<Semaphore>,
    waiting: AtomicUsize,
    idle: Mutex<Idle>,
    /// One at a time: the first makes the file and its journal, which no other may see half done.
    connecting: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Idle {
    connections: Vec<(Connection, Instant)>,
    /// Somebody sees that they are closed in time.
    watched: bool,
}

/// An open connection and what watches it.
struct Connection {
    sqlite: SqliteConnection,
    watch: Arc<Watch>,
}

/// A connection that is in use. Dropped before [`Lease::end`], its statement is ended and it is
/// closed.
pub(super) struct Lease {
    pool: Arc<Pool>,
    connection: Option<Connection>,
    watch: Arc<Watch>,
    _turn: OwnedSemaphorePermit,
}

/// Dropped, a statement is not wanted any more.
pub(super) struct Wanted(Arc<Watch>, u64);

impl Drop for Wanted {
    fn drop(&mut self) {
        self.0.give_up(self.1);
    }
}

impl Pool {
    pub(super) fn new(
        path: &Path,
        settings: SqliteSettings,
        account: Arc<dyn Account>,
    ) -> Arc<Self> {
        Arc::new(Self {
            path: path.to_owned(),
            turns: Arc::new(Semaphore::new(settings.connections)),
            settings,
            account,
            waiting: AtomicUsize::new(0),
            idle: Mutex::default(),
            connecting: tokio::sync::Mutex::default(),
        })
    }

    /// The app's connections by now.
    pub(super) fn connections(&self) -> Connections {
        let free = self.turns.available_permits();
        let used = self.settings.connections.saturating_sub(free);
        Connections {
            open: used + self.idle.lock().connections.len(),
            waiting: self.waiting.load(Relaxed),
        }
    }

    async fn turn(&self) -> Result<OwnedSemaphorePermit, SqlError> {
        match self.turns.clone().try_acquire_owned() {
            Ok(turn) => return Ok(turn),
            Err(TryAcquireError::Closed) => {
                return Err(SqlError::Unavailable("the app is being stopped".into()));
            }
            Err(TryAcquireError::NoPermits) => {}
        }
        let _waiting = Waiting::new(&self.waiting);
        let turn = self.turns.clone().acquire_owned();
        tokio::time::timeout(self.settings.statement_timeout, turn)
            .await
            .map_err(|_| {
                SqlError::LimitExceeded(format!(
                    "all {} connections of the app were in use too long (limits.database_connections)",
                    self.settings.connections
                ))
            })?
            .map_err(|_| SqlError::Unavailable("the app is being stopped".into()))
    }

    /// A connection, in order of asking.
    ///
    /// # Errors
    /// None came free in time, or the file cannot be opened.
    pub(super) async fn lease(self: &Arc<Self>) -> Result<Lease, SqlError> {
        let turn = self.turn().await?;
        let waiting = self.idle.lock().connections.pop();
        let waiting = waiting.map(|(connection, _)| connection);
        let connection = match waiting {
            Some(connection) => connection,
            None => self.connect().await?,
        };
        Ok(Lease {
            pool: self.clone(),
            watch: connection.watch.clone(),
            connection: Some(connection),
            _turn: turn,
        })
    }

    async fn connect(&self) -> Result<Connection, SqlError> {
        let options = SqliteConnectOptions::new()
            .filename(&self.path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .foreign_keys(true)
            .busy_timeout(self.settings.statement_timeout)
            .statement_cache_capacity(STATEMENTS)
            .row_buffer_size(ROWS_AHEAD)
            .pragma("trusted_schema", "OFF")
            .pragma("cell_size_check", "ON")
            .pragma("cache_size", (-CACHE_KIB).to_string())
            .pragma("journal_size_limit", (16 << 20).to_string());
        let pages = (self.settings.storage_bytes / PAGE_BYTES).max(16);
        let watch = Arc::new(Watch::new());
        watch.begin(self.settings.statement_timeout, true);
        let failed = |e| value::error(e, None);
        let _turn = self.connecting.lock().await;
        let mut sqlite = options.connect().await.map_err(failed)?;
        // Pages are counted for each schema by itself; temporary tables are a schema too.
        let query_only = query_only(self.settings.read_only);
        let bounds = format!(
            "PRAGMA max_page_count = {pages}; PRAGMA temp.max_page_count = {pages}; {query_only}"
        );
        sqlite
            .execute(AssertSqlSafe(bounds).into_sql_str())
            .await
            .map_err(failed)?;
        let mut handle = sqlite.lock_handle().await.map_err(failed)?;
        let looks = watch.clone();
        // Asked once at once, so that the thread is known.
        handle.set_progress_handler(1, move || looks.goes_on());
        drop(handle);
        sqlite
            .execute(sqlx::raw_sql("SELECT 1"))
            .await
            .map_err(failed)?;
        let mut handle = sqlite.lock_handle().await.map_err(failed)?;
        let looks = watch.clone();
        handle.set_progress_handler(OPERATIONS, move || looks.goes_on());
        guard::install(&mut handle, &watch, self.settings.result_bytes)
            .map_err(SqlError::Unavailable)?;
        drop(handle);
        Ok(Connection { sqlite, watch })
    }

    /// Takes a connection back, and sees that it is closed if nobody wants it.
    fn take_back(self: &Arc<Self>, connection: Connection) {
        let mut idle = self.idle.lock();
        idle.connections.push((connection, Instant::now()));
        if std::mem::replace(&mut idle.watched, true) {
            return;
        }
        let pool = Arc::downgrade(self);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(IDLE).await;
                let Some(pool) = pool.upgrade() else { return };
                let mut idle = pool.idle.lock();
                // Closed when dropped, on their own threads.
                idle.connections.retain(|(_, since)| since.elapsed() < IDLE);
                if idle.connections.is_empty() {
                    idle.watched = false;
                    return;
                }
            }
        });
    }
}

/// Whether a connection refuses to write; the authorizer keeps guests from changing it.
pub(super) fn query_only(yes: bool) -> &'static str {
    if yes {
        "PRAGMA query_only = ON"
    } else {
        "PRAGMA query_only = OFF"
    }
}

impl Lease {
    pub(super) fn account(&self) -> &Arc<dyn Account> {
        &self.pool.account
    }

    pub(super) fn settings(&self) -> &SqliteSettings {
        &self.pool.settings
    }

    /// A statement begins: the guest's, or the host's own.
    pub(super) fn begin(&self, hosts: bool) {
        self.watch
            .begin(self.pool.settings.statement_timeout, hosts);
    }

    pub(super) fn wanted(&self) -> Wanted {
        Wanted(self.watch.clone(), self.watch.number())
    }

    fn sqlite(&mut self) -> Result<&mut SqliteConnection, SqlError> {
        match &mut self.connection {
            Some(connection) => Ok(&mut connection.sqlite),
            None => Err(SqlError::Closed),
        }
    }

    pub(super) async fn query(
        &mut self,
        sql: &str,
        parameters: Vec<Value>,
    ) -> Result<Rows, SqlError> {
        let (account, limit) = (self.account().clone(), self.settings().result_bytes);
        let mut columns = Vec::new();
        let mut collected = Collected::new(&*account, limit);
        let mut rows = self.stream(sql, parameters)?;
        while let Some(row) = rows.next().await {
            let row = row?;
            if collected.len() == 0 {
                columns = value::columns_of(&row);
            }
            collected.push(value::row(&row)?)?;
        }
        drop(rows);
        if collected.len() == 0 {
            columns = self.describe(sql).await?;
        }
        Ok(Rows {
            columns,
            rows: collected.take(),
        })
    }

    pub(super) async fn execute(
        &mut self,
        sql: &str,
        parameters: Vec<Value>,
    ) -> Result<ExecuteOutcome, SqlError> {
        let watch = self.watch.clone();
        let arguments = value::arguments(parameters)?;
        let statement = sqlx::query_with(AssertSqlSafe(sql.to_owned()), arguments);
        let done = statement
            .execute(self.sqlite()?)
            .await
            .map_err(|e| value::error(e, Some(&watch)))?;
        Ok(ExecuteOutcome {
            rows_affected: done.rows_affected(),
            last_insert_id: Some(done.last_insert_rowid()),
        })
    }

    /// A statement of the host's, without parameters.
    pub(super) async fn own(&mut self, sql: &str) -> Result<(), SqlError> {
        self.begin(true);
        self.execute(sql, Vec::new()).await.map(drop)
    }

    /// Statements of the app's, one after the other.
    pub(super) async fn script(&mut self, sql: &str) -> Result<(), SqlError> {
        self.begin(false);
        let watch = self.watch.clone();
        let script = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
        let done = script.execute(self.sqlite()?).await;
        done.map(drop).map_err(|e| value::error(e, Some(&watch)))
    }

    pub(super) async fn describe(&mut self, sql: &str) -> Result<Vec<Column>, SqlError> {
        let watch = self.watch.clone();
        let prepared = self
            .sqlite()?
            .prepare(AssertSqlSafe(sql.to_owned()).into_sql_str())
            .await;
        let statement = prepared.map_err(|e| value::error(e, Some(&watch)))?;
        Ok(value::columns(&statement))
    }

    pub(super) fn stream<'a>(
        &'a mut self,
        sql: &str,
        parameters: Vec<Value>,
    ) -> Result<BoxStream<'a, Result<SqliteRow, SqlError>>, SqlError> {
        let watch = self.watch.clone();
        let arguments = value::arguments(parameters)?;
        let statement = sqlx::query_with(AssertSqlSafe(sql.to_owned()), arguments);
        let rows = statement.fetch(self.sqlite()?);
        Ok(rows
            .map(move |row| row.map_err(|e| value::error(e, Some(&watch))))
            .boxed())
    }

    fn charge(&self) {
        let used = self.watch.take_cpu();
        if !used.is_zero() {
            self.pool.account.charge_cpu(used);
        }
    }

    /// The statement is over: the connection goes back, unless it broke off in the middle.
    pub(super) fn end<T>(mut self, ended: Result<T, SqlError>) -> Result<T, SqlError> {
        let broke_off = matches!(
            ended,
            Err(SqlError::TimedOut(_) | SqlError::Unavailable(_) | SqlError::LimitExceeded(_))
        );
        if !broke_off && let Some(connection) = self.connection.take() {
            self.charge();
            let pool = self.pool.clone();
            pool.take_back(connection);
        }
        ended
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if self.connection.is_some() {
            self.watch.give_up(self.watch.number());
        }
        self.charge();
    }
}
