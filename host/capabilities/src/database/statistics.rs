//! What an app's statements came to: how many, how many failed, and which were slow.
//!
//! Counted where a statement ends for the app, whatever the engine, also within transactions: its time
//! is wall time as the app saw it, with the wait for a connection, and for rows that come as they are
//! read up to the last of them (or to when the app gave up). A statement that nobody waited for to its
//! end failed. Begin, commit, rollback and migrations are no statements here.
//!
//! What bounds it: [`SLOW_KEPT`] slow ones an app, told apart by the first [`SQL_CHARACTERS`] characters
//! of their text; the one with the least time makes room. A fast statement costs two looks at the clock
//! and an addition, no lock. Statements are prepared, so that values are not in their texts unless an
//! app writes them there; errors are kept as codes, since a database's words may quote values.

use lodge_model::{SlowStatement, SqlError};
use parking_lot::Mutex;
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A statement is slow from here on.
pub(super) const SLOW: Duration = Duration::from_millis(100);
/// Slow statements that are kept of an app, and shown.
const SLOW_KEPT: usize = 100;
const SLOW_SHOWN: usize = 20;
/// As much of a statement as is kept, in characters.
const SQL_CHARACTERS: usize = 500;

/// One app's statements since the host started.
#[derive(Default)]
pub(super) struct Statistics {
    statements: AtomicU64,
    failed: AtomicU64,
    slow: Mutex<HashMap<Box<str>, Slow>>,
}

struct Slow {
    count: u64,
    total: Duration,
    max: Duration,
    last_at: i64,
    last_error: Option<String>,
}

impl Statistics {
    pub(super) fn counts(&self) -> (u64, u64) {
        (self.statements.load(Relaxed), self.failed.load(Relaxed))
    }

    /// The slowest in all, by the time that they took together.
    pub(super) fn slow(&self) -> Vec<SlowStatement> {
        let slow = self.slow.lock();
        let mut shown: Vec<_> = slow
            .iter()
            .map(|(sql, slow)| SlowStatement {
                sql: sql.to_string(),
                count: slow.count,
                total_ms: millis(slow.total),
                max_ms: millis(slow.max),
                last_at: slow.last_at,
                last_error: slow.last_error.clone(),
            })
            .collect();
        drop(slow);
        shown.sort_by(|a, b| b.total_ms.cmp(&a.total_ms).then_with(|| a.sql.cmp(&b.sql)));
        shown.truncate(SLOW_SHOWN);
        shown
    }

    fn ended(&self, sql: &str, took: Duration, failure: Option<String>) {
        let mut slow = self.slow.lock();
        let key = cut(sql);
        if !slow.contains_key(key) && slow.len() >= SLOW_KEPT {
            let least = slow.iter().min_by_key(|(_, slow)| slow.total);
            if let Some(least) = least.map(|(sql, _)| sql.clone()) {
                slow.remove(&least);
            }
        }
        let entry = slow.entry(key.into()).or_insert(Slow {
            count: 0,
            total: Duration::ZERO,
            max: Duration::ZERO,
            last_at: 0,
            last_error: None,
        });
        entry.count += 1;
        entry.total += took;
        entry.max = entry.max.max(took);
        entry.last_at = now_ms();
        if failure.is_some() {
            entry.last_error = failure;
        }
    }
}

/// A statement under way. Dropped before its end, it was given up.
pub(super) struct Timed<'a> {
    statistics: Arc<Statistics>,
    sql: Cow<'a, str>,
    begun: Instant,
    over: bool,
}

impl<'a> Timed<'a> {
    pub(super) fn begin(statistics: &Arc<Statistics>, sql: &'a str) -> Self {
        Self {
            statistics: statistics.clone(),
            sql: Cow::Borrowed(sql),
            begun: Instant::now(),
            over: false,
        }
    }

