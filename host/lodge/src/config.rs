//! How this process shall serve: flags, environment variables, an optional `lodge.toml`, defaults,
//! in this order of precedence. Names are public; the variables without prefix are those of
//! NocoBase's App Supervisor.
//!
//! What makes no sense stops the start with one line and exit code 2: a host that runs otherwise
//! than it was told is worse than one that does not run.

mod args;
mod database;
mod mode;

pub(crate) use args::ServeArgs;
pub(crate) use mode::{Cluster, Role, SupervisorRole, WorkerRole};

use anyhow::{Context, Result, bail};
use args::FileSettings;
use ipnet::IpNet;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Everything decided.
#[derive(Debug)]
pub(crate) struct Config {
    /// Which part of a larger Lodge this process is.
    pub(crate) role: Role,
    pub(crate) data_dir: PathBuf,
    pub(crate) listen: SocketAddr,
    pub(crate) admin_listen: SocketAddr,
    /// None: an SQLite file in the data directory; always so for a worker, which keeps no control data.
    pub(crate) database_url: Option<Secret>,
    /// The service in which apps' databases are made; none: SQLite files in the data directory.
    pub(crate) apps_database: Option<Secret>,
    /// Connections to one database server, by all apps together.
    pub(crate) apps_database_connections: usize,
    /// The key under which secrets are kept; none: `host.key` in the data directory.
    pub(crate) secret_key: Option<Secret>,
    /// Private addresses that apps may call, if they were granted the host.
    pub(crate) outbound_private_networks: Vec<IpNet>,
    pub(crate) apps_domain: Option<String>,
    pub(crate) trusted_proxies: Option<Vec<IpNet>>,
    pub(crate) root_email: Option<String>,
    pub(crate) root_password: Option<Secret>,
    pub(crate) open_metrics: bool,
    pub(crate) max_instances: u32,
    /// Memory that all apps together may have, in bytes.
    pub(crate) max_memory: u64,
    pub(crate) compile_slots: usize,
    /// Cores that guests may use at once.
    pub(crate) guest_threads: usize,
    /// False: guests run without turns, for measuring what the gate does.
    pub(crate) cpu_gate: bool,
    /// Visitors' connections held at once; none: as many as the limit on open files allows.
    pub(crate) max_connections: Option<u32>,
    /// How long requests under way may take when the host stops.
    pub(crate) stop_grace: Duration,
    pub(crate) json_log: bool,
    pub(crate) ready_file: Option<PathBuf>,
    /// What was given and has no effect, to be said once there is a log.
    pub(crate) notices: Vec<String>,
}

/// A value that no log line and no error shows.
#[derive(Clone)]
pub(crate) struct Secret(pub(crate) String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

const DEFAULT_LISTEN: &str = "127.0.0.1:13000";
const DEFAULT_ADMIN_LISTEN: &str = "127.0.0.1:13001";
/// Instances held at once: each reserves address space, not memory.
const DEFAULT_INSTANCES: u32 = 1_000;
/// The least memory for all apps together, in bytes: below it hardly one of ordinary size runs.
const MIN_MEMORY: u64 = 16 << 20;
/// More does not fit a process: each of the two engines' pools reserves about 8 GiB of addresses an
/// instance, of the 128 TiB that there are.
const MAX_INSTANCES: u32 = 4_000;
/// The shortest key that secrets are kept under, in characters.
const MIN_SECRET_KEY: usize = 32;
/// Below what servers allow unless told otherwise (100 and 151).
const DEFAULT_DATABASE_CONNECTIONS: usize = 50;
const DEFAULT_STOP_GRACE_SECONDS: u32 = 10;
const FILE_NAME: &str = "lodge.toml";

impl Config {
    /// Puts the sources together.
    ///
    /// # Errors
    /// The first setting that makes no sense, by name, with what would.
    pub(crate) fn decide(args: ServeArgs) -> Result<Self> {
        Self::decide_in(args, &|name| std::env::var(name).ok())
    }

    fn decide_in(args: ServeArgs, environment: &dyn Fn(&str) -> Option<String>) -> Result<Self> {
        let file = read_file(args.config.as_deref())?;
        let settings = args
            .settings
            .or(FileSettings::of_variables(environment)?)
            .or(file);
        let role = mode::decide(&settings, environment)?;
        let notices = mode::notices(&settings, &role, environment);
        let is_worker = matches!(role, Role::Worker(_));
        let grace = in_range(
            "stop_grace",
            settings.stop_grace.unwrap_or(DEFAULT_STOP_GRACE_SECONDS),
            0,
            3600,
        )?;
        let (listen, admin_listen) = addresses(&settings)?;
        let (database_url, apps_database) = database::decide(&settings, is_worker)?;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Self {
            role,
            listen,
            admin_listen,
            database_url,
            apps_database,
            apps_database_connections: in_range(
                "apps_database_connections",
                settings
                    .apps_database_connections
                    .unwrap_or(DEFAULT_DATABASE_CONNECTIONS),
                1,
                10_000,
            )?,
            secret_key: settings.secret_key.map(secret_key).transpose()?,
            outbound_private_networks: networks(
                "outbound_private_networks",
                settings.outbound_private_networks.as_deref(),
            )?,
            apps_domain: settings.apps_domain.as_deref().map(domain).transpose()?,
            trusted_proxies: settings
                .trusted_proxies
                .as_deref()
                .map(|list| networks("trusted_proxies", Some(list)))
                .transpose()?,
            root_email: settings.init_root_email.filter(|_| !is_worker),
            root_password: settings
                .init_root_password
                .filter(|_| !is_worker)
                .map(Secret),
            open_metrics: settings.open_metrics.unwrap_or(false),
            max_instances: in_range(
                "max_instances",
                settings.max_instances.unwrap_or(DEFAULT_INSTANCES),
                10,
                MAX_INSTANCES,
            )?,
            max_memory: in_range(
                "max_memory",
                settings
                    .max_memory
                    .map_or_else(default_memory, |size| size.0),
                MIN_MEMORY,
                u64::MAX,
            )?,
            compile_slots: in_range(
                "compile_slots",
                settings.compile_slots.unwrap_or(cores.div_ceil(2)),
                1,
                64,
            )?,
            cpu_gate: settings.cpu_gate.unwrap_or(true),
            guest_threads: in_range(
                "guest_threads",
                settings.guest_threads.unwrap_or(cores),
                1,
                1024,
            )?,
            max_connections: settings
                .max_connections
                .map(|n| in_range("max_connections", n, 1, 10_000_000))
                .transpose()?,
            stop_grace: Duration::from_secs(grace.into()),
            notices,
            json_log: log_format(settings.log_format.as_deref())?,
            data_dir: settings.data_dir.unwrap_or_else(|| PathBuf::from("data")),
            ready_file: args.ready_file,
        })
    }
}

