//! Apps' logs: what their guests print, and what the host has to say about them.
//!
//! The newest lines of an app are in memory, for the console; all of them go to a file, for
//! afterwards. Nobody who logs ever waits: one thread writes the files, behind a queue.
//!
//! What bounds it: a line has [`LOG_LINE_BYTES`], an app's memory [`ring::RING_BYTES`], its files twice
//! [`files::FILE_BYTES`], the queue [`files::QUEUE_BYTES`]; a guest has so many bytes a second as its
//! app's `log_bytes_per_second` says. What is beyond is dropped, counted, and told in one line of the
//! host's. An app that logs nothing costs a map entry.
//!
//! Reading ([`read`]) is bounded too: so many at once, in chunks, on blocking threads. Who follows a log
//! has a bounded backlog, which is there only while somebody does.
//!
//! How it fails: a disk that is full or broken loses lines of the files, not of the memory; the
//! process's own log says so, once a minute at most.

mod files;
mod read;
mod ring;

use files::Files;
use lodge_model::{AppId, LOG_LINE_BYTES, LogFields, LogLevel, LogLine, LogSink};
use parking_lot::{Mutex, RwLock};
use ring::Log;
use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::Semaphore;

/// Why apps' logs could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder.
    #[error("the folder of apps' logs, {path}, cannot be made: {source}")]
    Folder {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The thread that writes.
    #[error("the thread that writes apps' logs cannot be started: {0}")]
    Thread(io::Error),
}

/// Every app's log.
pub struct AppLogs {
    logs: RwLock<HashMap<AppId, Arc<Mutex<Log>>>>,
    files: Files,
    /// Searches at once, and whole logs that are read at once.
    searches: Arc<Semaphore>,
    readings: Arc<Semaphore>,
    /// When this process began, in milliseconds since 1970: older lines are in the files only.
    opened_at: i64,
}

impl AppLogs {
    /// Keeps logs in `folder`, which is made if needed, for its owner only.
    ///
    /// # Errors
    /// It cannot be made, or no thread be had.
    pub fn open(folder: &Path) -> Result<Arc<Self>, OpenError> {
        use std::os::unix::fs::DirBuilderExt;
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(|source| OpenError::Folder {
                path: folder.to_owned(),
                source,
            })?;
        let files = Files::open(folder).map_err(OpenError::Thread)?;
        Ok(Arc::new(Self {
            logs: RwLock::default(),
            files,
            searches: Arc::new(Semaphore::new(read::SEARCHES)),
            readings: Arc::new(Semaphore::new(read::READINGS)),
            opened_at: now_ms(),
        }))
    }

    /// Waits until what was logged so far is in the files; at most `patience`.
    pub fn flush(&self, patience: Duration) {
        self.files.flush(patience);
    }

    fn of(&self, app: &AppId) -> Arc<Mutex<Log>> {
        if let Some(log) = self.logs.read().get(app) {
            return log.clone();
        }
        self.logs.write().entry(app.clone()).or_default().clone()
    }

    /// Says how many lines were dropped, if that was not said yet.
    fn report_dropped(&self, app: &AppId, log: &mut Log) {
        if let Some(report) = log.report_dropped(now_ms()) {
            self.files.append(app, &report);
            log.put(report);
        }
    }

    /// Brings the newest lines of an earlier process back into memory.
    fn reload(&self, app: &AppId, log: &mut Log) {
        if !std::mem::replace(&mut log.reloaded, true) {
            let lines = self.files.newest(app, ring::RING_BYTES);
            log.put_before(lines.into_iter().filter(|line| line.time < self.opened_at));
        }
    }
}

impl LogSink for AppLogs {
    fn write(&self, app: &AppId, mut line: LogLine) {
        cut(&mut line);
        let log = self.of(app);
        let mut log = log.lock();
        let (now, time) = (Instant::now(), line.time);
        if !log.admits(&line, now) {
            return;
        }
        if let Some(report) = log.report_dropped(time) {
            self.files.append(app, &report);
            log.put(report);
        }
        self.files.append(app, &line);
        log.put(line);
    }

    fn set_rate(&self, app: &AppId, bytes_per_second: u64) {
        self.of(app)
            .lock()
            .set_rate(bytes_per_second, Instant::now());
    }

    fn tail(&self, app: &AppId, limit: usize, level: LogLevel) -> Vec<LogLine> {
        let log = self.of(app);
        let mut log = log.lock();
        self.reload(app, &mut log);
        self.report_dropped(app, &mut log);
        log.newest(limit, level)
    }

    fn remove(&self, app: &AppId) {
        let removed = self.logs.write().remove(app);
        if let Some(log) = removed {
            log.lock().close();
        }
        self.files.remove(app);
    }
}

/// Cuts the text of a line that is too long, at a character's border, and says so in it. Fields are a whole;
/// their bound is where they are made.
fn cut(line: &mut LogLine) {
    const MARK: &str = " … (cut)";
    if line.bytes() > LOG_LINE_BYTES {
        let fields = line.fields.as_ref().map_or(0, LogFields::bytes);
        let room = LOG_LINE_BYTES.saturating_sub(fields + MARK.len());
        let end = line.message.floor_char_boundary(room);
        line.message.truncate(end);
        line.message.push_str(MARK);
        // What was cut off would be held on to otherwise.
        line.message.shrink_to_fit();
    }
}

fn now_ms() -> i64 {
    let since_epoch = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
