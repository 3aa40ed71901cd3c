//! Tells an app's administrator, in the app's log, when a limit ended one of its statements: the guest
//! gets the error, and may well keep it to itself.
//!
//! A line a second at most; what is left out is counted in the next.

use super::Source;
use async_trait::async_trait;
use futures::StreamExt as _;
use lodge_model::{
    Account, Cursor, DataSource, DatabaseEngine, ExecuteOutcome, Isolation, LogLevel, Migration,
    Rows, SourceAccess, SqlError, Transaction, Value,
};
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Between two lines.
const PAUSE: Duration = Duration::from_secs(1);

/// A source whose limits are told of.
pub(super) struct Watched {
    source: Arc<dyn Source>,
    notices: Arc<Notices>,
}

struct Notices {
    /// As the app names it.
    name: String,
    account: Arc<dyn Account>,
    last: Mutex<Option<(Instant, u64)>>,
}

impl Watched {
    pub(super) fn over(
        name: &str,
        source: Arc<dyn Source>,
        account: Arc<dyn Account>,
    ) -> Arc<dyn Source> {
        let notices = Arc::new(Notices {
            name: name.to_owned(),
            account,
            last: Mutex::default(),
        });
        Arc::new(Self { source, notices })
    }
}

impl Notices {
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
        self.notices.of(self.source.query(sql, parameters).await)
    }

    async fn execute(&self, sql: &str, parameters: Vec<Value>) -> Result<ExecuteOutcome, SqlError> {
        self.notices.of(self.source.execute(sql, parameters).await)
    }

    async fn read(&self, sql: &str, parameters: Vec<Value>) -> Result<Cursor, SqlError> {
        let cursor = self.notices.of(self.source.read(sql, parameters).await)?;
        let notices = self.notices.clone();
        Ok(Cursor {
            columns: cursor.columns,
            batches: cursor.batches.map(move |batch| notices.of(batch)).boxed(),
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
    async fn migrate(&self, migrations: Vec<Migration>) -> Result<(), SqlError> {
        // Who starts the app is told.
        self.source.migrate(migrations).await
    }
}

struct WatchedTransaction {
    transaction: Box<dyn Transaction>,
    notices: Arc<Notices>,
}

#[async_trait]
impl Transaction for WatchedTransaction {
    async fn query(&mut self, sql: &str, parameters: Vec<Value>) -> Result<Rows, SqlError> {
        self.notices
            .of(self.transaction.query(sql, parameters).await)
    }

    async fn execute(
        &mut self,
        sql: &str,
        parameters: Vec<Value>,
    ) -> Result<ExecuteOutcome, SqlError> {
        self.notices
            .of(self.transaction.execute(sql, parameters).await)
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
