//! Secrets at rest: sealed on their way into the control database, opened on their way out, so that
//! who reads the database, a backup of it or a dump finds no secret of an app.
//!
//! A secret is sealed to the place it is for (an app's configuration key, its URL): moved to another
//! row it does not open. A text without the mark of a sealed one was written by an older Lodge, is
//! in the clear, and is sealed when its row is next written.
//!
//! How it fails: with another key than the one it was written with, the database is refused as a
//! whole when it opens ([`check`]), before anything is written under the wrong key.

use crate::{Database, Error, settings};
use lodge_model::{App, SEALED, SealError, Sealer};

/// What the secrets are for.
pub(crate) const JWT_KEY: &str = "jwt-key";
const APP_SECRET: &str = "app-secret";
const CHECK: &str = "check";

/// The setting that tells whether the key is the right one, and what it says.
const CHECK_SETTING: &str = "host_key_check";
const CHECK_TEXT: &str = "lodge";

/// Checks that this host's key is the one that this database's secrets were sealed with. The first
/// key that ever opens a database becomes that one.
///
/// # Errors
/// [`Error::WrongKey`]: it is not. The database failed.
pub async fn check(database: &Database, sealer: &dyn Sealer) -> Result<(), Error> {
    let kept = settings::get(database, CHECK_SETTING).await?;
    if let Some(sealed) = kept.filter(|text| text.starts_with(SEALED)) {
        let text = open(sealer, CHECK, sealed, CHECK_SETTING)?;
        return if text == CHECK_TEXT {
            Ok(())
        } else {
            Err(wrong_key(
                sealer,
                CHECK_SETTING,
                SealError("unexpected text".into()),
            ))
        };
    }
    let sealed = seal(sealer, CHECK, CHECK_TEXT, CHECK_SETTING)?;
    let mut tx = database.begin().await?;
    settings::set(&mut tx, CHECK_SETTING, &sealed).await?;
    tx.commit().await?;
    Ok(())
}

/// The app with its secrets sealed, as it is kept.
pub(crate) fn seal_app(sealer: &dyn Sealer, app: &mut App) -> Result<(), Error> {
    each_secret(app, |place, secret| {
        *secret = seal(sealer, APP_SECRET, secret, place)?;
        Ok(())
    })
}

/// The app with its secrets in the clear, from how it is kept.
pub(crate) fn open_app(sealer: &dyn Sealer, app: &mut App) -> Result<(), Error> {
    each_secret(app, |place, secret| {
        *secret = open(sealer, APP_SECRET, std::mem::take(secret), place)?;
        Ok(())
    })
}

/// Every secret of an app with its place, in one list for both directions.
fn each_secret(
    app: &mut App,
    mut act: impl FnMut(&str, &mut String) -> Result<(), Error>,
) -> Result<(), Error> {
    let id = app.id.clone();
    if let Some(url) = &mut app.database.url {
        act(&format!("apps/{id}/database.url"), url)?;
    }
    for (name, source) in &mut app.data_sources {
        if let Some(url) = &mut source.url {
            act(&format!("apps/{id}/data_sources/{name}"), url)?;
        }
    }
    for (key, entry) in &mut app.config {
        if let Some(value) = entry.value.as_mut().filter(|_| entry.secret) {
            act(&format!("apps/{id}/config/{key}"), value)?;
        }
    }
    Ok(())
}

pub(crate) fn seal(
    sealer: &dyn Sealer,
    purpose: &str,
    plain: &str,
    place: &str,
) -> Result<String, Error> {
    sealer
        .seal(purpose, plain, place)
        .map_err(|source| Error::Seal {
            place: place.to_owned(),
            source,
        })
}

pub(crate) fn open(
    sealer: &dyn Sealer,
    purpose: &str,
    kept: String,
    place: &str,
) -> Result<String, Error> {
    if !kept.starts_with(SEALED) {
        return Ok(kept);
    }
    sealer
        .open(purpose, &kept, place)
        .map_err(|source| wrong_key(sealer, place, source))
}

fn wrong_key(sealer: &dyn Sealer, place: &str, source: SealError) -> Error {
    Error::WrongKey {
        place: place.to_owned(),
        origin: sealer.origin(),
        source,
    }
}
