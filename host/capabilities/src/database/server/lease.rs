//! A connection lent for one statement or one transaction: what bounds a statement, and what becomes of
//! the connection after it.

use super::pool::{Lent, Pool, PoolSettings};
use super::session::{Session, Sink};
use crate::database::result::Collected;
use async_trait::async_trait;
use lodge_model::{
    Account, Column, ExecuteOutcome, Isolation, Row, Rows, SourceAccess, SqlError, Value,
};
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::time::timeout;

/// Rows of one batch of a cursor.
const BATCH_ROWS: usize = 128;
/// Bytes after which a batch is full, whatever its rows.
const BATCH_BYTES: u64 = 64 << 10;

/// A connection that is in use. Dropped before [`Lease::end`], its statement is ended on the server.
pub(super) struct Lease {
    pool: Arc<Pool>,
    lent: Option<Lent>,
}

/// A result that comes as it is read: its columns, then its rows.
pub(super) struct Reading {
    pub(super) columns: tokio::sync::oneshot::Sender<Vec<Column>>,
    pub(super) rows: mpsc::Sender<Result<Vec<Row>, SqlError>>,
}

impl Lease {
    pub(super) async fn new(pool: &Arc<Pool>) -> Result<Self, SqlError> {
        Ok(Self {
            lent: Some(pool.lend().await?),
            pool: pool.clone(),
        })
    }

    pub(super) fn settings(&self) -> &PoolSettings {
        &self.pool.settings
    }

    pub(super) fn account(&self) -> &Arc<dyn Account> {
        &self.pool.account
    }

    fn session(&mut self) -> Result<&mut dyn Session, SqlError> {
        match &mut self.lent {
            Some(lent) => Ok(&mut *lent.live.session),
            None => Err(SqlError::Closed),
        }
    }

    pub(super) async fn query(
        &mut self,
        sql: &str,
        parameters: Vec<Value>,
    ) -> Result<Rows, SqlError> {
        let account = self.account().clone();
        let gauge = self.lent.as_ref().map(|lent| lent.live.gauge.clone());
        let mut sink = Whole {
            columns: Vec::new(),
            rows: Collected::new(&*account, self.settings().result_bytes),
            gauge,
        };
        let limit = self.settings().statement_timeout;
        let done = timeout(limit, self.session()?.fetch(sql, parameters, &mut sink)).await;
        let (columns, rows) = (std::mem::take(&mut sink.columns), sink.rows.take());
        self.judge(done)?;
        Ok(Rows { columns, rows })
    }

    pub(super) async fn read(
        &mut self,
        sql: &str,
        parameters: Vec<Value>,
        to: Reading,
    ) -> Result<(), SqlError> {
        let account = self.account().clone();
        // A single row may be that large; the rows of a batch are not counted together.
        let most = self.settings().result_bytes + BATCH_BYTES;
        let mut sink = Batches {
            gauge: self.lent.as_ref().map(|lent| lent.live.gauge.clone()),
            batch: Collected::new(&*account, most),
            columns: Some(to.columns),
            rows: to.rows,
        };
        let limit = self.settings().statement_timeout;
        let done = timeout(limit, self.session()?.fetch(sql, parameters, &mut sink)).await;
        let done = self.judge(done);
        if done.is_ok() && sink.batch.len() > 0 && !sink.flush().await {
            return Err(unwanted());
        }
        done
    }

    pub(super) async fn execute(
        &mut self,
        sql: &str,
        parameters: Vec<Value>,
    ) -> Result<ExecuteOutcome, SqlError> {
        let limit = self.settings().statement_timeout;
        let done = timeout(limit, self.session()?.execute(sql, parameters)).await;
        self.judge(done)
    }

    /// A statement of the host's, without parameters.
    pub(super) async fn own(&mut self, sql: &str) -> Result<(), SqlError> {
        self.script(sql).await
    }

    pub(super) async fn script(&mut self, sql: &str) -> Result<(), SqlError> {
        let limit = self.settings().statement_timeout;
        let done = timeout(limit, self.session()?.script(sql)).await;
        self.judge(done)
    }

    pub(super) async fn begin(
        &mut self,
        access: SourceAccess,
        isolation: Isolation,
    ) -> Result<(), SqlError> {
        let limit = self.settings().statement_timeout;
        let done = timeout(limit, self.session()?.begin(access, isolation)).await;
        self.judge(done)
    }