fn read_file(given: Option<&Path>) -> Result<FileSettings> {
    let path = given.unwrap_or(Path::new(FILE_NAME));
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound && given.is_none() => {
            return Ok(FileSettings::default());
        }
        Err(e) => bail!("{}: cannot be read: {e}", path.display()),
    };
    toml::from_str(&text).map_err(|e| anyhow::anyhow!("{}: {}", path.display(), e.message()))
}

/// Where apps and where the API are served: two origins on purpose.
fn addresses(settings: &FileSettings) -> Result<(SocketAddr, SocketAddr)> {
    let listen = address(
        "listen",
        settings.listen.as_deref().unwrap_or(DEFAULT_LISTEN),
    )?;
    let given = settings
        .admin_listen
        .as_deref()
        .unwrap_or(DEFAULT_ADMIN_LISTEN);
    let admin_listen = address("admin_listen", given)?;
    if listen == admin_listen && listen.port() != 0 {
        bail!(
            "listen and admin_listen are both {listen}: apps and the console need an address each"
        );
    }
    Ok((listen, admin_listen))
}

fn address(name: &str, text: &str) -> Result<SocketAddr> {
    text.parse().with_context(|| {
        format!("{name}={text}: not an address; write it like 127.0.0.1:13000 or [::]:80")
    })
}

fn domain(text: &str) -> Result<String> {
    let domain = text
        .trim_start_matches('.')
        .trim_end_matches('.')
        .to_ascii_lowercase();
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    let own = domain == "localhost" || domain.ends_with(".localhost");
    if domain.is_empty() || !domain.chars().all(good) || domain.parse::<IpAddr>().is_ok() || own {
        bail!(
            "apps_domain={text}: not a host name that apps can have names under; write it like apps.example.com"
        );
    }
    Ok(domain)
}

/// The value is not shown: it is a secret.
fn secret_key(key: String) -> Result<Secret> {
    let length = key.chars().count();
    if length < MIN_SECRET_KEY {
        bail!(
            "secret_key (LODGE_SECRET_KEY): has {length} characters; give {MIN_SECRET_KEY} or more, random ones"
        );
    }
    Ok(Secret(key))
}

fn networks(name: &str, list: Option<&str>) -> Result<Vec<IpNet>> {
    list.unwrap_or_default()
        .split([',', ' '])
        .filter(|part| !part.is_empty())
        .map(|part| {
            let single = part.parse::<IpAddr>().map(IpNet::from);
            part.parse::<IpNet>().or(single).map_err(|_| {
                anyhow::anyhow!(
                    "{name}={part}: not an address or network; write it like 10.0.0.0/8"
                )
            })
        })
        .collect()
}

fn in_range<T: PartialOrd + std::fmt::Display>(name: &str, value: T, min: T, max: T) -> Result<T> {
    if value < min || value > max {
        bail!("{name}={value}: out of range; choose {min} to {max}");
    }
    Ok(value)
}

/// What apps may have of the machine's memory unless told otherwise: the host itself needs some, and the system.
fn default_memory() -> u64 {
    (lodge_supervisor::memory_total() / 4 * 3).max(MIN_MEMORY)
}

fn log_format(format: Option<&str>) -> Result<bool> {
    match format {
        None | Some("text") => Ok(false),
        Some("json") => Ok(true),
        Some(other) => bail!("log_format={other}: unknown; choose text or json"),
    }
}

#[cfg(test)]
#[path = "config/tests.rs"]
mod tests;
