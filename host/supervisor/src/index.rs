//! Every app in memory, so that neither a visit nor a list has to ask the database.

use crate::cell::Cell;
use crate::{Error, Fault};
use lodge_model::{AppId, Digest};
use parking_lot::RwLock;
use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::Arc;

/// The apps by ID, and whose each name is.
#[derive(Default)]
pub(crate) struct Index(RwLock<Names>);

#[derive(Default)]
struct Names {
    apps: BTreeMap<AppId, Arc<Cell>>,
    labels: HashMap<String, AppId>,
    domains: HashMap<String, AppId>,
}

impl Index {
    /// The app, if there is one.
    pub(crate) fn get(&self, id: &AppId) -> Option<Arc<Cell>> {
        self.0.read().apps.get(id).cloned()
    }

    /// The app.
    pub(crate) fn require(&self, id: &AppId) -> Result<Arc<Cell>, Error> {
        self.get(id).ok_or_else(|| Error::not_found("app", id))
    }

    /// Every app, by ID, after `after`.
    pub(crate) fn after(&self, after: Option<&AppId>) -> Vec<Arc<Cell>> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let names = self.0.read();
        names
            .apps
            .range::<AppId, _>((from, Bound::Unbounded))
            .map(|(_, cell)| Arc::clone(cell))
            .collect()
    }

    /// Every app.
    pub(crate) fn all(&self) -> Vec<Arc<Cell>> {
        self.after(None)
    }

    /// The apps that run a component, or would.
    pub(crate) fn users_of(&self, digest: &Digest) -> Vec<Arc<Cell>> {
        let mut cells = self.all();
        cells.retain(|cell| cell.lock().row.app.component.digest == *digest);
        cells
    }

    /// Checks that an ID is free, also as a host label.
    pub(crate) fn check_id(&self, id: &AppId) -> Result<(), Error> {
        let names = self.0.read();
        if names.apps.contains_key(id) {
            return Err(Error::conflict(
                "app_exists",
                format!("there already is an app `{id}`: choose another id, or change that one"),
            ));
        }
        match names.labels.get(&id.host_label()) {
            None => Ok(()),
            Some(other) => Err(Error::conflict(
                "host_label_taken",
                format!(
                    "`{id}` would have the same host name as the app `{other}`, since `_` shows \
                     as `-` there: choose another id"
                ),
            )),
        }
    }

    /// Checks that no other app has one of the domains.
    pub(crate) fn check_domains(&self, id: &AppId, domains: &[String]) -> Result<(), Error> {
        let names = self.0.read();
        for domain in domains {
            if let Some(other) = names.domains.get(domain).filter(|other| *other != id) {
                return Err(Error::conflict(
                    "domain_taken",
                    format!("the domain `{domain}` is the app `{other}`'s: remove it there first"),
                ));
            }
        }
        Ok(())
    }

    /// Adds an app whose names are free.
    pub(crate) fn insert(&self, cell: Arc<Cell>) {
        let domains = cell.lock().row.app.domains.clone();
        let mut names = self.0.write();
        names.labels.insert(cell.id.host_label(), cell.id.clone());
        names
            .domains
            .extend(domains.into_iter().map(|domain| (domain, cell.id.clone())));
        names.apps.insert(cell.id.clone(), cell);
    }

    /// Notes an app's changed domains.
    pub(crate) fn set_domains(&self, id: &AppId, domains: &[String]) {
        let mut names = self.0.write();
        names.domains.retain(|_, owner| owner != id);
        names
            .domains
            .extend(domains.iter().map(|domain| (domain.clone(), id.clone())));
    }

    /// Removes an app and frees its names.
    pub(crate) fn remove(&self, id: &AppId) {
        let mut names = self.0.write();
        names.apps.remove(id);
        names.labels.remove(&id.host_label());
        names.domains.retain(|_, owner| owner != id);
    }
}

/// What the database says where the index had seen no conflict: another process writes to it.
pub(crate) fn unseen_conflict(error: lodge_db::Error) -> Error {
    match error {
        lodge_db::Error::Taken(_) => Error::conflict(
            "changed_meanwhile",
            "another process took this id or domain meanwhile: look at the list and try again",
        ),
        other => Error::Internal(Fault::Database(other)),
    }
}
