//! A worker: apps, and nothing that decides about them.

use super::cluster::{self, WorkerSigner};
use super::parts;
use crate::config::{Config, Role, WorkerRole};
use anyhow::{Context, Result, bail};
use lodge_bus::WorkerEnd;
use lodge_capabilities::{AppLogs, HostKey, HostProvider, tokens};
use lodge_console::WorkerFigures;
use lodge_edge::{Drained, Edge, Intake, Routes};
use lodge_model::{
    BootId, Capacity, Registration, Runtime as _, Signer, TrustedProxies, Verifier, WorkerLink as _,
};
use lodge_runtime::LocalRuntime;
use lodge_worker::{Agent, Components, FetchSettings, Parts};
use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// How long the last log lines may take to reach the disk.
const LOG_PATIENCE: Duration = Duration::from_secs(2);
/// How long the goodbye may take.
const GOODBYE: Duration = Duration::from_secs(2);

/// A worker that serves.
pub(crate) struct Worker {
    // Dropped last: until then no other process may use the data directory.
    lock: File,
    apps: SocketAddr,
    admin: SocketAddr,
    ready_file: Option<PathBuf>,
    logs: Arc<AppLogs>,
    link: Arc<WorkerEnd>,
    agent: Arc<Agent>,
    stop: CancellationToken,
    edge: JoinHandle<Drained>,
    api: JoinHandle<()>,
}

/// Starts everything.
///
/// # Errors
/// What could not be started, and why.
pub(super) async fn start(config: Config) -> Result<Worker> {
    let Role::Worker(role) = &config.role else {
        bail!("this process is no worker");
    };
    let apps = parts::listen(config.listen, "apps (--listen)").await?;
    let admin = parts::listen(config.admin_listen, "health checks (--admin-listen)").await?;
    let (apps_address, admin_address) = (apps.local_addr()?, admin.local_addr()?);

    let data_dir = parts::make_data_dir(&config.data_dir)?;
    let lock = parts::lock(&data_dir)?;
    let logs = AppLogs::open(&data_dir.join("logs"))?;
    let sealer = Arc::new(match &config.secret_key {
        Some(secret) => HostKey::from_secret(secret.0.as_bytes())?,
        // The same on all workers: names and passwords of apps' databases come from it, so that an app
        // that moves finds its own again.
        None => HostKey::from_secret(role.cluster.key.secret())?,
    });
    let outbound = parts::outbound(&config, apps_address, admin_address);
    let (databases, _) = parts::databases(&config)?;
    let provider = HostProvider::new(&data_dir.join("apps"), databases, outbound, sealer.clone())?;
    let settings = parts::runtime_settings(&config, &data_dir)?;
    let runtime = LocalRuntime::new(settings, logs.clone(), provider.clone())?;
    let routes = Arc::new(Routes::default());

    let (boot, key) = (cluster::boot()?, &role.cluster.key);
    let signer = Arc::new(WorkerSigner(Signer::new(key, boot)));
    let components = data_dir.join("components");
    let fetch = FetchSettings {
        store: cluster::store(&config.role)?,
        ..FetchSettings::default()
    };
    let components = Components::open(components, fetch, signer)?;
    let registration = registration(role, boot, &data_dir, &runtime)?;
    let state = data_dir.join("link");
    let link = WorkerEnd::open(cluster::bus_settings(&role.cluster)?, registration, &state);
    let agent = Agent::open(Parts {
        link: link.clone(),
        runtime,
        routes: routes.clone(),
        logs: logs.clone(),
        provider: provider.clone(),
        components,
        sealer,
        key_set: Arc::new(tokens::jwks),
        data_dir,
        environment: role.environment.clone(),
        settings: lodge_worker::Settings {
            heartbeat: role.heartbeat,
            ..lodge_worker::Settings::default()
        },
    })?;

    let proxies = Arc::new(TrustedProxies::new(
        config.trusted_proxies.clone().unwrap_or_default(),
    ));
    let edge_settings = lodge_edge::Settings {
        intake: Some(Intake {
            verifier: Arc::new(Verifier::new(key, boot)),
            control: agent.clone(),
        }),
        ..parts::edge_settings(&config, proxies)
    };
    let edge = Edge::new(edge_settings, routes, agent.clone());
    provider.set_internal_calls(edge.clone());
    agent.run();

    let figures = config.open_metrics.then(|| {
        let agent = agent.clone();
        Arc::new(move || agent.figures()) as WorkerFigures
    });
    let stop = CancellationToken::new();
    let edge = tokio::spawn(edge.serve(apps, stop.clone(), config.stop_grace));
    let api = tokio::spawn(lodge_console::serve(
        admin,
        lodge_console::worker_router(figures),
        stop.clone().cancelled_owned(),
    ));
    Ok(Worker {
        lock,
        apps: apps_address,
        admin: admin_address,
        ready_file: config.ready_file,
        logs,
        link,
        agent,
        stop,
        edge,
        api,
    })
}

