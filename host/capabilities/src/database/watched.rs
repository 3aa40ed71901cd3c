//! Where an app's statements end: tells its administrator, in the app's log, when a limit ended one (the
//! guest gets the error, and may well keep it to itself), and counts those on its own database
//! ([`super::statistics`]).
//!
//! A line a second at most; what is left out is counted in the next.

use super::Source;
use super::report::Connections;
use super::statistics::{Statistics, Timed};
use async_trait::async_trait;
use futures::StreamExt as _;
use futures::stream::BoxStream;
use lodge_model::{
    Account, Cursor, DataSource, DatabaseEngine, ExecuteOutcome, Isolation, LogLevel, Migration,
    Row, Rows, SourceAccess, SqlError, Transaction, Value,
};
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Between two lines.
const PAUSE: Duration = Duration::from_secs(1);

/// A source whose limits are told of, and whose statements are counted.
pub(super) struct Watched {
    source: Arc<dyn Source>,
    notices: Arc<Notices>,
}

struct Notices {
    /// As the app names it.
    name: String,
    account: Arc<dyn Account>,
    /// None: its statements are not counted.
    statistics: Option<Arc<Statistics>>,
    last: Mutex<Option<(Instant, u64)>>,
}

impl Watched {
    pub(super) fn over(
        name: &str,
        source: Arc<dyn Source>,
        account: Arc<dyn Account>,
        statistics: Option<Arc<Statistics>>,
    ) -> Arc<dyn Source> {
        let notices = Arc::new(Notices {
            name: name.to_owned(),
            account,
            statistics,
            last: Mutex::default(),
        });
        Arc::new(Self { source, notices })
    }
}

impl Notices {
    /// A statement begins.
    fn begin<'a>(&self, sql: &'a str) -> Option<Timed<'a>> {
        let statistics = self.statistics.as_ref()?;
        Some(Timed::begin(statistics, sql))
    }

    /// A statement ended.
    fn end<T>(&self, timed: Option<Timed<'_>>, done: Result<T, SqlError>) -> Result<T, SqlError> {
        if let Some(mut timed) = timed {
            timed.end(&done);
        }
        self.of(done)
    }

    fn of<T>(&self, done: Result<T, SqlError>) -> Result<T, SqlError> {
        if let Err(SqlError::LimitExceeded(why) | SqlError::TimedOut(why)) = &done {
            self.tell(why);
        }
        done
    }

    fn tell(&self, why: &str) {
        let mut last = self.last.lock();
        let left_out = match &mut *last {
            Some((when, left_out)) if when.elapsed() < PAUSE => {
                *left_out += 1;
                return;
            }
            Some((_, left_out)) => *left_out,
            None => 0,
        };
        *last = Some((Instant::now(), 0));
        drop(last);
        let more = match left_out {
            0 => String::new(),
            more => format!(" ({more} more since the last such line)"),
        };
        let line = format!("data source `{}`: {why}{more}", self.name);
        self.account.log(LogLevel::Warn, line);
    }
}

#[async_trait]
impl DataSource for Watched {
    fn engine(&self) -> DatabaseEngine {
        self.source.engine()
    }

    async fn query(&self, sql: &str, parameters: Vec<Value>) -> Result<Rows, SqlError> {
        let timed = self.notices.begin(sql);
        let done = self.source.query(sql, parameters).await;
        self.notices.end(timed, done)
    }

    async fn execute(&self, sql: &str, parameters: Vec<Value>) -> Result<ExecuteOutcome, SqlError> {
        let timed = self.notices.begin(sql);
        let done = self.source.execute(sql, parameters).await;
        self.notices.end(timed, done)
    }

    async fn read(&self, sql: &str, parameters: Vec<Value>) -> Result<Cursor, SqlError> {
        let timed = self.notices.begin(sql);
        let cursor = match self.source.read(sql, parameters).await {
            Ok(cursor) => cursor,
            failed @ Err(_) => return self.notices.end(timed, failed),
        };
        let reading = Reading {
            batches: cursor.batches,
            timed: timed.map(Timed::detached),
            notices: self.notices.clone(),
        };
        let batches = futures::stream::unfold(reading, |mut reading| async {
            Some((reading.next().await?, reading))
        });
        Ok(Cursor {
            columns: cursor.columns,
            batches: batches.boxed(),
        })
    }

    async fn begin(
        &self,
        access: SourceAccess,
        isolation: Isolation,
    ) -> Result<Box<dyn Transaction>, SqlError> {
        let transaction = self
            .notices
            .of(self.source.begin(access, isolation).await)?;
        Ok(Box::new(WatchedTransaction {
            transaction,
            notices: self.notices.clone(),
        }))
    }
}

#[async_trait]
impl Source for Watched {
    fn connections(&self) -> Connections {
        self.source.connections()
    }

    async fn migrate(&self, migrations: Vec<Migration>) -> Result<(), SqlError> {
        // Who starts the app is told.
        self.source.migrate(migrations).await
    }
}

/// A result that comes as it is read. The statement ends with it.
struct Reading {
    batches: BoxStream<'static, Result<Vec<Row>, SqlError>>,
    timed: Option<Timed<'static>>,
    notices: Arc<Notices>,
}

impl Reading {
    async fn next(&mut self) -> Option<Result<Vec<Row>, SqlError>> {
        match self.batches.next().await {
            Some(Ok(batch)) => Some(Ok(batch)),
            Some(failed) => Some(self.notices.end(self.timed.take(), failed)),
            None => {
                if let Some(mut timed) = self.timed.take() {
                    timed.end(&Ok(()));
                }
                None
            }
        }
    }
}

struct WatchedTransaction {
    transaction: Box<dyn Transaction>,
    notices: Arc<Notices>,
}

#[async_trait]
impl Transaction for WatchedTransaction {
    async fn query(&mut self, sql: &str, parameters: Vec<Value>) -> Result<Rows, SqlError> {
        let timed = self.notices.begin(sql);
        let done = self.transaction.query(sql, parameters).await;
        self.notices.end(timed, done)
    }

    async fn execute(
        &mut self,
        sql: &str,
        parameters: Vec<Value>,
    ) -> Result<ExecuteOutcome, SqlError> {
        let timed = self.notices.begin(sql);
        let done = self.transaction.execute(sql, parameters).await;
        self.notices.end(timed, done)
    }

    async fn commit(self: Box<Self>) -> Result<(), SqlError> {
        let Self {
            transaction,
            notices,
        } = *self;
        notices.of(transaction.commit().await)
    }

    async fn rollback(self: Box<Self>) -> Result<(), SqlError> {
        let Self {
            transaction,
            notices,
        } = *self;
        notices.of(transaction.rollback().await)
    }
}
