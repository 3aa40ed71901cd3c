//! The keys of apps' tokens, sealed.

use crate::text::{Reader, name_of};
use crate::{Database, Error, Tx, sealing};
use lodge_model::{AppId, JwtAlgorithm, Sealer, Secret};
use sqlx::any::AnyRow;

/// A key as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRow {
    /// Whose; none: the host-wide app key.
    pub app: Option<AppId>,
    /// Its `kid`.
    pub kid: String,
    /// What it is for.
    pub algorithm: JwtAlgorithm,
    /// The key itself, in the clear here and sealed in the database.
    pub secret: Secret,
    /// When it was made, in milliseconds since 1970.
    pub created_at: i64,
    /// It verifies no longer from then on, in milliseconds since 1970; none: it signs.
    pub retired_at: Option<i64>,
}

impl KeyRow {
    /// What its secret is sealed to.
    fn place(&self) -> String {
        let owner = self.app.as_ref().map_or("*", AppId::as_str);
        format!("app_keys/{owner}/{}", self.kid)
    }
}

/// Every key, newest first.
///
/// # Errors
/// The database failed, holds an unreadable row, or was sealed with another key.
pub async fn all(database: &Database, sealer: &dyn Sealer) -> Result<Vec<KeyRow>, Error> {
    let rows = sqlx::query("SELECT * FROM app_keys ORDER BY created_at DESC, kid")
        .fetch_all(database.reader())
        .await?;
    rows.iter().map(|row| read(row, sealer)).collect()
}

/// Adds a key.
///
/// # Errors
/// The database failed, or it could not be sealed.
pub async fn insert(tx: &mut Tx, sealer: &dyn Sealer, key: &KeyRow) -> Result<(), Error> {
    let sealed = sealing::seal(sealer, sealing::JWT_KEY, &key.secret.0, &key.place())?;
    sqlx::query(
        "INSERT INTO app_keys (kid, app, algorithm, secret, created_at, retired_at) \
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(&key.kid)
    .bind(key.app.as_ref().map(AppId::as_str))
    .bind(name_of(&key.algorithm)?)
    .bind(sealed)
    .bind(key.created_at)
    .bind(key.retired_at)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Has every key of an owner verify no longer than until `time` (milliseconds since 1970), and sign
/// no more.
///
/// # Errors
/// The database failed.
pub async fn retire(tx: &mut Tx, app: Option<&AppId>, time: i64) -> Result<(), Error> {
    let query = match app {
        Some(app) => sqlx::query(
            "UPDATE app_keys SET retired_at = $1 \
             WHERE app = $2 AND (retired_at IS NULL OR retired_at > $1)",
        )
        .bind(time)
        .bind(app.as_str()),
        None => sqlx::query(
            "UPDATE app_keys SET retired_at = $1 \
             WHERE app IS NULL AND (retired_at IS NULL OR retired_at > $1)",
        )
        .bind(time),
    };
    query.execute(&mut **tx).await?;
    Ok(())
}

/// Removes keys that verify no more at `time` (milliseconds since 1970); gives how many.
///
/// # Errors
/// The database failed.
pub async fn prune(tx: &mut Tx, time: i64) -> Result<u64, Error> {
    let done = sqlx::query("DELETE FROM app_keys WHERE retired_at <= $1")
        .bind(time)
        .execute(&mut **tx)
        .await?;
    Ok(done.rows_affected())
}

fn read(row: &AnyRow, sealer: &dyn Sealer) -> Result<KeyRow, Error> {
    let row = Reader::new("app_keys", "kid", row);
    let app: Option<String> = row.get("app")?;
    let mut key = KeyRow {
        app: match app {
            Some(_) => Some(row.id("app")?),
            None => None,
        },
        kid: row.get("kid")?,
        algorithm: row.name("algorithm")?,
        secret: Secret(row.get("secret")?),
        created_at: row.get("created_at")?,
        retired_at: row.get("retired_at")?,
    };
    let (sealed, place) = (std::mem::take(&mut key.secret.0), key.place());
    key.secret.0 = sealing::open(sealer, sealing::JWT_KEY, sealed, &place)?;
    Ok(key)
}
