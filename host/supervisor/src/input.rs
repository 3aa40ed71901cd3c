//! What callers send: checked, defaulted, and laid over what is there.

use lodge_model::{
    App, AppId, ConfigEntry, DatabaseEngine, DatabaseKind, DatabaseSpec, Desired, EnvironmentName,
    Invalid, JwtAlgorithm, JwtSpec, LimitsPatch, PathAccess, Placement, SourceGrant, StartMode,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Most entries that one app's lists may have, and most bytes of its whole configuration.
const MAX_DOMAINS: usize = 100;
const MAX_OUTBOUND_HOSTS: usize = 1_000;
const MAX_CONFIG_KEYS: usize = 1_000;
const MAX_CONFIG_BYTES: usize = 1024 * 1024;
const MAX_DATA_SOURCES: usize = 32;

/// Which component an app shall run: by digest, or by name and version.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ComponentChoice {
    /// The name it is listed under.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its version; absent: the newest upload of that name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// SHA-256 of its bytes. With a name or version beside it, they must agree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

/// What becomes of one configuration key: `null` removes it, an entry sets it, and a secret entry
/// with the value `null` keeps the value it has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
pub struct ConfigChange(pub Option<ConfigEntry>);

/// What becomes of one data source: `null` removes it, a grant sets it, and one with neither `app`
/// nor `url` changes the access and keeps where it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
pub struct SourceChange(pub Option<SourceGrant>);

/// Changes to how tokens are signed; what is absent stays as it is. Tokens that were signed before
/// verify for a day more, unless the app shared the host-wide key and does so no longer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct JwtPatch {
    /// See the app's `jwt.independent`: false has a risk.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub independent: Option<bool>,
    /// Another algorithm means a new key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub algorithm: Option<JwtAlgorithm>,
}

/// An app to be created. Only `component` must be there.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NewApp {
    /// Its ID; absent: generated.
    #[schema(value_type = Option<String>)]
    pub id: Option<AppId>,
    /// For people; absent: the ID.
    pub display_name: Option<String>,
    /// What it runs.
    pub component: ComponentChoice,
    /// When it starts.
    pub start_mode: StartMode,
    /// Where it runs; absent or empty: in this process, or, where workers host the apps, where the
    /// supervisor chooses.
    #[schema(value_type = Option<Vec<String>>)]
    pub environments: Option<Vec<EnvironmentName>>,
    /// Whether it moves to another environment when its own is lost.
    pub failover: bool,
    /// Its main data source.
    pub database: DatabaseSpec,
    /// Further data sources, by the name under which it opens them.
    pub data_sources: BTreeMap<String, SourceGrant>,
    /// Whether it follows newer versions of its component.
    pub auto_upgrade: bool,
    /// How its tokens are signed.
    pub jwt: JwtSpec,
    /// Host names of its own.
    pub domains: Vec<String>,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// What it may use; what is absent has its default.
    pub limits: LimitsPatch,
    /// Its configuration.
    pub config: BTreeMap<String, ConfigEntry>,
    /// Hosts it may call.
    pub outbound_hosts: Vec<String>,
    /// What happens to `/apps/{id}/`.
    pub path_access: PathAccess,
    /// Absent: `running` with `on_first_visit`, `stopped` with `with_host`.
    pub desired: Option<Desired>,
}

/// Changes to an app; what is absent stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AppPatch {
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// What it runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub component: Option<ComponentChoice>,
    /// When it starts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_mode: Option<StartMode>,
    /// Where it runs, as a whole; empty: where the supervisor chooses.
    #[schema(value_type = Option<Vec<String>>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environments: Option<Vec<EnvironmentName>>,
    /// Whether it moves to another environment when its own is lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failover: Option<bool>,
    /// Its main data source, as a whole. `new_connection` without `url` keeps the URL it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database: Option<DatabaseSpec>,
    /// Further data sources, name by name: `null` removes one, a grant with neither `app` nor `url`
    /// keeps where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_sources: Option<BTreeMap<String, SourceChange>>,
    /// Whether it follows newer versions of its component.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auto_upgrade: Option<bool>,
    /// How its tokens are signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwt: Option<JwtPatch>,
    /// Host names of its own, as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domains: Option<Vec<String>>,
    /// Words to find it by, as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
    /// What it may use, limit by limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limits: Option<LimitsPatch>,
    /// Its configuration, key by key: `null` removes a key, a secret with the value `null` keeps
    /// its value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config: Option<BTreeMap<String, ConfigChange>>,
    /// Hosts it may call, as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outbound_hosts: Option<Vec<String>>,
    /// What happens to `/apps/{id}/`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path_access: Option<PathAccess>,
    /// What is asked for. An `on_first_visit` app set to `running` waits for its first visit; to
    /// have it run at once, start it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub desired: Option<Desired>,
}

impl AppPatch {
    /// Lays the changes over `app`; the component, which needs looking up, is left to the caller.
    ///
    /// # Errors
    /// A change that makes no sense with what is there. `app` is then half changed: drop it.
    pub(crate) fn apply(&self, app: &mut App) -> Result<(), Invalid> {
        fn set<T: Clone>(to: &mut T, from: Option<&T>) {
            if let Some(value) = from {
                *to = value.clone();
            }
        }
        set(&mut app.display_name, self.display_name.as_ref());
        set(&mut app.start_mode, self.start_mode.as_ref());
        if let Some(names) = &self.environments {
            place(app, names);
        }
        set(&mut app.failover, self.failover.as_ref());
        set(&mut app.auto_upgrade, self.auto_upgrade.as_ref());
        set(&mut app.domains, self.domains.as_ref());
        set(&mut app.tags, self.tags.as_ref());
        set(&mut app.outbound_hosts, self.outbound_hosts.as_ref());
        set(&mut app.path_access, self.path_access.as_ref());
        set(&mut app.desired, self.desired.as_ref());
        if let Some(limits) = &self.limits {
            app.limits.apply(limits);
        }
        if let Some(database) = &self.database {
            app.database = keep_url(database, &app.database);
        }
        if let Some(jwt) = &self.jwt {
            change_jwt(&mut app.jwt, jwt);
        }
        for (name, change) in self.data_sources.iter().flatten() {
            change_source(&mut app.data_sources, name, change);
        }
        for (key, change) in self.config.iter().flatten() {
            change_config(&mut app.config, key, change)?;
        }
        Ok(())
    }
}

