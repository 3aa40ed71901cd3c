//! Databases on a server: PostgreSQL, MySQL, MariaDB.
//!
//! ```text
//! source (one app's way to one database)
//!   words        what a guest may send at all
//!   lease        a connection for one statement or transaction: its time, what becomes of it
//!     pool       connections: so many an app, so many a server, idle ones closed
//!       session  one connection: prepares, encodes, decodes (postgres, mysql)
//!         relay  counts what comes back before the driver holds it (gauge)
//!       ending   sees that a session that was given up ends on the server
//! provision      an app's own database or schema, and the roles that can touch nothing else
//! ```
//!
//! A statement that takes too long, or that nobody waits for any more, is ended on the server, and its
//! connection never used again. In rooms that the host made, the service's administrator ends it, whom
//! no app can lock out; elsewhere another session of the same user.
//!
//! How it fails: a server that is away gives [`SqlError::Unavailable`] with its address; the next
//! statement connects anew.

pub(crate) mod address;
mod ending;
mod gauge;
mod lease;
mod mark;
mod migrate;
mod mysql;
pub(crate) mod pool;
mod postgres;
pub(crate) mod provision;
mod relay;
pub(crate) mod session;
mod transaction;
mod words;

use super::report::Connections;
use crate::charged::Charged;
use address::Address;
use async_trait::async_trait;
use futures::StreamExt as _;
use lease::{Lease, Reading};
use lodge_model::{
    Account, AppId, Cursor, DataSource, DatabaseEngine, ExecuteOutcome, Isolation, Rows,
    SourceAccess, SqlError, Transaction, Value,
};
use pool::{Pool, PoolSettings, Servers};
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};
use transaction::ServerTransaction;

/// Who sees to it that a source is only read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Nobody: it may be written.
    Write,
    /// The role, which has no right to write.
    ReadByRole,
    /// A transaction around each statement.
    ReadByTransaction,
}

/// Where a database is, and how an app gets at it.
pub(crate) struct Way {
    /// As whom.
    pub(crate) address: Address,
    /// Who ends sessions there.
    pub(crate) ender: Address,
    pub(crate) engine: DatabaseEngine,
    pub(crate) access: Access,
    /// The name of the lock that migrations run under, where locks are the whole server's: nobody else
    /// knows it.
    pub(crate) lock: String,
}

/// One app's way to one database, its own or another's.
pub(crate) struct ServerSource {
    /// Whose database it is.
    app: AppId,
    pool: Arc<Pool>,
    engine: DatabaseEngine,
    access: Access,
    lock: String,
}

impl ServerSource {
    /// Connects to nothing yet.
    pub(crate) fn new(
        servers: &Servers,
        app: AppId,
        way: Way,
        settings: PoolSettings,
        account: Arc<dyn Account>,
    ) -> Arc<Self> {
        let service = servers.service(&way.address);
        Arc::new(Self {
            app,
            pool: Pool::new((way.address, way.ender), settings, service, account),
            engine: way.engine,
            access: way.access,
            lock: way.lock,
        })
    }

    pub(super) fn open_connections(&self) -> Connections {
        self.pool.connections()
    }

    fn check(&self, sql: &str) -> Result<(), SqlError> {
        words::check(sql, self.engine, self.access != Access::Write)
    }

    fn is_guarded(&self) -> bool {
        self.access == Access::ReadByTransaction
    }
}

#[async_trait]
impl DataSource for ServerSource {
    fn engine(&self) -> DatabaseEngine {
        self.engine
    }

    async fn query(&self, sql: &str, parameters: Vec<Value>) -> Result<Rows, SqlError> {
        self.check(sql)?;
        let guarded = self.is_guarded();
        let mut lease = Lease::new(&self.pool).await?;
        let done = match lease.enter(guarded).await {
            Ok(()) => lease.query(sql, parameters).await,
            Err(e) => return lease.end(Err(e)),
        };
        let done = lease.leave(guarded, done).await;
        lease.end(done)
    }

    async fn execute(&self, sql: &str, parameters: Vec<Value>) -> Result<ExecuteOutcome, SqlError> {
        self.check(sql)?;
        let guarded = self.is_guarded();
        let mut lease = Lease::new(&self.pool).await?;
        let done = match lease.enter(guarded).await {
            Ok(()) => lease.execute(sql, parameters).await,
            Err(e) => return lease.end(Err(e)),
        };
        let done = lease.leave(guarded, done).await;
        lease.end(done)
    }

    async fn read(&self, sql: &str, parameters: Vec<Value>) -> Result<Cursor, SqlError> {
        self.check(sql)?;
        let guarded = self.is_guarded();
        let lease = Lease::new(&self.pool).await?;
        let account = lease.account().clone();
        let (send_columns, columns) = oneshot::channel();
        let (send, mut rows) = mpsc::channel(1);
        let sql = sql.to_owned();
        let work = async move {
            let to = Reading {
                columns: send_columns,
                rows: send.clone(),
            };
            tokio::select! {
                ended = read_all(lease, guarded, &sql, parameters, to) => {
                    if let Err(error) = ended {
                        // The reader may be gone.
                        let _ = send.send(Err(error)).await;
                    }
                }
                // Given up: the lease is dropped, and its session ended.
                () = send.closed() => {}
            }
        };
        tokio::spawn(Charged::new(account, work));
        let columns = match columns.await {
            Ok(columns) => columns,
            Err(_) => {
                let failure = rows.recv().await.and_then(Result::err);
                return Err(failure
                    .unwrap_or_else(|| SqlError::Unavailable("the host is being stopped".into())));
            }
        };
        let batches =
            futures::stream::unfold(rows, async |mut rows| Some((rows.recv().await?, rows)));
        Ok(Cursor {
            columns,
            batches: batches.boxed(),
        })
    }

    async fn begin(
        &self,
        access: SourceAccess,
        isolation: Isolation,
    ) -> Result<Box<dyn Transaction>, SqlError> {
        let lease = Lease::new(&self.pool).await?;
        let read_only = self.access != Access::Write;
        let begun = ServerTransaction::begin(lease, self.engine, read_only, access, isolation);
        Ok(Box::new(begun.await?))
    }
}

async fn read_all(
    mut lease: Lease,
    guarded: bool,
    sql: &str,
    parameters: Vec<Value>,
    to: Reading,
) -> Result<(), SqlError> {
    let done = match lease.enter(guarded).await {
        Ok(()) => lease.read(sql, parameters, to).await,
        Err(e) => return lease.end(Err(e)),
    };
    let done = lease.leave(guarded, done).await;
    lease.end(done)
}
