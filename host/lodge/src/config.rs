//! How this process shall serve: flags, environment variables, an optional `lodge.toml`, defaults,
//! in this order of precedence. Names are public; the variables without prefix are those of
//! NocoBase's App Supervisor.
//!
//! What makes no sense stops the start with one line and exit code 2: a host that runs otherwise
//! than it was told is worse than one that does not run.

mod args;
mod database;

pub(crate) use args::ServeArgs;

use anyhow::{Context, Result, bail};
use args::FileSettings;
use ipnet::IpNet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Everything decided.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) data_dir: PathBuf,
    pub(crate) listen: SocketAddr,
    pub(crate) admin_listen: SocketAddr,
    /// None: an SQLite file in the data directory.
    pub(crate) database_url: Option<Secret>,
    pub(crate) apps_domain: Option<String>,
    pub(crate) trusted_proxies: Vec<IpNet>,
    pub(crate) root_email: Option<String>,
    pub(crate) root_password: Option<Secret>,
    pub(crate) open_metrics: bool,
    pub(crate) max_instances: u32,
    pub(crate) compile_slots: usize,
    /// Cores that guests may use at once.
    pub(crate) guest_threads: usize,
    pub(crate) json_log: bool,
    pub(crate) ready_file: Option<PathBuf>,
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
const FILE_NAME: &str = "lodge.toml";

impl Config {
    /// Puts the sources together.
    ///
    /// # Errors
    /// The first setting that makes no sense, by name, with what would.
    pub(crate) fn decide(args: ServeArgs) -> Result<Self> {
        let file = read_file(args.config.as_deref())?;
        let settings = args.settings.or(file);
        check_mode(&settings)?;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Self {
            listen: address("listen", settings.listen.as_deref().unwrap_or(DEFAULT_LISTEN))?,
            admin_listen: address(
                "admin_listen",
                settings.admin_listen.as_deref().unwrap_or(DEFAULT_ADMIN_LISTEN),
            )?,
            database_url: database::url(&settings)?,
            apps_domain: settings.apps_domain.as_deref().map(domain).transpose()?,
            trusted_proxies: proxies(settings.trusted_proxies.as_deref().unwrap_or_default())?,
            root_email: settings.init_root_email,
            root_password: settings.init_root_password.map(Secret),
            open_metrics: settings.open_metrics.unwrap_or(false),
            max_instances: in_range("max_instances", settings.max_instances.unwrap_or(DEFAULT_INSTANCES), 10, 20_000)?,
            compile_slots: in_range("compile_slots", settings.compile_slots.unwrap_or(cores.div_ceil(2)), 1, 64)?,
            guest_threads: in_range("guest_threads", settings.guest_threads.unwrap_or(cores), 1, 1024)?,
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
        Err(e) if e.kind() == std::io::ErrorKind::NotFound && given.is_none() => return Ok(FileSettings::default()),
        Err(e) => bail!("{}: cannot be read: {e}", path.display()),
    };
    toml::from_str(&text).map_err(|e| anyhow::anyhow!("{}: {}", path.display(), e.message()))
}

/// This version runs everything in one process; what asks for more is refused, never ignored.
fn check_mode(settings: &FileSettings) -> Result<()> {
    if let Some(mode) = settings.app_mode.as_deref() {
        if matches!(mode, "supervisor" | "worker") {
            bail!("APP_MODE={mode}: several environments are not in this version; unset it to run all in one process");
        }
        bail!("APP_MODE={mode}: unknown; unset it to run all in one process");
    }
    let adapters = [
        ("APP_DISCOVERY_ADAPTER", &settings.app_discovery_adapter),
        ("APP_PROCESS_ADAPTER", &settings.app_process_adapter),
    ];
    for (name, adapter) in adapters {
        match adapter.as_deref() {
            None | Some("local") => {}
            Some("remote") => bail!("{name}=remote: several environments are not in this version; use `local`"),
            Some(other) => bail!("{name}={other}: unknown adapter; use `local`"),
        }
    }
    match settings.app_command_adapter.as_deref() {
        None => Ok(()),
        Some("redis") => bail!("APP_COMMAND_ADAPTER=redis: several environments are not in this version; unset it"),
        Some(other) => bail!("APP_COMMAND_ADAPTER={other}: unknown adapter; unset it"),
    }
}

fn address(name: &str, text: &str) -> Result<SocketAddr> {
    text.parse().with_context(|| format!("{name}={text}: not an address; write it like 127.0.0.1:13000 or [::]:80"))
}

fn domain(text: &str) -> Result<String> {
    let domain = text.trim_start_matches('.').trim_end_matches('.').to_ascii_lowercase();
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    if domain.is_empty() || !domain.chars().all(good) {
        bail!("apps_domain={text}: not a host name; write it like apps.example.com");
    }
    Ok(domain)
}

fn proxies(list: &str) -> Result<Vec<IpNet>> {
    list.split([',', ' '])
        .filter(|part| !part.is_empty())
        .map(|part| {
            let single = part.parse::<std::net::IpAddr>().map(IpNet::from);
            part.parse::<IpNet>().or_else(|_| single).map_err(|_| {
                anyhow::anyhow!("trusted_proxies={part}: not an address or network; write it like 10.0.0.0/8")
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
