//! What an app is granted, put together from its row, the keys, and the rows of the apps whose
//! databases it was granted.
//!
//! A grant may change although the app's row does not: the shared key is rotated, another app's
//! database moves. Then every app that it concerns is launched anew with the new grant
//! ([`Supervisor::regrant`]); that is not written anywhere, since a host that ends launches
//! everything anew with its next start.

use crate::cell::Cell;
use crate::keys::granted;
use crate::queue::Lane;
use crate::supervisor::Supervisor;
use crate::{Error, Fault};
use lodge_model::{
    App, AppId, DataPolicy, DatabaseKind, DatabaseSpec, Grant, Invalid, LogLevel, Secret,
    StartError,
};
use std::sync::Arc;

impl Supervisor {
    /// What the app is granted now. A source whose app is gone is left out: the rest works on.
    pub(crate) fn grant(&self, app: &App) -> Grant {
        let mut grant = Grant {
            app: app.id.clone(),
            database: app.database.clone(),
            sources: app.data_sources.clone(),
            source_databases: std::collections::BTreeMap::new(),
            jwt_keys: self.keys.of(app).iter().map(granted).collect(),
            config: app
                .config
                .iter()
                .filter_map(|(key, entry)| Some((key.clone(), Secret(entry.value.clone()?))))
                .collect(),
            outbound_hosts: app.outbound_hosts.clone(),
            limits: app.limits.clone(),
        };
        grant.sources.retain(|_, source| {
            let Some(owner) = &source.app else {
                return true;
            };
            let Some(database) = self.database_of(owner) else {
                return false;
            };
            grant.source_databases.insert(owner.clone(), database);
            true
        });
        grant
    }

    /// The grant to start an app with, after making sure that it has a key.
    pub(crate) async fn launch_grant(&self, cell: &Cell, app: &App) -> Result<Grant, StartError> {
        if let Err(error) = self.ensure_key(app).await {
            tracing::error!(app = %cell.id, %error, "cannot make the key of an app's tokens");
            return Err(StartError::Host(
                "the key of its tokens could not be made: the host's log says why".into(),
            ));
        }
        let grant = self.grant(app);
        for (name, source) in &app.data_sources {
            if let (false, Some(owner)) = (grant.sources.contains_key(name), &source.app) {
                let text = format!(
                    "the data source `{name}` is not there: the app `{owner}` is gone or has no \
                     database; remove the source, or grant another"
                );
                self.log(cell, LogLevel::Warn, text);
            }
        }
        Ok(grant)
    }

    /// An app's own database, if it has one and stays.
    fn database_of(&self, app: &AppId) -> Option<DatabaseSpec> {
        let cell = self.index.get(app)?;
        let state = cell.lock();
        let database = &state.row.app.database;
        let there = state.row.deleting.is_none() && database.kind != DatabaseKind::None;
        there.then(|| database.clone())
    }

    /// Checks the sources that were not granted before: the app is there and has a database.
    pub(crate) fn check_new_sources(&self, app: &App, old: Option<&App>) -> Result<(), Error> {
        for (name, source) in &app.data_sources {
            let Some(owner) = &source.app else {
                continue;
            };
            let before = old.and_then(|old| old.data_sources.get(name));
            if before.is_some_and(|before| before.app == source.app) {
                continue;
            }
            if self.database_of(owner).is_none() {
                let why = match self.index.get(owner) {
                    None => format!("there is no app `{owner}`"),
                    Some(cell) if cell.lock().row.deleting.is_some() => {
                        format!("the app `{owner}` is being deleted")
                    }
                    Some(_) => format!("the app `{owner}` has no database"),
                };
                let field = format!("data_sources.{name}.app");
                return Err(Invalid::new(field, format!("{why}: name an app that has one")).into());
            }
        }
        Ok(())
    }

    /// The apps that were granted an app's database.
    pub(crate) fn users_of_database(&self, id: &AppId) -> Vec<Arc<Cell>> {
        let mut cells = self.index.all();
        cells.retain(|cell| {
            let state = cell.lock();
            let mut sources = state.row.app.data_sources.values();
            state.row.deleting.is_none() && sources.any(|source| source.app.as_ref() == Some(id))
        });
        cells
    }

    /// Refuses what would take an app's database away from others that were granted it.
    pub(crate) fn check_unused_database(&self, id: &AppId, or: &str) -> Result<(), Error> {
        let users = self.users_of_database(id);
        if users.is_empty() {
            return Ok(());
        }
        let mut names: Vec<_> = users.iter().map(|cell| format!("`{}`", cell.id)).collect();
        let more = names.split_off(names.len().min(10)).len();
        let more = match more {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        Err(Error::conflict(
            "database_in_use",
            format!(
                "the database of `{id}` was granted to {}{more}: remove that data source there \
                 first, or {or}",
                names.join(", ")
            ),
        ))
    }

    /// Has apps launched anew with what they are granted now; those that do not run get it with
    /// their next start.
    pub(crate) fn regrant(&self, cells: &[Arc<Cell>]) {
        for cell in cells {
            cell.lock().regrants += 1;
            self.queue.add(&cell.id, Lane::Background);
        }
    }

    /// Closes and, if so asked, drops what a deleted app had; says what was kept.
    pub(crate) async fn remove_capabilities(
        &self,
        cell: &Cell,
        data: DataPolicy,
    ) -> Result<Option<String>, Error> {
        let app = cell.lock().row.app.clone();
        let removed = self.provider.remove(&self.grant(&app), data).await;
        match (data, removed) {
            (DataPolicy::Drop, removed) => {
                removed.map_err(Fault::Grant)?;
                Ok(None)
            }
            (DataPolicy::Keep, removed) => {
                if let Err(error) = removed {
                    tracing::warn!(app = %cell.id, %error, "cannot close what a deleted app had");
                }
                Ok(match app.database.kind {
                    DatabaseKind::None => None,
                    DatabaseKind::NewConnection => Some("its database stays as it is".into()),
                    DatabaseKind::NewDatabase | DatabaseKind::NewSchema => Some(
                        "its database was kept: an app of the same id and kind finds it again"
                            .into(),
                    ),
                })
            }
        }
    }
}
