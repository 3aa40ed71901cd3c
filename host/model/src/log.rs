//! An app's log: lines from its guests and, beside them, what the host has to say about it.

mod store;

pub use store::{Followed, LogError, LogFilter, LogStore, LogText};

use crate::AppId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How grave a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LogLevel {
    /// For finding faults.
    Debug,
    /// Ordinary.
    Info,
    /// Something was refused, dropped or slowed.
    Warn,
    /// Something failed.
    Error,
}

/// Who wrote a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LogSource {
    /// The guest's standard output.
    Stdout,
    /// The guest's standard error.
    Stderr,
    /// The guest, through `wasi:logging`.
    App,
    /// Lodge, about the app.
    Host,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LogLine {
    /// When, in milliseconds since 1970.
    pub time: i64,
    /// How grave.
    pub level: LogLevel,
    /// Who wrote it.
    pub source: LogSource,
    /// The text, without its line end.
    pub message: String,
    /// The request it belongs to: what an error page shows as the reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
}

/// Takes apps' log lines. Never blocks: what does not fit is dropped and counted.
pub trait LogSink: Send + Sync + 'static {
    /// Adds one line to the app's log.
    fn write(&self, app: &AppId, line: LogLine);

    /// Sets how many bytes of its own lines (not the host's) an app may log a second.
    fn set_rate(&self, app: &AppId, bytes_per_second: u64);

    /// The newest lines, oldest first, at most `limit`, at least as grave as `level`.
    fn tail(&self, app: &AppId, limit: usize, level: LogLevel) -> Vec<LogLine>;

    /// Forgets the app's log, its file included.
    fn remove(&self, app: &AppId);
}
