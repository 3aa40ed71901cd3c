//! `wasi:logging`: lines of the app's log, with a level.

use super::View;
use super::sync::wasi::logging::logging as wit;
use lodge_model::{LogLevel, LogSource};
use wasmtime::Result;

/// A longer line is cut, in bytes.
const LINE_BYTES: usize = 8 << 10;

impl wit::Host for View<'_> {
    fn log(&mut self, level: wit::Level, context: String, message: String) -> Result<()> {
        let level = match level {
            wit::Level::Trace | wit::Level::Debug => LogLevel::Debug,
            wit::Level::Info => LogLevel::Info,
            wit::Level::Warn => LogLevel::Warn,
            wit::Level::Error | wit::Level::Critical => LogLevel::Error,
        };
        let mut line = match context.as_str() {
            "" => message,
            _ => format!("{context}: {message}"),
        };
        line.truncate(line.floor_char_boundary(LINE_BYTES));
        self.log.write(LogSource::App, level, line);
        Ok(())
    }
}