    /// One that outlives the call it began with: it keeps as much of its text as is kept anyway.
    pub(super) fn detached(mut self) -> Timed<'static> {
        Timed {
            statistics: self.statistics.clone(),
            sql: Cow::Owned(cut(&self.sql).to_owned()),
            begun: self.begun,
            over: std::mem::replace(&mut self.over, true),
        }
    }

    /// Its end.
    pub(super) fn end<T>(&mut self, done: &Result<T, SqlError>) {
        self.note(done.as_ref().err());
    }

    fn note(&mut self, error: Option<&SqlError>) {
        if !std::mem::replace(&mut self.over, true) {
            self.count(error.map(brief));
        }
    }

    fn count(&self, failure: Option<Cow<'static, str>>) {
        self.statistics.statements.fetch_add(1, Relaxed);
        if failure.is_some() {
            self.statistics.failed.fetch_add(1, Relaxed);
        }
        let took = self.begun.elapsed();
        if took >= SLOW {
            self.statistics
                .ended(&self.sql, took, failure.map(Cow::into_owned));
        }
    }
}

impl Drop for Timed<'_> {
    fn drop(&mut self) {
        if !self.over {
            self.count(Some("given up: nobody waited for it any more".into()));
        }
    }
}

/// Why a statement failed, without a word of the database's: it may quote values.
fn brief(error: &SqlError) -> Cow<'static, str> {
    let coded = |code: &str, what: &str| match code.is_empty() {
        true => what.to_owned(),
        false => format!("{code}: {what}"),
    };
    match error {
        SqlError::Constraint(broken) => {
            coded(&broken.error.code, "a constraint would be broken").into()
        }
        SqlError::Conflict(said) => coded(&said.code, "rolled back for another's sake").into(),
        SqlError::Database(said) => coded(&said.code, "the database refused it").into(),
        SqlError::NoSuchSource(_) => "no such data source".into(),
        SqlError::Refused(_) => "not allowed".into(),
        SqlError::LimitExceeded(_) => "a limit of the app's was met".into(),
        SqlError::TimedOut(_) => "it took too long and was ended".into(),
        SqlError::Unavailable(_) => "the database could not be reached".into(),
        SqlError::BadParameter(_) => "a parameter did not fit".into(),
        SqlError::Closed => "the transaction had ended".into(),
    }
}

fn cut(sql: &str) -> &str {
    match sql.char_indices().nth(SQL_CHARACTERS) {
        Some((end, _)) => sql.get(..end).unwrap_or(sql),
        None => sql,
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn now_ms() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use lodge_model::DatabaseError;

    fn slow(statistics: &Statistics, sql: &str, ms: u64) {
        statistics.ended(sql, Duration::from_millis(ms), None);
    }

    #[test]
    fn a_thousand_distinct_slow_ones_leave_the_slowest() {
        let statistics = Statistics::default();
        for _ in 0..50 {
            slow(&statistics, "often", 100);
        }
        for n in 0..1000 {
            slow(&statistics, &format!("SELECT {n}"), 100 + n);
        }
        assert_eq!(statistics.slow.lock().len(), SLOW_KEPT);
        let shown = statistics.slow();
        assert_eq!(shown.len(), SLOW_SHOWN);
        assert_eq!((shown[0].sql.as_str(), shown[0].count), ("often", 50));
        assert_eq!((shown[0].total_ms, shown[0].max_ms), (5000, 100));
        assert_eq!(shown[1].sql, "SELECT 999");
    }

    #[test]
    fn a_text_of_a_mebibyte_is_kept_short() {
        let statistics = Statistics::default();
        slow(&statistics, &"ä".repeat(1 << 19), 100);
        slow(&statistics, &"ä".repeat(1 << 18), 100);
        let shown = statistics.slow();
        assert_eq!(shown.len(), 1);
        assert_eq!(shown[0].sql.chars().count(), 500);
        assert_eq!(shown[0].count, 2);
    }

    #[test]
    fn failures_are_codes_without_the_databases_words() {
        let statistics = Arc::new(Statistics::default());
        let said = DatabaseError {
            code: "42P01".into(),
            message: "secret value".into(),
        };
        let failed: Result<(), _> = Err(SqlError::Database(said));
        let mut timed = Timed::begin(&statistics, "SELECT 1");
        timed.begun -= SLOW;
        timed.end(&failed);
        drop(timed);
        let mut fast = Timed::begin(&statistics, "SELECT 2");
        fast.end(&Ok(()));
        drop(fast);
        // Given up.
        drop(Timed::begin(&statistics, "SELECT 3").detached());
        assert_eq!(statistics.counts(), (3, 2));
        let shown = statistics.slow();
        assert_eq!(shown.len(), 1);
        assert_eq!(
            shown[0].last_error.as_deref(),
            Some("42P01: the database refused it")
        );
    }
}
