//! The mark of a migration that broke off, where the engine cannot take changes of tables back.
//!
//! An administrator mends the database and has the mark taken off: the migration runs again at the next
//! start, or counts as done. That is done under the lock under which migrations run, so that none of them
//! loses its mark while it runs.

use super::address::Address;
use super::provision::{ask, connect, run};
use super::session::Live;
use crate::database::{Databases, Place};
use lodge_model::{AppId, DatabaseEngine, DatabaseSpec, GrantError, SqlError, Value};

/// Takes the lock of this name, under which migrations run, waited for so many seconds. It ends with the session.
pub(super) fn lock(name: &str, seconds: u64) -> String {
    format!("SELECT GET_LOCK('{name}', {seconds})")
}

/// What helps an app whose migration has a mark.
pub(super) fn remedy(app: &AppId) -> String {
    format!(
        "this engine cannot take changes of tables back: mend the database, then `lodge app clear-migration {app}` has \
         it run again at the next start; with `--done` it counts as done"
    )
}

impl Databases {
    /// Takes the mark off a migration of the app's own database that broke off. Gives its ID; none: there is
    /// no mark.
    ///
    /// # Errors
    /// Migrations run just now, or the database cannot be reached.
    pub(crate) async fn clear_migration(
        &self,
        app: &AppId,
        spec: &DatabaseSpec,
        done: bool,
    ) -> Result<Option<String>, GrantError> {
        let _turn = self.preparations.acquire().await;
        // As the app's own role: what is in its database may be made to do harm with the rights of whoever reads it.
        let address = match (self.place(spec)?, &spec.url) {
            (Place::Service(room), _) => {
                let service = self.service()?;
                if service.administrator().engine == DatabaseEngine::Postgres {
                    return Ok(None);
                }
                service.ensure(app, room, false).await?.0
            }
            (Place::Url, Some(url)) => {
                Address::parse(url).map_err(|why| GrantError::Refused(format!("the URL {why}")))?
            }
            _ => return Ok(None),
        };
        // The others take a migration that fails back.
        if address.engine == DatabaseEngine::Postgres {
            return Ok(None);
        }
        let mut live = connect(&address)
            .await
            .map_err(|error| GrantError::Unavailable(error.to_string()))?;
        clear(&mut live, &self.migration_lock(&address.database), done).await
    }

    /// The name of the lock under which a database's migrations run, where locks are the whole server's: whoever
    /// knows it could hold them up.
    pub(crate) fn migration_lock(&self, database: &str) -> String {
        let key = self
            .key
            .derive(&format!("lock of migrations of the database {database}"));
        format!("lodge:{}", hex::encode(key).get(..32).unwrap_or_default())
    }
}

/// Takes the mark off, in the app's database. Gives the migration's ID; none: there is no mark.
///
/// # Errors
/// Migrations run just now, or the server did not do it.
async fn clear(live: &mut Live, name: &str, done: bool) -> Result<Option<String>, GrantError> {
    let one = vec![vec![Value::Int(1)]];
    if ask(live, &lock(name, 0), Vec::new())
        .await
        .map_err(not_cleared)?
        != one
    {
        return Err(GrantError::Unavailable(
            "the app's migrations run just now: try again when its start has ended".into(),
        ));
    }
    let there = "SELECT 1 FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = \
                 'lodge_migrations'";
    if ask(live, there, Vec::new()).await.map_err(not_cleared)? != one {
        return Ok(None);
    }
    let marked = "SELECT id FROM lodge_migrations WHERE dirty ORDER BY id LIMIT 1";
    let marked = ask(live, marked, Vec::new()).await.map_err(not_cleared)?;
    let Some(Value::Text(id)) = marked.into_iter().flatten().next() else {
        return Ok(None);
    };
    // What an administrator did by hand has no text that a later version could be compared with.
    let change = match done {
        true => "UPDATE lodge_migrations SET dirty = FALSE, checksum = '' WHERE dirty",
        false => "DELETE FROM lodge_migrations WHERE dirty",
    };
    run(live, change).await.map_err(not_cleared)?;
    Ok(Some(id))
}

fn not_cleared(error: SqlError) -> GrantError {
    let text = format!("the mark was not taken off: {error}");
    match error {
        SqlError::Unavailable(_) | SqlError::TimedOut(_) => GrantError::Unavailable(text),
        _ => GrantError::Refused(text),
    }
}
