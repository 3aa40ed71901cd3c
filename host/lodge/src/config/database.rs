//! The control database's address: a URL, or the parts that the seeds' variables give; and the
//! service of apps' databases.

use super::Secret;
use super::args::FileSettings;
use anyhow::{Result, bail};
use std::fmt::Write as _;

/// The control database, and the service of apps' databases. None: SQLite files in the data directory.
///
/// # Errors
/// One makes no sense.
pub(super) fn decide(
    settings: &FileSettings,
    is_worker: bool,
) -> Result<(Option<Secret>, Option<Secret>)> {
    if is_worker {
        return Ok((None, workers_service(settings)?));
    }
    let control = url(settings)?;
    let apps = apps_url(settings, control.as_ref())?;
    Ok((control, apps))
}

/// The control database's URL, if one is given; none: an SQLite file in the data directory.
///
/// # Errors
/// Parts are missing, or the dialect is not one that control data can be kept in.
fn url(settings: &FileSettings) -> Result<Option<Secret>> {
    if let Some(url) = &settings.database_url {
        return Ok(Some(Secret(url.clone())));
    }
    match settings.db_dialect.as_deref() {
        None | Some("sqlite" | "postgres" | "postgresql") => of_parts(settings),
        Some(other) => bail!("DB_DIALECT={other}: control data is kept in sqlite or postgres"),
    }
}

/// The service in which a worker's apps get their databases. A worker keeps no control data, so that
/// the control database's variables mean this there, unless one of its own is given. None: SQLite files
/// in the data directory.
///
/// # Errors
/// It is none that databases are made in. The value is not shown: it may hold a password.
fn workers_service(settings: &FileSettings) -> Result<Option<Secret>> {
    if settings.apps_database_url.is_some() {
        return apps_url(settings, None);
    }
    match settings.database_url.as_deref() {
        None => of_parts(settings),
        Some(url) => service("database_url (DATABASE_URL) of a worker", url),
    }
}

/// The address that the seeds' variables give in parts; none: SQLite.
fn of_parts(settings: &FileSettings) -> Result<Option<Secret>> {
    let (scheme, port) = match settings.db_dialect.as_deref() {
        None | Some("sqlite") => {
            if settings.db_host.is_some() {
                bail!("DB_HOST is given without DB_DIALECT=postgres: set both, or neither");
            }
            return Ok(None);
        }
        Some("postgres" | "postgresql") => ("postgres", 5432),
        Some(dialect @ ("mysql" | "mariadb")) => (dialect, 3306),
        Some(other) => bail!(
            "DB_DIALECT={other}: apps' databases are made in sqlite, postgres, mysql or mariadb"
        ),
    };
    let Some(host) = &settings.db_host else {
        bail!("DB_DIALECT={scheme} needs DB_HOST");
    };
    let name = settings.db_database.as_deref().unwrap_or("lodge");
    let user = settings.db_user.as_deref().unwrap_or("lodge");
    let mut url = format!("{scheme}://{}", encoded(user));
    if let Some(password) = &settings.db_password {
        url += &format!(":{}", encoded(password));
    }
    let port = settings.db_port.unwrap_or(port);
    url += &format!("@{host}:{port}/{}", encoded(name));
    Ok(Some(Secret(url)))
}

/// The service in which apps' databases are made: the control database's, unless another is named.
/// None: SQLite files in the data directory.
///
/// # Errors
/// It is none that this version makes them in. The value is not shown: it may hold a password.
fn apps_url(settings: &FileSettings, control: Option<&Secret>) -> Result<Option<Secret>> {
    let Some(url) = settings.apps_database_url.as_deref() else {
        // One that only this machine can reach, by a socket, is not for apps.
        let served = |url: &&Secret| lodge_capabilities::database::service_engine(&url.0).is_ok();
        return Ok(control.filter(served).cloned());
    };
    service("apps_database_url (APPS_DATABASE_URL)", url)
}

fn service(name: &str, url: &str) -> Result<Option<Secret>> {
    if url == "sqlite:" {
        return Ok(None);
    }
    match lodge_capabilities::database::service_engine(url) {
        Ok(_) => Ok(Some(Secret(url.to_owned()))),
        Err(why) => bail!("{name}: {why}; or write `sqlite:`"),
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
