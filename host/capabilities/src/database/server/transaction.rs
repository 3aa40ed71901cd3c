//! A transaction on a server: a connection of its own until it ends. Dropped, or idle for too long, its
//! session is ended, which rolls it back.

use super::lease::{Lease, broke_off};
use super::words;
use async_trait::async_trait;
use lodge_model::{
    DatabaseEngine, DatabaseError, ExecuteOutcome, Isolation, LogLevel, Rows, SourceAccess,
    SqlError, Transaction, Value,
};
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// A transaction without a statement for this long is rolled back.
const IDLE: Duration = Duration::from_secs(10);

/// An open transaction.
pub(super) struct ServerTransaction {
    engine: DatabaseEngine,
    read_only: bool,
    open: Arc<Mutex<Open>>,
}

struct Open {
    lease: Option<Lease>,
    used: Instant,
    /// Why there is no lease any more.
    gone: SqlError,
    /// PostgreSQL takes no more of a transaction of which a statement failed, and would answer a
    /// commit as if it had been one.
    failed: bool,
}

impl ServerTransaction {
    /// `read_only`: the source is, whatever this transaction asked for.
    pub(super) async fn begin(
        mut lease: Lease,
        engine: DatabaseEngine,
        read_only: bool,
        access: SourceAccess,
        isolation: Isolation,
    ) -> Result<Self, SqlError> {
        let access = if read_only {
            SourceAccess::ReadOnly
        } else {
            access
        };
        if let Err(error) = lease.begin(access, isolation).await {
            return lease.end(Err(error));
        }
        let open = Arc::new(Mutex::new(Open {
            lease: Some(lease),
            used: Instant::now(),
            gone: SqlError::Closed,
            failed: false,
        }));
        tokio::spawn(end_if_idle(Arc::downgrade(&open)));
        Ok(Self {
            engine,
            read_only: access == SourceAccess::ReadOnly,
            open,
        })
    }
}

impl Open {
    fn lease(&mut self) -> Result<&mut Lease, SqlError> {
        self.lease.as_mut().ok_or_else(|| self.gone.clone())
    }

    /// A statement ended so.
    fn ended<T>(&mut self, done: Result<T, SqlError>) -> Result<T, SqlError> {
        self.used = Instant::now();
        match &done {
            Err(error) if broke_off(error) => {
                // Dropped, its session is ended on the server.
                self.lease = None;
            }
            // Never sent.
            Ok(_) | Err(SqlError::BadParameter(_)) => {}
            Err(_) => self.failed = true,
        }
        done
    }
}

fn rolled_back() -> SqlError {
    SqlError::Database(DatabaseError {
        code: "25P02".into(),
        message: "a statement of the transaction failed, so that all of it was rolled back".into(),
    })
}

/// Sees that a transaction does not hold its connection, and its locks, for nothing.
async fn end_if_idle(open: Weak<Mutex<Open>>) {
    let mut wait = IDLE;
    loop {
        tokio::time::sleep(wait).await;
        let Some(open) = open.upgrade() else { return };
        let mut open = open.lock().await;
        let idle = open.used.elapsed();
        if idle < IDLE {
            wait = IDLE - idle;
            continue;
        }
        if let Some(lease) = open.lease.take() {
            let stood = format!("stood still for {} s", IDLE.as_secs());
            open.gone =
                SqlError::LimitExceeded(format!("the transaction {stood} and was rolled back"));
            lease.account().log(
                LogLevel::Warn,
                format!("a transaction {stood}: it was rolled back, so that others can go on"),
            );
        }
        return;
    }
}

#[async_trait]
impl Transaction for ServerTransaction {
    async fn query(&mut self, sql: &str, parameters: Vec<Value>) -> Result<Rows, SqlError> {
        words::check(sql, self.engine, self.read_only)?;
        let mut open = self.open.lock().await;
        let done = open.lease()?.query(sql, parameters).await;
        open.ended(done)
    }

    async fn execute(
        &mut self,
        sql: &str,
        parameters: Vec<Value>,
    ) -> Result<ExecuteOutcome, SqlError> {
        words::check(sql, self.engine, self.read_only)?;
        let mut open = self.open.lock().await;
        let done = open.lease()?.execute(sql, parameters).await;
        open.ended(done)
    }

    async fn commit(self: Box<Self>) -> Result<(), SqlError> {
        let mut open = self.open.lock().await;
        open.lease()?;
        let Some(mut lease) = open.lease.take() else {
            return Err(SqlError::Closed);
        };
        if open.failed && self.engine == DatabaseEngine::Postgres {
            let done = lease.own("ROLLBACK").await;
            return lease.end(done.and(Err(rolled_back())));
        }
        let done = lease.own("COMMIT").await;
        lease.end(done)
    }

    async fn rollback(self: Box<Self>) -> Result<(), SqlError> {
        let mut open = self.open.lock().await;
        open.lease()?;
        let Some(mut lease) = open.lease.take() else {
            return Err(SqlError::Closed);
        };
        let done = lease.own("ROLLBACK").await;
        lease.end(done)
    }
}
