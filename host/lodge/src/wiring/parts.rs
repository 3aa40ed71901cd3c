//! What every role needs: listeners, the data directory, settings of the crates that all of them have.

use super::cluster;
use crate::config::{Config, Secret};
use anyhow::{Context, Result, bail};
use lodge_capabilities::{database, outbound};
use lodge_db::Database;
use lodge_model::{DatabaseEngine, TrustedProxies};
use rustix::process::{Resource, getrlimit};
use std::fs::{File, TryLockError};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::net::TcpListener;

/// Files that are not connections: databases, logs, components, listeners.
const OTHER_FILES: u64 = 512;

/// Says where a process serves, on its standard output and in the ready file.
///
/// # Errors
/// The ready file cannot be written.
pub(super) fn announce(
    apps: SocketAddr,
    admin: SocketAddr,
    admin_name: &str,
    ready_file: Option<&Path>,
) -> Result<()> {
    println!("apps     http://{apps}");
    println!("{admin_name:<8} http://{admin}");
    tracing::info!(%apps, %admin, "serving");
    if let Some(path) = ready_file {
        let addresses = serde_json::json!({ "apps": apps, "admin": admin });
        let part = path.with_extension("part");
        std::fs::write(&part, addresses.to_string())
            .and_then(|()| std::fs::rename(&part, path))
            .with_context(|| format!("--ready-file {}: cannot be written", path.display()))?;
    }
    Ok(())
}

pub(super) async fn listen(address: SocketAddr, what: &str) -> Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| {
        format!("{address} cannot be had for {what}: choose another address, or end what holds it")
    })
}

/// The data directory, made if needed, by its full path (children start elsewhere).
pub(super) fn make_data_dir(path: &Path) -> Result<PathBuf> {
    use std::os::unix::fs::DirBuilderExt;
    let made = std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path);
    made.and_then(|()| path.canonicalize())
        .with_context(|| format!("--data-dir {}: cannot be made", path.display()))
}

/// Makes this process the only one that uses the data directory; before anything in it is touched,
/// since even opening the cache sweeps up after a process that is supposed to be gone. The lock goes
/// with the process, however it ends.
pub(super) fn lock(data_dir: &Path) -> Result<File> {
    let path = data_dir.join("process.lock");
    let open = File::options()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(&path);
    let mut file = open.with_context(|| format!("{}: cannot be opened", path.display()))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            let known = file.read_to_string(&mut holder).is_ok() && !holder.is_empty();
            let holder = if known {
                format!("process {}", holder.trim())
            } else {
                "another process".into()
            };
            bail!(
                "{} is in use by {holder}: stop it, or choose another --data-dir",
                data_dir.display()
            );
        }
        Err(TryLockError::Error(error)) => {
            return Err(error).with_context(|| format!("{}: cannot be locked", path.display()));
        }
    }
    file.set_len(0)
        .and_then(|()| writeln!(file, "{}", std::process::id()))
        .with_context(|| format!("{}: cannot be written", path.display()))?;
    Ok(file)
}

pub(super) async fn open_database(url: Option<&Secret>, data_dir: &Path) -> Result<Database> {
    let opened = match url {
        Some(url) => Database::open(&url.0).await,
        None => Database::open_file(&data_dir.join("lodge.db")).await,
    };
    opened.context("the control database cannot be opened")
}

/// The way out for apps: nowhere to what the host itself stands on.
pub(super) fn outbound(config: &Config, apps: SocketAddr, admin: SocketAddr) -> outbound::Settings {
    let [redis, commands] = cluster::redis(&config.role);
    let (control, service) = (config.database_url.as_ref(), config.apps_database.as_ref());
    outbound::Settings {
        forbidden: own_addresses(apps, admin, &[control, service, redis, commands]),
        private_networks: config.outbound_private_networks.clone(),
        ..outbound::Settings::default()
    }
}

/// Where no app may go, whatever it was granted.
fn own_addresses(
    apps: SocketAddr,
    admin: SocketAddr,
    services: &[Option<&Secret>],
) -> Vec<SocketAddr> {
    let mut addresses = vec![apps, admin];
    for url in services.iter().flatten() {
        let Ok(url) = url::Url::parse(&url.0) else {
            continue;
        };
        let Some(host) = url.host_str() else {
            continue;
        };
        let usual = match url.scheme() {
            "postgres" | "postgresql" => 5432,
            "redis" | "rediss" => 6379,
            _ => 3306,
        };
        let port = url.port().unwrap_or(usual);
        // A name that does not resolve now did when the database was opened, a moment ago.
        addresses.extend((host, port).to_socket_addrs().into_iter().flatten());
    }
    addresses
}

/// Where apps' databases are made, and the make of those of which none is asked for.
pub(super) fn databases(config: &Config) -> Result<(database::Settings, DatabaseEngine)> {
    let secret = |secret: &Secret| lodge_model::Secret(secret.0.clone());
    let engine = match &config.apps_database {
        None => DatabaseEngine::Sqlite,
        Some(url) => database::service_engine(&url.0)
            .map_err(|why| anyhow::anyhow!("APPS_DATABASE_URL {why}"))?,
    };
    let on_server = |url: &&Secret| url.0.starts_with("postgres");
    let settings = database::Settings {
        service: config.apps_database.as_ref().map(secret),
        control: config.database_url.as_ref().filter(on_server).map(secret),
        server_connections: config.apps_database_connections,
    };
    Ok((settings, engine))
}

pub(super) fn runtime_settings(
    config: &Config,
    data_dir: &Path,
) -> Result<lodge_runtime::Settings> {
    let program = std::env::current_exe().context("this program's own file cannot be found")?;
    Ok(lodge_runtime::Settings {
        cache_dir: data_dir.join("cache"),
        child_command: (program, vec![crate::CHILD.to_owned()]),
        compile_slots: config.compile_slots,
        instances: config.max_instances,
        memory_bytes: config.max_memory,
        guest_turns: if config.cpu_gate {
            config.guest_threads
        } else {
            usize::MAX
        },
    })
}

pub(super) fn edge_settings(
    config: &Config,
    trusted_proxies: Arc<TrustedProxies>,
) -> lodge_edge::Settings {
    let defaults = lodge_edge::Settings::default();
    let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let allowed = usize::try_from(files.saturating_sub(OTHER_FILES))
        .unwrap_or(usize::MAX)
        .max(64);
    let wanted = config
        .max_connections
        .map_or(defaults.max_connections, |n| n as usize);
    if wanted > allowed && config.max_connections.is_some() {
        tracing::warn!(
            wanted,
            allowed,
            "fewer connections than max_connections: raise the limit on open files (ulimit -n)"
        );
    }
    lodge_edge::Settings {
        apps_domain: config.apps_domain.clone(),
        trusted_proxies,
        max_connections: wanted.min(allowed),
        ..defaults
    }
}
