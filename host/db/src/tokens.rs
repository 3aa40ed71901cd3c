//! Credentials for programs. Rows hold the SHA-256 of a token, never the token.

use crate::text::Reader;
use crate::users::{self, User};
use crate::{Database, Error};
use sqlx::Row as _;
use sqlx::any::AnyRow;

/// One API token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Its ID.
    pub id: String,
    /// Whose, by ID.
    pub user: String,
    /// What it is for.
    pub name: String,
    /// When it was made, in milliseconds since 1970.
    pub created_at: i64,
    /// When it ends, in milliseconds since 1970; none: never.
    pub expires_at: Option<i64>,
    /// When it was last used, to the minute, in milliseconds since 1970.
    pub last_used: Option<i64>,
}

/// Adds a token by its SHA-256. False, and nothing done, if the user has `max` already.
///
/// # Errors
/// The database failed.
pub async fn insert(
    database: &Database,
    token: &Token,
    token_hash: &str,
    max: i64,
) -> Result<bool, Error> {
    let mut tx = database.begin().await?;
    let held: i64 = sqlx::query("SELECT COUNT(*) AS held FROM tokens WHERE user_id = $1")
        .bind(&token.user)
        .fetch_one(&mut *tx)
        .await?
        .try_get("held")?;
    if held >= max {
        return Ok(false);
    }
    sqlx::query(
        "INSERT INTO tokens (id, user_id, name, token_hash, created_at, expires_at, last_used) \
         VALUES ($1, $2, $3, $4, $5, $6, NULL)",
    )
    .bind(&token.id)
    .bind(&token.user)
    .bind(&token.name)
    .bind(token_hash)
    .bind(token.created_at)
    .bind(token.expires_at)
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(true)
}

/// A user's tokens, newest first, those that have ended too.
///
/// # Errors
/// The database failed.
pub async fn list(database: &Database, user: &str) -> Result<Vec<Token>, Error> {
    let rows = sqlx::query("SELECT * FROM tokens WHERE user_id = $1 ORDER BY created_at DESC, id")
        .bind(user)
        .fetch_all(database.reader())
        .await?;
    rows.iter().map(from_row).collect()
}

/// The token behind a SHA-256, and its user, if it has not ended by `now` (milliseconds since
/// 1970).
///
/// # Errors
/// The database failed.
pub async fn with_user(
    database: &Database,
    token_hash: &str,
    now: i64,
) -> Result<Option<(User, Token)>, Error> {
    let row = sqlx::query(
        "SELECT * FROM tokens WHERE token_hash = $1 AND (expires_at IS NULL OR expires_at > $2)",
    )
    .bind(token_hash)
    .bind(now)
    .fetch_optional(database.reader())
    .await?;
    let Some(row) = row else { return Ok(None) };
    let token = from_row(&row)?;
    let user = sqlx::query("SELECT * FROM users WHERE id = $1")
        .bind(&token.user)
        .fetch_optional(database.reader())
        .await?;
    Ok(user
        .as_ref()
        .map(users::from_row)
        .transpose()?
        .map(|user| (user, token)))
}

/// Writes down that a token was used.
///
/// # Errors
/// The database failed.
pub async fn touch(database: &Database, id: &str, now: i64) -> Result<(), Error> {
    let mut tx = database.begin().await?;
    sqlx::query("UPDATE tokens SET last_used = $1 WHERE id = $2")
        .bind(now)
        .bind(id)
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(())
}

/// Removes one of a user's tokens. False if the user has none of that ID.
///
/// # Errors
/// The database failed.
pub async fn remove(database: &Database, user: &str, id: &str) -> Result<bool, Error> {
    let mut tx = database.begin().await?;
    let done = sqlx::query("DELETE FROM tokens WHERE user_id = $1 AND id = $2")
        .bind(user)
        .bind(id)
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(done.rows_affected() == 1)
}

fn from_row(row: &AnyRow) -> Result<Token, Error> {
    let read = Reader::new("tokens", "id", row);
    Ok(Token {
        id: read.get("id")?,
        user: read.get("user_id")?,
        name: read.get("name")?,
        created_at: read.get("created_at")?,
        expires_at: read.get("expires_at")?,
        last_used: read.get("last_used")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn tokens_are_bounded_end_and_go() {
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
        let token = |id: &str, expires_at| Token {
            id: id.into(),
            user: "a".into(),
            name: "ci".into(),
            created_at: 1,
            expires_at,
            last_used: None,
        };
        assert!(
            insert(&database, &token("t1", None), "h1", 2)
                .await
                .unwrap()
        );
        assert!(
            insert(&database, &token("t2", Some(10)), "h2", 2)
                .await
                .unwrap()
        );
        assert!(
            !insert(&database, &token("t3", None), "h3", 2)
                .await
                .unwrap()
        );
        assert_eq!(list(&database, "a").await.unwrap().len(), 2);
        assert!(with_user(&database, "h2", 9).await.unwrap().is_some());
        assert!(with_user(&database, "h2", 10).await.unwrap().is_none());
        touch(&database, "t1", 7).await.unwrap();
        let (found_user, found) = with_user(&database, "h1", 99).await.unwrap().unwrap();
        assert_eq!((found_user, found.last_used), (user, Some(7)));
        assert!(!remove(&database, "somebody else", "t1").await.unwrap());
        assert!(remove(&database, "a", "t1").await.unwrap());
        assert!(with_user(&database, "h1", 99).await.unwrap().is_none());
    }
}
