//! Answers already given to requests that carry an `Idempotency-Key`, so that a repeated request
//! gets the same answer and acts once.

use crate::text::Reader;
use crate::{Database, Error};

/// The request that a key belongs to.
#[derive(Debug, Clone, Copy)]
pub struct Claim<'a> {
    /// Who sent it. Keys of different actors have nothing to do with each other.
    pub actor: &'a str,
    /// The key.
    pub key: &'a str,
    /// The method.
    pub method: &'a str,
    /// The path with the query.
    pub path: &'a str,
    /// When, in milliseconds since 1970.
    pub now: i64,
    /// How long keys are remembered, in milliseconds.
    pub keep: i64,
}

/// What was already known of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// Nothing: it is claimed now, and the caller must [`finish`] or [`forget`] it.
    New,
    /// Its first request is under way.
    InProgress,
    /// Its first request was answered.
    Answered(Answer),
}

/// An answer that was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The method of the request.
    pub method: String,
    /// Its path with the query.
    pub path: String,
    /// The SHA-256 of its body, in hexadecimal digits.
    pub request_hash: String,
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: String,
}

/// Claims a key, or says what is known of it. Keys older than `keep` are forgotten first.
///
/// # Errors
/// The database failed.
pub async fn claim(database: &Database, claim: Claim<'_>) -> Result<Known, Error> {
    let mut tx = database.begin().await?;
    sqlx::query("DELETE FROM idempotency WHERE created_at <= $1")
        .bind(claim.now.saturating_sub(claim.keep))
        .execute(&mut *tx)
        .await?;
    let claimed = sqlx::query(
        "INSERT INTO idempotency (key, actor, method, path, request_hash, status, body, created_at) \
         VALUES ($1, $2, $3, $4, '', NULL, NULL, $5) ON CONFLICT (actor, key) DO NOTHING",
    )
    .bind(claim.key)
    .bind(claim.actor)
    .bind(claim.method)
    .bind(claim.path)
    .bind(claim.now)
    .execute(&mut *tx)
    .await?;
    if claimed.rows_affected() == 1 {
        tx.commit().await?;
        return Ok(Known::New);
    }
    let row = sqlx::query("SELECT * FROM idempotency WHERE actor = $1 AND key = $2")
        .bind(claim.actor)
        .bind(claim.key)
        .fetch_one(&mut *tx)
        .await?;
    tx.commit().await?;
    let read = Reader::new("idempotency", "key", &row);
    let Some(status) = read.get::<Option<i64>>("status")? else {
        return Ok(Known::InProgress);
    };
    Ok(Known::Answered(Answer {
        method: read.get("method")?,
        path: read.get("path")?,
        request_hash: read.get("request_hash")?,
        status: u16::try_from(status).unwrap_or(500),
        body: read.get::<Option<String>>("body")?.unwrap_or_default(),
    }))
}

/// Writes down the answer to a claimed key.
///
/// # Errors
/// The database failed.
pub async fn finish(
    database: &Database,
    actor: &str,
    key: &str,
    request_hash: &str,
    status: u16,
    body: &str,
) -> Result<(), Error> {
    let mut tx = database.begin().await?;
    sqlx::query(
        "UPDATE idempotency SET request_hash = $1, status = $2, body = $3 \
         WHERE actor = $4 AND key = $5",
    )
    .bind(request_hash)
    .bind(i64::from(status))
    .bind(body)
    .bind(actor)
    .bind(key)
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(())
}

/// Gives a claimed key up: its request may be tried again.
///
/// # Errors
/// The database failed.
pub async fn forget(database: &Database, actor: &str, key: &str) -> Result<(), Error> {
    let mut tx = database.begin().await?;
    sqlx::query("DELETE FROM idempotency WHERE actor = $1 AND key = $2")
        .bind(actor)
        .bind(key)
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(())
}

/// Gives up every key whose request was under way when the process ended.
///
/// # Errors
/// The database failed.
pub async fn forget_unfinished(database: &Database) -> Result<(), Error> {
    let mut tx = database.begin().await?;
    sqlx::query("DELETE FROM idempotency WHERE status IS NULL")
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_key_is_claimed_answered_and_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open_file(&folder.path().join("c.db"))
            .await
            .unwrap();
        let at = async |actor, now| {
            let request = Claim {
                actor,
                key: "k",
                method: "POST",
                path: "/x",
                now,
                keep: 100,
            };
            claim(&database, request).await.unwrap()
        };
        assert_eq!(at("a", 1).await, Known::New);
        assert_eq!(at("a", 2).await, Known::InProgress);
        assert_eq!(at("b", 2).await, Known::New, "keys are their actor's own");
        finish(&database, "a", "k", "hash", 201, "{}")
            .await
            .unwrap();
        let Known::Answered(answer) = at("a", 3).await else {
            panic!("not answered")
        };
        assert_eq!(
            (
                answer.status,
                answer.body.as_str(),
                answer.request_hash.as_str()
            ),
            (201, "{}", "hash")
        );
        forget_unfinished(&database).await.unwrap();
        assert_eq!(at("b", 3).await, Known::New);
        forget(&database, "b", "k").await.unwrap();
        assert_eq!(at("b", 3).await, Known::New);
        assert_eq!(at("a", 101).await, Known::New, "too old to be remembered");
    }
}