/// What was asked for of where it runs. Left to the supervisor, it stays where it is for now.
fn place(app: &mut App, names: &[EnvironmentName]) {
    if names.is_empty() {
        app.placement = Placement::Automatic;
    } else {
        app.placement = Placement::Named;
        app.environments = names.to_vec();
    }
}

fn change_jwt(jwt: &mut JwtSpec, patch: &JwtPatch) {
    jwt.independent = patch.independent.unwrap_or(jwt.independent);
    jwt.algorithm = match (patch.algorithm, patch.independent) {
        (Some(algorithm), _) => algorithm,
        // The host-wide key has one algorithm: whoever chooses it need not name that.
        (None, Some(false)) => JwtAlgorithm::default(),
        (None, _) => jwt.algorithm,
    };
}

/// Where a source is stays, if nothing is said of it: its URL cannot be read back.
fn change_source(sources: &mut BTreeMap<String, SourceGrant>, name: &str, change: &SourceChange) {
    let Some(change) = &change.0 else {
        sources.remove(name);
        return;
    };
    let mut source = change.clone();
    if source.app.is_none()
        && source.url.is_none()
        && let Some(old) = sources.get(name)
    {
        source.app.clone_from(&old.app);
        source.url.clone_from(&old.url);
    }
    sources.insert(name.to_owned(), source);
}

/// The URL is write-only, so that whoever sends back what they read sends none: it stays. The make
/// stays as well, unless another is asked for: the data do not move.
pub(crate) fn keep_url(new: &DatabaseSpec, old: &DatabaseSpec) -> DatabaseSpec {
    let mut database = new.clone();
    if database.url.is_none() && database.kind == DatabaseKind::NewConnection {
        database.url.clone_from(&old.url);
    }
    if database.kind == old.kind && database.kind == DatabaseKind::NewDatabase {
        // One that says nothing was made before there was a choice.
        let before = old.engine.unwrap_or(DatabaseEngine::Sqlite);
        database.engine.get_or_insert(before);
    }
    database
}

/// Writes down which make a database has, so that it stays that when the host's service changes.
pub(crate) fn settle_engine(database: &mut DatabaseSpec, default: DatabaseEngine) {
    if database.kind == DatabaseKind::NewDatabase {
        database.engine.get_or_insert(default);
    }
}

fn change_config(
    config: &mut BTreeMap<String, ConfigEntry>,
    key: &str,
    change: &ConfigChange,
) -> Result<(), Invalid> {
    let Some(change) = &change.0 else {
        config.remove(key);
        return Ok(());
    };
    let mut entry = change.clone();
    if entry.value.is_none()
        && let Some(old) = config.get(key)
    {
        if old.secret && !entry.secret {
            return Err(Invalid::new(
                format!("config.{key}"),
                "is secret: to have it shown, send its value again with \"secret\": false",
            ));
        }
        entry.value.clone_from(&old.value);
    }
    config.insert(key.to_owned(), entry);
    Ok(())
}

/// Checks how much there is, since all of it is kept in memory.
pub(crate) fn check_amounts(app: &App) -> Result<(), Invalid> {
    let pairs = app.config.iter();
    let bytes: usize = pairs
        .map(|(k, e)| k.len() + e.value.as_ref().map_or(0, String::len))
        .sum();
    for (field, what, has, most) in [
        ("domains", "domains", app.domains.len(), MAX_DOMAINS),
        (
            "outbound_hosts",
            "hosts",
            app.outbound_hosts.len(),
            MAX_OUTBOUND_HOSTS,
        ),
        (
            "data_sources",
            "sources",
            app.data_sources.len(),
            MAX_DATA_SOURCES,
        ),
        ("config", "keys", app.config.len(), MAX_CONFIG_KEYS),
        ("config", "bytes", bytes, MAX_CONFIG_BYTES),
    ] {
        if has > most {
            return Err(Invalid::new(
                field,
                format!("has {has} {what}; at most {most} are allowed"),
            ));
        }
    }
    Ok(())
}

/// Checks what one domain cannot check by itself.
pub(crate) fn check_domains(app: &App, apps_domain: Option<&str>) -> Result<(), Invalid> {
    let mut seen = std::collections::BTreeSet::new();
    for (index, domain) in app.domains.iter().enumerate() {
        if !seen.insert(domain) {
            return Err(Invalid::new(
                format!("domains[{index}]"),
                format!("`{domain}` is there twice: remove one"),
            ));
        }
        if apps_domain.is_some_and(|own| is_under(domain, own)) {
            return Err(Invalid::new(
                format!("domains[{index}]"),
                format!(
                    "`{domain}` is under APPS_DOMAIN, where apps have names already: remove it"
                ),
            ));
        }
    }
    Ok(())
}

fn is_under(domain: &str, parent: &str) -> bool {
    let parent = parent.to_ascii_lowercase();
    domain
        .strip_suffix(&parent)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}
