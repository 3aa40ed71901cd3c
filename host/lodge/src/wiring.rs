//! Every constructor, in start order; and the same backwards for the stop.

use crate::config::{Config, Secret};
use anyhow::{Context, Result, bail};
use lodge_capabilities::{AppLogs, HostKey, HostProvider, database, outbound, tokens};
use lodge_console::{Addresses, Console, GeneratedPassword};
use lodge_db::Database;
use lodge_edge::{Drained, Edge, Routes};
use lodge_model::{DatabaseEngine, EnvironmentName, LOCAL_ENVIRONMENT, TrustedProxies};
use lodge_runtime::LocalRuntime;
use lodge_supervisor::{Parts, Supervisor};
use rustix::process::{Resource, getrlimit};
use std::fs::{File, TryLockError};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How long the last log lines may take to reach the disk.
const LOG_PATIENCE: Duration = Duration::from_secs(2);
/// Files that are not connections: databases, logs, components, listeners.
const OTHER_FILES: u64 = 512;

/// A host that serves.
pub(crate) struct Host {
    // Dropped last: until then no other process may use the data directory.
    lock: File,
    db: Database,
    apps: SocketAddr,
    admin: SocketAddr,
    ready_file: Option<PathBuf>,
    logs: Arc<AppLogs>,
    supervisor: Arc<Supervisor>,
    console: Console,
    stop: CancellationToken,
    edge: JoinHandle<Drained>,
    api: JoinHandle<()>,
}

/// Starts everything.
///
/// # Errors
/// What could not be started, and why.
pub(crate) async fn start(config: Config) -> Result<Host> {
    // Addresses first: a port that is taken is found out before anything is changed.
    let apps = listen(config.listen, "apps (--listen)").await?;
    let admin = listen(config.admin_listen, "the admin API (--admin-listen)").await?;
    let (apps_address, admin_address) = (apps.local_addr()?, admin.local_addr()?);

    let data_dir = make_data_dir(&config.data_dir)?;
    let lock = lock(&data_dir)?;
    let db = open_database(config.database_url.as_ref(), &data_dir).await?;
    let logs = AppLogs::open(&data_dir.join("logs"))?;
    let sealer = Arc::new(match &config.secret_key {
        Some(secret) => HostKey::from_secret(secret.0.as_bytes())?,
        None => HostKey::open(&data_dir)?,
    });
    let outbound = outbound::Settings {
        forbidden: own_addresses(
            apps_address,
            admin_address,
            [config.database_url.as_ref(), config.apps_database.as_ref()],
        ),
        private_networks: config.outbound_private_networks.clone(),
        ..outbound::Settings::default()
    };
    let databases = databases(&config)?;
    let database_engine = databases.1;
    let provider = HostProvider::new(
        &data_dir.join("apps"),
        databases.0,
        outbound,
        sealer.clone(),
    )?;
    let settings = runtime_settings(&config, &data_dir)?;
    let runtime = LocalRuntime::new(settings, logs.clone(), provider.clone())?;
    let routes = Arc::new(Routes::default());

    let proxies = Arc::new(TrustedProxies::new(
        config.trusted_proxies.clone().unwrap_or_default(),
    ));
    let supervisor = Supervisor::open(Parts {
        db: db.clone(),
        runtime,
        provider: provider.clone(),
        routes: routes.clone(),
        logs: logs.clone(),
        sealer,
        make_key: Arc::new(|algorithm| tokens::generate(algorithm).map_err(|e| e.to_string())),
        key_set: Arc::new(tokens::jwks),
        data_dir,
        environment: LOCAL_ENVIRONMENT.parse::<EnvironmentName>()?,
        cluster: None,
        settings: supervisor_settings(&config, database_engine, proxies.clone()),
    })
    .await?;

    let console = Console::open(
        db.clone(),
        supervisor.clone(),
        console_settings(&config, apps_address, admin_address, proxies.clone()),
    )
    .await?;
    let edge = Edge::new(edge_settings(&config, proxies), routes, supervisor.clone());
    provider.set_internal_calls(edge.clone());

    make_root(&db, &config).await?;

    let stop = CancellationToken::new();
    let edge = tokio::spawn(edge.serve(apps, stop.clone(), config.stop_grace));
    let router = lodge_console::router(console.clone());
    let api = tokio::spawn(lodge_console::serve(
        admin,
        router,
        stop.clone().cancelled_owned(),
    ));
    let ready_file = config.ready_file;
    Ok(Host {
        lock,
        db,
        apps: apps_address,
        admin: admin_address,
        ready_file,
        logs,
        supervisor,
        console,
        stop,
        edge,
        api,
    })
}

impl Host {
    /// Says where to go.
    ///
    /// # Errors
    /// The ready file cannot be written.
    pub(crate) fn announce(&self) -> Result<()> {
        println!("apps     http://{}", self.apps);
        println!("console  http://{}", self.admin);
        tracing::info!(apps = %self.apps, admin = %self.admin, "serving");
        if let Some(path) = &self.ready_file {
            let addresses = serde_json::json!({ "apps": self.apps, "admin": self.admin });
            let part = path.with_extension("part");
            std::fs::write(&part, addresses.to_string())
                .and_then(|()| std::fs::rename(&part, path))
                .with_context(|| format!("--ready-file {}: cannot be written", path.display()))?;
        }
        Ok(())
    }

