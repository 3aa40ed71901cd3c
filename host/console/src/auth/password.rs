//! Passwords: argon2id, a bounded number at once.
//!
//! One hash takes 19 MiB and tens of milliseconds (OWASP's first recommendation, which is the
//! crate's default), so [`Passwords`] runs few at once, on blocking threads, and refuses when too
//! many wait. An unknown user costs the same time as a known one: a dummy hash is checked.

use crate::problem::Problem;
use argon2::password_hash::{self, PasswordHasher as _, PasswordVerifier as _};
use argon2::{Argon2, Params, PasswordHash};
use http::StatusCode;
use lodge_model::Invalid;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Hashes computed at once.
const AT_ONCE: usize = 2;
/// Hashes that wait for a turn.
const WAITING: usize = 32;
/// Shortest password, in characters (NIST SP 800-63B, 3.1.1.2).
const MIN_CHARS: usize = 8;
/// Longest password, in bytes: enough for any phrase, too little to keep a hasher busy.
const MAX_BYTES: usize = 1024;

/// Hashes and checks passwords.
#[derive(Debug, Clone)]
pub(crate) struct Passwords {
    params: Params,
    turns: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    /// The hash of nothing in particular, with today's parameters.
    dummy: Arc<str>,
}

/// Why there is no hash.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Too many wait already.
    #[error("too many passwords are being checked")]
    Busy,
    /// The algorithm or the randomness failed.
    #[error("hashing a password failed: {0}")]
    Hash(String),
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Busy => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "login_busy",
                "too many logins are being checked: try again in a moment",
            )
            .retry_after(2),
            Error::Hash(_) => Self::internal(&error),
        }
    }
}

impl Passwords {
    /// A hasher with the recommended cost, or with `params` (tests take a small one).
    pub(crate) fn new(params: Option<Params>) -> Result<Self, Error> {
        let params = params.unwrap_or_default();
        let dummy = hash_now(&params, b"no user has this password")?;
        Ok(Self {
            params,
            turns: Arc::new(Semaphore::new(AT_ONCE)),
            waiting: Arc::new(Semaphore::new(AT_ONCE + WAITING)),
            dummy: dummy.into(),
        })
    }

    /// The PHC string of a password.
    pub(crate) async fn hash(&self, password: String) -> Result<String, Error> {
        let params = self.params.clone();
        self.run(move || hash_now(&params, password.as_bytes()))
            .await?
    }

    /// Whether the password is the one behind `hash`; without a hash (an unknown user) it is not,
    /// after the same time.
    pub(crate) async fn verify(
        &self,
        password: String,
        hash: Option<String>,
    ) -> Result<bool, Error> {
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.dummy.to_string());
        let params = self.params.clone();
        let matches = self
            .run(move || verify_now(&params, password.as_bytes(), &hash))
            .await??;
        Ok(matches && known)
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let _place = self.waiting.try_acquire().map_err(|_| Error::Busy)?;
        let turn = Arc::clone(&self.turns)
            .acquire_owned()
            .await
            .map_err(|_| Error::Busy)?;
        // The permit moves along: a caller who goes away does not make room for another hash
        // while this one still runs.
        let task = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work()
        });
        task.await.map_err(|error| Error::Hash(error.to_string()))
    }
}

fn hasher(params: &Params) -> Argon2<'static> {
    Argon2::new(
        argon2::Algorithm::Argon2id,
        argon2::Version::V0x13,
        params.clone(),
    )
}

fn hash_now(params: &Params, password: &[u8]) -> Result<String, Error> {
    hasher(params)
        .hash_password(password)
        .map(|hash: PasswordHash| hash.to_string())
        .map_err(|error| Error::Hash(error.to_string()))
}

fn verify_now(params: &Params, password: &[u8], hash: &str) -> Result<bool, Error> {
    let hash = PasswordHash::new(hash).map_err(|error| Error::Hash(error.to_string()))?;
    match hasher(params).verify_password(password, &hash) {
        Ok(()) => Ok(true),
        Err(password_hash::Error::PasswordInvalid) => Ok(false),
        Err(error) => Err(Error::Hash(error.to_string())),
    }
}

/// Checks a new password's length (`field` says which one).
pub(crate) fn check(field: &str, password: &str) -> Result<(), Invalid> {
    if password.chars().count() < MIN_CHARS || password.len() > MAX_BYTES {
        return Err(Invalid::new(
            field,
            format!("must have at least {MIN_CHARS} characters and at most {MAX_BYTES} bytes"),
        ));
    }
    Ok(())
}

/// Whether a password at login is too long to be anybody's.
pub(crate) fn too_long(password: &str) -> bool {
    password.len() > MAX_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cheap() -> Passwords {
        Passwords::new(Some(Params::new(8, 1, 1, None).unwrap())).unwrap()
    }

    #[tokio::test]
    async fn right_wrong_and_unknown() {
        let passwords = cheap();
        let hash = passwords.hash("correct horse".into()).await.unwrap();
        assert!(hash.starts_with("$argon2id$"));
        assert!(
            passwords
                .verify("correct horse".into(), Some(hash.clone()))
                .await
                .unwrap()
        );
        assert!(
            !passwords
                .verify("battery staple".into(), Some(hash))
                .await
                .unwrap()
        );
        assert!(
            !passwords
                .verify("no user has this password".into(), None)
                .await
                .unwrap()
        );
    }

    #[tokio::test]
    async fn too_many_at_once_are_refused() {
        let passwords = cheap();
        let held = passwords.turns.acquire_many(AT_ONCE as u32).await.unwrap();
        let waiters: Vec<_> = (0..AT_ONCE + WAITING)
            .map(|_| {
                let passwords = passwords.clone();
                tokio::spawn(async move { passwords.hash("some password".into()).await })
            })
            .collect();
        while passwords.waiting.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        assert!(matches!(
            passwords.hash("one more".into()).await,
            Err(Error::Busy)
        ));
        drop(held);
        for waiter in waiters {
            waiter.await.unwrap().unwrap();
        }
    }

    #[test]
    fn lengths() {
        assert!(check("password", "1234567").is_err());
        assert!(check("password", "12345678").is_ok());
        assert!(check("password", &"x".repeat(MAX_BYTES + 1)).is_err());
    }
}
