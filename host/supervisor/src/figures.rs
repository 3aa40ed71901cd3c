//! What apps use and how their requests end, over time: sampled from their meters, told to
//! administrators, and kept in the control database.
//!
//! A task looks at every meter each 5 s. An app that moved since has the difference put down, for a
//! minute in memory ([`track`]: rates, load, latency of now) and into its running minute. When a
//! minute ends, another task writes a row an app in which something happened ([`writer`]), and merges
//! closed steps into coarser ones; [`history`] reads them. The request path knows nothing of all
//! this: it only counts.
//!
//! What bounds it: one reading and thirteen small differences an app that was ever visited,
//! [`PENDING_ROWS`] while the database is away, and what [`writer`] prunes. What is lost: a crash
//! loses the running minute, a database that stays away longer than fits, what came then.
//! A minute's border is as sharp as a tick: what happened in the 5 s before it was looked at counts
//! to the minute before.

pub(crate) mod history;
pub(crate) mod machine;
pub(crate) mod track;
mod writer;

use crate::Error;
use crate::cell::Cell;
use crate::clock::now_ms;
use crate::supervisor::Supervisor;
use lodge_db::history::HistoryRow;
use lodge_model::{AppId, MeterSnapshot};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio::sync::{Notify, RwLock};
use tokio::time::MissedTickBehavior;
use track::TICKS;
use utoipa::ToSchema;

/// How often meters are looked at; [`Settings::sample_every`](crate::Settings) for tests.
pub(crate) const TICK: Duration = Duration::from_secs(5);
/// Ticks that make "the last 10 s".
const RECENT: u64 = 2;
/// Their length.
const RECENT_SECONDS: f64 = 10.0;
/// Rows that wait for a database that does not answer; what comes after them is lost.
const PENDING_ROWS: usize = 50_000;

/// What an app uses now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AppUsage {
    /// Which app.
    #[schema(value_type = String)]
    pub id: AppId,
    /// Requests that ended in the last minute.
    pub requests_per_minute: u64,
    /// Of those, failures of every kind but a visitor's going away, and answers of 500 or more.
    pub errors_per_minute: u64,
    /// Cores its guests used in the last 10 s.
    pub cpu_cores: f64,
    /// Share of the last 10 s that its guests were ready and waited for a turn, 0 to 1.
    pub throttled: f64,
    /// Memory charged now, in bytes.
    pub memory_bytes: u64,
    /// Requests being served now.
    pub in_flight: u64,
    /// Requests waiting now.
    pub queued: u64,
    /// Instances held now.
    pub instances: u64,
}

/// The sampler's own state.
#[derive(Default)]
pub(crate) struct Figures {
    /// Taken before an app's track, never after.
    state: Mutex<State>,
    /// What is to be merged. Held for writing while rows move from memory to the database, for
    /// reading while both are read: so nothing is seen twice or not at all.
    due: RwLock<writer::Due>,
    /// Rung when a minute ended.
    wake: Notify,
}

#[derive(Default)]
struct State {
    /// Ticks so far.
    tick: u64,
    /// The running minute's start, in milliseconds since 1970; none before the first tick.
    minute: Option<i64>,
    /// Rows of minutes that ended, to be written.
    pending: Vec<HistoryRow>,
}

impl Supervisor {
    /// What an app used, and how its requests ended, since the host started.
    ///
    /// # Errors
    /// There is no such app.
    pub fn stats(&self, id: &AppId) -> Result<MeterSnapshot, Error> {
        let cell = self.index.require(id)?;
        let mut stats = cell.meter.snapshot();
        let tick = self.figures.state.lock().tick;
        stats.latency = cell.track.latency(&cell.meter, tick);
        Ok(stats)
    }

    /// What every app uses now that was visited in the last minute, has an instance or is charged
    /// memory; by ID.
    pub fn usage(&self) -> Vec<AppUsage> {
        let tick = self.figures.state.lock().tick;
        let cells = self.index.all();
        cells
            .iter()
            .filter_map(|cell| usage_of(cell, tick))
            .collect()
    }

