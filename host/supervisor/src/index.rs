//! Every app in memory, so that neither a visit nor a list has to ask the database.

use crate::cell::{Cell, State};
use crate::{Error, Fault};
use lodge_model::{AppId, Digest, EnvironmentName};
use parking_lot::RwLock;
use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::Arc;

/// The apps by ID, by worker, and whose each name is. Its lock is taken last: while a cell's is held, and
/// never the other way round.
#[derive(Default)]
pub(crate) struct Index(RwLock<Names>);

#[derive(Default)]
struct Names {
    apps: BTreeMap<AppId, Arc<Cell>>,
    /// Where apps are on workers. Each worker speaks often, so none looks at all apps for one of them.
    places: HashMap<EnvironmentName, BTreeMap<AppId, Arc<Cell>>>,
    labels: HashMap<String, AppId>,
    domains: HashMap<String, AppId>,
}

impl Names {
    fn place(&mut self, cell: &Arc<Cell>, state: &State) {
        for place in state.remotes.places() {
            let apps = self.places.entry(place.environment.clone()).or_default();
            apps.insert(cell.id.clone(), Arc::clone(cell));
        }
    }
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

    /// The apps that are placed on a worker, or leave it; by ID.
    pub(crate) fn at(&self, environment: &EnvironmentName) -> Vec<Arc<Cell>> {
        let names = self.0.read();
        let there = names.places.get(environment);
        there.map_or_else(Vec::new, |apps| apps.values().cloned().collect())
    }

    /// Notes that an app was placed: for whoever did so, while it holds the cell's lock.
    pub(crate) fn placed(&self, cell: &Arc<Cell>, state: &State) {
        let mut names = self.0.write();
        let known = names.apps.get(&cell.id);
        if known.is_some_and(|known| Arc::ptr_eq(known, cell)) {
            names.place(cell, state);
        }
    }

    /// Notes that nothing of an app is on a worker any more: as [`placed`](Self::placed).
    pub(crate) fn left(&self, app: &AppId, environment: &EnvironmentName) {
        let mut names = self.0.write();
        if let Some(apps) = names.places.get_mut(environment) {
            apps.remove(app);
            if apps.is_empty() {
                names.places.remove(environment);
            }
        }
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
        let state = cell.lock();
        let domains = state.row.app.domains.clone();
        let mut names = self.0.write();
        names.place(&cell, &state);
        drop(state);
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
        names.places.retain(|_, apps| {
            apps.remove(id);
            !apps.is_empty()
        });
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

#[cfg(test)]
mod tests {
    use super::*;
    use lodge_db::apps::AppRow;

    fn name(name: &str) -> EnvironmentName {
        name.parse().unwrap()
    }

    fn cell(id: &str, environments: &[&str]) -> Arc<Cell> {
        let json = serde_json::json!({
            "id": id, "display_name": id, "start_mode": "with_host", "environments": environments,
            "placement": "named", "failover": false,
            "component": {"name": "c", "version": "1.0.0", "digest": Digest::from_bytes([1; 32])},
            "database": {"kind": "none"}, "auto_upgrade": false, "jwt": {"independent": true},
            "domains": [], "limits": {}, "outbound_hosts": [], "path_access": "serve",
            "config": {}, "desired": "running", "created_at": 1, "updated_at": 2,
        });
        let row = AppRow {
            app: serde_json::from_value(json).unwrap(),
            generation: 1,
            deleting: None,
        };
        Arc::new(Cell::new(row, &name("local"), 0))
    }

    fn ids(index: &Index, environment: &str) -> Vec<String> {
        let cells = index.at(&name(environment)).into_iter();
        cells.map(|cell| cell.id.to_string()).collect()
    }

    #[test]
    fn who_is_on_a_worker_is_known_from_placement_to_departure() {
        let index = Index::default();
        let moving = cell("moving", &["a"]);
        index.insert(Arc::clone(&moving));
        index.insert(cell("both", &["a", "b"]));
        index.insert(cell("here", &["local"]));
        assert_eq!(ids(&index, "a"), ["both", "moving"]);
        assert_eq!(ids(&index, "b"), ["both"]);
        assert!(index.at(&name("local")).is_empty());

        {
            let mut state = moving.lock();
            state.row.app.environments = vec![name("b")];
            state.place(&name("local"));
            index.placed(&moving, &state);
        }
        // It is still there until it has left.
        assert_eq!(ids(&index, "a"), ["both", "moving"]);
        assert_eq!(ids(&index, "b"), ["both", "moving"]);
        index.left(&moving.id, &name("a"));
        assert_eq!(ids(&index, "a"), ["both"]);

        index.remove(&moving.id);
        assert_eq!(ids(&index, "b"), ["both"]);
        // Too late: it is gone, and stays so.
        index.placed(&moving, &moving.lock());
        assert_eq!(ids(&index, "b"), ["both"]);
    }
}
