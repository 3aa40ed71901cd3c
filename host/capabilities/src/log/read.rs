//! Reading what is kept of an app's log, in memory and in files, without holding up who writes.
//!
//! A reading takes a picture under the log's lock: the lines in memory, and, from the thread that
//! writes, the files as they are once those lines are written. The picture does not change while it
//! is read. The files hold what the memory holds and more; lines that the disk did not take
//! ([`super::files`]) are in memory only and come in their place.
//!
//! What bounds it: [`SEARCHES`] and [`READINGS`] at once, whoever finds no place waits [`PATIENCE`] or is
//! refused; a file has its size, is read through a small buffer and a line longer than [`RECORD_BYTES`]
//! is left out. A search holds the lines that it found, which are in the files or in memory anyway.
//!
//! How it fails: a file that cannot be read ends the reading with the reason; a line that is no line
//! (a crash may leave half of one) is left out.

use super::AppLogs;
use super::files::Kept;
use async_trait::async_trait;
use futures::StreamExt as _;
use futures::stream::BoxStream;
use lodge_model::{AppId, Followed, LOG_LINE_BYTES, LogError, LogFilter, LogLine, LogStore};
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Take};
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, broadcast};

/// Searches at once, of all logs.
pub(super) const SEARCHES: usize = 4;
/// Whole logs that are read at once.
pub(super) const READINGS: usize = 4;
/// How long a search waits for its turn, and a reading for the thread that writes.
const PATIENCE: Duration = Duration::from_secs(5);
/// The longest line in a file: every character of a message may be written as six.
const RECORD_BYTES: u64 = 6 * LOG_LINE_BYTES as u64 + 4096;
/// Text of one batch, in bytes, roughly.
const BATCH_BYTES: usize = 64 * 1024;

/// What there was when the reading began.
struct Picture {
    files: Receiver<[Option<Kept>; 2]>,
    memory: Vec<LogLine>,
}

#[async_trait]
impl LogStore for AppLogs {
    async fn search(
        &self,
        app: &AppId,
        filter: LogFilter,
        limit: usize,
    ) -> Result<Vec<LogLine>, LogError> {
        let turn = tokio::time::timeout(PATIENCE, self.searches.clone().acquire_owned());
        let Ok(Ok(turn)) = turn.await else {
            return Err(LogError::Busy);
        };
        let picture = {
            let log = self.of(app);
            let mut log = log.lock();
            self.report_dropped(app, &mut log);
            if let Some(found) = log.newest_matching(&filter, limit) {
                return Ok(found);
            }
            self.picture(app, &log)
        };
        blocking(move || {
            // Held by the work, not by whoever asked and may have gone.
            let _turn = turn;
            let mut found = VecDeque::new();
            for line in Lines::of(picture) {
                let line = line.map_err(unreadable)?;
                if filter.matches(&line) {
                    found.push_back(line);
                }
                if found.len() > limit {
                    found.pop_front();
                }
            }
            Ok(found.into())
        })
        .await
    }

    fn read(
        &self,
        app: &AppId,
    ) -> Result<BoxStream<'static, Result<Vec<LogLine>, LogError>>, LogError> {
        let turn = self.readings.clone().try_acquire_owned();
        let turn = turn.map_err(|_| LogError::Busy)?;
        let log = self.of(app);
        let mut log = log.lock();
        self.report_dropped(app, &mut log);
        let picture = self.picture(app, &log);
        drop(log);
        let reading = Reading::Begin(picture, turn);
        let batches = futures::stream::unfold(reading, |reading| async {
            let next = blocking(move || reading.batch()).await;
            match next {
                Ok(Some((batch, rest))) => Some((Ok(batch), rest)),
                Ok(None) => None,
                Err(error) => Some((Err(error), Reading::Over)),
            }
        });
        Ok(batches.boxed())
    }

    fn follow(&self, app: &AppId, filter: LogFilter) -> BoxStream<'static, Followed> {
        let log = self.of(app);
        let lines = log.lock().follow();
        let follower = Follower {
            lines: Some(lines),
            log,
        };
        let seen = futures::stream::unfold(follower, move |mut follower| {
            let filter = filter.clone();
            async move {
                let next = follower.next(&filter).await?;
                Some((next, follower))
            }
        });
        seen.boxed()
    }
}

