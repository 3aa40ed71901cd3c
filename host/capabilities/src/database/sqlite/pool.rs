//! Connections: made when needed, lent to one statement or transaction at a time, closed when idle.

use super::watch::{OPERATIONS, Watch};
use super::{SqliteSettings, guard, value};
use crate::database::report::{Connections, Waiting};
use lodge_model::{Account, SqlError};
use parking_lot::Mutex;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, SqlSafeStr as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError};

/// A connection that nobody used for this long is closed.
const IDLE: Duration = Duration::from_secs(10);
const PAGE_BYTES: u64 = 4096;
/// Prepared statements that a connection keeps.
const STATEMENTS: usize = 64;
/// The page cache of one connection, in KiB.
const CACHE_KIB: i64 = 2_000;
/// What a statement may write to temporary files, in sizes of the app's file: a sort of all of it writes it
/// once, and again where it is merged.
const SPILLS: u64 = 2;
/// Rows that SQLite's thread reads ahead, fewer if they are large ([`Watch::reads_ahead`]). With 4 of them
/// 10,000 small rows took three times as long.
const ROWS_AHEAD: usize = 64;
/// Between two charges while a statement that was given up ends.
const LOOK: Duration = Duration::from_millis(50);

/// One app's connections.
pub(super) struct Pool {
    path: PathBuf,
    pub(super) settings: SqliteSettings,
    pub(super) account: Arc<dyn Account>,
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

/// A connection with its place among the app's.
pub(super) struct Held {
    connection: Connection,
    turn: OwnedSemaphorePermit,
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
    pub(super) async fn take(&self) -> Result<Held, SqlError> {
        let turn = self.turn().await?;
        let waiting = self.idle.lock().connections.pop();
        let connection = match waiting {
            Some((connection, _)) => connection,
            None => self.connect().await?,
        };
        Ok(Held { connection, turn })
    }

    async fn connect(&self) -> Result<Connection, SqlError> {
        guard::prepare().map_err(SqlError::Unavailable)?;
        let options = SqliteConnectOptions::new()
            .filename(&self.path)
            .vfs(guard::VFS)
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
        let watch = Arc::new(Watch::new(
            self.account.clone(),
            SPILLS.saturating_mul(self.settings.storage_bytes),
        ));
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
        handle.set_progress_handler(1, move || {
            guard::count_this_thread(&looks);
            looks.goes_on()
        });
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
    pub(super) fn take_back(self: &Arc<Self>, held: Held) {
        let Held { connection, turn } = held;
        connection.watch.rest();
        self.keep(connection);
        drop(turn);
    }

    fn keep(self: &Arc<Self>, connection: Connection) {
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

impl Held {
    pub(super) fn watch(&self) -> &Arc<Watch> {
        &self.connection.watch
    }

    pub(super) fn sqlite(&mut self) -> &mut SqliteConnection {
        &mut self.connection.sqlite
    }

    /// Closes a connection whose statement was given up, as soon as that has ended: one long function of
    /// SQLite's can delay it. Its place is taken and its CPU is charged until then.
    pub(super) fn see_out(self) {
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        runtime.spawn(async move {
            let Self {
                mut connection,
                turn,
            } = self;
            let watch = connection.watch.clone();
            watch.give_up(watch.number());
            let mut ended = Box::pin(connection.sqlite.ping());
            while tokio::time::timeout(LOOK, ended.as_mut()).await.is_err() {
                watch.look_at_clock();
                watch.charge();
            }
            drop(ended);
            watch.look_at_clock();
            watch.charge();
            watch.rest();
            drop(connection);
            drop(turn);
        });
    }
}
