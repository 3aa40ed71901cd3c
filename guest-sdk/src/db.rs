//! The app's databases: SQLite, PostgreSQL, MySQL or MariaDB, whichever its administrator chose.
//!
//! ```
//! use lodge_sdk::db::{Database, Error, FromRow, params};
//!
//! #[derive(FromRow)]
//! struct Ticket {
//!     id: i64,
//!     title: String,
//!     closed: bool,
//! }
//!
//! async fn open_tickets(of: &str) -> Result<Vec<Ticket>, Error> {
//!     let db = Database::open("default").await?;
//!     db.query("SELECT id, title, closed FROM tickets WHERE author = ? AND NOT closed", params![of])
//!         .await
//! }
//!
//! async fn close(ticket: i64) -> Result<(), Error> {
//!     let db = Database::open("default").await?;
//!     db.transaction(async |tx| {
//!         tx.execute("UPDATE tickets SET closed = TRUE WHERE id = ?", params![ticket]).await?;
//!         tx.execute("INSERT INTO changes (ticket) VALUES (?)", params![ticket]).await?;
//!         Ok(())
//!     })
//!     .await
//! }
//! ```
//!
//! Parameters are `?` for every engine (PostgreSQL gets `$1`, `$2`; write `??` for its own operator `?`). Values that
//! have no machine type are text in their standard form: see [`Value`].

mod error;
mod placeholders;
mod row;
mod value;

pub use error::{Constraint, Error, SqlError};
pub use lodge_sdk_macros::FromRow;
pub use row::{FromRow, Row};
pub use value::{FromValue, Json, Value};

use crate::sys;
use send_wrapper::SendWrapper;
use std::sync::Arc;

/// Values for a statement's parameters: `params![id, "text", None::<i64>]`.
#[macro_export]
#[doc(hidden)]
macro_rules! __params {
    ($($value:expr),* $(,)?) => {
        ::std::vec![$($crate::db::Value::from($value)),*]
    };
}
pub use crate::__params as params;

/// Which engine answers, and so which SQL it reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
    Mysql,
    Mariadb,
}

/// How strictly a transaction is kept from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Isolation {
    #[default]
    EngineDefault,
    ReadCommitted,
    RepeatableRead,
    Serializable,
}

/// What a statement did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// Rows that it added, changed or removed.
    pub rows_affected: u64,
    /// The key of the last row it added (not on PostgreSQL, which has `RETURNING`).
    pub last_insert_id: Option<i64>,
}

/// A whole result.
#[doc(hidden)]
pub struct Rows {
    pub columns: Vec<String>,
    pub rows: Vec<Vec<Value>>,
}

/// A database that the app may use. Cheap to open: connections are the host's.
pub struct Database(SendWrapper<sys::Source>);

/// A transaction of [`Database::transaction`].
pub struct Transaction {
    inner: SendWrapper<sys::Transaction>,
    engine: Engine,
}

/// Rows of [`Database::read`], as they come.
pub struct Reader {
    columns: Arc<[String]>,
    inner: SendWrapper<sys::Reading>,
}

impl Database {
    /// Opens the source of this name: `default` is the app's own, others are granted.
    ///
    /// # Errors
    /// [`Error::NoSuchSource`].
    pub async fn open(name: &str) -> Result<Self, Error> {
        let source = SendWrapper::new(sys::Source::open(name)).await?;
        Ok(Self(SendWrapper::new(source)))
    }

    /// Its make.
    pub fn engine(&self) -> Engine {
        self.0.engine()
    }

    /// One statement whose rows come as they are read, so that a result may be larger than memory.
    ///
    /// # Errors
    /// Any of [`Error`]; later ones come with the rows.
    pub async fn read(&self, sql: &str, params: Vec<Value>) -> Result<Reader, Error> {
        let sql = placeholders::translate(sql, self.engine());
        let (columns, inner) = SendWrapper::new(self.0.read(sql, params)).await?;
        Ok(Reader {
            columns: columns.into(),
            inner: SendWrapper::new(inner),
        })
    }