fn registration(
    role: &WorkerRole,
    boot: BootId,
    data_dir: &Path,
    runtime: &Arc<LocalRuntime>,
) -> Result<Registration> {
    let facts = runtime.facts();
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    Ok(Registration {
        environment: role.environment.clone(),
        boot,
        worker_id: worker_id(data_dir)?,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        url: role.url.clone(),
        proxy_url: role.proxy_url.clone(),
        heartbeat_ms: u64::try_from(role.heartbeat.as_millis()).unwrap_or(u64::MAX),
        capacity: Capacity {
            cores: facts.guest_cores,
            memory_bytes: facts.memory_bytes,
            instance_slots: facts.instance_slots,
        },
        started_at: now.map_or(0, |since| {
            i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
        }),
    })
}

/// What tells this worker's data directory from another's; made at its first start.
fn worker_id(data_dir: &Path) -> Result<String> {
    let path = data_dir.join("worker.id");
    match std::fs::read_to_string(&path) {
        Ok(id) if !id.trim().is_empty() => return Ok(id.trim().to_owned()),
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => {
            return Err(error).with_context(|| format!("{}: cannot be read", path.display()));
        }
    }
    let id = cluster::boot()?.to_string();
    let part = path.with_extension("part");
    std::fs::write(&part, &id)
        .and_then(|()| std::fs::rename(&part, &path))
        .with_context(|| format!("{}: cannot be written", path.display()))?;
    Ok(id)
}

impl Worker {
    /// Says where to go.
    ///
    /// # Errors
    /// The ready file cannot be written.
    pub(super) fn announce(&self) -> Result<()> {
        parts::announce(self.apps, self.admin, "health", self.ready_file.as_deref())
    }

    /// Resolves when another worker has this one's name.
    pub(super) async fn refused(&self) -> String {
        self.agent.refused().await
    }

    /// Lets requests finish, stops the apps, says goodbye.
    pub(super) async fn stop(self) {
        // First of all, so that the supervisor sends no more requests here.
        if timeout(GOODBYE, self.link.leave()).await.is_err() {
            tracing::warn!("the supervisor could not be told that this worker ends");
        }
        self.stop.cancel();
        match self.edge.await {
            Ok(Drained { cut_off: 0 }) => {}
            Ok(Drained { cut_off }) => tracing::warn!(cut_off, "connections were cut off"),
            Err(error) => tracing::error!(%error, "the edge failed"),
        }
        if let Err(error) = self.api.await {
            tracing::error!(%error, "the health checks failed");
        }
        self.agent.shutdown(Duration::from_secs(1)).await;
        self.logs.flush(LOG_PATIENCE);
        if let Some(path) = &self.ready_file {
            // It would lie from now on. That it is gone already is fine.
            let _ = std::fs::remove_file(path);
        }
        drop(self.lock);
        tracing::info!("stopped");
    }
}
