//! The routing table: what the request path knows of every app.
//!
//! Readers load it without a lock. A change of membership (an app added, removed, given another
//! domain) clones the maps, whose keys and values are shared, and swaps the table: about 1 ms with
//! 10,000 apps. What changes often, an app's phase, is swapped inside its entry, whatever the
//! number of apps. Writers take turns by a mutex.

use super::Host;
use crate::admission::Admission;
use arc_swap::{ArcSwap, Guard};
use http::HeaderValue;
use lodge_model::{AppId, AppMeter, FailureKind, Limits, PathAccess, Phase, Route, RouteSink};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;

/// One app on the request path. Lives as long as its route, whatever changes about it.
pub(crate) struct Entry {
    pub(crate) app: AppId,
    pub(crate) admission: Admission,
    state: ArcSwap<State>,
    /// The ID as a host name label; differs from the ID where that has underscores.
    label: Box<str>,
    /// `/apps/{id}`.
    prefix: HeaderValue,
    domains: Mutex<Arc<[Arc<str>]>>,
}

/// What may change about an app while requests are under way; each keeps the one it began with.
#[derive(Clone)]
pub(crate) struct State {
    pub(crate) path_access: PathAccess,
    pub(crate) limits: Limits,
    pub(crate) meter: Arc<AppMeter>,
    pub(crate) phase: Phase,
}

impl Entry {
    fn new(route: Route) -> Self {
        let prefix = HeaderValue::try_from(format!("/apps/{}", route.app));
        Self {
            admission: Admission::new(route.limits.concurrency),
            label: route.app.host_label().into(),
            // An ID is letters, digits, `-` and `_`: always a valid header value.
            prefix: prefix.unwrap_or_else(|_| HeaderValue::from_static("/")),
            domains: Mutex::new(shared(&route.domains)),
            app: route.app.clone(),
            state: ArcSwap::from_pointee(State::of(route)),
        }
    }

    /// The app as it is now.
    pub(crate) fn state(&self) -> Arc<State> {
        self.state.load_full()
    }

    /// `/apps/{name}`, `name` being one of the app's two spellings.
    pub(super) fn prefix(&self, name: &str) -> Option<HeaderValue> {
        if name == self.app.as_str() {
            return Some(self.prefix.clone());
        }
        HeaderValue::try_from(format!("/apps/{name}")).ok()
    }

    /// The app's own host name and port for a visitor who came by `host`: its first domain, its
    /// name under the apps domain, or, for a visitor on this machine, its name under `localhost`.
    pub(super) fn own_host(&self, host: &Host<'_>, apps_domain: Option<&str>) -> Option<String> {
        let port = host.port();
        if let Some(domain) = self.domains.lock().first() {
            return Some(format!("{domain}{port}"));
        }
        match apps_domain {
            Some(apps_domain) => Some(format!("{}.{apps_domain}{port}", self.label)),
            None if host.is_loopback() => Some(format!("{}.localhost{port}", self.label)),
            None => None,
        }
    }
}

impl State {
    fn of(route: Route) -> Self {
        Self {
            path_access: route.path_access,
            limits: route.limits,
            meter: route.meter,
            phase: route.phase,
        }
    }
}

/// One state of the whole table.
#[derive(Default, Clone)]
pub(crate) struct Table {
    /// By ID, and by host name label where that differs.
    names: HashMap<Arc<str>, Arc<Entry>>,
    /// By custom domain.
    domains: HashMap<Arc<str>, Arc<Entry>>,
}

impl Table {
    pub(crate) fn by_name(&self, name: &str) -> Option<&Arc<Entry>> {
        self.names.get(name)
    }

    /// The app whose own host name this is; nothing if it is a host name for many.
    ///
    /// # Errors
    /// The name can only be an app's, and no app has it.
    pub(super) fn by_host(
        &self,
        host: &Host<'_>,
        apps_suffix: Option<&str>,
    ) -> Result<Option<&Arc<Entry>>, FailureKind> {
        if host.is_address {
            return Ok(None);
        }
        let name = host.name();
        let label = name
            .strip_suffix(".localhost")
            .or_else(|| name.strip_suffix(apps_suffix?));
        let Some(label) = label else {
            return Ok(self.domains.get(name));
        };
        let entry = self.names.get(label).or_else(|| self.domains.get(name));
        entry.map(Some).ok_or(FailureKind::AppNotFound)
    }

