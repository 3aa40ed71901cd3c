//! Who is logged in. Rows hold the SHA-256 of a token, never the token.

use crate::text::Reader;
use crate::users::{self, User};
use crate::{Database, Error};

/// One login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The SHA-256 of its token, in hexadecimal digits.
    pub token_hash: String,
    /// Whose, by ID.
    pub user: String,
    /// When it was made, in milliseconds since 1970.
    pub created_at: i64,
    /// When it ends, in milliseconds since 1970.
    pub expires_at: i64,
    /// When it was last used, to the minute, in milliseconds since 1970.
    pub last_seen: i64,
}

/// Adds a session, removes those that have ended, and of the user's others the oldest beyond
/// `keep` in all.
///
/// # Errors
/// The database failed.
pub async fn insert(database: &Database, session: &Session, keep: i64) -> Result<(), Error> {
    let mut tx = database.begin().await?;
    sqlx::query("DELETE FROM sessions WHERE expires_at <= $1")
        .bind(session.created_at)
        .execute(&mut *tx)
        .await?;
    sqlx::query(
        "INSERT INTO sessions (token_hash, user_id, created_at, expires_at, last_seen) \
         VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(&session.token_hash)
    .bind(&session.user)
    .bind(session.created_at)
    .bind(session.expires_at)
    .bind(session.last_seen)
    .execute(&mut *tx)
    .await?;
    sqlx::query(
        "DELETE FROM sessions WHERE user_id = $1 AND token_hash NOT IN \
         (SELECT token_hash FROM sessions WHERE user_id = $2 \
          ORDER BY created_at DESC, last_seen DESC, token_hash LIMIT $3)",
    )
    .bind(&session.user)
    .bind(&session.user)
    .bind(keep)
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(())
}

/// The session behind a token's SHA-256, and its user, if it has not ended by `now` (milliseconds
/// since 1970).
///
/// # Errors
/// The database failed.
pub async fn with_user(
    database: &Database,
    token_hash: &str,
    now: i64,
) -> Result<Option<(User, Session)>, Error> {
    let row = sqlx::query(
        "SELECT u.*, s.token_hash, s.created_at AS session_created_at, s.expires_at, s.last_seen \
         FROM sessions s JOIN users u ON u.id = s.user_id \
         WHERE s.token_hash = $1 AND s.expires_at > $2",
    )
    .bind(token_hash)
    .bind(now)
    .fetch_optional(database.reader())
    .await?;
    let Some(row) = row else { return Ok(None) };
    let user = users::from_row(&row)?;
    let read = Reader::new("sessions", "id", &row);
    let session = Session {
        token_hash: read.get("token_hash")?,
        user: user.id.clone(),
        created_at: read.get("session_created_at")?,
        expires_at: read.get("expires_at")?,
        last_seen: read.get("last_seen")?,
    };
    Ok(Some((user, session)))
}

/// Writes down that a session was used.
///
/// # Errors
/// The database failed.
pub async fn touch(database: &Database, token_hash: &str, now: i64) -> Result<(), Error> {
    let mut tx = database.begin().await?;
    sqlx::query("UPDATE sessions SET last_seen = $1 WHERE token_hash = $2")
        .bind(now)
        .bind(token_hash)
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(())
}

/// Ends a session.
///
/// # Errors
/// The database failed.
pub async fn remove(database: &Database, token_hash: &str) -> Result<(), Error> {
    let mut tx = database.begin().await?;
    sqlx::query("DELETE FROM sessions WHERE token_hash = $1")
        .bind(token_hash)
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(hash: &str, created_at: i64) -> Session {
        Session {
            token_hash: hash.into(),
            user: "a".into(),
            created_at,
            expires_at: created_at + 100,
            last_seen: created_at,
        }
    }

    #[tokio::test]
    async fn sessions_end_and_are_few() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open_file(&folder.path().join("c.db"))
            .await
            .unwrap();
        let user = User {
            id: "a".into(),
            email: "a@example.com".into(),
            password_hash: String::new(),
            created_at: 0,
            must_change_password: false,
        };
        users::insert_first(&database, &user).await.unwrap();
        for (hash, time) in [("one", 1), ("two", 2), ("three", 3)] {
            insert(&database, &session(hash, time), 2).await.unwrap();
        }
        let found = async |hash: &str, now| with_user(&database, hash, now).await.unwrap();
        assert!(found("one", 5).await.is_none(), "the oldest gives way");
        assert_eq!(found("two", 5).await, Some((user, session("two", 2))));
        assert!(found("two", 102).await.is_none(), "ended");
        touch(&database, "three", 50).await.unwrap();
        assert_eq!(found("three", 60).await.unwrap().1.last_seen, 50);
        remove(&database, "three").await.unwrap();
        assert!(found("three", 60).await.is_none());
    }
}
