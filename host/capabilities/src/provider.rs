//! Puts one app's capabilities together from what it was granted.
//!
//! [`HostProvider`] is made once with the process and holds what apps share: the way out, and the
//! database services. [`open`](Provider::open) is called when an app starts, and again when its
//! grant changed; what it returns holds everything of that app, and drops with it. Order matters:
//! what can be refused without touching anything (keys, hosts) comes before what is made outside
//! (databases), so that a bad grant leaves nothing half made.
//!
//! How it fails: with the sentence that an administrator needs, and no secret in it.

mod seams;

use crate::outbound::{self, OutboundService};
use crate::tokens::AppTokens;
use async_trait::async_trait;
use lodge_model::{
    Account, AppId, Capabilities, ConnectionReport, DataPolicy, DatabaseSpec, Grant, GrantError,
    InternalCalls, Provider,
};
use seams::{AppKeyValue, DatabaseService};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

/// What apps' capabilities are made from.
pub struct Settings {
    /// Everything that this process keeps.
    pub data_dir: PathBuf,
    /// Outgoing HTTP.
    pub outbound: outbound::Settings,
}

/// Makes apps' capabilities in this process.
pub struct HostProvider {
    databases: DatabaseService,
    outbound: Arc<OutboundService>,
    data_dir: PathBuf,
}

impl HostProvider {
    /// Opens nothing yet.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            databases: DatabaseService::new(),
            outbound: OutboundService::new(settings.outbound),
            data_dir: settings.data_dir,
        }
    }

    /// Opens the way between apps. It comes after the provider, since whoever serves apps needs one.
    pub fn set_internal_calls(&self, calls: Arc<dyn InternalCalls>) {
        self.outbound.set_internal_calls(calls);
    }

    /// Closes an address to all apps: a listener of Lodge's, its Redis, a database.
    pub fn forbid(&self, address: SocketAddr) {
        self.outbound.forbid(address);
    }
}

#[async_trait]
impl Provider for HostProvider {
    async fn open(
        &self,
        grant: &Grant,
        account: Arc<dyn Account>,
    ) -> Result<Capabilities, GrantError> {
        let tokens = AppTokens::new(&grant.app, &grant.jwt_keys)
            .map_err(|error| GrantError::Refused(error.to_string()))?;
        let outbound = self.outbound.open(grant, account.clone())?;
        let keyvalue =
            AppKeyValue::open(&self.data_dir, &grant.app, account.clone(), &grant.limits)?;
        let databases = self.databases.open(grant, account).await?;
        Ok(Capabilities {
            config: Arc::new(grant.config.clone()),
            databases,
            tokens: Arc::new(tokens),
            keyvalue,
            outbound,
        })
    }

    async fn close(&self, app: &AppId) {
        // Tokens, outgoing connections and configuration go with the app's `Capabilities`.
        self.databases.close(app).await;
    }

    async fn remove(&self, grant: &Grant, data: DataPolicy) -> Result<(), GrantError> {
        self.databases.remove(grant, data).await?;
        AppKeyValue::remove(&self.data_dir, &grant.app, data)
    }

    async fn test_database(
        &self,
        app: &AppId,
        database: &DatabaseSpec,
    ) -> Result<ConnectionReport, GrantError> {
        self.databases.test(app, database).await
    }
}
