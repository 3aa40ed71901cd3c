//! A connection in use by one statement or transaction.

use super::declared::{Types, Unknown};
use super::pool::{Held, Pool};
use super::watch::Watch;
use super::{SqliteSettings, declared, value};
use crate::database::result::Collected;
use futures::StreamExt as _;
use futures::stream::BoxStream;
use lodge_model::{Account, Column, ExecuteOutcome, Rows, SqlError, Value};
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, Either, Executor as _, Row as _, SqlSafeStr as _, Statement as _};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::time::{Instant, sleep_until, timeout_at};

/// What a statement gets beyond its time, so that SQLite says why it ended.
const GRACE: Duration = Duration::from_millis(200);

/// A connection that is in use. Dropped before [`Lease::end`], its statement is ended and it is closed; its
/// place is free when that is done.
pub(super) struct Lease {
    pool: Arc<Pool>,
    /// None: it went back.
    held: Option<Held>,
    watch: Arc<Watch>,
    /// When nobody waits for SQLite any more.
    until: Instant,
}

/// Dropped, a statement is not wanted any more.
pub(super) struct Wanted(Arc<Watch>, u64);

impl Drop for Wanted {
    fn drop(&mut self) {
        self.0.give_up(self.1);
    }
}

/// Rows are read one by one; dropped, they are not any more.
struct Reading(Arc<Watch>);

impl Reading {
    fn begin(watch: &Arc<Watch>) -> Self {
        watch.set_read(true);
        watch.set_open(true);
        Self(watch.clone())
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.0.set_read(false);
    }
}

impl Reading {
    /// The statement came to its end, well or not.
    fn ended(&self) {
        self.0.set_open(false);
    }
}

impl Lease {
    /// # Errors
    /// No connection came free in time, or the file cannot be opened.
    pub(super) async fn take(pool: &Arc<Pool>) -> Result<Self, SqlError> {
        let held = pool.take().await?;
        Ok(Self {
            pool: pool.clone(),
            watch: held.watch().clone(),
            held: Some(held),
            until: Instant::now(),
        })
    }

    pub(super) fn account(&self) -> &Arc<dyn Account> {
        &self.pool.account
    }

    pub(super) fn settings(&self) -> &SqliteSettings {
        &self.pool.settings
    }

    /// A statement begins: the guest's, or the host's own.
    pub(super) fn begin(&mut self, hosts: bool) {
        let time = self.pool.settings.statement_timeout;
        self.until = Instant::now() + time + GRACE;
        self.watch.begin(time, hosts);
    }

    pub(super) fn wanted(&self) -> Wanted {
        Wanted(self.watch.clone(), self.watch.number())
    }

    pub(super) fn sqlite(&mut self) -> Result<&mut SqliteConnection, SqlError> {
        let held = self.held.as_mut().ok_or(SqlError::Closed)?;
        Ok(held.sqlite())
    }

    pub(super) async fn query(
        &mut self,
        sql: &str,
        parameters: Vec<Value>,
    ) -> Result<Rows, SqlError> {
        let (account, limit) = (self.account().clone(), self.settings().result_bytes);
        let (mut columns, mut unknown) = (Vec::new(), Vec::new());
        let mut collected = Collected::new(&*account, limit);
        let mut rows = self.stream(sql, parameters)?;
        while let Some(row) = rows.next().await {
            let row = row?;
            if collected.len() == 0 {
                columns = value::columns(row.columns());
                unknown = Unknown::of(row.columns());
            }
            collected.push(value::row(&row)?)?;
        }
        drop(rows);
        let types = if collected.len() == 0 {
            let described = self.describe(sql).await?;
            columns = described.0;
            described.1
        } else {
            self.declared(unknown, &mut columns).await?
        };
        let mut rows = collected.take();
        for row in &mut rows {
            declared::read(&types, row);
        }
        Ok(Rows { columns, rows })
    }

    pub(super) async fn execute(
        &mut self,
        sql: &str,
        parameters: Vec<Value>,
    ) -> Result<ExecuteOutcome, SqlError> {
        let arguments = value::arguments(parameters)?;
        let statement = sqlx::query_with(AssertSqlSafe(sql.to_owned()), arguments);
        let (until, watch) = (self.until, self.watch.clone());
        let done = in_time(until, &watch, statement.execute(self.sqlite()?)).await?;
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
        let script = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
        let (until, watch) = (self.until, self.watch.clone());
        let done = in_time(until, &watch, script.execute(self.sqlite()?)).await;
        done.map(drop)
    }

