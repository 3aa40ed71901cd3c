//! The routing table: what the request path knows of every app.
//!
//! Readers look names up without a lock. A change of membership (an app added, removed, given another
//! domain) swaps the small maps that have its names ([`names`]); what changes often, an app's phase, is
//! swapped inside its entry: neither costs more with more apps. An app's several names come and go one
//! by one, so that for moments it may have some of them. Writers take turns by a mutex.

mod names;

use super::Host;
use crate::admission::Admission;
use arc_swap::ArcSwap;
use http::HeaderValue;
use lodge_model::{AppId, AppMeter, FailureKind, Limits, PathAccess, Phase, Route, RouteSink};
use names::Names;
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
    domains: Mutex<Domains>,
}

type Domains = Arc<[Arc<str>]>;

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

    /// Its names on host names for many: the ID, and its label where that differs.
    fn names(&self) -> impl Iterator<Item = Arc<str>> {
        let label = (*self.label != *self.app.as_str()).then(|| Arc::from(&*self.label));
        [Arc::from(self.app.as_str())].into_iter().chain(label)
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

/// The routing table, read by the edge and written through [`RouteSink`].
#[derive(Default)]
pub struct Routes {
    /// By ID, and by host name label where that differs.
    names: Names,
    /// By custom domain.
    domains: Names,
    writing: Mutex<()>,
}

impl Routes {
    /// An empty table.
    pub fn new() -> Arc<Self> {
        Arc::new(Self::default())
    }

    pub(crate) fn by_name(&self, name: &str) -> Option<Arc<Entry>> {
        self.names.get(name)
    }

    /// The app of exactly this ID.
    pub(crate) fn by_id(&self, app: &AppId) -> Option<Arc<Entry>> {
        self.by_name(app.as_str()).filter(|entry| entry.app == *app)
    }

    /// The app whose own host name this is; nothing if it is a host name for many.
    ///
    /// # Errors
    /// The name can only be an app's, and no app has it.
    pub(crate) fn by_host(
        &self,
        host: &Host<'_>,
        apps_suffix: Option<&str>,
    ) -> Result<Option<Arc<Entry>>, FailureKind> {
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

    /// Brings a route into an entry that is in the table already. Gives the domains that it had, if it
    /// has others now.
    fn update(entry: &Entry, route: Route) -> Option<Domains> {
        let domains = shared(&route.domains);
        let before = std::mem::replace(&mut *entry.domains.lock(), domains.clone());
        entry.admission.resize(route.limits.concurrency);
        entry.state.store(Arc::new(State::of(route)));
        (before != domains).then_some(before)
    }

    fn set_domains(&self, entry: &Arc<Entry>) {
        let domains = entry.domains.lock().clone();
        for domain in domains.iter() {
            let before = self.domains.set(domain.clone(), entry);
            complain(domain, entry, before.as_ref());
        }
    }
}

impl RouteSink for Routes {
    fn replace_all(&self, routes: Vec<Route>) {
        let _turn = self.writing.lock();
        let mut names = HashMap::new();
        let mut domains: HashMap<Arc<str>, Arc<Entry>> = HashMap::new();
        for route in routes {
            let entry = match self.by_id(&route.app) {
                Some(entry) => {
                    Self::update(&entry, route);
                    entry
                }
                None => Arc::new(Entry::new(route)),
            };
            names.extend(entry.names().map(|name| (name, entry.clone())));
            for domain in entry.domains.lock().iter() {
                let before = domains.insert(domain.clone(), entry.clone());
                complain(domain, &entry, before.as_ref());
            }
        }
        self.names.replace_all(names);
        self.domains.replace_all(domains);
    }

    fn upsert(&self, route: Route) {
        let _turn = self.writing.lock();
        let Some(entry) = self.by_id(&route.app) else {
            let entry = Arc::new(Entry::new(route));
            for name in entry.names() {
                self.names.set(name, &entry);
            }
            return self.set_domains(&entry);
        };
        let Some(before) = Self::update(&entry, route) else {
            return;
        };
        self.set_domains(&entry);
        let domains = entry.domains.lock().clone();
        for domain in before.iter().filter(|domain| !domains.contains(domain)) {
            self.domains.unset(domain, &entry);
        }
    }

    fn remove(&self, app: &AppId) {
        let _turn = self.writing.lock();
        let Some(entry) = self.by_id(app) else {
            return;
        };
        for name in entry.names() {
            self.names.unset(&name, &entry);
        }
        let domains = entry.domains.lock().clone();
        for domain in domains.iter() {
            self.domains.unset(domain, &entry);
        }
    }

    fn set_phase(&self, app: &AppId, phase: Phase) {
        let _turn = self.writing.lock();
        let Some(entry) = self.by_id(app) else {
            return;
        };
        let state = State {
            phase,
            ..State::clone(&entry.state())
        };
        entry.state.store(Arc::new(state));
    }
}

/// The control database keeps domains unique; this is the last line of defence.
fn complain(domain: &str, entry: &Arc<Entry>, before: Option<&Arc<Entry>>) {
    if let Some(other) = before.filter(|other| !Arc::ptr_eq(other, entry)) {
        tracing::error!(%domain, app = %entry.app, other = %other.app, "two apps claim one domain: the later one has it");
    }
}

fn shared(domains: &[String]) -> Domains {
    domains
        .iter()
        .map(|domain| Arc::from(domain.to_ascii_lowercase()))
        .collect()
}

#[cfg(test)]
mod tests;
