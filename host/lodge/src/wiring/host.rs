//! A host with a control plane: all in one process, or the supervisor of workers.

use super::cluster;
use super::parts;
use crate::config::{Config, Role};
use anyhow::Result;
use lodge_capabilities::{AppLogs, HostKey, HostProvider, tokens};
use lodge_console::{Addresses, Console, GeneratedPassword};
use lodge_db::Database;
use lodge_edge::{Drained, Edge, Routes};
use lodge_model::{DatabaseEngine, EnvironmentName, LOCAL_ENVIRONMENT, TrustedProxies};
use lodge_runtime::LocalRuntime;
use lodge_supervisor::{Parts, Supervisor};
use std::fs::File;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How long the last log lines may take to reach the disk.
const LOG_PATIENCE: Duration = Duration::from_secs(2);

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
pub(super) async fn start(config: Config) -> Result<Host> {
    // Addresses first: a port that is taken is found out before anything is changed.
    let apps = parts::listen(config.listen, "apps (--listen)").await?;
    let admin = parts::listen(config.admin_listen, "the admin API (--admin-listen)").await?;
    let (apps_address, admin_address) = (apps.local_addr()?, admin.local_addr()?);

    let data_dir = parts::make_data_dir(&config.data_dir)?;
    let lock = parts::lock(&data_dir)?;
    let db = parts::open_database(config.database_url.as_ref(), &data_dir).await?;
    let logs = AppLogs::open(&data_dir.join("logs"))?;
    let sealer = Arc::new(match &config.secret_key {
        Some(secret) => HostKey::from_secret(secret.0.as_bytes())?,
        None => HostKey::open(&data_dir)?,
    });
    let outbound = parts::outbound(&config, apps_address, admin_address);
    let databases = parts::databases(&config)?;
    let database_engine = databases.1;
    let provider = HostProvider::new(
        &data_dir.join("apps"),
        databases.0,
        outbound,
        sealer.clone(),
    )?;
    let settings = parts::runtime_settings(&config, &data_dir)?;
    let runtime = LocalRuntime::new(settings, logs.clone(), provider.clone())?;
    let routes = Arc::new(Routes::default());

    let proxies = Arc::new(TrustedProxies::new(
        config.trusted_proxies.clone().unwrap_or_default(),
    ));
    let membership = match &config.role {
        Role::Supervisor(role) => Some(cluster::supervisor(role, admin_address)?),
        Role::AllInOne | Role::Worker(_) => None,
    };
    let (cluster, verify) = membership.map_or((None, None), |member| {
        (Some(member.cluster), Some(member.verify))
    });
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
        cluster,
        settings: lodge_supervisor::Settings {
            component_store: cluster::store(&config.role)?,
            ..supervisor_settings(&config, database_engine, proxies.clone())
        },
    })
    .await?;

    let console = Console::open(
        db.clone(),
        supervisor.clone(),
        lodge_console::Settings {
            cluster: verify,
            ..console_settings(&config, apps_address, admin_address, proxies.clone())
        },
    )
    .await?;
    let edge_settings = lodge_edge::Settings {
        forwards: matches!(config.role, Role::Supervisor(_)),
        ..parts::edge_settings(&config, proxies)
    };
    let edge = Edge::new(edge_settings, routes, supervisor.clone());
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
    pub(super) fn announce(&self) -> Result<()> {
        parts::announce(self.apps, self.admin, "console", self.ready_file.as_deref())
    }

    /// Lets requests finish, stops the apps, writes what is left to write.
    pub(super) async fn stop(self) {
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
