//! A guest's standard output and error, as lines of its app's log.
//!
//! Writing never waits and never fails: the log's sink bounds what it keeps and counts what it
//! drops, so a guest that floods its log slows only itself.

use crate::guest::Owner;
use bytes::Bytes;
use lodge_model::{LOG_LINE_BYTES, LogLevel, LogLine, LogSource, RequestId};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

/// Bytes a guest may write at once.
const WRITE_BYTES: usize = 64 << 10;

/// An instance's part of its app's log.
pub(crate) struct GuestLog {
    owner: Owner,
    /// The request that lines belong to.
    request: AtomicU64,
    /// The host has warned in it.
    warned: AtomicBool,
}

impl GuestLog {
    pub(crate) fn new(owner: Owner) -> Self {
        Self {
            owner,
            request: AtomicU64::new(0),
            warned: AtomicBool::new(false),
        }
    }

    /// A warning of the host's: the first of an instance, since a guest may cause many.
    pub(crate) fn warn(&self, message: &str) {
        if !self.warned.swap(true, Relaxed) {
            let line = self.line(LogSource::Host, LogLevel::Warn, message.to_owned());
            self.owner.log.write(&self.owner.app, line);
        }
    }

    pub(crate) fn begin_request(&self, id: RequestId) {
        self.request.store(id.0, Relaxed);
    }

    /// A line of the guest's: a JSON object's text and fields, or the text that it is. The context, if there
    /// is one, comes before the text.
    pub(crate) fn say(&self, source: LogSource, level: LogLevel, context: &str, message: String) {
        let mut line = self.line(source, level, message).structured();
        line.message = match (context, line.message.as_str()) {
            ("", _) => line.message,
            (context, "") => context.to_owned(),
            (context, message) => format!("{context}: {message}"),
        };
        self.owner.log.write(&self.owner.app, line);
    }

    fn line(&self, source: LogSource, level: LogLevel, message: String) -> LogLine {
        let request = self.request.load(Relaxed);
        LogLine {
            time: now_ms(),
            level,
            source,
            message,
            fields: None,
            request: (request != 0).then(|| RequestId(request).to_string()),
        }
    }
}

/// Where one of an instance's two outputs goes.
#[derive(Clone)]
pub(crate) struct GuestOutput {
    log: Arc<GuestLog>,
    source: LogSource,
}

impl GuestOutput {
    pub(crate) fn new(log: Arc<GuestLog>, source: LogSource) -> Self {
        Self { log, source }
    }

    fn lines(&self) -> Lines {
        Lines {
            output: self.clone(),
            partial: Vec::new(),
        }
    }

    fn write_line(&self, line: &[u8]) {
        let level = match self.source {
            LogSource::Stderr => LogLevel::Warn,
            _ => LogLevel::Info,
        };
        let message = String::from_utf8_lossy(line).into_owned();
        self.log.say(self.source, level, "", message);
    }
}

/// Milliseconds since 1970.
pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

impl IsTerminal for GuestOutput {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for GuestOutput {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.lines())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.lines())
    }
}

/// Cuts what is written into lines; what is left when it is dropped is a line too.
struct Lines {
    output: GuestOutput,
    partial: Vec<u8>,
}

impl Lines {
    fn take(&mut self, bytes: &[u8]) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (text, ends) = match piece.strip_suffix(b"\n") {
                Some(text) => (text, true),
                None => (piece, false),
            };
            // A line that is too long is cut into pieces.
            for chunk in text.chunks(LOG_LINE_BYTES) {
                if self.partial.len() + chunk.len() > LOG_LINE_BYTES {
                    self.end_line();
                }
                self.partial.extend_from_slice(chunk);
            }
            if ends {
                self.end_line();
            }
        }
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.partial);
        self.output.write_line(&line);
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        if !self.partial.is_empty() {
            self.end_line();
        }
    }
}

#[async_trait::async_trait]
impl Pollable for Lines {
    async fn ready(&mut self) {}
}

impl OutputStream for Lines {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.take(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(WRITE_BYTES)
    }
}

impl AsyncWrite for Lines {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let taken = bytes.get(..WRITE_BYTES).unwrap_or(bytes);
        self.take(taken);
        Poll::Ready(Ok(taken.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
