//! `wasi:logging`: lines of the app's log, with a level.

use super::View;
use super::sync::wasi::logging::logging as wit;
use lodge_model::{LogLevel, LogSource};
use wasmtime::Result;

impl wit::Host for View<'_> {
    fn log(&mut self, level: wit::Level, context: String, message: String) -> Result<()> {
        let level = match level {
            wit::Level::Trace | wit::Level::Debug => LogLevel::Debug,
            wit::Level::Info => LogLevel::Info,
            wit::Level::Warn => LogLevel::Warn,
            wit::Level::Error | wit::Level::Critical => LogLevel::Error,
        };
        self.log.say(LogSource::App, level, &context, message);
        Ok(())
    }
}
