//! What every handler reaches: the supervisor, the control database, and the console's own parts.

use crate::addresses::Addresses;
use crate::audit::Refusals;
use crate::auth::guard::{LoginGuard, LoginLimits};
use crate::auth::password::Passwords;
use crate::cluster::VerifyRequest;
use lodge_db::Database;
use lodge_model::TrustedProxies;
use lodge_supervisor::Supervisor;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::sync::{Semaphore, watch};

/// Live event streams at once: each is a connection and a place in the broadcast channel.
pub(crate) const MAX_EVENT_STREAMS: usize = 64;

/// How the console behaves. Everything has a default.
#[derive(Clone, Default)]
pub struct Settings {
    /// Where apps are reached, for the addresses that answers show.
    pub addresses: Addresses,
    /// Where the admin API itself listens.
    pub admin_listen: Option<SocketAddr>,
    /// The version of Wasmtime, which only the runtime knows.
    pub wasmtime: &'static str,
    /// True: `/metrics` needs no token.
    pub open_metrics: bool,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Arc<TrustedProxies>,
    /// How many login attempts are free.
    pub login_limits: LoginLimits,
    /// Tells requests of the cluster's own workers, which get components; none: there is no cluster.
    pub cluster: Option<Arc<dyn VerifyRequest>>,
    /// The cost of a password hash; none: OWASP's recommendation. Tests take a small one.
    pub password_params: Option<argon2::Params>,
}

/// Why the console cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A setting breaks a rule.
    #[error(transparent)]
    Invalid(#[from] lodge_model::Invalid),
    /// The control database failed.
    #[error(transparent)]
    Database(#[from] lodge_db::Error),
    /// Passwords cannot be hashed.
    #[error("{0}")]
    Hash(String),
}

/// The console. Clones share everything.
#[derive(Clone)]
pub struct Console(Arc<Inner>);

struct Inner {
    db: Database,
    supervisor: Arc<Supervisor>,
    settings: Settings,
    passwords: Passwords,
    logins: LoginGuard,
    refusals: Refusals,
    event_streams: Arc<Semaphore>,
    stopping: watch::Sender<bool>,
}

impl Console {
    /// A console over a supervisor that has loaded its routes and observed states: it is ready
    /// from here on.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub async fn open(
        db: Database,
        supervisor: Arc<Supervisor>,
        settings: Settings,
    ) -> Result<Self, OpenError> {
        settings.login_limits.check()?;
        // Requests of a process that is gone are not under way.
        if supervisor.leads() {
            lodge_db::idempotency::forget_unfinished(&db).await?;
        }
        let passwords = Passwords::new(settings.password_params.clone())
            .map_err(|error| OpenError::Hash(error.to_string()))?;
        Ok(Self(Arc::new(Inner {
            db,
            supervisor,
            passwords,
            logins: LoginGuard::new(settings.login_limits),
            refusals: Refusals::default(),
            settings,
            event_streams: Arc::new(Semaphore::new(MAX_EVENT_STREAMS)),
            stopping: watch::Sender::new(false),
        })))
    }

    pub(crate) fn db(&self) -> &Database {
        &self.0.db
    }

    pub(crate) fn supervisor(&self) -> &Arc<Supervisor> {
        &self.0.supervisor
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.0.settings
    }

    pub(crate) fn passwords(&self) -> &Passwords {
        &self.0.passwords
    }

    pub(crate) fn logins(&self) -> &LoginGuard {
        &self.0.logins
    }

    pub(crate) fn refusals(&self) -> &Refusals {
        &self.0.refusals
    }

    pub(crate) fn event_streams(&self) -> &Arc<Semaphore> {
        &self.0.event_streams
    }

    /// Ends what would not end by itself (event streams, long polls) and answers `/readyz` with
    /// 503, so that connections can be drained.
    pub fn stop(&self) {
        self.0.stopping.send_replace(true);
    }

    pub(crate) fn is_stopping(&self) -> bool {
        *self.0.stopping.borrow()
    }

    /// Ends when the console is being stopped.
    pub(crate) async fn stopped(&self) {
        // An error means that the sender is gone, which this clone's `Arc` keeps from happening.
        let _ = self
            .0
            .stopping
            .subscribe()
            .wait_for(|stopping| *stopping)
            .await;
    }
}

/// The time, in milliseconds since 1970.
pub(crate) fn now_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX))
}
