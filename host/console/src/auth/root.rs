//! The first user: made at the first start, so that there is always somebody who can log in.

use super::password::{self, Passwords};
use crate::secret;
use crate::state::now_ms;
use lodge_db::Database;
use lodge_db::users::{self, User};
use lodge_model::Invalid;
use std::fmt;

/// The root user's address where none is given.
const DEFAULT_ROOT_EMAIL: &str = "root@lodge.local";

/// A password that was made up and is shown once. It has no `Debug` or `Display` that shows it,
/// so that it is not logged by chance.
pub struct GeneratedPassword {
    /// The user it is for.
    pub email: String,
    password: String,
}

impl GeneratedPassword {
    /// The password, to be printed once and not logged.
    pub fn reveal(&self) -> &str {
        &self.password
    }
}

impl fmt::Debug for GeneratedPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GeneratedPassword")
            .field("email", &self.email)
            .finish_non_exhaustive()
    }
}

/// Why there is no root user.
#[derive(Debug, thiserror::Error)]
pub enum RootError {
    /// The email or the password breaks a rule; names the variable.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// The control database failed.
    #[error(transparent)]
    Database(#[from] lodge_db::Error),
    /// The operating system gave no randomness.
    #[error(transparent)]
    Randomness(#[from] secret::NoRandomness),
    /// Hashing failed.
    #[error("{0}")]
    Hash(String),
}

/// Makes sure that there is a user. Where there is none yet, makes the root user from `email` and
/// `password`; what is missing gets a default (the email) or is made up (the password, which is
/// then returned). Where there is one, both count for nothing. Two processes that start at once
/// make one root user.
///
/// # Errors
/// See [`RootError`].
pub async fn ensure_root(
    db: &Database,
    email: Option<&str>,
    password: Option<&str>,
) -> Result<Option<GeneratedPassword>, RootError> {
    if users::any(db).await? {
        return Ok(None);
    }
    let email = email_of("INIT_ROOT_EMAIL", email.unwrap_or(DEFAULT_ROOT_EMAIL))?;
    let (chosen, generated) = match password {
        Some(password) => (password.to_owned(), false),
        None => (secret::password()?, true),
    };
    password::check("INIT_ROOT_PASSWORD", &chosen)?;
    let hash = async { Passwords::new(None)?.hash(chosen.clone()).await };
    let user = User {
        id: secret::id("user_")?,
        email,
        password_hash: hash
            .await
            .map_err(|error| RootError::Hash(error.to_string()))?,
        created_at: now_ms(),
        // It stood on a screen or in a file: whoever signs in with it chooses another.
        must_change_password: generated,
    };
    let made = users::insert_first(db, &user).await?;
    Ok((made && generated).then_some(GeneratedPassword {
        email: user.email,
        password: chosen,
    }))
}

/// An email address as it is stored and compared: trimmed, lower case. Its form is barely checked
/// (RFC 5321 allows nearly everything); it must be one line with an `@` inside.
fn email_of(field: &str, email: &str) -> Result<String, Invalid> {
    let email = normal_email(email);
    let at = email
        .find('@')
        .is_some_and(|at| at > 0 && at + 1 < email.len());
    if !at || email.len() > 254 || email.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(Invalid::new(
            field,
            "must be an email address such as root@example.com",
        ));
    }
    Ok(email)
}

/// An email address as users type it, in the form it is stored in.
pub(crate) fn normal_email(email: &str) -> String {
    email.trim().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn emails() {
        assert_eq!(
            email_of("e", " Root@Example.com ").unwrap(),
            "root@example.com"
        );
        for bad in ["", "root", "@example.com", "root@", "a b@c", "a@b\n"] {
            assert_eq!(email_of("e", bad).is_ok(), bad == "a@b\n", "{bad:?}");
        }
    }

    #[test]
    fn a_generated_password_is_not_shown_by_debug() {
        let generated = GeneratedPassword {
            email: "a@b".into(),
            password: "hidden".into(),
        };
        assert!(!format!("{generated:?}").contains("hidden"));
        assert_eq!(generated.reveal(), "hidden");
    }
}
