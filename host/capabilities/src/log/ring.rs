//! One app's log in memory: its newest lines, and how much its guests may still say.

use lodge_model::{LogFilter, LogLevel, LogLine, LogSource};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::broadcast;

/// An app's lines in memory, in bytes.
pub(super) const RING_BYTES: usize = 128 * 1024;

/// Lines that wait for one who follows the log, at most; of an app that is followed.
pub(super) const FOLLOWED_LINES: usize = 256;

/// What a line takes beside its text, roughly.
const LINE_OVERHEAD: usize = 96;

/// Lines and rate of one app. Empty, it has allocated nothing.
pub(super) struct Log {
    lines: VecDeque<LogLine>,
    bytes: usize,
    /// How many of the lines, the newest ones, this process wrote.
    own: usize,
    /// To those who follow the log; none while nobody does.
    live: Option<broadcast::Sender<Arc<LogLine>>>,
    /// Whether the lines of an earlier process were looked for.
    pub(super) reloaded: bool,
    /// Bytes a second for lines of guests.
    rate: u64,
    /// Bytes that guests may write now; below zero after a line that was larger than what was left.
    allowance: i64,
    counted_at: Option<Instant>,
    /// Lines of guests dropped since the last report.
    dropped: u64,
}

impl Default for Log {
    fn default() -> Self {
        let rate = lodge_model::Limits::default().log_bytes_per_second;
        Self {
            lines: VecDeque::new(),
            bytes: 0,
            own: 0,
            live: None,
            reloaded: false,
            rate,
            allowance: 0,
            counted_at: None,
            dropped: 0,
        }
    }
}

impl Log {
    pub(super) fn set_rate(&mut self, rate: u64, now: Instant) {
        self.count(now);
        self.rate = rate;
        self.allowance = self.allowance.min(clamped(rate));
    }

    /// Whether a line may be logged. The host's own always may; a guest's if there is allowance
    /// left, of which a second's worth can be saved up.
    pub(super) fn admits(&mut self, line: &LogLine, now: Instant) -> bool {
        if line.source == LogSource::Host {
            return true;
        }
        self.count(now);
        if self.allowance <= 0 {
            self.dropped += 1;
            return false;
        }
        self.allowance -= clamped(size(line) as u64);
        true
    }

    fn count(&mut self, now: Instant) {
        let full = clamped(self.rate);
        let Some(before) = self.counted_at.replace(now) else {
            self.allowance = full;
            return;
        };
        let micros = u64::try_from((now - before).as_micros()).unwrap_or(u64::MAX);
        let earned = self.rate.saturating_mul(micros) / 1_000_000;
        if earned == 0 {
            // Too little time for a byte: let it add up.
            self.counted_at = Some(before);
        }
        self.allowance = self.allowance.saturating_add(clamped(earned)).min(full);
    }

    /// A line that says how many were dropped, if any were.
    pub(super) fn report_dropped(&mut self, time: i64) -> Option<LogLine> {
        let dropped = std::mem::take(&mut self.dropped);
        (dropped > 0).then(|| LogLine {
            time,
            level: LogLevel::Warn,
            source: LogSource::Host,
            message: format!(
                "{dropped} lines dropped: the app logs more than its limit of {} bytes a second \
                 (log_bytes_per_second)",
                self.rate
            ),
            fields: None,
            request: None,
        })
    }

    /// Adds the newest line; the oldest make room.
    pub(super) fn put(&mut self, line: LogLine) {
        if let Some(live) = &self.live {
            // An error only says that whoever followed is going.
            let _ = live.send(Arc::new(line.clone()));
        }
        self.bytes += size(&line);
        self.lines.push_back(line);
        self.own += 1;
        while self.bytes > RING_BYTES
            && let Some(oldest) = self.lines.pop_front()
        {
            self.bytes -= size(&oldest);
        }
        self.own = self.own.min(self.lines.len());
    }

    /// The lines from now on.
    pub(super) fn follow(&mut self) -> broadcast::Receiver<Arc<LogLine>> {
        let new = || broadcast::channel(FOLLOWED_LINES).0;
        self.live.get_or_insert_with(new).subscribe()
    }

    /// Somebody follows no more: what they were told through goes with the last.
    pub(super) fn unfollow(&mut self) {
        self.live.take_if(|live| live.receiver_count() == 0);
    }

    /// Whether somebody follows.
    #[cfg(test)]
    pub(super) fn is_followed(&self) -> bool {
        self.live.is_some()
    }

    /// The log is removed: whoever follows it is told by the end.
    pub(super) fn close(&mut self) {
        self.live = None;
    }

    /// The lines that this process wrote, as far as they are still here, oldest first.
    pub(super) fn own(&self) -> Vec<LogLine> {
        let begin = self.lines.len().saturating_sub(self.own);
        self.lines.range(begin..).cloned().collect()
    }

    /// The newest `limit` lines that are let through, oldest first; nothing if there are not as many
    /// here, and so perhaps older ones elsewhere.
    pub(super) fn newest_matching(&self, filter: &LogFilter, limit: usize) -> Option<Vec<LogLine>> {
        let fitting = self.lines.iter().rev().filter(|line| filter.matches(line));
        let found: Vec<&LogLine> = fitting.take(limit).collect();
        (found.len() == limit).then(|| found.into_iter().rev().cloned().collect())
    }

    /// Adds lines older than all that are here, as far as there is room. They come oldest first.
    pub(super) fn put_before(&mut self, lines: impl DoubleEndedIterator<Item = LogLine>) {
        for line in lines.rev() {
            if self.bytes + size(&line) > RING_BYTES {
                return;
            }
            self.bytes += size(&line);
            self.lines.push_front(line);
        }
    }

    /// The newest lines, oldest first.
    pub(super) fn newest(&self, limit: usize, level: LogLevel) -> Vec<LogLine> {
        let fitting = self.lines.iter().rev().filter(|line| line.level >= level);
        let mut lines: Vec<LogLine> = fitting.take(limit).cloned().collect();
        lines.reverse();
        lines
    }
}

fn size(line: &LogLine) -> usize {
    LINE_OVERHEAD + line.bytes() + line.request.as_ref().map_or(0, String::len)
}

fn clamped(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}
