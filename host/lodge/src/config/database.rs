//! The control database's address: a URL, or the parts that the seeds' variables give; and the
//! service of apps' databases.

use super::Secret;
use super::args::FileSettings;
use anyhow::{Result, bail};
use std::fmt::Write as _;

/// The URL, if one is given; none: an SQLite file in the data directory.
///
/// # Errors
/// Parts are missing, or the dialect is not one that control data can be kept in.
pub(super) fn url(settings: &FileSettings) -> Result<Option<Secret>> {
    if let Some(url) = &settings.database_url {
        return Ok(Some(Secret(url.clone())));
    }
    match settings.db_dialect.as_deref() {
        None | Some("sqlite") => {
            if settings.db_host.is_some() {
                bail!("DB_HOST is given without DB_DIALECT=postgres: set both, or neither");
            }
            Ok(None)
        }
        Some("postgres" | "postgresql") => {
            let Some(host) = &settings.db_host else {
                bail!("DB_DIALECT=postgres needs DB_HOST");
            };
            let name = settings.db_database.as_deref().unwrap_or("lodge");
            let user = settings.db_user.as_deref().unwrap_or("lodge");
            let mut url = format!("postgres://{}", encoded(user));
            if let Some(password) = &settings.db_password {
                url += &format!(":{}", encoded(password));
            }
            url += &format!(
                "@{host}:{}/{}",
                settings.db_port.unwrap_or(5432),
                encoded(name)
            );
            Ok(Some(Secret(url)))
        }
        Some(other) => bail!("DB_DIALECT={other}: control data is kept in sqlite or postgres"),
    }
}

/// The service in which apps' databases are made: the control database's, unless another is named.
/// None: SQLite files in the data directory.
///
/// # Errors
/// It is none that this version makes them in. The value is not shown: it may hold a password.
pub(super) fn apps_url(
    settings: &FileSettings,
    control: Option<&Secret>,
) -> Result<Option<Secret>> {
    let Some(url) = settings.apps_database_url.as_deref() else {
        // One that only this machine can reach, by a socket, is not for apps.
        let served = |url: &&Secret| lodge_capabilities::database::service_engine(&url.0).is_ok();
        return Ok(control.filter(served).cloned());
    };
    if url == "sqlite:" {
        return Ok(None);
    }
    match lodge_capabilities::database::service_engine(url) {
        Ok(_) => Ok(Some(Secret(url.to_owned()))),
        Err(why) => bail!("apps_database_url (APPS_DATABASE_URL): {why}; or write `sqlite:`"),
    }
}

/// Percent-encodes all but unreserved characters (RFC 3986, 2.3).
fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}
