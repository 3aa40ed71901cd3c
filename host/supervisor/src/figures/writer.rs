//! Writes minutes that ended, merges closed steps into coarser ones, and removes what is old.
//!
//! A coarser row is computed from all finer rows of its step, which are removed a whole coarser step
//! at a time and only after it: so computing it again gives the same, and whatever a crash left out is
//! found at the next start as steps with finer rows and no coarser one. Minute rows alone are added to
//! what is there, since two processes may each have had a part of one minute.

use super::history::{DAY, HOUR, MINUTE, TEN_MINUTES, floor};
use crate::supervisor::Supervisor;
use lodge_db::history::{self, HistoryRow};
use lodge_db::{Database, Error};
use std::collections::{BTreeSet, HashMap};

/// How long rows of each length of step are kept, in milliseconds, and the length of the steps that
/// they are merged into.
const KEPT: [(i64, i64, i64); 3] = [
    (MINUTE, 2 * HOUR, TEN_MINUTES),
    (TEN_MINUTES, 2 * DAY, HOUR),
    (HOUR, 8 * DAY, HOUR),
];

/// What is to be done once its time has come.
#[derive(Default)]
pub(crate) struct Due {
    /// True: what an earlier process left has been looked for.
    caught_up: bool,
    /// Starts of ten-minute steps to be computed once they are closed.
    tens: BTreeSet<i64>,
    /// Starts of hours to be computed once they are closed.
    hours: BTreeSet<i64>,
    /// The ten-minute step in which old rows were last removed.
    pruned: i64,
}

impl Supervisor {
    /// Writes what is pending and merges what is closed, as of `now`. What fails is tried again next
    /// time.
    pub(super) async fn write_history(&self, now: i64) -> Result<(), Error> {
        if !self.leads() {
            self.figures.state.lock().pending.clear();
            return Ok(());
        }
        let mut due = self.figures.due.write().await;
        if !due.caught_up {
            due.catch_up(&self.db).await?;
        }
        let rows = self.figures.state.lock().pending.clone();
        if !rows.is_empty() {
            write_minutes(&self.db, &rows).await?;
            // Others may have been added behind them meanwhile.
            self.figures.state.lock().pending.drain(..rows.len());
            due.tens
                .extend(rows.iter().map(|row| floor(row.time, TEN_MINUTES)));
        }
        due.merge_closed(&self.db, now).await?;
        due.prune(&self.db, now).await
    }
}

impl Due {
    /// Finds the steps that an earlier process did not come to merge.
    async fn catch_up(&mut self, db: &Database) -> Result<(), Error> {
        let newest = history::newest(db, TEN_MINUTES).await?.unwrap_or(i64::MIN);
        self.tens
            .extend(history::starts(db, MINUTE, TEN_MINUTES, newest).await?);
        let newest = history::newest(db, HOUR).await?.unwrap_or(i64::MIN);
        self.hours
            .extend(history::starts(db, TEN_MINUTES, HOUR, newest).await?);
        self.caught_up = true;
        Ok(())
    }

    async fn merge_closed(&mut self, db: &Database, now: i64) -> Result<(), Error> {
        while let Some(start) = closed(&self.tens, TEN_MINUTES, now) {
            merge(db, MINUTE, TEN_MINUTES, start).await?;
            self.tens.remove(&start);
            self.hours.insert(floor(start, HOUR));
        }
        while let Some(start) = closed(&self.hours, HOUR, now) {
            merge(db, TEN_MINUTES, HOUR, start).await?;
            self.hours.remove(&start);
        }
        Ok(())
    }

    async fn prune(&mut self, db: &Database, now: i64) -> Result<(), Error> {
        let step = floor(now, TEN_MINUTES);
        if self.pruned == step {
            return Ok(());
        }
        let mut tx = db.begin().await?;
        for (length, kept, coarser) in KEPT {
            // Whole coarser steps: half of one would be merged to half of what it was.
            history::prune(&mut tx, length, floor(now - kept, coarser)).await?;
        }
        tx.commit().await?;
        self.pruned = step;
        Ok(())
    }
}

/// The first of the steps that has ended.
fn closed(steps: &BTreeSet<i64>, length: i64, now: i64) -> Option<i64> {
    let first = *steps.first()?;
    (first + length <= now).then_some(first)
}

async fn write_minutes(db: &Database, rows: &[HistoryRow]) -> Result<(), Error> {
    let mut tx = db.begin().await?;
    let times: BTreeSet<i64> = rows.iter().map(|row| row.time).collect();
    for time in times {
        let there = history::merged(&mut tx, MINUTE, time..time + 1).await?;
        let mut there: HashMap<_, _> = there.into_iter().collect();
        let of_minute = rows.iter().filter(|row| row.time == time);
        let summed: Vec<HistoryRow> = of_minute
            .map(|row| {
                let mut row = row.clone();
                if let Some(earlier) = there.remove(&row.app) {
                    row.tally.add(&earlier);
                }
                row
            })
            .collect();
        history::put(&mut tx, db.dialect(), &summed).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Computes the step of length `coarse` at `start` from its rows of length `fine`.
async fn merge(db: &Database, fine: i64, coarse: i64, start: i64) -> Result<(), Error> {
    let mut tx = db.begin().await?;
    let merged = history::merged(&mut tx, fine, start..start + coarse).await?;
    let rows: Vec<HistoryRow> = merged
        .into_iter()
        .map(|(app, tally)| HistoryRow {
            app,
            step: coarse,
            time: start,
            tally,
        })
        .collect();
    history::put(&mut tx, db.dialect(), &rows).await?;
    tx.commit().await?;
    Ok(())
}