    fn insert(&mut self, entry: &Arc<Entry>) {
        let id = entry.app.as_str();
        if *entry.label != *id {
            self.names.insert(Arc::from(&*entry.label), entry.clone());
        }
        self.names.insert(Arc::from(id), entry.clone());
        for domain in entry.domains.lock().iter() {
            if let Some(other) = self.domains.insert(domain.clone(), entry.clone()) {
                // The control database keeps domains unique; this is the last line of defence.
                tracing::error!(%domain, app = %entry.app, other = %other.app, "two apps claim one domain: the later one has it");
            }
        }
    }

    fn remove(&mut self, entry: &Arc<Entry>) {
        let is_its_own = |_: &Arc<str>, other: &mut Arc<Entry>| Arc::ptr_eq(other, entry);
        for name in [entry.app.as_str(), &*entry.label] {
            if self
                .names
                .get(name)
                .is_some_and(|other| Arc::ptr_eq(other, entry))
            {
                self.names.remove(name);
            }
        }
        self.domains.extract_if(is_its_own).for_each(drop);
    }
}

/// The routing table, read by the edge and written through [`RouteSink`].
#[derive(Default)]
pub struct Routes {
    table: ArcSwap<Table>,
    writing: Mutex<()>,
}

impl Routes {
    /// An empty table.
    pub fn new() -> Arc<Self> {
        Arc::new(Self::default())
    }

    pub(crate) fn load(&self) -> Guard<Arc<Table>> {
        self.table.load()
    }

    /// Brings a route into an entry that is in the table already. True if its domains changed, so
    /// that the table must be rebuilt around it.
    fn update(entry: &Entry, route: Route) -> bool {
        let domains = shared(&route.domains);
        let moved = std::mem::replace(&mut *entry.domains.lock(), domains.clone()) != domains;
        entry.admission.resize(route.limits.concurrency);
        entry.state.store(Arc::new(State::of(route)));
        moved
    }
}

impl RouteSink for Routes {
    fn replace_all(&self, routes: Vec<Route>) {
        let _turn = self.writing.lock();
        let old = self.table.load_full();
        let mut table = Table::default();
        for route in routes {
            let entry = match old.by_name(route.app.as_str()) {
                Some(entry) if entry.app == route.app => {
                    Self::update(entry, route);
                    entry.clone()
                }
                _ => Arc::new(Entry::new(route)),
            };
            table.insert(&entry);
        }
        self.table.store(Arc::new(table));
    }

    fn upsert(&self, route: Route) {
        let _turn = self.writing.lock();
        let old = self.table.load_full();
        let known = old
            .by_name(route.app.as_str())
            .filter(|entry| entry.app == route.app);
        let entry = match known {
            Some(entry) => {
                if !Self::update(entry, route) {
                    return;
                }
                entry.clone()
            }
            None => Arc::new(Entry::new(route)),
        };
        let mut table = Table::clone(&old);
        table.remove(&entry);
        table.insert(&entry);
        self.table.store(Arc::new(table));
    }

    fn remove(&self, app: &AppId) {
        let _turn = self.writing.lock();
        let old = self.table.load_full();
        let Some(entry) = old.by_name(app.as_str()).filter(|entry| entry.app == *app) else {
            return;
        };
        let mut table = Table::clone(&old);
        table.remove(entry);
        self.table.store(Arc::new(table));
    }

    fn set_phase(&self, app: &AppId, phase: Phase) {
        let _turn = self.writing.lock();
        let table = self.table.load();
        let Some(entry) = table
            .by_name(app.as_str())
            .filter(|entry| entry.app == *app)
        else {
            return;
        };
        let state = State {
            phase,
            ..State::clone(&entry.state())
        };
        entry.state.store(Arc::new(state));
    }
}

fn shared(domains: &[String]) -> Arc<[Arc<str>]> {
    domains
        .iter()
        .map(|domain| Arc::from(domain.to_ascii_lowercase()))
        .collect()
}

#[cfg(test)]
mod tests;
