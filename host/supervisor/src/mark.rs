//! Marks of migrations that broke off, taken off for an administrator who has mended the database.
//!
//! Only MySQL and MariaDB leave marks: the others take a migration that fails back. Nothing is started:
//! the administrator does that. What the host writes down of it comes after the act, since it is an act
//! on another database.
//!
//! How it fails: with 409 `no_mark` if there is none, 503 `database_unavailable` while migrations run or where
//! the database, or every environment of the app, is away. Trying again does no harm.

use crate::cell::Cell;
use crate::clock::now_ms;
use crate::supervisor::Supervisor;
use crate::trial::without_secret;
use crate::{Actor, Error};
use http::Method;
use lodge_db::events::NewEvent;
use lodge_model::{AppId, GrantError, Target};
use serde::Serialize;
use std::sync::Arc;
use tokio::time::timeout;
use utoipa::ToSchema;

/// A migration whose mark was taken off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ClearedMigration {
    /// Its ID.
    pub migration: String,
    /// True: it counts as done. False: it runs again at the app's next start.
    pub done: bool,
}

impl Supervisor {
    /// Takes the mark off the migration of an app's database that broke off.
    ///
    /// # Errors
    /// There is no such app, it is being deleted, there is no mark, migrations run just now, or the
    /// database cannot be reached.
    pub async fn clear_migration(
        self: &Arc<Self>,
        id: &AppId,
        done: bool,
        actor: &Actor,
    ) -> Result<ClearedMigration, Error> {
        let (this, id, actor) = (Arc::clone(self), id.clone(), actor.clone());
        self.unbroken(async move { this.clear_mark(&id, done, &actor).await })
            .await
    }

    async fn clear_mark(
        &self,
        id: &AppId,
        done: bool,
        actor: &Actor,
    ) -> Result<ClearedMigration, Error> {
        let cell = self.index.require(id)?;
        let database = self.changeable(&cell)?.app.database;
        let away = !cell.lock().is_local();
        let cleared = match away {
            true => self.clear_at_workers(&cell, done).await,
            false => {
                let limit = self.settings.database_test_timeout;
                let cleared = self.provider.clear_migration(id, &database, done);
                timeout(limit, cleared)
                    .await
                    .unwrap_or_else(|_| {
                        Err(GrantError::Unavailable(
                            "the database did not answer in time".into(),
                        ))
                    })
                    .map_err(|error| error.to_string())
            }
        };
        let cleared = cleared.map_err(|why| Error::Unavailable {
            code: "database_unavailable",
            message: without_secret(&why, database.url.as_deref()),
        })?;
        let Some(migration) = cleared else {
            return Err(Error::conflict(
                "no_mark",
                format!(
                    "no migration of the app `{id}` has a mark: MySQL and MariaDB leave one when a migration breaks \
                     off; if the app does not start, its log says why"
                ),
            ));
        };
        let event = NewEvent {
            app: Some(id.as_str()),
            subject: Some(&migration),
            message: Some(if done { "counts as done" } else { "runs again" }),
            ..actor.entry(now_ms(), "app.clear_migration")
        };
        let mut tx = self.begin().await?;
        lodge_db::events::insert(&mut tx, &event).await?;
        tx.commit().await.map_err(lodge_db::Error::from)?;
        Ok(ClearedMigration { migration, done })
    }

    /// Every worker of the app is asked, since each may have a database of its own.
    async fn clear_at_workers(&self, cell: &Cell, done: bool) -> Result<Option<String>, String> {
        let path = format!(
            "/.lodge/apps/{}/database/clear-migration?done={done}",
            cell.id
        );
        let (mut cleared, mut refused) = (None, None);
        let targets = self.hosts_of(cell);
        if targets.is_empty() {
            return Err("it is done where the app runs, and no environment of it answers".into());
        }
        for target in targets {
            match self.clear_at(&target, &path).await {
                Ok(found) => cleared = cleared.or(found),
                Err(why) => refused = Some(format!("asked in `{}`: {why}", target.environment)),
            }
        }
        match (cleared, refused) {
            (None, Some(why)) => Err(why),
            (cleared, _) => Ok(cleared),
        }
    }

    async fn clear_at(&self, target: &Target, path: &str) -> Result<Option<String>, String> {
        let text = self.ask_worker(target, Method::POST, path).await?;
        serde_json::from_slice(&text).map_err(|_| "it speaks another version of Lodge".into())
    }
}