    /// Lets requests finish, stops the apps, writes what is left to write.
    pub(crate) async fn stop(self) {
        self.console.stop();
        self.stop.cancel();
        match self.edge.await {
            Ok(Drained { cut_off: 0 }) => {}
            Ok(Drained { cut_off }) => tracing::warn!(cut_off, "connections were cut off"),
            Err(error) => tracing::error!(%error, "the edge failed"),
        }
        if let Err(error) = self.api.await {
            tracing::error!(%error, "the admin API failed");
        }
        self.supervisor.shutdown(Duration::ZERO).await;
        self.logs.flush(LOG_PATIENCE);
        self.db.close().await;
        if let Some(path) = &self.ready_file {
            // It would lie from now on. That it is gone already is fine.
            let _ = std::fs::remove_file(path);
        }
        drop(self.lock);
        tracing::info!("stopped");
    }
}

/// The generated root password: here and never again.
fn show_password(root: &GeneratedPassword) {
    println!(
        "first start: sign in as {} with the password\n\n    {}\n",
        root.email,
        root.reveal()
    );
    println!("It is shown this once.\n");
}

async fn listen(address: SocketAddr, what: &str) -> Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| {
        format!("{address} cannot be had for {what}: choose another address, or end what holds it")
    })
}

/// The data directory, made if needed, by its full path (children start elsewhere).
fn make_data_dir(path: &Path) -> Result<PathBuf> {
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
fn lock(data_dir: &Path) -> Result<File> {
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

async fn open_database(url: Option<&Secret>, data_dir: &Path) -> Result<Database> {
    let opened = match url {
        Some(url) => Database::open(&url.0).await,
        None => Database::open_file(&data_dir.join("lodge.db")).await,
    };
    opened.context("the control database cannot be opened")
}

/// Where no app may go, whatever it was granted.
fn own_addresses(
    apps: SocketAddr,
    admin: SocketAddr,
    databases: [Option<&Secret>; 2],
) -> Vec<SocketAddr> {
    let mut addresses = vec![apps, admin];
    for url in databases.into_iter().flatten() {
        let Ok(url) = url::Url::parse(&url.0) else {
            continue;
        };
        let Some(host) = url.host_str() else {
            continue;
        };
        let usual = if url.scheme().starts_with("postgres") {
            5432
        } else {
            3306
        };
        let port = url.port().unwrap_or(usual);
        // A name that does not resolve now did when the database was opened, a moment ago.
        addresses.extend((host, port).to_socket_addrs().into_iter().flatten());
    }
    addresses
}

/// Where apps' databases are made, and the make of those of which none is asked for.
fn databases(config: &Config) -> Result<(database::Settings, DatabaseEngine)> {
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

/// Makes the first user, unless there is one. A generated password is shown at once: whatever happens after, it
/// is not lost.
async fn make_root(db: &Database, config: &Config) -> Result<()> {
    let password = config
        .root_password
        .as_ref()
        .map(|secret| secret.0.as_str());
    let made = lodge_console::ensure_root(db, config.root_email.as_deref(), password).await?;
    if let Some(root) = made {
        show_password(&root);
    }
    Ok(())
}

fn supervisor_settings(
    config: &Config,
    database_engine: DatabaseEngine,
    trusted_proxies: Arc<TrustedProxies>,
) -> lodge_supervisor::Settings {
    lodge_supervisor::Settings {
        trusted_proxies,
        proxies_configured: config.trusted_proxies.is_some(),
        apps_domain: config.apps_domain.clone(),
        database_engine,
        ..lodge_supervisor::Settings::default()
    }
}

fn runtime_settings(config: &Config, data_dir: &Path) -> Result<lodge_runtime::Settings> {
    let program = std::env::current_exe().context("this program's own file cannot be found")?;
    Ok(lodge_runtime::Settings {
        cache_dir: data_dir.join("cache"),
        child_command: (program, vec![crate::CHILD.to_owned()]),
        compile_slots: config.compile_slots,
        instances: config.max_instances,
        guest_turns: if config.cpu_gate {
            config.guest_threads
        } else {
            usize::MAX
        },
    })
}

fn console_settings(
    config: &Config,
    apps: SocketAddr,
    admin: SocketAddr,
    trusted_proxies: Arc<TrustedProxies>,
) -> lodge_console::Settings {
    lodge_console::Settings {
        addresses: Addresses {
            listen: Some(apps),
            apps_domain: config.apps_domain.clone(),
        },
        admin_listen: Some(admin),
        wasmtime: lodge_runtime::WASMTIME_VERSION,
        open_metrics: config.open_metrics,
        trusted_proxies,
        ..lodge_console::Settings::default()
    }
}

fn edge_settings(config: &Config, trusted_proxies: Arc<TrustedProxies>) -> lodge_edge::Settings {
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
