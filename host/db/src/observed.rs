//! What was last seen of each app.

use crate::text::{Reader, name_of, plain};
use crate::{Database, Error, Tx};
use lodge_model::{AppId, EnvironmentName, Observed};

/// Everything that was last seen, by app.
///
/// # Errors
/// The database failed or holds an unreadable row.
pub async fn all(database: &Database) -> Result<Vec<(AppId, Observed)>, Error> {
    let rows = sqlx::query("SELECT * FROM observed ORDER BY app, environment")
        .fetch_all(database.reader())
        .await?;
    rows.iter()
        .map(|row| {
            let row = Reader::new("observed", "app", row);
            let observed = Observed {
                environment: row.id("environment")?,
                status: row.name("status")?,
                since: row.get("since")?,
                version: row.get("version")?,
                message: row.get("message")?,
            };
            Ok((row.id("app")?, observed))
        })
        .collect()
}

/// Writes what an environment reported. Nothing if the app is gone: a report may be late.
///
/// # Errors
/// The database failed.
pub async fn upsert(tx: &mut Tx, app: &AppId, observed: &Observed) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO observed (app, environment, status, since, version, message) \
         SELECT id, CAST($2 AS TEXT), CAST($3 AS TEXT), CAST($4 AS BIGINT), CAST($5 AS TEXT), \
         CAST($6 AS TEXT) FROM apps WHERE id = $1 \
         ON CONFLICT (app, environment) DO UPDATE SET status = excluded.status, \
         since = excluded.since, version = excluded.version, message = excluded.message",
    )
    .bind(app.as_str())
    .bind(observed.environment.as_str())
    .bind(name_of(&observed.status)?)
    .bind(observed.since)
    .bind(observed.version.clone())
    .bind(observed.message.as_deref().map(plain))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Forgets what an environment reported of an app: it runs there no more.
///
/// # Errors
/// The database failed.
pub async fn delete(tx: &mut Tx, app: &AppId, environment: &EnvironmentName) -> Result<(), Error> {
    sqlx::query("DELETE FROM observed WHERE app = $1 AND environment = $2")
        .bind(app.as_str())
        .bind(environment.as_str())
        .execute(&mut **tx)
        .await?;
    Ok(())
}
