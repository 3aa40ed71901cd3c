//! What happened to apps, in steps of time: a row an app and a step in which something happened.

use crate::text::{Reader, to_json};
use crate::{Database, Dialect, Error, Tx};
use futures::TryStreamExt as _;
use lodge_model::{AppId, Tally};
use sqlx::AssertSqlSafe;
use sqlx::any::AnyRow;
use std::fmt::Write as _;
use std::ops::Range;

/// Rows that one statement writes: four values each, far below what either dialect takes.
const CHUNK: usize = 200;

/// What happened to an app in one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryRow {
    /// To which app.
    pub app: AppId,
    /// The step's length, in milliseconds.
    pub step: i64,
    /// The step's start, in milliseconds since 1970.
    pub time: i64,
    /// What happened.
    pub tally: Tally,
}

/// An app's rows from `from` (milliseconds since 1970) on, of steps no longer than `longest`
/// (milliseconds), by time.
///
/// # Errors
/// The database failed.
pub async fn of_app(
    database: &Database,
    app: &AppId,
    longest: i64,
    from: i64,
) -> Result<Vec<HistoryRow>, Error> {
    let rows = sqlx::query(
        "SELECT * FROM app_history WHERE app = $1 AND step <= $2 AND time >= $3 ORDER BY time, step",
    )
    .bind(app.as_str())
    .bind(longest)
    .bind(from)
    .fetch_all(database.reader())
    .await?;
    Ok(rows.iter().filter_map(readable).collect())
}

/// What happened to each app in the steps of length `step` that start within `times`, all told.
///
/// # Errors
/// The database failed.
pub async fn merged(
    tx: &mut Tx,
    step: i64,
    times: Range<i64>,
) -> Result<Vec<(AppId, Tally)>, Error> {
    let mut rows = sqlx::query(
        "SELECT * FROM app_history WHERE step = $1 AND time >= $2 AND time < $3 ORDER BY app",
    )
    .bind(step)
    .bind(times.start)
    .bind(times.end)
    .fetch(&mut **tx);
    let mut all: Vec<(AppId, Tally)> = Vec::new();
    // One by one: of many apps, all the rows at once would be much.
    while let Some(row) = rows.try_next().await? {
        let Some(row) = readable(&row) else {
            continue;
        };
        match all.last_mut() {
            Some((app, tally)) if *app == row.app => tally.add(&row.tally),
            _ => all.push((row.app, row.tally)),
        }
    }
    Ok(all)
}

/// The start of the newest step of length `step`.
///
/// # Errors
/// The database failed.
pub async fn newest(database: &Database, step: i64) -> Result<Option<i64>, Error> {
    let row = sqlx::query("SELECT MAX(time) AS time FROM app_history WHERE step = $1")
        .bind(step)
        .fetch_one(database.reader())
        .await?;
    Reader::new("app_history", "time", &row).get("time")
}

/// The starts of the steps of length `coarse` in which, from `from` on, there are rows of `step`.
///
/// # Errors
/// The database failed.
pub async fn starts(
    database: &Database,
    step: i64,
    coarse: i64,
    from: i64,
) -> Result<Vec<i64>, Error> {
    let rows = sqlx::query(
        "SELECT DISTINCT time - time % CAST($3 AS BIGINT) AS start FROM app_history \
         WHERE step = $1 AND time >= $2 ORDER BY start",
    )
    .bind(step)
    .bind(from)
    .bind(coarse)
    .fetch_all(database.reader())
    .await?;
    rows.iter()
        .map(|row| Reader::new("app_history", "start", row).get("start"))
        .collect()
}

/// Writes rows, in place of those of the same app and step. Those of apps that are gone are left
/// out: a report may be late. On PostgreSQL an app that is just being removed is waited for.
///
/// # Errors
/// The database failed.
pub async fn put(tx: &mut Tx, dialect: Dialect, rows: &[HistoryRow]) -> Result<(), Error> {
    let kept = match dialect {
        // Its writers take turns.
        Dialect::Sqlite => "",
        Dialect::Postgres => "FOR KEY SHARE OF apps",
    };
    for chunk in rows.chunks(CHUNK) {
        let mut values = String::new();
        for at in 0..chunk.len() {
            let comma = if at == 0 { "" } else { ", " };
            let [a, b, c, d] = [1, 2, 3, 4].map(|n| at * 4 + n);
            // Writing into a String cannot fail.
            let _ = write!(
                values,
                "{comma}(CAST(${a} AS TEXT), CAST(${b} AS BIGINT), CAST(${c} AS BIGINT), \
                 CAST(${d} AS TEXT))"
            );
        }
        // Only numbers of parameters and a constant were put into the text.
        let text = AssertSqlSafe(format!(
            "WITH fresh (app, step, time, data) AS (VALUES {values}) \
             INSERT INTO app_history (app, step, time, data) \
             SELECT apps.id, fresh.step, fresh.time, fresh.data FROM fresh \
             JOIN apps ON apps.id = fresh.app WHERE true {kept} \
             ON CONFLICT (app, step, time) DO UPDATE SET data = excluded.data"
        ));
        let mut query = sqlx::query(text);
        for row in chunk {
            query = query
                .bind(row.app.as_str())
                .bind(row.step)
                .bind(row.time)
                .bind(to_json(&row.tally)?);
        }
        query.execute(&mut **tx).await?;
    }
    Ok(())
}

/// Removes the rows of steps of length `step` that start before `time` (milliseconds since 1970);
/// gives how many.
///
/// # Errors
/// The database failed.
pub async fn prune(tx: &mut Tx, step: i64, time: i64) -> Result<u64, Error> {
    let done = sqlx::query("DELETE FROM app_history WHERE step = $1 AND time < $2")
        .bind(step)
        .bind(time)
        .execute(&mut **tx)
        .await?;
    Ok(done.rows_affected())
}

/// A row, if it can be read: figures with a gap are better than none, and than steps that are never
/// merged and so never removed.
fn readable(row: &AnyRow) -> Option<HistoryRow> {
    read(row)
        .inspect_err(|error| tracing::warn!(%error, "a row of an app's figures is left out"))
        .ok()
}

fn read(row: &AnyRow) -> Result<HistoryRow, Error> {
    let row = Reader::new("app_history", "app", row);
    Ok(HistoryRow {
        app: row.id("app")?,
        step: row.get("step")?,
        time: row.get("time")?,
        tally: row.json("data")?,
    })
}