    /// Begins to read, in a transaction that cannot write if the source asks for one.
    pub(super) async fn enter(&mut self, guarded: bool) -> Result<(), SqlError> {
        if guarded {
            self.begin(SourceAccess::ReadOnly, Isolation::EngineDefault)
                .await?;
        }
        Ok(())
    }

    /// Ends what [`enter`](Self::enter) began.
    pub(super) async fn leave<T>(
        &mut self,
        guarded: bool,
        done: Result<T, SqlError>,
    ) -> Result<T, SqlError> {
        if guarded && !done.as_ref().is_err_and(broke_off) {
            self.own("ROLLBACK").await?;
        }
        done
    }

    /// What became of a statement: why the connection was closed under it, if it was.
    fn judge<T>(
        &self,
        done: Result<Result<T, SqlError>, tokio::time::error::Elapsed>,
    ) -> Result<T, SqlError> {
        let stopped = self
            .lent
            .as_ref()
            .and_then(|lent| lent.live.gauge.stopped());
        match done {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(error)) => {
                if matches!(error, SqlError::Unavailable(_)) {
                    self.pool.forget_idle();
                }
                Err(stopped.unwrap_or(error))
            }
            Err(_) => Err(SqlError::TimedOut(
                "the statement ran longer than it may (limits.statement_timeout_ms), and was ended"
                    .into(),
            )),
        }
    }

    /// The statement is over: the connection goes back, unless it broke off in the middle.
    pub(super) fn end<T>(mut self, ended: Result<T, SqlError>) -> Result<T, SqlError> {
        let clean = match &ended {
            Ok(_) => true,
            Err(error) => !broke_off(error),
        };
        if clean && let Some(lent) = self.lent.take() {
            self.pool.take_back(lent);
        }
        ended
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(lent) = self.lent.take() {
            self.pool.give_up(lent);
        }
    }
}

/// Whether a statement that failed so may have left something behind on its connection.
pub(super) fn broke_off(error: &SqlError) -> bool {
    match error {
        SqlError::TimedOut(_) | SqlError::Unavailable(_) | SqlError::LimitExceeded(_) => true,
        // Of the host's own, in the middle of a result.
        SqlError::Database(said) => said.code.is_empty(),
        _ => false,
    }
}

fn unwanted() -> SqlError {
    SqlError::Unavailable("nobody reads the rows any more".into())
}

/// Gathers a whole result.
struct Whole<'a> {
    columns: Vec<Column>,
    rows: Collected<'a>,
    gauge: Option<Arc<super::gauge::Gauge>>,
}

#[async_trait]
impl Sink for Whole<'_> {
    fn columns(&mut self, columns: Vec<Column>) -> Result<(), SqlError> {
        self.columns = columns;
        Ok(())
    }

    fn row(&mut self, row: Row) -> Result<bool, SqlError> {
        if let Some(gauge) = &self.gauge {
            gauge.row();
        }
        self.rows.push(row)?;
        Ok(false)
    }

    async fn flush(&mut self) -> bool {
        true
    }
}

/// Passes a result on in batches.
struct Batches<'a> {
    gauge: Option<Arc<super::gauge::Gauge>>,
    batch: Collected<'a>,
    columns: Option<tokio::sync::oneshot::Sender<Vec<Column>>>,
    rows: mpsc::Sender<Result<Vec<Row>, SqlError>>,
}

#[async_trait]
impl Sink for Batches<'_> {
    fn columns(&mut self, columns: Vec<Column>) -> Result<(), SqlError> {
        let wanted = self.columns.take().map(|to| to.send(columns));
        match wanted {
            Some(Ok(())) | None => Ok(()),
            Some(Err(_)) => Err(unwanted()),
        }
    }

    fn row(&mut self, row: Row) -> Result<bool, SqlError> {
        if let Some(gauge) = &self.gauge {
            gauge.row();
        }
        self.batch.push(row)?;
        Ok(self.batch.len() == BATCH_ROWS || self.batch.bytes() >= BATCH_BYTES)
    }

    async fn flush(&mut self) -> bool {
        self.rows.send(Ok(self.batch.take())).await.is_ok()
    }
}
