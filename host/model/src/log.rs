//! An app's log: lines from its guests and, beside them, what the host has to say about it.

mod fields;
mod store;

pub use fields::{LOG_FIELDS, LOG_LINE_BYTES, LogFields};
pub use store::{Followed, LogError, LogFilter, LogStore, LogText};

use crate::AppId;
use fields::Structured;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
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
    /// What else a message said that was a JSON object: names and values, of any kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = HashMap<String, serde_json::Value>, required = false)]
    pub fields: Option<LogFields>,
    /// The request it belongs to: what an error page shows as the reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
}

impl LogLine {
    /// Takes a guest's message that is a JSON object apart: its `message` or `msg` is the text, the rest are
    /// fields; in what was printed, its `level` is the line's. Any other line is as it was.
    #[must_use]
    pub fn structured(self) -> Self {
        let printed = match self.source {
            LogSource::Host => return self,
            LogSource::App => false,
            LogSource::Stdout | LogSource::Stderr => true,
        };
        match Structured::of(&self.message, printed) {
            None => self,
            Some(said) => Self {
                message: said.message,
                level: said.level.unwrap_or(self.level),
                fields: said.fields,
                ..self
            },
        }
    }

    /// The text as it is shown: the message, and its fields after it, as `name=value`.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        match &self.fields {
            None => Cow::Borrowed(&self.message),
            Some(fields) if self.message.is_empty() => Cow::Owned(fields.to_string()),
            Some(fields) => Cow::Owned(format!("{} {fields}", self.message)),
        }
    }

    /// What its text and its fields take, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.message.len() + self.fields.as_ref().map_or(0, LogFields::bytes)
    }
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
