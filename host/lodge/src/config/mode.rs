//! Which part of a larger Lodge this process is to be: all of it, the supervisor, or a worker; and
//! what that part needs, no more and no less.
//!
//! The variables are the seeds'. What is missing, or belongs to another part, stops the start: a worker
//! that takes itself for a whole host, or a supervisor that listens to another Redis than its workers,
//! would look healthy and do nothing. No line shows an address or a key, since they may hold
//! passwords.

mod address;
mod optional;

use super::args::FileSettings;
use super::{Secret, in_range};
use anyhow::{Result, bail};
use lodge_model::{ClusterKey, EnvironmentName, LOCAL_ENVIRONMENT};
use lodge_store::StoreSettings;
use std::time::Duration;

/// What this process is.
#[derive(Debug)]
pub(crate) enum Role {
    /// Everything in one process.
    AllInOne,
    /// The one that decides, proxies and has the console.
    Supervisor(SupervisorRole),
    /// One that hosts apps for a supervisor.
    Worker(WorkerRole),
}

impl Role {
    /// The cluster that it is part of, if it is of one.
    pub(crate) fn cluster(&self) -> Option<&Cluster> {
        match self {
            Self::AllInOne => None,
            Self::Supervisor(role) => Some(&role.cluster),
            Self::Worker(role) => Some(&role.cluster),
        }
    }
}

/// What makes processes one cluster.
#[derive(Debug)]
pub(crate) struct Cluster {
    /// Where specifications, registrations and reports are kept.
    pub(crate) redis: Secret,
    /// Where commands travel; usually the same.
    pub(crate) command_redis: Secret,
    /// What all of it is encrypted and signed with.
    pub(crate) key: ClusterKey,
    /// Who signs the certificates of Redis, in PEM; none: the public authorities.
    pub(crate) redis_authorities: Option<Vec<u8>>,
    /// Where workers find components beside the supervisor.
    pub(crate) store: Option<StoreSettings>,
}

/// A supervisor's part.
#[derive(Debug)]
pub(crate) struct SupervisorRole {
    pub(crate) cluster: Cluster,
    /// Where workers reach its admin listener (`http://host:port`); none: found out from the listener.
    pub(crate) url: Option<String>,
    /// True: it hosts apps too, in the environment `local`.
    pub(crate) hosts_apps: bool,
}

/// A worker's part.
#[derive(Debug)]
pub(crate) struct WorkerRole {
    pub(crate) cluster: Cluster,
    /// The environment that it is; never `local`.
    pub(crate) environment: EnvironmentName,
    /// Where people reach it (`http://host:port`), if they do.
    pub(crate) url: Option<String>,
    /// Where the supervisor reaches it; the former unless another is given.
    pub(crate) proxy_url: String,
    /// How often it says that it lives.
    pub(crate) heartbeat: Duration,
}

const DEFAULT_HEARTBEAT_SECONDS: u32 = 10;

/// Variables that are accepted and do nothing, and why.
const WITHOUT_EFFECT: [(&str, &str); 1] = [(
    "APPEND_PRESET_BUILT_IN_PLUGINS",
    "Lodge has no plugins: what an app needs is in its component",
)];

