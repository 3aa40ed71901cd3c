//! An app's figures over an hour, a day or a week, out of what is kept and what is in memory.
//!
//! A closed step is the row that was merged for it; one that has none yet, as the running one, is the
//! sum of its finer rows, down to the running minute that is in memory only.

use crate::Error;
use crate::supervisor::Supervisor;
use lodge_db::history::HistoryRow;
use lodge_model::{AppId, Latency, Tally};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// The lengths of steps, in milliseconds.
pub(crate) const MINUTE: i64 = 60_000;
pub(crate) const TEN_MINUTES: i64 = 10 * MINUTE;
pub(crate) const HOUR: i64 = 60 * MINUTE;
pub(crate) const DAY: i64 = 24 * HOUR;

/// The start of the step of length `step` that `time` is in.
pub(crate) fn floor(time: i64, step: i64) -> i64 {
    time.saturating_sub(time.rem_euclid(step))
}

/// How far back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum HistoryRange {
    /// The last hour, a point a minute.
    #[default]
    Hour,
    /// The last day, a point every ten minutes.
    Day,
    /// The last week, a point an hour.
    Week,
}

impl HistoryRange {
    /// The length of a step and of the whole, in milliseconds.
    fn lengths(self) -> (i64, i64) {
        match self {
            Self::Hour => (MINUTE, HOUR),
            Self::Day => (TEN_MINUTES, DAY),
            Self::Week => (HOUR, 7 * DAY),
        }
    }
}

/// An app's figures over time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StatsHistory {
    /// How far back.
    pub range: HistoryRange,
    /// The length of a step, in milliseconds.
    pub step_ms: i64,
    /// The start of the first step, in milliseconds since 1970.
    pub from: i64,
    /// Until when: now, in milliseconds since 1970. The last step is running.
    pub to: i64,
    /// The steps in which something happened, by time.
    pub points: Vec<StatsPoint>,
}

/// What happened in one step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StatsPoint {
    /// The step's start, in milliseconds since 1970.
    pub time: i64,
    /// Requests that the app answered.
    pub answered: u64,
    /// Of those, with a status of 500 or more.
    pub server_errors: u64,
    /// Requests whose visitor went away first.
    pub cancelled: u64,
    /// Requests refused before they reached a guest.
    pub refused: u64,
    /// Requests that met their deadline.
    pub timed_out: u64,
    /// Requests whose guest trapped or gave no answer.
    pub trapped: u64,
    /// Requests that met a memory limit.
    pub out_of_memory: u64,
    /// Requests that met the CPU limit.
    pub cpu_limited: u64,
    /// CPU time used, in milliseconds.
    pub cpu_ms: u64,
    /// Time its guests were ready and waited for a turn, in milliseconds.
    pub throttled_ms: u64,
    /// The highest charged memory seen, in bytes.
    pub memory_bytes: u64,
    /// The most requests seen being served.
    pub in_flight: u64,
    /// The most requests seen waiting.
    pub queued: u64,
    /// The most instances seen.
    pub instances: u64,
    /// How long requests took; null: no answer began.
    #[schema(required)]
    pub latency: Option<Latency>,
}

impl StatsPoint {
    fn new(time: i64, tally: &Tally) -> Self {
        Self {
            time,
            answered: tally.answered,
            server_errors: tally.server_errors,
            cancelled: tally.cancelled,
            refused: tally.refused,
            timed_out: tally.timed_out,
            trapped: tally.trapped,
            out_of_memory: tally.out_of_memory,
            cpu_limited: tally.cpu_limited,
            cpu_ms: tally.cpu_nanos / 1_000_000,
            throttled_ms: tally.throttled_nanos / 1_000_000,
            memory_bytes: tally.memory_bytes,
            in_flight: tally.in_flight,
            queued: tally.queued,
            instances: tally.instances,
            latency: tally.latencies.summary(),
        }
    }
}

