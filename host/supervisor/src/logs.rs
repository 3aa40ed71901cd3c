//! Apps' logs, for administrators: what is kept of them, and what comes.

use crate::events::check_search;
use crate::supervisor::Supervisor;
use crate::{Error, Fault};
use futures::stream::BoxStream;
use futures::{StreamExt as _, TryStreamExt as _};
use lodge_model::{AppId, Followed, Invalid, LogError, LogFilter, LogLevel, LogLine, LogSource};

/// Lines an answer has unless asked otherwise, and at most.
const LINES: (usize, usize) = (200, 5_000);

/// Which lines of an app's log. What is none filters nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogQuery {
    /// At least as grave.
    pub level: Option<LogLevel>,
    /// Written by this one.
    pub source: Option<LogSource>,
    /// With this text in the message or its fields, 200 characters at most, whatever the case of its letters.
    pub search: Option<String>,
    /// Of exactly this request.
    pub request: Option<String>,
    /// Not older, in milliseconds since 1970.
    pub since: Option<i64>,
    /// Not newer, in milliseconds since 1970.
    pub until: Option<i64>,
}

impl LogQuery {
    fn filter(self) -> Result<LogFilter, Invalid> {
        check_search(self.search.as_deref())?;
        let filter = LogFilter {
            level: self.level.unwrap_or(LogLevel::Debug),
            source: self.source,
            request: self.request,
            since: self.since,
            until: self.until,
            text: None,
        };
        Ok(filter.with_text(self.search.as_deref().unwrap_or_default()))
    }
}

impl Supervisor {
    /// An app's newest log lines that are asked for, oldest first, out of all that is kept: `limit`
    /// of them at most, 1 to 5,000; none: 200.
    ///
    /// # Errors
    /// There is no such app, the query makes no sense, too many logs are being read, or a file
    /// cannot be.
    pub async fn logs(
        &self,
        id: &AppId,
        query: LogQuery,
        limit: Option<usize>,
    ) -> Result<Vec<LogLine>, Error> {
        let cell = self.index.require(id)?;
        let (default, max) = LINES;
        let limit = limit.unwrap_or(default);
        if limit == 0 || limit > max {
            let message = format!("{limit} is out of range: 1 to {max} lines");
            return Err(Invalid::new("limit", message).into());
        }
        let away = !cell.lock().is_local();
        let found = self.logs.search(id, query.clone().filter()?, limit).await;
        let mut lines = found.map_err(refusal)?;
        if away {
            lines.extend(self.worker_lines(&cell, &query, limit).await);
            lines.sort_by_key(|line| line.time);
            lines.drain(..lines.len().saturating_sub(limit));
        }
        Ok(lines)
    }

    /// All that is kept of an app's log, oldest first, in batches; of an app on workers, the newest
    /// 5,000 lines.
    ///
    /// # Errors
    /// There is no such app, or too many logs are being read.
    pub async fn whole_log(
        &self,
        id: &AppId,
    ) -> Result<BoxStream<'static, Result<Vec<LogLine>, Error>>, Error> {
        let cell = self.index.require(id)?;
        let away = !cell.lock().is_local();
        if away {
            let lines = self.logs(id, LogQuery::default(), Some(LINES.1)).await?;
            return Ok(futures::stream::iter([Ok(lines)]).boxed());
        }
        let batches = self.logs.read(id).map_err(refusal)?;
        Ok(batches.map_err(refusal).boxed())
    }

    /// An app's log lines from now on that are asked for, until the app is removed.
    ///
    /// # Errors
    /// There is no such app, or the query makes no sense.
    pub fn follow_log(
        &self,
        id: &AppId,
        query: LogQuery,
    ) -> Result<BoxStream<'static, Followed>, Error> {
        let cell = self.index.require(id)?;
        let here = self.logs.follow(id, query.clone().filter()?);
        let away = !cell.lock().is_local();
        if !away {
            return Ok(here);
        }
        let there = self.follow_workers(&cell, &query);
        Ok(futures::stream::select(here, there).boxed())
    }
}

fn refusal(error: LogError) -> Error {
    match error {
        LogError::Busy => Error::Unavailable {
            code: "logs_busy",
            message: error.to_string(),
        },
        LogError::File(_) => Fault::Log(error).into(),
    }
}