    /// Does `work` in a transaction: committed if it returns `Ok`, rolled back if it returns `Err`.
    /// On [`Error::Conflict`] it may be done again.
    ///
    /// # Errors
    /// Those of `work`, of the beginning and of the commit.
    pub async fn transaction<T, E: From<Error>>(
        &self,
        work: impl AsyncFnOnce(&Transaction) -> Result<T, E>,
    ) -> Result<T, E> {
        self.transaction_with(false, Isolation::default(), work)
            .await
    }

    /// As [`transaction`](Self::transaction), read-only if `read_only`, and kept from others as `isolation` says.
    ///
    /// # Errors
    /// Those of `work`, of the beginning and of the commit.
    pub async fn transaction_with<T, E: From<Error>>(
        &self,
        read_only: bool,
        isolation: Isolation,
        work: impl AsyncFnOnce(&Transaction) -> Result<T, E>,
    ) -> Result<T, E> {
        SendWrapper::new(async move {
            let transaction = Transaction {
                inner: SendWrapper::new(self.0.begin(read_only, isolation).await?),
                engine: self.engine(),
            };
            match work(&transaction).await {
                Ok(done) => {
                    transaction.inner.commit().await?;
                    Ok(done)
                }
                Err(error) => {
                    // What went wrong first is what counts.
                    let _ = transaction.inner.rollback().await;
                    Err(error)
                }
            }
        })
        .await
    }

    async fn rows(&self, sql: &str, params: Vec<Value>) -> Result<Rows, Error> {
        let sql = placeholders::translate(sql, self.engine());
        SendWrapper::new(self.0.query(sql, params)).await
    }

    async fn run(&self, sql: &str, params: Vec<Value>) -> Result<Outcome, Error> {
        let sql = placeholders::translate(sql, self.engine());
        SendWrapper::new(self.0.execute(sql, params)).await
    }
}

impl Transaction {
    /// Its database's make.
    pub fn engine(&self) -> Engine {
        self.engine
    }

    async fn rows(&self, sql: &str, params: Vec<Value>) -> Result<Rows, Error> {
        let sql = placeholders::translate(sql, self.engine);
        SendWrapper::new(self.inner.query(sql, params)).await
    }

    async fn run(&self, sql: &str, params: Vec<Value>) -> Result<Outcome, Error> {
        let sql = placeholders::translate(sql, self.engine);
        SendWrapper::new(self.inner.execute(sql, params)).await
    }
}

macro_rules! statements {
    ($($on:ident),*) => {$(
        impl $on {
            /// One statement and all its rows.
            ///
            /// # Errors
            /// Any of [`Error`].
            pub async fn query<T: FromRow>(&self, sql: &str, params: Vec<Value>) -> Result<Vec<T>, Error> {
                let rows = self.rows(sql, params).await?;
                let columns: Arc<[String]> = rows.columns.into();
                rows.rows
                    .into_iter()
                    .map(|values| T::from_row(&Row::new(columns.clone(), values)))
                    .collect()
            }

            /// The first row, if there is one.
            ///
            /// # Errors
            /// Any of [`Error`].
            pub async fn query_optional<T: FromRow>(&self, sql: &str, params: Vec<Value>) -> Result<Option<T>, Error> {
                Ok(self.query(sql, params).await?.into_iter().next())
            }

            /// The first row.
            ///
            /// # Errors
            /// [`Error::NoRow`] if there is none, or any other.
            pub async fn query_one<T: FromRow>(&self, sql: &str, params: Vec<Value>) -> Result<T, Error> {
                self.query_optional(sql, params).await?.ok_or(Error::NoRow)
            }

            /// One statement whose rows are not wanted.
            ///
            /// # Errors
            /// Any of [`Error`].
            pub async fn execute(&self, sql: &str, params: Vec<Value>) -> Result<Outcome, Error> {
                self.run(sql, params).await
            }
        }
    )*};
}
statements!(Database, Transaction);

impl Reader {
    /// The next row.
    pub async fn next<T: FromRow>(&mut self) -> Option<Result<T, Error>> {
        let values = SendWrapper::new(self.inner.next()).await?;
        Some(values.and_then(|values| T::from_row(&Row::new(self.columns.clone(), values))))
    }
}
