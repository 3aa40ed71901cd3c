//! A transaction: a connection of its own until it ends. Dropped, or idle for too long, its connection
//! is closed, which rolls it back.

use super::lease::Lease;
use super::pool::query_only;
use crate::database::script;
use async_trait::async_trait;
use lodge_model::{ExecuteOutcome, LogLevel, Rows, SourceAccess, SqlError, Transaction, Value};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// A transaction without a statement for this long is rolled back.
const IDLE: Duration = Duration::from_secs(10);

/// An open transaction.
pub(super) struct SqliteTransaction {
    open: Arc<Mutex<Open>>,
}

struct Open {
    /// Or why it was rolled back.
    lease: Result<Lease, SqlError>,
    used: Instant,
}

impl Open {
    /// The lease for one statement, to be put back by [`after`](Self::after). A call that is given up meanwhile
    /// drops it: its statement is ended, and nothing is queued behind it.
    fn take(&mut self) -> Result<Lease, SqlError> {
        let given_up = SqlError::LimitExceeded(
            "the transaction was rolled back: a call in it was given up".into(),
        );
        match std::mem::replace(&mut self.lease, Err(given_up)) {
            Err(why) => {
                self.lease = Err(why.clone());
                Err(why)
            }
            lease => lease,
        }
    }

    /// A statement is over. One that was ended may have taken the transaction with it, or may be ending still.
    fn after<T>(&mut self, lease: Lease, done: Result<T, SqlError>) -> Result<T, SqlError> {
        self.used = Instant::now();
        self.lease = match done {
            Err(SqlError::TimedOut(_) | SqlError::Unavailable(_)) => Err(SqlError::LimitExceeded(
                "the transaction was rolled back: a statement in it ran longer than it may \
                 (limits.statement_timeout_ms)"
                    .into(),
            )),
            _ => Ok(lease),
        };
        done
    }
}

impl SqliteTransaction {
    pub(super) async fn begin(mut lease: Lease, access: SourceAccess) -> Result<Self, SqlError> {
        let begin = match access {
            SourceAccess::ReadWrite => "BEGIN IMMEDIATE",
            SourceAccess::ReadOnly => "BEGIN DEFERRED",
        };
        let begun = match lease.own(begin).await {
            Ok(()) if access == SourceAccess::ReadOnly => lease.own(query_only(true)).await,
            begun => begun,
        };
        if let Err(e) = begun {
            return lease.end(Err(e));
        }
        let open = Arc::new(Mutex::new(Open {
            lease: Ok(lease),
            used: Instant::now(),
        }));
        tokio::spawn(end_if_idle(Arc::downgrade(&open)));
        Ok(Self { open })
    }

    async fn finish(self: Box<Self>, how: &str) -> Result<(), SqlError> {
        let mut open = self.open.lock().await;
        let mut lease = std::mem::replace(&mut open.lease, Err(SqlError::Closed))?;
        let ended = match lease.own(how).await {
            Ok(()) => lease.own(query_only(lease.settings().read_only)).await,
            failed => failed,
        };
        match ended {
            Ok(()) => lease.end(Ok(())),
            // Its connection is not used again: closing it rolls back.
            Err(e) => Err(e),
        }
    }
}

fn idle_too_long() -> SqlError {
    SqlError::LimitExceeded(format!(
        "the transaction stood still for {} s and was rolled back",
        IDLE.as_secs()
    ))
}

/// Sees that a transaction does not hold its connection, and the database's lock, for nothing.
async fn end_if_idle(open: std::sync::Weak<Mutex<Open>>) {
    let mut wait = IDLE;
    loop {
        tokio::time::sleep(wait).await;
        let Some(open) = open.upgrade() else { return };
        let mut open = open.lock().await;
        let idle = open.used.elapsed();
        if idle >= IDLE {
            if let Ok(lease) = std::mem::replace(&mut open.lease, Err(idle_too_long())) {
                let text = format!(
                    "a transaction stood still for {} s: it was rolled back, so that others can go on",
                    IDLE.as_secs()
                );
                lease.account().log(LogLevel::Warn, text);
            }
            return;
        }
        wait = IDLE - idle;
    }
}

#[async_trait]
impl Transaction for SqliteTransaction {
    async fn query(&mut self, sql: &str, parameters: Vec<Value>) -> Result<Rows, SqlError> {
        script::check_single(sql)?;
        let mut open = self.open.lock().await;
        let mut lease = open.take()?;
        lease.begin(false);
        let rows = lease.query(sql, parameters).await;
        open.after(lease, rows)
    }

    async fn execute(
        &mut self,
        sql: &str,
        parameters: Vec<Value>,
    ) -> Result<ExecuteOutcome, SqlError> {
        script::check_single(sql)?;
        let mut open = self.open.lock().await;
        let mut lease = open.take()?;
        lease.begin(false);
        let outcome = lease.execute(sql, parameters).await;
        open.after(lease, outcome)
    }

    async fn commit(self: Box<Self>) -> Result<(), SqlError> {
        self.finish("COMMIT").await
    }

    async fn rollback(self: Box<Self>) -> Result<(), SqlError> {
        self.finish("ROLLBACK").await
    }
}