impl Supervisor {
    /// An app's figures over time, as of `now` (milliseconds since 1970).
    ///
    /// # Errors
    /// There is no such app, or the database failed.
    pub async fn stats_history(
        &self,
        id: &AppId,
        range: HistoryRange,
        now: i64,
    ) -> Result<StatsHistory, Error> {
        let cell = self.index.require(id)?;
        let (step, length) = range.lengths();
        let from = floor(now, step) - length + step;
        let (kept, fresh) = {
            let _still = self.figures.due.read().await;
            let fresh = {
                let state = self.figures.state.lock();
                let of_app = state.pending.iter().filter(|row| row.app == *id);
                let mut fresh: Vec<_> = of_app.cloned().collect();
                fresh.push(HistoryRow {
                    app: id.clone(),
                    step: MINUTE,
                    time: state.minute.unwrap_or_else(|| floor(now, MINUTE)),
                    tally: cell.track.minute(&cell.meter),
                });
                fresh
            };
            (
                lodge_db::history::of_app(&self.db, id, step, from).await?,
                fresh,
            )
        };
        let points = steps(kept.into_iter().chain(fresh), step)
            .into_iter()
            .filter(|(time, tally)| *time >= from && tally.is_eventful())
            .map(|(time, tally)| StatsPoint::new(time, &tally));
        Ok(StatsHistory {
            range,
            step_ms: step,
            from,
            to: now,
            points: points.collect(),
        })
    }
}

/// The steps of length `step`, by their starts.
fn steps(rows: impl Iterator<Item = HistoryRow>, step: i64) -> BTreeMap<i64, Tally> {
    let mut found: BTreeMap<i64, BTreeMap<i64, Tally>> = BTreeMap::new();
    for row in rows {
        let steps = found.entry(row.step).or_default();
        steps.entry(row.time).or_default().add(&row.tally);
    }
    let mut finer = BTreeMap::new();
    for coarse in [MINUTE, TEN_MINUTES, HOUR] {
        let closed = found.remove(&coarse).unwrap_or_default();
        let mut all = closed.clone();
        for (time, tally) in &finer {
            let start = floor(*time, coarse);
            if !closed.contains_key(&start) {
                all.entry(start).or_default().add(tally);
            }
        }
        if coarse == step {
            return all;
        }
        finer = all;
    }
    finer
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(step: i64, time: i64, answered: u64) -> HistoryRow {
        HistoryRow {
            app: "shop".parse().unwrap(),
            step,
            time,
            tally: Tally {
                answered,
                ..Tally::default()
            },
        }
    }

    fn answered(rows: &[HistoryRow], step: i64) -> Vec<(i64, u64)> {
        let steps = steps(rows.iter().cloned(), step);
        steps
            .iter()
            .map(|(t, tally)| (*t, tally.answered))
            .collect()
    }

    #[test]
    fn running_steps_are_the_sum_of_their_parts() {
        let rows = [
            row(HOUR, 0, 1000),
            row(TEN_MINUTES, 0, 999), // merged into the hour already
            row(TEN_MINUTES, HOUR, 10),
            row(MINUTE, HOUR, 9), // merged already
            row(MINUTE, HOUR + TEN_MINUTES, 1),
            row(MINUTE, HOUR + TEN_MINUTES, 2), // the same minute, from memory
            row(MINUTE, HOUR + TEN_MINUTES + MINUTE, 4),
        ];
        assert_eq!(answered(&rows, HOUR), [(0, 1000), (HOUR, 17)]);
        assert_eq!(
            answered(&rows, TEN_MINUTES),
            [(0, 999), (HOUR, 10), (HOUR + TEN_MINUTES, 7)]
        );
        assert_eq!(answered(&rows, MINUTE).len(), 3);
    }

    #[test]
    fn floors_are_starts_of_steps() {
        assert_eq!(floor(HOUR + 1, HOUR), HOUR);
        assert_eq!(floor(-1, MINUTE), -MINUTE);
    }
}
