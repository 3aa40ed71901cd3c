//! What all apps' ways out share: the process's limits, its TLS roots, and where nobody may go.

use super::connect::{Connector, Dial};
use super::policy::Policy;
use super::refusals::Refusals;
use super::{
    APP_LOOKUPS, AppOutbound, HttpClient, IDLE, IDLE_FOR, Resolver, SystemResolver, connect, head,
};
use crate::charged::Charged;
use hyper_rustls::{ConfigBuilderExt, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioTimer;
use ipnet::IpNet;
use lodge_model::{Account, Grant, GrantError, InternalCalls, Outbound, OutboundError};
use parking_lot::{Mutex, RwLock};
use rustls::client::Resumption;
use rustls::{ClientConfig, RootCertStore};
use std::net::SocketAddr;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::Semaphore;

/// TLS sessions that one app may take up again.
const TLS_SESSIONS: usize = 32;

/// How outgoing HTTP behaves in this process.
#[derive(Clone)]
pub struct Settings {
    /// Lodge's own listeners, its Redis and its databases: no app reaches them, whatever it was
    /// granted, by any address of this machine. More can be added by [`OutboundService::forbid`].
    pub forbidden: Vec<SocketAddr>,
    /// Networks that are not public and that apps may call all the same, if the host was granted
    /// (`outbound_private_networks`).
    pub private_networks: Vec<IpNet>,
    /// Connections of all apps, idle ones included. When fewer than a quarter are left, none is
    /// kept idle.
    pub connections: usize,
    /// Looks names up.
    pub resolver: Arc<dyn Resolver>,
    /// TLS, without ALPN; none: the system's roots.
    pub tls: Option<ClientConfig>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            forbidden: Vec::new(),
            private_networks: Vec::new(),
            connections: 4_096,
            resolver: Arc::new(SystemResolver::default()),
            tls: None,
        }
    }
}

/// Makes apps' ways out.
pub struct OutboundService {
    pub(super) forbidden: RwLock<Vec<SocketAddr>>,
    pub(super) private_networks: Vec<IpNet>,
    pub(super) resolver: Arc<dyn Resolver>,
    pub(super) connections: Arc<Semaphore>,
    /// With fewer connections left, none is kept idle.
    pub(super) scarce_below: usize,
    tls: OnceLock<Result<ClientConfig, String>>,
    internal: OnceLock<Arc<dyn InternalCalls>>,
}

/// Runs a client's connections, with their TLS, at the cost of its app.
#[derive(Clone)]
struct ChargedExecutor(Arc<dyn Account>);

impl<F> hyper::rt::Executor<F> for ChargedExecutor
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    fn execute(&self, work: F) {
        tokio::spawn(Charged::new(self.0.clone(), work));
    }
}

impl OutboundService {
    /// Opens nothing yet.
    #[must_use]
    pub fn new(settings: Settings) -> Arc<Self> {
        let tls = OnceLock::new();
        if let Some(config) = settings.tls {
            let _ = tls.set(Ok(config));
        }
        let connections = settings.connections.clamp(1, Semaphore::MAX_PERMITS);
        Arc::new(Self {
            forbidden: RwLock::new(settings.forbidden),
            private_networks: settings.private_networks,
            resolver: settings.resolver,
            connections: Arc::new(Semaphore::new(connections)),
            scarce_below: connections / 4,
            tls,
            internal: OnceLock::new(),
        })
    }

    /// Closes an address to all apps: a listener, once its port is known, or a database.
    pub fn forbid(&self, address: SocketAddr) {
        let mut forbidden = self.forbidden.write();
        if !forbidden.contains(&address) {
            forbidden.push(address);
        }
    }

    /// Opens the way between apps; the first one given stays.
    pub fn set_internal_calls(&self, calls: Arc<dyn InternalCalls>) {
        let _ = self.internal.set(calls);
    }

    pub(super) fn internal_calls(&self) -> Option<Arc<dyn InternalCalls>> {
        self.internal.get().cloned()
    }

    /// One app's way out.
    ///
    /// # Errors
    /// An entry of `outbound_hosts` that is not one.
    pub fn open(
        self: &Arc<Self>,
        grant: &Grant,
        account: Arc<dyn Account>,
    ) -> Result<Arc<dyn Outbound>, GrantError> {
        let grants = grant.outbound_hosts.iter().map(|host| host.parse());
        let grants = grants
            .collect::<Result<_, lodge_model::Invalid>>()
            .map_err(|invalid| GrantError::Refused(invalid.to_string()))?;
        let policy = Policy {
            service: self.clone(),
            grants,
            refusals: Refusals::new(account.clone()),
        };
        let concurrency = usize::try_from(grant.limits.outbound_concurrency).unwrap_or(usize::MAX);
        Ok(Arc::new(AppOutbound {
            app: grant.app.clone(),
            policy: Arc::new(policy),
            account,
            concurrency,
            places: Arc::new(Semaphore::new(concurrency.min(Semaphore::MAX_PERMITS))),
            waiting: AtomicUsize::new(0),
            patience: Duration::from_millis(grant.limits.request_timeout_ms),
            client: Mutex::new(None),
            lookups: Arc::new(Semaphore::new(APP_LOOKUPS)),
            open: Arc::default(),
        }))
    }

    /// A client with a pool of its own.
    pub(super) fn client(&self, dial: Dial) -> Result<HttpClient, OutboundError> {
        let executor = ChargedExecutor(dial.account.clone());
        let mut tls = self.tls()?;
        // Sessions of one app tell another's server nothing.
        tls.resumption = Resumption::in_memory_sessions(TLS_SESSIONS);
        let https = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_all_versions()
            .wrap_connector(dial);
        let window = u32::try_from(connect::CONNECTION_BYTES).unwrap_or(u32::MAX);
        let head_bytes = u32::try_from(head::HEAD_BYTES).unwrap_or(u32::MAX);
        Ok(Client::builder(executor)
            .pool_timer(TokioTimer::new())
            .timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_FOR)
            .pool_max_idle_per_host(IDLE)
            .http1_max_buf_size(head::HEAD_BYTES)
            .http1_max_headers(head::HEAD_FIELDS)
            .http2_max_header_list_size(head_bytes)
            .http2_initial_stream_window_size(window)
            .http2_initial_connection_window_size(window)
            .build(Connector(https)))
    }

    /// The process's TLS, with the system's roots, read once. Without roots every TLS call fails, and
    /// plain ones still work.
    fn tls(&self) -> Result<ClientConfig, OutboundError> {
        let tls = self.tls.get_or_init(|| {
            let provider = Arc::new(rustls::crypto::ring::default_provider());
            let builder = ClientConfig::builder_with_provider(provider)
                .with_safe_default_protocol_versions()
                .map_err(|error| error.to_string())?;
            let config = match builder.clone().with_native_roots() {
                Ok(builder) => builder,
                Err(error) => {
                    tracing::warn!(%error, "no certificates of the system: apps can make no TLS calls");
                    builder.with_root_certificates(RootCertStore::empty())
                }
            };
            Ok(config.with_no_client_auth())
        });
        tls.clone()
            .map_err(|error| OutboundError::Host(format!("TLS cannot be set up: {error}")))
    }
}
