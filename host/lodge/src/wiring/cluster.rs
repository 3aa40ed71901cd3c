//! What makes a process part of a cluster: the link over Redis, and signed requests.

use crate::config::{Cluster, Role, Secret, SupervisorRole};
use anyhow::{Context, Result};
use lodge_bus::SupervisorEnd;
use lodge_console::VerifyRequest;
use lodge_edge::{Forward, ForwardSettings};
use lodge_model::{BootId, Claim, Signer, Verifier};
use lodge_store::{ComponentStore, StoreSettings};
use lodge_worker::SignRequest;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// How often the way to Redis is asked for the address of this machine.
const LOOK: Duration = Duration::from_millis(100);

/// A supervisor's membership.
pub(super) struct Membership {
    pub(super) cluster: lodge_supervisor::Cluster,
    pub(super) verify: Arc<dyn VerifyRequest>,
}

/// Where Redis is, where there is one: not for apps.
pub(super) fn redis(role: &Role) -> [Option<&Secret>; 2] {
    let cluster = role.cluster();
    [
        cluster.map(|cluster| &cluster.redis),
        cluster.map(|cluster| &cluster.command_redis),
    ]
}

/// The link's settings.
///
/// # Errors
/// A URL is none of a Redis server; it is not shown.
pub(super) fn bus_settings(cluster: &Cluster) -> Result<lodge_bus::Settings> {
    let (redis, commands) = (&cluster.redis.0, &cluster.command_redis.0);
    let mut settings = lodge_bus::Settings::new(redis, commands, cluster.key.clone());
    settings.check()?;
    if let Some(pem) = &cluster.redis_authorities {
        let checked = settings.with_authorities(pem.clone());
        settings = checked.context("the file of LODGE_REDIS_CA cannot be used")?;
    }
    Ok(settings)
}

/// Where components are beside the supervisor, if anywhere.
///
/// # Errors
/// The settings make no store; no credential is shown.
pub(super) fn store(role: &Role) -> Result<Option<Arc<ComponentStore>>> {
    let settings = role.cluster().and_then(|cluster| cluster.store.as_ref());
    let store = settings.map(StoreSettings::open).transpose()?;
    if let Some(store) = &store {
        tracing::info!(store = store.name(), "components are in a store");
    }
    Ok(store)
}

/// This run of this process.
///
/// # Errors
/// The system gives no randomness.
pub(super) fn boot() -> Result<BootId> {
    BootId::random().context("the system gives no randomness")
}

/// Opens a supervisor's way to its workers.
///
/// # Errors
/// What could not be started, and why.
pub(super) fn supervisor(role: &SupervisorRole, admin: SocketAddr) -> Result<Membership> {
    let (boot, key) = (boot()?, &role.cluster.key);
    let known = role.url.clone().or_else(|| {
        let fixed = !admin.ip().is_unspecified();
        fixed.then(|| format!("http://{admin}"))
    });
    let unknown = known.is_none();
    let link = SupervisorEnd::open(bus_settings(&role.cluster)?, boot, 0, known);
    if unknown {
        tokio::spawn(announce_address(Arc::downgrade(&link), admin.port()));
    }
    let forward = Forward::new(Signer::new(key, boot), ForwardSettings::default());
    Ok(Membership {
        cluster: lodge_supervisor::Cluster {
            link,
            forward,
            hosts_apps: role.hosts_apps,
        },
        verify: Arc::new(Signed(Verifier::new(key, boot))),
    })
}

/// A supervisor that listens everywhere is reached at the address that Redis sees.
async fn announce_address(link: std::sync::Weak<SupervisorEnd>, port: u16) {
    loop {
        let Some(link) = link.upgrade() else {
            return;
        };
        if let Some(ip) = link.local_address() {
            let address = SocketAddr::new(ip, port);
            tracing::info!(%address, "workers reach this supervisor here (SUPERVISOR_URL)");
            link.announce(format!("http://{address}"));
            return;
        }
        drop(link);
        tokio::time::sleep(LOOK).await;
    }
}

struct Signed(Verifier);

impl VerifyRequest for Signed {
    fn verify(&self, request: &http::request::Parts) -> bool {
        let checked = self
            .0
            .verify(&request.method, &request.uri, &request.headers);
        checked.is_ok()
    }
}

/// Signs a worker's requests to its supervisor.
pub(super) struct WorkerSigner(pub(super) Signer);

impl SignRequest for WorkerSigner {
    fn sign(&self, request: &mut http::Request<()>, receiver: BootId) {
        let (method, uri) = (request.method().clone(), request.uri().clone());
        let target = uri.path_and_query().cloned().map_or(uri, http::Uri::from);
        let claim = Claim::default();
        self.0
            .to(receiver)
            .sign(&method, &target, request.headers_mut(), &claim);
    }
}
