//! Tries of databases, before or after an app is given one: the Test button.
//!
//! What bounds it: a few tries at once and a time for each, since every one is a connection to
//! wherever an administrator says. How it fails: with the field and the reason; what the server or
//! the driver says is told without the URL's password.

use crate::Error;
use crate::clock::app_id;
use crate::input::{keep_url, settle_engine};
use crate::supervisor::Supervisor;
use lodge_model::{AppId, ConnectionReport, DatabaseKind, DatabaseSpec, GrantError, Invalid};
use serde::{Deserialize, Serialize};
use tokio::time::timeout;
use utoipa::ToSchema;

/// A database to be tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DatabaseTest {
    /// Which. `new_connection` without `url` tries the URL that the app has.
    pub database: DatabaseSpec,
    /// For which app; it need not be there yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub app: Option<AppId>,
}

impl Supervisor {
    /// Tries a database without changing anything.
    ///
    /// # Errors
    /// An app could not use it, too many tries are under way, or it took too long.
    pub async fn test_database(&self, test: DatabaseTest) -> Result<ConnectionReport, Error> {
        self.check_open()?;
        let mut database = test.database;
        if let Some(cell) = test.app.as_ref().and_then(|app| self.index.get(app)) {
            database = keep_url(&database, &cell.lock().row.app.database);
        }
        settle_engine(&mut database, self.settings.database_engine);
        if database.kind == DatabaseKind::None {
            return Err(Invalid::new("database.kind", "`none` is nothing to be tried").into());
        }
        database.check()?;
        let Ok(_place) = self.trials.try_acquire() else {
            return Err(Error::Unavailable {
                code: "tests_busy",
                message: format!(
                    "{} databases are being tried already: try again in a moment",
                    self.settings.database_tests
                ),
            });
        };
        let app = match test.app {
            Some(app) => app,
            None => app_id()?,
        };
        let limit = self.settings.database_test_timeout;
        let tried = timeout(limit, self.provider.test_database(&app, &database)).await;
        let tried = tried.unwrap_or_else(|_| {
            Err(GrantError::Unavailable(format!(
                "it did not answer within {} s: check the address, and that the server lets this \
                 host in",
                limit.as_secs_f32()
            )))
        });
        tried.map_err(|error| refusal(&database, &error))
    }
}

fn refusal(database: &DatabaseSpec, error: &GrantError) -> Error {
    Error::Database {
        code: match error {
            GrantError::Refused(_) => "database_refused",
            GrantError::Unavailable(_) => "database_unavailable",
        },
        field: match database.kind {
            DatabaseKind::NewConnection => "database.url",
            _ => "database.kind",
        },
        message: without_secret(&error.to_string(), database.url.as_deref()),
    }
}

/// The text without the URL and its password, should a driver have quoted them.
pub(crate) fn without_secret(text: &str, url: Option<&str>) -> String {
    let Some(url) = url else {
        return text.to_owned();
    };
    let text = text.replace(url, "…");
    let Some(rest) = url.split_once("://").map(|(_, rest)| rest) else {
        return text;
    };
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    // A password may hold an `@` that should have been encoded.
    let secrets = [
        authority.rsplit_once('@').map(|(user, _)| user),
        rest.rsplit_once('@').map(|(user, _)| user),
    ];
    let passwords = secrets
        .into_iter()
        .flatten()
        .filter_map(|user| user.split_once(':').map(|(_, password)| password))
        .filter(|password| !password.is_empty());
    passwords.fold(text, |text, password| {
        text.replace(password, "…").replace(&decoded(password), "…")
    })
}

/// Undoes percent-encoding.
fn decoded(text: &str) -> String {
    let mut out = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|d| std::str::from_utf8(d).ok());
        match digits.and_then(|d| u8::from_str_radix(d, 16).ok()) {
            Some(decoded) if byte == b'%' => {
                out.push(decoded);
                rest = after.get(2..).unwrap_or_default();
            }
            _ => {
                out.push(byte);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_taken_out_of_texts() {
        for (url, text) in [
            (
                "postgres://u:hunter2@h/d",
                "no: hunter2 at postgres://u:hunter2@h/d",
            ),
            (
                "postgres://u:hunt%40er2@h/d",
                "login u hunt@er2 failed; hunt%40er2",
            ),
            ("mysql://u:hunt/er2@h/d", "bad port hunt/er2"),
        ] {
            let shown = without_secret(text, Some(url));
            assert!(!shown.contains("er2"), "{shown}");
        }
        assert_eq!(
            without_secret("no host h", Some("postgres://u@h/d")),
            "no host h"
        );
    }
}
