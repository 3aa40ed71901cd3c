//! The people of the desk, and their passwords.

use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, PasswordHash, Version};
use lodge_sdk::db::{Database, Engine, Error, FromRow, Isolation, Transaction, Value, params};
use lodge_sdk::log::{self, Level};
use std::time::{SystemTime, UNIX_EPOCH};

/// The second of OWASP's equal recommendations for argon2id that fits an instance's memory with room
/// to spare: 7 MiB, five passes (Password Storage Cheat Sheet).
const COST: (u32, u32, u32) = (7_168, 5, 1);

/// Wrong passwords in a row, after which an account is locked for [`LOCKED`] milliseconds.
const TRIES: i64 = 10;
const LOCKED: i64 = 15 * 60 * 1_000;

/// One person.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct Person {
    pub(crate) id: i64,
    pub(crate) email: String,
    pub(crate) name: String,
    pub(crate) is_admin: bool,
    pub(crate) created_at: i64,
}

const FIELDS: &str = "id, email, name, is_admin, created_at";

pub(crate) async fn by_id(db: &Database, id: i64) -> Result<Option<Person>, Error> {
    let sql = format!("SELECT {FIELDS} FROM people WHERE id = ?");
    db.query_optional(&sql, params![id]).await
}

pub(crate) async fn all(db: &Database) -> Result<Vec<Person>, Error> {
    let sql = format!("SELECT {FIELDS} FROM people ORDER BY id LIMIT 500");
    db.query(&sql, params![]).await
}

/// Adds a person; the first one is an administrator. Nothing, if the address is taken.
pub(crate) async fn add(
    db: &Database,
    email: &str,
    name: &str,
    password: &str,
) -> Result<Option<i64>, Error> {
    let password = hash(password);
    let added = db
        .transaction_with(false, Isolation::Serializable, async |tx| {
            let (others,): (i64,) = tx.query_one("SELECT count(*) FROM people", params![]).await?;
            let sql = "INSERT INTO people (email, name, password, is_admin, created_at) VALUES (?, ?, ?, ?, ?)";
            insert(tx, sql, params![email, name, password.as_str(), others == 0, now()]).await
        })
        .await;
    match added {
        Ok(id) => Ok(Some(id)),
        Err(error) if error.is_duplicate() => Ok(None),
        Err(error) => Err(error),
    }
}

/// The person with this address and password. After [`TRIES`] wrong ones nobody comes in for a while.
pub(crate) async fn check(
    db: &Database,
    email: &str,
    password: &str,
) -> Result<Option<i64>, Error> {
    let sql = "SELECT id, password, wrong_passwords, wrong_at FROM people WHERE email = ?";
    let found: Option<(i64, String, i64, i64)> = db.query_optional(sql, params![email]).await?;
    let Some((id, hash, wrong, wrong_at)) = found else {
        // As long as for a known address: who asks learns nothing of which there are.
        self::hash(password);
        return Ok(None);
    };
    let right = PasswordHash::new(&hash)
        .is_ok_and(|hash| hasher().verify_password(password.as_bytes(), &hash).is_ok());
    let locked = wrong >= TRIES && now() - wrong_at < LOCKED;
    if locked {
        let fields: [(&str, &dyn std::fmt::Display); 1] = [("person", &id)];
        log::event(Level::Warn, "too many wrong passwords", &fields);
        return Ok(None);
    }
    match (right, wrong) {
        (true, 0) => {}
        (true, _) => {
            let sql = "UPDATE people SET wrong_passwords = 0 WHERE id = ?";
            db.execute(sql, params![id]).await?;
        }
        (false, _) => {
            let sql = "UPDATE people SET wrong_passwords = wrong_passwords + 1, wrong_at = ? WHERE id = ?";
            db.execute(sql, params![now(), id]).await?;
        }
    }
    Ok(right.then_some(id))
}

/// Makes somebody an administrator, or takes that away; the last one stays. False: it was the last.
pub(crate) async fn set_admin(db: &Database, id: i64, is_admin: bool) -> Result<bool, Error> {
    db.transaction_with(false, Isolation::Serializable, async |tx| {
        let sql = "SELECT count(*) FROM people WHERE is_admin AND id <> ?";
        let (others,): (i64,) = tx.query_one(sql, params![id]).await?;
        if others == 0 && !is_admin {
            return Ok(false);
        }
        let sql = "UPDATE people SET is_admin = ? WHERE id = ?";
        tx.execute(sql, params![is_admin, id]).await?;
        Ok(true)
    })
    .await
}

/// Adds a row, and gives its key.
pub(crate) async fn insert(tx: &Transaction, sql: &str, params: Vec<Value>) -> Result<i64, Error> {
    if matches!(tx.engine(), Engine::Mysql | Engine::Mariadb) {
        let done = tx.execute(sql, params).await?;
        return done.last_insert_id.ok_or(Error::NoRow);
    }
    let (id,) = tx.query_one(&format!("{sql} RETURNING id"), params).await?;
    Ok(id)
}

/// Milliseconds since 1970.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    })
}

fn hasher() -> Argon2<'static> {
    let (memory, passes, lanes) = COST;
    let params =
        Params::new(memory, passes, lanes, None).expect("the cost is within argon2's bounds");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

fn hash(password: &str) -> String {
    let hash: PasswordHash = hasher()
        .hash_password(password.as_bytes())
        .expect("a password of bounded length can be hashed");
    hash.to_string()
}
