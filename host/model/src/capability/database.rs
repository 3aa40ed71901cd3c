//! Databases: what an app can do with the data sources it was granted.

use super::sql::{Column, ExecuteOutcome, Isolation, Row, Rows, SqlError, Value};
use crate::{AppId, DatabaseEngine};
use async_trait::async_trait;
use futures::stream::BoxStream;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;
use utoipa::ToSchema;

/// What an app may do with a data source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SourceAccess {
    /// Read and write.
    ReadWrite,
    /// Read only.
    #[default]
    ReadOnly,
}

/// A data source that an administrator granted, beside the app's own database. Either `app` or
/// `url` is set.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceGrant {
    /// The app whose own database it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub app: Option<AppId>,
    /// A server's URL. Write-only: it holds a password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(write_only)]
    pub url: Option<String>,
    /// What the app may do there.
    #[serde(default)]
    pub access: SourceAccess,
}

impl fmt::Debug for SourceGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SourceGrant")
            .field("app", &self.app)
            .field("url", &self.url.as_ref().map(|_| "…"))
            .field("access", &self.access)
            .finish()
    }
}

/// What a tried database turned out to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConnectionReport {
    /// Its make.
    pub engine: DatabaseEngine,
    /// Its version, as it tells it.
    pub version: String,
    /// How long connecting and asking took, in milliseconds.
    pub elapsed_ms: u64,
}

/// One of an app's migrations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migration {
    /// Unique and ascending.
    pub id: String,
    /// Its statements.
    pub sql: String,
}

/// One app's data sources.
#[async_trait]
pub trait DataSources: Send + Sync + 'static {
    /// The source of this name; `default` is the app's own. Connects to nothing yet.
    ///
    /// # Errors
    /// [`SqlError::NoSuchSource`].
    async fn open(&self, name: &str) -> Result<Arc<dyn DataSource>, SqlError>;

    /// Runs, in order, those migrations on `default` that it has not had: each once, under a lock,
    /// in a transaction where the engine has transactional DDL.
    ///
    /// # Errors
    /// Which migration failed and why; an earlier failure that an administrator must clear.
    async fn migrate(&self, migrations: Vec<Migration>) -> Result<(), SqlError>;
}

/// One data source of one app, with the app's limits in force. Dropping a future of it cancels the
/// statement on the server.
#[async_trait]
pub trait DataSource: Send + Sync + 'static {
    /// Its make.
    fn engine(&self) -> DatabaseEngine;

    /// One statement and its whole result.
    ///
    /// # Errors
    /// Any of [`SqlError`].
    async fn query(&self, sql: &str, parameters: Vec<Value>) -> Result<Rows, SqlError>;

    /// One statement whose rows are not wanted.
    ///
    /// # Errors
    /// Any of [`SqlError`].
    async fn execute(&self, sql: &str, parameters: Vec<Value>) -> Result<ExecuteOutcome, SqlError>;

    /// One statement whose rows come as they are read.
    ///
    /// # Errors
    /// Any of [`SqlError`]; later ones come with the rows.
    async fn read(&self, sql: &str, parameters: Vec<Value>) -> Result<Cursor, SqlError>;

    /// Begins a transaction.
    ///
    /// # Errors
    /// Any of [`SqlError`].
    async fn begin(
        &self,
        access: SourceAccess,
        isolation: Isolation,
    ) -> Result<Box<dyn Transaction>, SqlError>;
}

/// Rows that come as they are read, in batches that are never empty. Dropped before its end, the
/// statement is cancelled. After an error nothing more comes.
pub struct Cursor {
    /// The result's columns.
    pub columns: Vec<Column>,
    /// Its rows.
    pub batches: BoxStream<'static, Result<Vec<Row>, SqlError>>,
}

/// A transaction. Dropped before its end, it is rolled back, and its connection is given back only
/// after that (or closed).
#[async_trait]
pub trait Transaction: Send + Sync + 'static {
    /// One statement and its whole result.
    ///
    /// # Errors
    /// Any of [`SqlError`].
    async fn query(&mut self, sql: &str, parameters: Vec<Value>) -> Result<Rows, SqlError>;

    /// One statement whose rows are not wanted.
    ///
    /// # Errors
    /// Any of [`SqlError`].
    async fn execute(
        &mut self,
        sql: &str,
        parameters: Vec<Value>,
    ) -> Result<ExecuteOutcome, SqlError>;

    /// Ends it with its effects.
    ///
    /// # Errors
    /// Any of [`SqlError`]; it has ended all the same.
    async fn commit(self: Box<Self>) -> Result<(), SqlError>;

    /// Ends it without its effects.
    ///
    /// # Errors
    /// Any of [`SqlError`]; it has ended all the same.
    async fn rollback(self: Box<Self>) -> Result<(), SqlError>;
}
