//! The ports through which an app reaches what the host gives it: databases, tokens, outgoing HTTP,
//! configuration, key-value. The runtime calls them when a guest does; `capabilities` implements
//! them. Neither knows the other.
//!
//! Three phases: the [`Provider`] is made with the process, [`Provider::open`] makes one app's
//! [`Capabilities`] when the app starts, and its instances share them.

mod database;
mod keyvalue;
mod outbound;
mod report;
mod sql;
mod token;

pub use database::{
    ConnectionReport, Cursor, DataSource, DataSources, Migration, SourceAccess, SourceGrant,
    Transaction,
};
pub use keyvalue::{KeyPage, KeyValue, KeyValueError, Version};
pub use outbound::{CallDepth, InternalCalls, Outbound, OutboundError, OutboundOptions};
pub use report::{DatabaseReport, SlowStatement};
pub use sql::{
    Column, Constraint, ConstraintError, DatabaseError, Element, ExecuteOutcome, Isolation, Row,
    Rows, SqlError, Value,
};
pub use token::{Expectations, JwtAlgorithm, JwtKey, SignOptions, TokenError, Tokens};

use crate::{AppId, AppMeter, DataPolicy, DatabaseSpec, Invalid, Limits};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// A value that no log line, no error and no answer shows. Its serialized form is the value itself: only
/// what is encrypted may hold one ([`Specification`](crate::Specification)).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// What an app was granted: all that its capabilities are made from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Grant {
    /// Whose.
    pub app: AppId,
    /// Its main data source; its URL, if it has one, is in the clear.
    pub database: DatabaseSpec,
    /// Further data sources, by name.
    pub sources: BTreeMap<String, SourceGrant>,
    /// The databases of the apps that `sources` names: of each app, its own.
    pub source_databases: BTreeMap<AppId, DatabaseSpec>,
    /// The keys of its tokens: the first signs, all of them verify.
    pub jwt_keys: Vec<JwtKey>,
    /// Its configuration, secrets in the clear.
    pub config: BTreeMap<String, Secret>,
    /// Hosts it may call.
    pub outbound_hosts: Vec<String>,
    /// What it may use.
    pub limits: Limits,
}

/// The right of one thread to work for an app now ([`Account::next_turn`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn(pub u64);

/// What is charged to an app for work that the host does on its behalf.
pub trait Account: Send + Sync + 'static {
    /// CPU time that the host spent for the app outside its guests' polls.
    fn charge_cpu(&self, used: Duration);

    /// For a thread of its own that works for the app, each time it has used a millisecond of CPU: ends its turn `last`,
    /// if it had one, and waits for the next, as the app's guests do. None: `is_wanted`, asked now and then, said no, and
    /// the work is to end. A turn that lasts too long is taken back without a word.
    fn next_turn(&self, last: Option<Turn>, is_wanted: &dyn Fn() -> bool) -> Option<Turn>;

    /// Ends a turn: the work is done.
    fn end_turn(&self, turn: Turn);

    /// Takes `bytes` of the app's memory budget; false: they do not fit. Each success is given back
    /// with [`release`](Self::release).
    fn try_reserve(&self, bytes: u64) -> bool;

    /// Gives back what [`try_reserve`](Self::try_reserve) took.
    fn release(&self, bytes: u64);

    /// A line of the host's in the app's log, for its administrator.
    fn log(&self, level: crate::LogLevel, message: String);

    /// Counts what the app used.
    fn meter(&self) -> &AppMeter;
}

/// One app's capabilities, shared by its instances.
#[derive(Clone)]
pub struct Capabilities {
    /// Its configuration, as `wasi:config/store` shows it.
    pub config: Arc<BTreeMap<String, Secret>>,
    /// Its databases.
    pub databases: Arc<dyn DataSources>,
    /// Its tokens.
    pub tokens: Arc<dyn Tokens>,
    /// Its key-value space.
    pub keyvalue: Arc<dyn KeyValue>,
    /// Its way out.
    pub outbound: Arc<dyn Outbound>,
}

/// Why an app's capabilities could not be made, changed or removed. Texts are for administrators
/// and hold no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GrantError {
    /// What was asked for cannot be: what is missing and what to do. Trying again gives the same.
    #[error("{0}")]
    Refused(String),
    /// Something is away now; trying again may help.
    #[error("{0}")]
    Unavailable(String),
}

/// Makes apps' capabilities. Every act is an idempotent "ensure".
#[async_trait]
pub trait Provider: Send + Sync + 'static {
    /// Makes sure that what the app was granted is there (its database and role, for one), and
    /// opens it. Half-made things are taken back.
    ///
    /// # Errors
    /// What is missing.
    async fn open(
        &self,
        grant: &Grant,
        account: Arc<dyn Account>,
    ) -> Result<Capabilities, GrantError>;

    /// Closes what an app that stopped had open. Its data stay.
    async fn close(&self, app: &AppId);

    /// An app is deleted: closes everything and, by `data`, drops its data.
    ///
    /// # Errors
    /// What could not be dropped; nothing is forgotten, so that it can be tried again.
    async fn remove(&self, grant: &Grant, data: DataPolicy) -> Result<(), GrantError>;

    /// Whether the host has such databases at all; connects to nothing.
    ///
    /// # Errors
    /// The field that does not fit this host.
    fn check_database(&self, database: &DatabaseSpec) -> Result<(), Invalid>;

    /// Tries a database without changing anything: the Test button.
    ///
    /// # Errors
    /// Why an app could not use it.
    async fn test_database(
        &self,
        app: &AppId,
        database: &DatabaseSpec,
    ) -> Result<ConnectionReport, GrantError>;

    /// Whether the service in which apps' databases are made answers, and lets databases be made.
    /// Without a service nothing can be away.
    ///
    /// # Errors
    /// What is the matter, without a secret.
    async fn check_service(&self) -> Result<(), GrantError> {
        Ok(())
    }

    /// Takes the mark off a migration of an app's own database that broke off, on an engine that cannot take
    /// it back: an administrator has mended the database. `done`: the migration counts as done; else it runs
    /// again at the next start. Gives its ID; none: no migration has a mark, as where engines leave none.
    ///
    /// # Errors
    /// Migrations run just now, or the database cannot be reached.
    async fn clear_migration(
        &self,
        app: &AppId,
        database: &DatabaseSpec,
        done: bool,
    ) -> Result<Option<String>, GrantError> {
        let _ = (app, database, done);
        Ok(None)
    }

    /// What an administrator is told of an app's own database, whether the app runs or not. Takes a
    /// few seconds at most; what is not known is left out.
    async fn report_database(
        &self,
        app: &AppId,
        database: &DatabaseSpec,
        limits: &Limits,
    ) -> DatabaseReport;
}
