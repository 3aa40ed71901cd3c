//! A log in memory, of one app. The real one has its own tests.

use async_trait::async_trait;
use futures::StreamExt as _;
use futures::stream::{self, BoxStream};
use lodge_model::{
    AppId, Followed, LogError, LogFilter, LogLevel, LogLine, LogSink, LogSource, LogStore,
};
use parking_lot::Mutex;
use std::sync::Arc;
use tokio::sync::broadcast;
use tokio_stream::wrappers::BroadcastStream;
use tokio_stream::wrappers::errors::BroadcastStreamRecvError;

pub(in crate::tests) struct Lines {
    kept: Mutex<Vec<LogLine>>,
    live: Mutex<Option<broadcast::Sender<Arc<LogLine>>>>,
}

impl Default for Lines {
    fn default() -> Self {
        Self {
            kept: Mutex::default(),
            live: Mutex::new(Some(broadcast::channel(4).0)),
        }
    }
}

pub(in crate::tests) fn line(message: &str) -> LogLine {
    LogLine {
        time: 1,
        level: LogLevel::Info,
        source: LogSource::Stdout,
        message: message.into(),
        fields: None,
        request: None,
    }
}

impl Lines {
    pub(in crate::tests) fn add(&self, line: LogLine) {
        self.write(&"any".parse().unwrap(), line);
    }
}

impl LogSink for Lines {
    fn write(&self, _: &AppId, line: LogLine) {
        self.kept.lock().push(line.clone());
        if let Some(live) = &*self.live.lock() {
            let _ = live.send(Arc::new(line));
        }
    }

    fn set_rate(&self, _: &AppId, _: u64) {}

    fn tail(&self, _: &AppId, limit: usize, _: LogLevel) -> Vec<LogLine> {
        let kept = self.kept.lock();
        kept[kept.len().saturating_sub(limit)..].to_vec()
    }

    fn remove(&self, _: &AppId) {
        *self.live.lock() = None;
    }
}

#[async_trait]
impl LogStore for Lines {
    async fn search(
        &self,
        _: &AppId,
        filter: LogFilter,
        limit: usize,
    ) -> Result<Vec<LogLine>, LogError> {
        let mut found = self.kept.lock().clone();
        found.retain(|line| filter.matches(line));
        Ok(found.split_off(found.len().saturating_sub(limit)))
    }

    fn read(
        &self,
        _: &AppId,
    ) -> Result<BoxStream<'static, Result<Vec<LogLine>, LogError>>, LogError> {
        let kept = self.kept.lock().clone();
        Ok(stream::iter(kept).map(|line| Ok(vec![line])).boxed())
    }

    fn follow(&self, _: &AppId, filter: LogFilter) -> BoxStream<'static, Followed> {
        let lines = self.live.lock().as_ref().map(broadcast::Sender::subscribe);
        let Some(lines) = lines else {
            return stream::empty().boxed();
        };
        let seen = BroadcastStream::new(lines).filter_map(move |item| {
            let seen = match item {
                Ok(line) => filter.matches(&line).then_some(Followed::Line(line)),
                Err(BroadcastStreamRecvError::Lagged(n)) => Some(Followed::Dropped(n)),
            };
            async { seen }
        });
        seen.boxed()
    }
}
