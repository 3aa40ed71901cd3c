//! What an administrator is told of an app's database.

use crate::{DatabaseEngine, DatabaseKind};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use utoipa::ToSchema;

/// An app's own database, as it is now, and the app's statements on it since the host started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DatabaseReport {
    /// Where it is.
    pub kind: DatabaseKind,
    /// Its make; null: there is none, or it is not known.
    #[schema(required)]
    pub engine: Option<DatabaseEngine>,
    /// Its size, in bytes, not older than 10 s; MySQL's and MariaDB's is the server's estimate. Null:
    /// not known.
    #[schema(required)]
    pub size_bytes: Option<u64>,
    /// The app's connections, in use and idle.
    pub connections_open: u64,
    /// Statements that wait for a connection.
    pub connections_waiting: u64,
    /// Connections the app may have.
    pub connections_limit: u64,
    /// Statements that ended, well or not. Begin, commit, rollback and migrations are none.
    pub statements: u64,
    /// Of those, the ones that failed or were given up.
    pub failed_statements: u64,
    /// From which time on a statement is slow, in milliseconds.
    pub slow_threshold_ms: u64,
    /// The slow ones, 20 at most, those first that took the most time together.
    pub slow: Vec<SlowStatement>,
    /// Why the size is not known.
    #[schema(required)]
    pub problem: Option<String>,
}

impl DatabaseReport {
    /// A report of which nothing is known.
    #[must_use]
    pub fn empty(kind: DatabaseKind, slow_threshold: Duration) -> Self {
        Self {
            kind,
            engine: None,
            size_bytes: None,
            connections_open: 0,
            connections_waiting: 0,
            connections_limit: 0,
            statements: 0,
            failed_statements: 0,
            slow_threshold_ms: u64::try_from(slow_threshold.as_millis()).unwrap_or(u64::MAX),
            slow: Vec::new(),
            problem: None,
        }
    }
}

/// A statement that was slow, told apart by its text. Times are wall time as the app saw it, with the
/// wait for a connection and up to the last row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SlowStatement {
    /// Its text, cut at 500 characters, without its parameters' values.
    pub sql: String,
    /// How often it was slow.
    pub count: u64,
    /// The time it took together, in milliseconds.
    pub total_ms: u64,
    /// The most time it took once, in milliseconds.
    pub max_ms: u64,
    /// When it was slow last, in milliseconds since 1970.
    pub last_at: i64,
    /// SQLSTATE or the engine's code, and in short why it failed last; null: it did not.
    #[schema(required)]
    pub last_error: Option<String>,
}
