//! Who may log in.

use crate::text::Reader;
use crate::{Database, Error};
use sqlx::any::AnyRow;
use std::fmt;

/// One user.
#[derive(Clone, PartialEq, Eq)]
pub struct User {
    /// Its ID.
    pub id: String,
    /// The address it logs in with, lower case.
    pub email: String,
    /// The PHC string of its password.
    pub password_hash: String,
    /// When it was made, in milliseconds since 1970.
    pub created_at: i64,
    /// Whether its password was made by somebody else and should be replaced.
    pub must_change_password: bool,
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the hash: it can be attacked offline.
        f.debug_struct("User")
            .field("id", &self.id)
            .field("email", &self.email)
            .finish_non_exhaustive()
    }
}

/// Whether there is any user.
///
/// # Errors
/// The database failed.
pub async fn any(database: &Database) -> Result<bool, Error> {
    let row = sqlx::query("SELECT id FROM users LIMIT 1")
        .fetch_optional(database.reader())
        .await?;
    Ok(row.is_some())
}

/// The user who logs in with `email` (in lower case).
///
/// # Errors
/// The database failed.
pub async fn by_email(database: &Database, email: &str) -> Result<Option<User>, Error> {
    let row = sqlx::query("SELECT * FROM users WHERE email = $1")
        .bind(email)
        .fetch_optional(database.reader())
        .await?;
    row.as_ref().map(from_row).transpose()
}

/// Adds the first user. False, and nothing done, if there is one already: of two processes that
/// start together, one adds it.
///
/// # Errors
/// The database failed.
pub async fn insert_first(database: &Database, user: &User) -> Result<bool, Error> {
    // One statement: on SQLite the write lock makes it alone; on PostgreSQL two at once would both
    // see no user, hence the lock.
    let mut tx = database.begin().await?;
    if database.dialect() == crate::Dialect::Postgres {
        sqlx::query("LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE")
            .execute(&mut *tx)
            .await?;
    }
    let done = sqlx::query(
        "INSERT INTO users (id, email, password_hash, created_at, must_change_password) \
         SELECT $1, $2, $3, $4, $5 WHERE NOT EXISTS (SELECT 1 FROM users)",
    )
    .bind(&user.id)
    .bind(&user.email)
    .bind(&user.password_hash)
    .bind(user.created_at)
    .bind(i64::from(user.must_change_password))
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(done.rows_affected() == 1)
}

/// Replaces a user's password and ends its sessions, but not the one whose token has the SHA-256
/// `keep`.
///
/// # Errors
/// The database failed.
pub async fn set_password(
    database: &Database,
    user: &str,
    password_hash: &str,
    keep: Option<&str>,
) -> Result<(), Error> {
    let mut tx = database.begin().await?;
    sqlx::query("UPDATE users SET password_hash = $1, must_change_password = 0 WHERE id = $2")
        .bind(password_hash)
        .bind(user)
        .execute(&mut *tx)
        .await?;
    sqlx::query("DELETE FROM sessions WHERE user_id = $1 AND token_hash <> $2")
        .bind(user)
        .bind(keep.unwrap_or_default())
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(())
}

pub(crate) fn from_row(row: &AnyRow) -> Result<User, Error> {
    let read = Reader::new("users", "id", row);
    Ok(User {
        id: read.get("id")?,
        email: read.get("email")?,
        password_hash: read.get("password_hash")?,
        created_at: read.get("created_at")?,
        must_change_password: read.get::<i64>("must_change_password")? != 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sessions::{self, Session};

    fn user(id: &str) -> User {
        User {
            id: id.into(),
            email: format!("{id}@example.com"),
            password_hash: "$argon2id$…".into(),
            created_at: 1,
            must_change_password: false,
        }
    }

    #[tokio::test]
    async fn only_the_first_user_is_made_by_itself() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open_file(&folder.path().join("c.db"))
            .await
            .unwrap();
        assert!(!any(&database).await.unwrap());
        assert!(insert_first(&database, &user("a")).await.unwrap());
        assert!(!insert_first(&database, &user("b")).await.unwrap());
        assert!(any(&database).await.unwrap());
        assert_eq!(
            by_email(&database, "a@example.com").await.unwrap(),
            Some(user("a"))
        );
        assert_eq!(by_email(&database, "b@example.com").await.unwrap(), None);
    }

    #[tokio::test]
    async fn a_new_password_ends_the_other_sessions() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open_file(&folder.path().join("c.db"))
            .await
            .unwrap();
        insert_first(&database, &user("a")).await.unwrap();
        for hash in ["mine", "theirs"] {
            let session = Session {
                token_hash: hash.into(),
                user: "a".into(),
                created_at: 1,
                expires_at: 100,
                last_seen: 1,
            };
            sessions::insert(&database, &session, 10).await.unwrap();
        }
        set_password(&database, "a", "new", Some("mine"))
            .await
            .unwrap();
        assert!(
            sessions::with_user(&database, "mine", 2)
                .await
                .unwrap()
                .is_some()
        );
        assert!(
            sessions::with_user(&database, "theirs", 2)
                .await
                .unwrap()
                .is_none()
        );
        let found = by_email(&database, "a@example.com").await.unwrap().unwrap();
        assert_eq!(found.password_hash, "new");
        assert!(!format!("{found:?}").contains("new"));
    }
}
