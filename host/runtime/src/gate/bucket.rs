//! A hard cap: CPU that a lane has in hand, refilled by time.

use std::time::{Duration, Instant};

/// The bucket of a capped lane holds this much time of its cores.
const BUCKET: Duration = Duration::from_millis(100);

/// An empty one opens again when it has gained what this time brings: a guest that went on with each drop would cost the
/// host more by its waking than it may use.
const REOPENS: Duration = Duration::from_millis(25);

/// What a capped lane may use.
pub(super) struct Bucket {
    /// Nanoseconds of CPU gained a second.
    rate: u64,
    /// Nanoseconds of CPU in hand; negative when overdrawn.
    tokens: i64,
    refilled: Instant,
    /// How long it was empty, all told, as often as somebody asked; without the present time.
    pub(super) empty: Duration,
    /// Empty, and closed, since then.
    empty_since: Option<Instant>,
}

impl Bucket {
    pub(super) fn new(cores: f64) -> Self {
        let rate = Duration::from_secs(1).mul_f64(cores.max(0.001));
        let mut bucket = Self {
            rate: u64::try_from(rate.as_nanos()).unwrap_or(u64::MAX),
            tokens: 0,
            refilled: Instant::now(),
            empty: Duration::ZERO,
            empty_since: None,
        };
        bucket.tokens = bucket.capacity();
        bucket
    }

    /// What 100 ms of the lane's cores come to, in nanoseconds.
    fn capacity(&self) -> i64 {
        self.gain(BUCKET)
    }

    /// What it gains in `time`, in nanoseconds.
    fn gain(&self, time: Duration) -> i64 {
        let gained = u128::from(self.rate) * time.as_nanos() / 1_000_000_000;
        i64::try_from(gained).unwrap_or(i64::MAX)
    }

    pub(super) fn has_tokens(&mut self) -> bool {
        self.refill(Instant::now());
        self.empty_since.is_none()
    }

    fn refill(&mut self, now: Instant) {
        let elapsed = now.saturating_duration_since(self.refilled);
        let gained = self.gain(elapsed);
        // Small gains stay in the clock, so that rounding loses nothing.
        if gained > 1_000 {
            self.refilled += elapsed;
            self.tokens = self.tokens.saturating_add(gained).min(self.capacity());
        }
        if self.tokens >= self.gain(REOPENS)
            && let Some(since) = self.empty_since.take()
        {
            self.empty += now.saturating_duration_since(since);
        }
    }

    /// How long it gains until it opens, if nobody takes anything: at least some microseconds.
    pub(super) fn opens_in(&self) -> Duration {
        let missing = self.gain(REOPENS).saturating_sub(self.tokens).max(0);
        let missing = u128::from(missing.unsigned_abs()) * 1_000_000_000 / u128::from(self.rate);
        let needed = Duration::from_nanos(u64::try_from(missing).unwrap_or(u64::MAX));
        needed.saturating_sub(self.refilled.elapsed()) + Duration::from_micros(10)
    }

    /// Takes what was used; more than it has is owed.
    pub(super) fn take(&mut self, nanos: u64) {
        self.tokens = self.tokens.saturating_sub_unsigned(nanos);
        if self.tokens <= 0 {
            let now = Instant::now();
            self.refill(now);
            if self.tokens <= 0 {
                self.empty_since.get_or_insert(now);
            }
        }
    }

    /// How long it was empty, the present time included.
    pub(super) fn empty_so_far(&self) -> Duration {
        self.empty
            + self
                .empty_since
                .map_or(Duration::ZERO, |since| since.elapsed())
    }
}