/// Decides what this process is.
///
/// # Errors
/// The first variable that is missing, unknown or another part's, with what to do.
pub(super) fn decide(
    settings: &FileSettings,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Role> {
    match given(&settings.app_mode) {
        None => all_in_one(settings).map(|()| Role::AllInOne),
        Some("supervisor") => supervisor(settings, environment).map(Role::Supervisor),
        Some("worker") => worker(settings, environment).map(Role::Worker),
        Some(other) => bail!(
            "APP_MODE{}: unknown; choose supervisor or worker, or unset it to run all in one process",
            shown(other)
        ),
    }
}

/// What is set and has no effect.
pub(super) fn notices(
    settings: &FileSettings,
    role: &Role,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Vec<String> {
    let is_set = |name: &str| environment(name).is_some_and(|value| !value.is_empty());
    let mut without: Vec<(&str, &str)> = WITHOUT_EFFECT
        .into_iter()
        .filter(|(name, _)| is_set(name))
        .collect();
    match role {
        Role::AllInOne => {}
        Role::Supervisor(_) => {
            if settings.heartbeat.is_some() {
                without.push(("LODGE_HEARTBEAT", "each worker says how often it reports"));
            }
        }
        Role::Worker(_) => {
            let why = "a worker has no users; they are the supervisor's";
            let root = [
                ("INIT_ROOT_EMAIL", &settings.init_root_email),
                ("INIT_ROOT_PASSWORD", &settings.init_root_password),
            ];
            let set = root.iter().filter(|(_, value)| given(value).is_some());
            without.extend(set.map(|(name, _)| (*name, why)));
        }
    }
    let say = |(name, why)| format!("{name} is set and has no effect: {why}");
    without.into_iter().map(say).collect()
}

fn all_in_one(settings: &FileSettings) -> Result<()> {
    let remedy =
        "set APP_MODE=supervisor or APP_MODE=worker, or unset it to run all in one process";
    let adapters = [
        ("APP_DISCOVERY_ADAPTER", &settings.app_discovery_adapter),
        ("APP_PROCESS_ADAPTER", &settings.app_process_adapter),
        ("APP_COMMAND_ADAPTER", &settings.app_command_adapter),
    ];
    for (name, adapter) in adapters {
        match (name, given(adapter)) {
            (_, None) | ("APP_DISCOVERY_ADAPTER" | "APP_PROCESS_ADAPTER", Some("local")) => {}
            ("APP_COMMAND_ADAPTER", Some("redis")) => {
                bail!("{name}=redis without APP_MODE: {remedy}")
            }
            ("APP_COMMAND_ADAPTER", Some(other)) => {
                bail!("{name}{}: unknown adapter; unset it", shown(other))
            }
            (_, Some("remote")) => bail!("{name}=remote without APP_MODE: {remedy}"),
            (_, Some(other)) => bail!("{name}{}: unknown adapter; use local", shown(other)),
        }
    }
    let of_several = [
        (
            "APP_SUPERVISOR_REDIS_URL",
            &settings.app_supervisor_redis_url,
        ),
        ("APP_COMMAND_REDIS_URL", &settings.app_command_redis_url),
        ("LODGE_CLUSTER_KEY", &settings.cluster_key),
        ("SUPERVISOR_URL", &settings.supervisor_url),
        ("LODGE_COMPONENT_STORE", &settings.component_store),
    ];
    let set = of_several.iter().find(|(_, value)| given(value).is_some());
    let name = set.map(|(name, _)| *name).or(of_a_worker(settings));
    if let Some(name) = name {
        bail!("{name} is set without APP_MODE: {remedy}");
    }
    if settings.heartbeat.is_some() {
        bail!("LODGE_HEARTBEAT is set without APP_MODE: {remedy}");
    }
    if settings.redis_ca.is_some() {
        bail!("LODGE_REDIS_CA is set without APP_MODE: {remedy}");
    }
    Ok(())
}

fn supervisor(
    settings: &FileSettings,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<SupervisorRole> {
    let hosts_apps = match given(&settings.app_process_adapter) {
        None | Some("remote") => false,
        Some("local") => true,
        Some(other) => bail!(
            "APP_PROCESS_ADAPTER{}: unknown adapter; use remote, or local for a supervisor that hosts apps too",
            shown(other)
        ),
    };
    let cluster = cluster(settings, "supervisor", environment)?;
    if let Some(name) = of_a_worker(settings) {
        bail!("{name} is set with APP_MODE=supervisor: unset it, or set APP_MODE=worker");
    }
    let url = given(&settings.supervisor_url).map(|url| address::origin("SUPERVISOR_URL", url));
    Ok(SupervisorRole {
        cluster,
        url: url.transpose()?,
        hosts_apps,
    })
}

fn worker(
    settings: &FileSettings,
    variables: &dyn Fn(&str) -> Option<String>,
) -> Result<WorkerRole> {
    match given(&settings.app_process_adapter) {
        None | Some("local") => {}
        Some("remote") => {
            bail!(
                "APP_PROCESS_ADAPTER=remote is the supervisor's: set local, a worker runs apps itself"
            )
        }
        Some(other) => bail!(
            "APP_PROCESS_ADAPTER{}: unknown adapter; a worker's is local",
            shown(other)
        ),
    }
    let cluster = cluster(settings, "worker", variables)?;
    if given(&settings.supervisor_url).is_some() {
        bail!(
            "SUPERVISOR_URL is set with APP_MODE=worker: set it on the supervisor, workers learn it through Redis"
        );
    }
    let environment = environment(settings)?;
    let origin = |name, value| {
        given(value)
            .map(|url| address::origin(name, url))
            .transpose()
    };
    let url = origin("ENVIRONMENT_URL", &settings.environment_url)?;
    let proxy_url = origin("ENVIRONMENT_PROXY_URL", &settings.environment_proxy_url)?;
    let Some(proxy_url) = proxy_url.or(url.clone()) else {
        bail!(
            "APP_MODE=worker needs ENVIRONMENT_URL or ENVIRONMENT_PROXY_URL: where the supervisor reaches it, like http://10.0.0.5:13000"
        );
    };
    let heartbeat = settings.heartbeat.unwrap_or(DEFAULT_HEARTBEAT_SECONDS);
    let heartbeat = in_range("LODGE_HEARTBEAT", heartbeat, 1, 600)?;
    Ok(WorkerRole {
        cluster,
        environment,
        url,
        proxy_url,
        heartbeat: Duration::from_secs(heartbeat.into()),
    })
}

/// What supervisor and worker both need.
fn cluster(
    settings: &FileSettings,
    mode: &str,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Cluster> {
    for (name, adapter, only) in [
        (
            "APP_DISCOVERY_ADAPTER",
            &settings.app_discovery_adapter,
            "remote",
        ),
        (
            "APP_COMMAND_ADAPTER",
            &settings.app_command_adapter,
            "redis",
        ),
    ] {
        match given(adapter) {
            Some(adapter) if adapter == only => {}
            None => bail!("APP_MODE={mode} needs {name}={only}: set it"),
            Some(other) => bail!(
                "{name}{}: APP_MODE={mode} needs {name}={only}",
                shown(other)
            ),
        }
    }
    let Some(redis) = given(&settings.app_supervisor_redis_url) else {
        bail!("APP_MODE={mode} needs APP_SUPERVISOR_REDIS_URL: set it, like redis://host:6379/0");
    };
    let redis = address::redis("APP_SUPERVISOR_REDIS_URL", redis)?;
    let commands = given(&settings.app_command_redis_url)
        .map(|url| address::redis("APP_COMMAND_REDIS_URL", url))
        .transpose()?;
    let Some(key) = given(&settings.cluster_key) else {
        bail!(
            "APP_MODE={mode} needs LODGE_CLUSTER_KEY: set the same 32 or more random characters on the supervisor and its workers"
        );
    };
    let command_redis = commands.unwrap_or_else(|| redis.clone());
    Ok(Cluster {
        redis_authorities: optional::authorities(settings, [&redis, &command_redis])?,
        store: optional::store(settings, environment)?,
        command_redis,
        redis,
        key: ClusterKey::new(key)?,
    })
}

fn environment(settings: &FileSettings) -> Result<EnvironmentName> {
    let rule = "1 to 63 letters, digits, `-`, `_` or `.`";
    let Some(name) = given(&settings.environment_name) else {
        bail!("APP_MODE=worker needs ENVIRONMENT_NAME: {rule}, each worker its own");
    };
    if name == LOCAL_ENVIRONMENT {
        bail!("ENVIRONMENT_NAME=local: that is the supervisor's own; give the worker another name");
    }
    name.parse()
        .map_err(|_| anyhow::anyhow!("ENVIRONMENT_NAME{}: not a name; use {rule}", shown(name)))
}

/// The first variable that only a worker may have.
fn of_a_worker(settings: &FileSettings) -> Option<&'static str> {
    let name = given(&settings.environment_name).filter(|name| *name != LOCAL_ENVIRONMENT);
    [
        ("ENVIRONMENT_NAME", name),
        ("ENVIRONMENT_URL", given(&settings.environment_url)),
        (
            "ENVIRONMENT_PROXY_URL",
            given(&settings.environment_proxy_url),
        ),
    ]
    .into_iter()
    .find_map(|(name, value)| value.map(|_| name))
}

/// Empty counts as unset, wherever it stands.
fn given(value: &Option<String>) -> Option<&str> {
    value.as_deref().filter(|value| !value.is_empty())
}

/// `=value`, if it is a word: what else was put into the wrong variable may be an address with a password.
fn shown(value: &str) -> String {
    let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if value.len() <= 24 && value.chars().all(word) {
        format!("={value}")
    } else {
        String::new()
    }
}

#[cfg(test)]
mod tests;
