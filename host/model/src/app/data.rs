//! Where an app's data may live: what one can check of it without connecting anywhere.

use super::{App, ConfigEntry, DatabaseEngine, DatabaseKind, DatabaseSpec, JwtSpec};
use crate::{Invalid, JwtAlgorithm, SourceGrant};
use std::fmt;

/// The longest URL of a database, in bytes.
const MAX_URL_BYTES: usize = 2048;

impl fmt::Debug for DatabaseSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DatabaseSpec")
            .field("kind", &self.kind)
            .field("engine", &self.engine)
            .field("url", &self.url.as_ref().map(|_| "…"))
            .finish()
    }
}

impl fmt::Display for DatabaseEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
            Self::Mysql => "MySQL",
            Self::Mariadb => "MariaDB",
        })
    }
}

impl fmt::Debug for ConfigEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = if self.secret { Some("…") } else { None };
        f.debug_struct("ConfigEntry")
            .field("value", &shown.or(self.value.as_deref()))
            .field("secret", &self.secret)
            .finish()
    }
}

impl DatabaseSpec {
    /// Checks what fits together: kind, make and URL.
    ///
    /// # Errors
    /// The first field that does not; never with the URL.
    pub fn check(&self) -> Result<(), Invalid> {
        let engine = self.engine;
        match (self.kind, &self.url) {
            (DatabaseKind::NewConnection, None) => Err(Invalid::new(
                "database.url",
                "`new_connection` needs the server's URL, such as postgres://user:password@host/name",
            )),
            (DatabaseKind::NewConnection, Some(url)) => {
                let named = check_url("database.url", url)?;
                if engine.is_some_and(|engine| !is_make(engine, named)) {
                    return Err(Invalid::new(
                        "database.engine",
                        "is not that of the URL: leave it out, or give the URL of such a server",
                    ));
                }
                Ok(())
            }
            (_, Some(_)) => Err(Invalid::new(
                "database.url",
                "only `new_connection` takes a URL: remove it",
            )),
            (DatabaseKind::NewSchema, None)
                if engine.is_some_and(|e| e != DatabaseEngine::Postgres) =>
            {
                Err(Invalid::new(
                    "database.engine",
                    "`new_schema` is for PostgreSQL only",
                ))
            }
            _ => Ok(()),
        }
    }
}

impl JwtSpec {
    /// Checks that the algorithm is one that the chosen key can have.
    ///
    /// # Errors
    /// It is not.
    pub fn check(&self) -> Result<(), Invalid> {
        if !self.independent && self.algorithm != JwtAlgorithm::HS256 {
            return Err(Invalid::new(
                "jwt.algorithm",
                "the host-wide key is for HS256 only: leave the algorithm out, or set \
                 `independent` to true",
            ));
        }
        Ok(())
    }
}

/// Checks the names of the sources, and that each says where it is; whether the apps that they name
/// are there is for who knows them all.
pub(super) fn check_sources(app: &App) -> Result<(), Invalid> {
    for (name, source) in &app.data_sources {
        let field = format!("data_sources.{name}");
        check_source_name(&field, name)?;
        check_source(app, &field, source)?;
    }
    Ok(())
}

fn check_source_name(field: &str, name: &str) -> Result<(), Invalid> {
    let inner = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_');
    let begins = name.bytes().next().is_some_and(|b| b.is_ascii_lowercase());
    if !begins || name.len() > 63 || !name.bytes().all(inner) {
        return Err(Invalid::new(
            field,
            "a name has 1 to 63 lower-case letters, digits or `_`, and begins with a letter",
        ));
    }
    if name == "default" {
        return Err(Invalid::new(
            field,
            "`default` is the app's own database, set by `database`: choose another name",
        ));
    }
    Ok(())
}

fn check_source(app: &App, field: &str, source: &SourceGrant) -> Result<(), Invalid> {
    match (&source.app, &source.url) {
        (Some(other), None) if *other == app.id => Err(Invalid::new(
            format!("{field}.app"),
            "is the app itself, which opens its own database as `default`: name another app",
        )),
        (Some(_), None) => Ok(()),
        (None, Some(url)) => check_url(&format!("{field}.url"), url).map(drop),
        (None, None) => Err(Invalid::new(
            field,
            "say where it is: {\"app\": \"ID\"} for that app's database, or {\"url\": …}",
        )),
        (Some(_), Some(_)) => Err(Invalid::new(
            field,
            "has both `app` and `url`: give one of them",
        )),
    }
}

/// The make that the URL's scheme names. What else is to be checked needs the server.
fn check_url(field: &str, url: &str) -> Result<DatabaseEngine, Invalid> {
    if url.len() > MAX_URL_BYTES || url.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(Invalid::new(
            field,
            format!(
                "must have at most {MAX_URL_BYTES} bytes, without spaces or control characters"
            ),
        ));
    }
    match url.split_once("://").map(|(scheme, _)| scheme) {
        Some("postgres" | "postgresql") => Ok(DatabaseEngine::Postgres),
        Some("mysql") => Ok(DatabaseEngine::Mysql),
        Some("mariadb") => Ok(DatabaseEngine::Mariadb),
        _ => Err(Invalid::new(
            field,
            "must begin with postgres://, mysql:// or mariadb://",
        )),
    }
}

/// MySQL and MariaDB speak one protocol, and their URLs are used for each other.
fn is_make(engine: DatabaseEngine, named: DatabaseEngine) -> bool {
    let mysql = |e| matches!(e, DatabaseEngine::Mysql | DatabaseEngine::Mariadb);
    engine == named || (mysql(engine) && mysql(named))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn source_names_are_identifiers() {
        for good in ["a", "orders", "x_1"] {
            check_source_name("f", good).unwrap();
        }
        let long = "a".repeat(64);
        for bad in ["", "default", "A", "1a", "_a", "a-b", "a.b", &long] {
            assert!(check_source_name("f", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn urls_are_refused_without_being_shown() {
        check_url("f", "postgres://u:hunter2@h/d").unwrap();
        let long = format!("postgres://u:hunter2@h/{}", "d".repeat(MAX_URL_BYTES));
        for bad in [
            "sqlite:///etc/hunter2",
            "hunter2",
            "postgres://u:hunter2@h/d e",
            &long,
        ] {
            let refused = check_url("f", bad).unwrap_err();
            assert!(!refused.to_string().contains("hunter2"), "{refused}");
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let database = DatabaseSpec {
            kind: DatabaseKind::NewConnection,
            engine: Some(DatabaseEngine::Mysql),
            url: Some("mariadb://u:hunter2@h/d".into()),
        };
        database.check().unwrap();
        let source = SourceGrant {
            url: database.url.clone(),
            ..SourceGrant::default()
        };
        let entry = ConfigEntry {
            value: Some("hunter2".into()),
            secret: true,
        };
        let text = format!("{database:?} {source:?} {entry:?}");
        assert!(!text.contains("hunter2"), "{text}");
    }
}
