//! Puts an app's capabilities together when it starts, and takes them away when it is gone.

use crate::HostKey;
use crate::database::{self, Databases};
use crate::keyvalue::AppKeyValue;
use crate::outbound::{self, OutboundService};
use crate::tokens::AppTokens;
use async_trait::async_trait;
use lodge_model::{
    Account, AppId, Capabilities, ConnectionReport, DataPolicy, DatabaseReport, DatabaseSpec,
    Grant, GrantError, InternalCalls, Invalid, Limits, Provider,
};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const KEYVALUE_FILE: &str = "keyvalue.db";

/// Makes the capabilities of apps in this process.
pub struct HostProvider {
    /// Holds a folder an app.
    apps: PathBuf,
    databases: Databases,
    outbound: Arc<OutboundService>,
    open: Mutex<HashMap<AppId, Arc<AppKeyValue>>>,
}

impl HostProvider {
    /// `apps`: the folder that holds a folder an app. `key`: what the passwords of apps' databases
    /// come from.
    ///
    /// # Errors
    /// The service of apps' databases is none.
    pub fn new(
        apps: &Path,
        databases: database::Settings,
        outbound: outbound::Settings,
        key: Arc<HostKey>,
    ) -> Result<Arc<Self>, GrantError> {
        Ok(Arc::new(Self {
            apps: apps.to_owned(),
            databases: Databases::new(apps, databases, key)?,
            outbound: OutboundService::new(outbound),
            open: Mutex::default(),
        }))
    }

    /// Opens the way between apps. It comes after the provider, since whoever serves apps needs one.
    pub fn set_internal_calls(&self, calls: Arc<dyn InternalCalls>) {
        self.outbound.set_internal_calls(calls);
    }

    fn folder(&self, app: &AppId) -> PathBuf {
        self.apps.join(app.as_str())
    }
}

#[async_trait]
impl Provider for HostProvider {
    async fn open(
        &self,
        grant: &Grant,
        account: Arc<dyn Account>,
    ) -> Result<Capabilities, GrantError> {
        let folder = self.folder(&grant.app);
        let storage = grant.limits.storage_bytes;
        let file = folder.join(KEYVALUE_FILE);
        let keyvalue = Arc::new(AppKeyValue::new(&file, storage, account.clone()));
        let tokens = AppTokens::new(&grant.app, &grant.jwt_keys)
            .map_err(|e| GrantError::Refused(format!("the app's tokens: {e}")))?;
        let databases = self.databases.open(grant, &account).await?;
        self.open.lock().insert(grant.app.clone(), keyvalue.clone());
        Ok(Capabilities {
            config: Arc::new(grant.config.clone()),
            databases: Arc::new(databases),
            tokens: Arc::new(tokens),
            keyvalue,
            outbound: self.outbound.open(grant, account)?,
        })
    }

    async fn close(&self, app: &AppId) {
        let open = self.open.lock().remove(app);
        if let Some(keyvalue) = open {
            keyvalue.close().await;
        }
    }

    async fn remove(&self, grant: &Grant, data: DataPolicy) -> Result<(), GrantError> {
        self.close(&grant.app).await;
        self.databases
            .remove(&grant.app, &grant.database, data)
            .await?;
        let folder = self.folder(&grant.app);
        if data == DataPolicy::Drop
            && let Err(e) = tokio::fs::remove_dir_all(&folder).await
            && e.kind() != std::io::ErrorKind::NotFound
        {
            let text = format!("{}: cannot be removed: {e}", folder.display());
            return Err(GrantError::Unavailable(text));
        }
        Ok(())
    }

    fn check_database(&self, database: &DatabaseSpec) -> Result<(), Invalid> {
        self.databases.check(database)
    }

    async fn test_database(
        &self,
        _app: &AppId,
        database: &DatabaseSpec,
    ) -> Result<ConnectionReport, GrantError> {
        self.databases.test(database).await
    }

    async fn check_service(&self) -> Result<(), GrantError> {
        self.databases.check_service().await
    }

    async fn clear_migration(
        &self,
        app: &AppId,
        database: &DatabaseSpec,
        done: bool,
    ) -> Result<Option<String>, GrantError> {
        self.databases.clear_migration(app, database, done).await
    }

    async fn report_database(
        &self,
        app: &AppId,
        database: &DatabaseSpec,
        limits: &Limits,
    ) -> DatabaseReport {
        self.databases.report(app, database, limits).await
    }
}