    /// Looks at every meter, as of `now` (milliseconds since 1970), and writes what a minute that
    /// ended has left: what two tasks do by themselves, for callers who keep their own time.
    ///
    /// # Errors
    /// The control database failed; what was not written is written next time.
    pub async fn sample(&self, now: i64) -> Result<(), lodge_db::Error> {
        if self.tick(now, false) {
            self.write_history(now).await?;
        }
        Ok(())
    }

    /// Cores that all guests together used in the last 10 s.
    pub(crate) fn cpu_load(&self) -> f64 {
        let tick = self.figures.state.lock().tick;
        let cells = self.index.all();
        let used = cells
            .iter()
            .map(|cell| cell.track.recent(tick, RECENT).cpu_nanos);
        cores(used.sum())
    }

    pub(crate) fn spawn_sampler(self: &Arc<Self>) {
        let this = Arc::clone(self);
        self.tasks.spawn(async move {
            let stop = this.stop.clone();
            stop.run_until_cancelled(this.keep_sampling()).await;
        });
        let this = Arc::clone(self);
        self.tasks.spawn(async move {
            // Not cut off within a write, whose end would not be known.
            let rung = || this.stop.run_until_cancelled(this.figures.wake.notified());
            while rung().await.is_some() {
                if let Err(error) = this.write_history(now_ms()).await {
                    tracing::warn!(%error, "cannot write apps' figures to the control database; trying again in a minute");
                }
            }
        });
    }

    /// Writes the running minute: the process ends.
    pub(crate) async fn finish_figures(&self) {
        let now = now_ms();
        self.tick(now, true);
        if let Err(error) = self.write_history(now).await {
            tracing::warn!(%error, "cannot write apps' last figures to the control database");
        }
    }

    async fn keep_sampling(&self) {
        let period = self.settings.sample_every;
        let mut ticks = tokio::time::interval_at(tokio::time::Instant::now() + period, period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.stop_what_crashes();
            if self.tick(now_ms(), false) {
                self.figures.wake.notify_one();
            }
        }
    }

    /// Looks at every meter. True: a minute has ended, or was ended since `ends` says so, and its
    /// rows wait to be written.
    fn tick(&self, now: i64, ends: bool) -> bool {
        let mut state = self.figures.state.lock();
        state.tick += 1;
        let tick = state.tick;
        let running = history::floor(now, history::MINUTE);
        let minute = *state.minute.get_or_insert(running);
        let ended = ends || minute != running;
        for cell in self.index.all() {
            cell.track.tick(&cell.meter, tick);
            if let Some(tally) = ended.then(|| cell.track.end_minute()).flatten()
                && state.pending.len() < PENDING_ROWS
            {
                state.pending.push(HistoryRow {
                    app: cell.id.clone(),
                    step: history::MINUTE,
                    time: minute,
                    tally,
                });
            }
        }
        state.minute = Some(running);
        ended
    }
}

fn usage_of(cell: &Cell, tick: u64) -> Option<AppUsage> {
    let meter = &cell.meter;
    let held = |value: &std::sync::atomic::AtomicI64| value.load(Relaxed).max(0).unsigned_abs();
    let (minute, recent) = (
        cell.track.recent(tick, TICKS),
        cell.track.recent(tick, RECENT),
    );
    let usage = AppUsage {
        id: cell.id.clone(),
        requests_per_minute: minute.requests(),
        errors_per_minute: minute.errors(),
        cpu_cores: cores(recent.cpu_nanos),
        throttled: cores(recent.throttled_nanos).min(1.0),
        memory_bytes: meter.memory_bytes.load(Relaxed),
        in_flight: held(&meter.in_flight),
        queued: held(&meter.queued),
        instances: held(&meter.instances),
    };
    let is_there = minute.is_eventful()
        || usage.memory_bytes > 0
        || usage.instances > 0
        || usage.in_flight > 0
        || usage.queued > 0;
    is_there.then_some(usage)
}

/// So many nanoseconds of the last 10 s, as cores.
fn cores(nanos: u64) -> f64 {
    Duration::from_nanos(nanos).as_secs_f64() / RECENT_SECONDS
}
