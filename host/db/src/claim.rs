//! A hold on the control database, so that one control plane acts on what it says: two would undo
//! each other's work.
//!
//! On SQLite it is a lock on a file beside the database's, on PostgreSQL an advisory lock of a
//! session of its own; either goes with the process, however that ends. A session that breaks while
//! the process lives is made again; if another control plane was quicker, the log says so until an
//! administrator ends one of them.

use crate::{Database, Dialect, Error};
use sqlx::{AnyConnection, Connection, Row};
use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

/// The key of the advisory lock: "lodge" and a number that is only ours.
const LOCK: i64 = 7_809_643_501_849_122;
/// How often a session is asked whether it lives, and a claim tried again.
const PULSE: Duration = Duration::from_secs(5);
/// How often a claim is tried while a process starts.
const TRY: Duration = Duration::from_millis(100);
/// Has the server notice within half a minute that a machine is gone, and let its lock go.
const KEEP_ALIVE: &str = "SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; \
     SET tcp_keepalives_count = 3";

/// The hold. Dropped, it ends.
#[derive(Debug)]
pub struct Claim {
    _hold: Hold,
    held: watch::Receiver<bool>,
}

impl Claim {
    /// Resolves once the hold broke: another process may have the database now. On SQLite it never
    /// does.
    pub async fn lost(&self) {
        let mut held = self.held.clone();
        if held.wait_for(|held| !held).await.is_err() {
            std::future::pending().await
        }
    }
}

#[derive(Debug)]
enum Hold {
    File {
        _lock: File,
        _held: watch::Sender<bool>,
    },
    Session {
        _keeper: Keeper,
    },
}

/// A session's keeper; the connection closes with it, and so the lock goes.
#[derive(Debug)]
struct Keeper(JoinHandle<()>);

impl Drop for Keeper {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Database {
    /// Claims the database for this process. If another has it, waits `patience` at most: a process
    /// that was killed a moment ago may not have let go yet.
    ///
    /// # Errors
    /// [`Error::Claimed`]: another process has it. The database failed.
    pub async fn claim(&self, patience: Duration) -> Result<Claim, Error> {
        let deadline = Instant::now() + patience;
        loop {
            let (sender, held) = watch::channel(true);
            let hold = match self.dialect() {
                Dialect::Sqlite => self.claim_file()?.map(|lock| Hold::File {
                    _lock: lock,
                    _held: sender,
                }),
                Dialect::Postgres => self.claim_session().await?.map(|connection| {
                    let keeper = tokio::spawn(keep(self.clone(), connection, sender));
                    Hold::Session {
                        _keeper: Keeper(keeper),
                    }
                }),
            };
            match hold {
                Some(hold) => return Ok(Claim { _hold: hold, held }),
                None if Instant::now() >= deadline => return Err(Error::Claimed),
                None => sleep(TRY).await,
            }
        }
    }

    fn claim_file(&self) -> Result<Option<File>, Error> {
        let mut path = self
            .file()
            .unwrap_or(Path::new("lodge.db"))
            .as_os_str()
            .to_owned();
        path.push(".lock");
        let failed = |e: std::io::Error| Error::Open {
            target: path.to_string_lossy().into_owned(),
            reason: e.to_string(),
        };
        let file = File::create(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }

    async fn claim_session(&self) -> Result<Option<AnyConnection>, Error> {
        let mut connection = self.reader().acquire().await?.detach();
        sqlx::raw_sql(KEEP_ALIVE).execute(&mut connection).await?;
        let row = sqlx::query("SELECT pg_try_advisory_lock($1) AS held")
            .bind(LOCK)
            .fetch_one(&mut connection)
            .await?;
        Ok(row.try_get::<bool, _>("held")?.then_some(connection))
    }
}

/// Keeps a session alive, and makes it again if it breaks.
async fn keep(database: Database, connection: AnyConnection, held_now: watch::Sender<bool>) {
    let mut held = Some(connection);
    loop {
        sleep(PULSE).await;
        if let Some(connection) = &mut held {
            match connection.ping().await {
                Ok(()) => continue,
                Err(error) => {
                    held_now.send_replace(false);
                    tracing::warn!(%error, "the session that claims the control database broke")
                }
            }
        }
        held = match database.claim_session().await {
            Ok(Some(connection)) => {
                held_now.send_replace(true);
                Some(connection)
            }
            Ok(None) => {
                tracing::error!(
                    "another Lodge has claimed the control database while this one had lost its \
                     connection: they undo each other's work, stop one of them"
                );
                None
            }
            Err(error) => {
                tracing::warn!(%error, "cannot claim the control database again yet");
                None
            }
        };
    }
}