    /// The columns of a result, and which of them have types of their declaration's.
    pub(super) async fn describe(&mut self, sql: &str) -> Result<(Vec<Column>, Types), SqlError> {
        let sql = AssertSqlSafe(sql.to_owned()).into_sql_str();
        let (until, watch) = (self.until, self.watch.clone());
        let statement = in_time(until, &watch, self.sqlite()?.prepare(sql)).await?;
        let mut columns = value::columns(statement.columns());
        let unknown = Unknown::of(statement.columns());
        let types = self.declared(unknown, &mut columns).await?;
        Ok((columns, types))
    }

    /// What a table's column was declared as. It is a statement of the host's, in the time of the guest's.
    pub(super) async fn declaration(
        &mut self,
        schema: &str,
        table: &str,
        name: &str,
    ) -> Result<Option<String>, SqlError> {
        const SQL: &str = "SELECT type FROM pragma_table_xinfo(?, ?) WHERE name = ?";
        let (until, watch) = (self.until, self.watch.clone());
        let declared = sqlx::query_scalar(SQL)
            .bind(table.to_owned())
            .bind(schema.to_owned())
            .bind(name.to_owned());
        watch.set_hosts(true);
        let declared = in_time(until, &watch, declared.fetch_optional(self.sqlite()?)).await;
        watch.set_hosts(false);
        declared
    }

    pub(super) fn stream<'a>(
        &'a mut self,
        sql: &str,
        parameters: Vec<Value>,
    ) -> Result<BoxStream<'a, Result<SqliteRow, SqlError>>, SqlError> {
        let watch = self.watch.clone();
        let arguments = value::arguments(parameters)?;
        let statement = sqlx::query_with(AssertSqlSafe(sql.to_owned()), arguments);
        let mut late = Box::pin(sleep_until(self.until));
        let reading = Reading::begin(&watch);
        let mut steps = self.sqlite()?.fetch_many(statement);
        let mut is_whole = false;
        let rows = futures::stream::poll_fn(move |context| {
            loop {
                let Poll::Ready(step) = steps.poll_next_unpin(context) else {
                    let late = late.as_mut().poll(context);
                    return late.map(|()| Some(Err(value::timed_out())));
                };
                return Poll::Ready(match step {
                    Some(Ok(Either::Right(row))) => {
                        reading.0.has_read();
                        Some(Ok(row))
                    }
                    Some(Ok(Either::Left(_))) => {
                        is_whole = true;
                        reading.ended();
                        continue;
                    }
                    Some(Err(e)) => {
                        is_whole = true;
                        reading.ended();
                        Some(Err(value::error(e, Some(&watch))))
                    }
                    None if is_whole => None,
                    // Its thread broke off: there may be more rows.
                    None => Some(Err(value::error(sqlx::Error::WorkerCrashed, Some(&watch)))),
                });
            }
        });
        Ok(rows.boxed())
    }

    /// The statement is over: the connection goes back, unless the statement broke off in the middle, or nobody
    /// read it to its end: SQLite's thread may be in it yet, and whatever ends it must stay in force.
    pub(super) fn end<T>(mut self, ended: Result<T, SqlError>) -> Result<T, SqlError> {
        let broke_off = matches!(
            ended,
            Err(SqlError::TimedOut(_) | SqlError::Unavailable(_) | SqlError::LimitExceeded(_))
        );
        if !broke_off
            && !self.watch.is_open()
            && let Some(held) = self.held.take()
        {
            self.watch.charge();
            self.pool.take_back(held);
        }
        ended
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.watch.charge();
        if let Some(held) = self.held.take() {
            self.watch.give_up(self.watch.number());
            held.see_out();
        }
    }
}

/// Waits for SQLite's thread as long as the statement may take, also where that is inside a function that
/// nothing ends.
async fn in_time<T>(
    until: Instant,
    watch: &Watch,
    work: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, SqlError> {
    match timeout_at(until, work).await {
        Ok(done) => done.map_err(|e| value::error(e, Some(watch))),
        Err(_) => Err(value::timed_out()),
    }
}