impl AppLogs {
    fn picture(&self, app: &AppId, log: &super::Log) -> Picture {
        Picture {
            // Asked for under the lock: what the files then have is what the memory has.
            files: self.files.ask(app),
            memory: log.own(),
        }
    }
}

/// A listener, who is forgotten when it goes.
struct Follower {
    lines: Option<broadcast::Receiver<Arc<LogLine>>>,
    log: Arc<Mutex<super::Log>>,
}

impl Follower {
    async fn next(&mut self, filter: &LogFilter) -> Option<Followed> {
        let lines = self.lines.as_mut()?;
        loop {
            match lines.recv().await {
                Ok(line) if filter.matches(&line) => return Some(Followed::Line(line)),
                Ok(_) => {}
                Err(broadcast::error::RecvError::Lagged(count)) => {
                    return Some(Followed::Dropped(count));
                }
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.lines = None;
        self.log.lock().unfollow();
    }
}

/// A whole log that is being read.
enum Reading {
    Begin(Picture, OwnedSemaphorePermit),
    On(Lines, OwnedSemaphorePermit),
    Over,
}

impl Reading {
    fn batch(self) -> Result<Option<(Vec<LogLine>, Self)>, LogError> {
        let (mut lines, turn) = match self {
            Self::Begin(picture, turn) => (Lines::of(picture), turn),
            Self::On(lines, turn) => (lines, turn),
            Self::Over => return Ok(None),
        };
        let (mut batch, mut bytes) = (Vec::new(), 0);
        while bytes < BATCH_BYTES
            && let Some(line) = lines.next()
        {
            let line = line.map_err(unreadable)?;
            bytes += line.bytes() + 64;
            batch.push(line);
        }
        if batch.is_empty() {
            return Ok(None);
        }
        Ok(Some((batch, Self::On(lines, turn))))
    }
}

/// All lines of a picture, oldest first. It blocks.
struct Lines {
    files: VecDeque<BufReader<Take<File>>>,
    /// Lines in memory that have not come yet.
    memory: VecDeque<LogLine>,
    /// The earliest time in memory: older lines of files are not looked for there.
    since: i64,
    /// Lines that come before any other.
    ready: VecDeque<LogLine>,
}

impl Lines {
    fn of(picture: Picture) -> Self {
        // If the writer does not answer, the disk hangs: what is in memory is there.
        let kept = picture.files.recv_timeout(PATIENCE).unwrap_or_default();
        let files = kept.into_iter().flatten();
        let since = picture.memory.iter().map(|line| line.time).min();
        Self {
            files: files
                .map(|kept| BufReader::new(kept.file.take(kept.length)))
                .collect(),
            memory: picture.memory.into(),
            since: since.unwrap_or(i64::MAX),
            ready: VecDeque::new(),
        }
    }

    /// The next line of the files.
    fn written(&mut self) -> io::Result<Option<LogLine>> {
        let mut record = Vec::new();
        while let Some(file) = self.files.front_mut() {
            record.clear();
            let length = file
                .by_ref()
                .take(RECORD_BYTES)
                .read_until(b'\n', &mut record)?;
            if length == 0 {
                self.files.pop_front();
            } else if let Ok(line) = serde_json::from_slice(&record) {
                return Ok(Some(line));
            }
        }
        Ok(None)
    }

    /// Puts a line of the files in its place among those of the memory.
    fn place(&mut self, line: LogLine) {
        if line.time >= self.since
            && let Some(place) = self.memory.iter().position(|known| *known == line)
        {
            // Those before it are not in the files.
            self.ready.extend(self.memory.drain(..place));
            self.memory.pop_front();
        }
        self.ready.push_back(line);
    }
}

impl Iterator for Lines {
    type Item = io::Result<LogLine>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ready.is_empty() {
            match self.written() {
                Ok(Some(line)) => self.place(line),
                Ok(None) => return self.memory.pop_front().map(Ok),
                Err(error) => return Some(Err(error)),
            }
        }
        self.ready.pop_front().map(Ok)
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, LogError> + Send + 'static,
) -> Result<T, LogError> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(LogError::File(error.to_string())))
}

fn unreadable(error: io::Error) -> LogError {
    LogError::File(error.to_string())
}

#[cfg(test)]
mod tests;
