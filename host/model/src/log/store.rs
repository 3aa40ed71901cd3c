//! Reading apps' logs: what was asked for out of all that is kept, and lines as they come.

use super::{LogLevel, LogLine, LogSink, LogSource};
use crate::AppId;
use async_trait::async_trait;
use futures::stream::BoxStream;
use std::sync::Arc;

/// Which lines. The default lets all of them through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFilter {
    /// At least as grave.
    pub level: LogLevel,
    /// Written by this one.
    pub source: Option<LogSource>,
    /// Of exactly this request.
    pub request: Option<String>,
    /// Not older, in milliseconds since 1970.
    pub since: Option<i64>,
    /// Not newer, in milliseconds since 1970.
    pub until: Option<i64>,
    /// With this in the text, as it is shown: the message and its fields.
    pub text: Option<LogText>,
}

/// A text that is looked for, whatever the case of its letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogText(String);

impl LogText {
    /// Keeps it in the form in which it is compared.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.to_lowercase())
    }

    fn is_in(&self, message: &str) -> bool {
        message.to_lowercase().contains(&self.0)
    }
}

impl Default for LogFilter {
    fn default() -> Self {
        Self {
            level: LogLevel::Debug,
            source: None,
            request: None,
            since: None,
            until: None,
            text: None,
        }
    }
}

impl LogFilter {
    /// Only lines whose text, fields included, has this in it, whatever the case of its letters. An empty
    /// text filters nothing.
    #[must_use]
    pub fn with_text(self, text: &str) -> Self {
        let text = (!text.is_empty()).then(|| LogText::new(text));
        Self { text, ..self }
    }

    /// Whether a line is let through.
    #[must_use]
    pub fn matches(&self, line: &LogLine) -> bool {
        line.level >= self.level
            && self.source.is_none_or(|source| line.source == source)
            && self.since.is_none_or(|since| line.time >= since)
            && self.until.is_none_or(|until| line.time <= until)
            && (self.request.is_none() || line.request == self.request)
            && self
                .text
                .as_ref()
                .is_none_or(|text| text.is_in(&line.text()))
    }
}

/// What one who follows a log gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Followed {
    /// A new line.
    Line(Arc<LogLine>),
    /// So many lines, of any kind, were missed since the last: whoever reads is too slow.
    Dropped(u64),
}

/// Why a log cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// Too many read already; trying again helps.
    #[error("too many logs are being read already: try again in a moment")]
    Busy,
    /// A file cannot be read. The text is for the host's log, not for callers.
    #[error("cannot read a log file: {0}")]
    File(String),
}

/// Keeps apps' log lines, to be read again. Reading never holds up those who write.
#[async_trait]
pub trait LogStore: LogSink {
    /// The newest lines, at most `limit`, that a filter lets through, out of all that is kept;
    /// oldest first.
    ///
    /// # Errors
    /// See [`LogError`].
    async fn search(
        &self,
        app: &AppId,
        filter: LogFilter,
        limit: usize,
    ) -> Result<Vec<LogLine>, LogError>;

    /// Everything that is kept, oldest first, in batches that are never empty, read as they are
    /// asked for. After an error nothing more comes.
    ///
    /// # Errors
    /// See [`LogError`].
    fn read(
        &self,
        app: &AppId,
    ) -> Result<BoxStream<'static, Result<Vec<LogLine>, LogError>>, LogError>;

    /// New lines as they are written, until the app's log is removed. Nothing is kept for whoever
    /// reads too slowly but the newest lines.
    fn follow(&self, app: &AppId, filter: LogFilter) -> BoxStream<'static, Followed>;
}
