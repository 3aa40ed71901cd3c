//! Opens what an app was granted: its own database and other data sources, each with the app's limits in force.

use super::report::Connections;
use super::server::address::Address;
use super::server::pool::PoolSettings;
use super::server::session::Server;
use super::server::{Access, ServerSource, Way};
use super::sqlite::{SqliteSettings, SqliteSource};
use super::watched::Watched;
use super::{AppDatabases, DEFAULT, Databases, FILE, Place};
use async_trait::async_trait;
use lodge_model::{
    Account, AppId, DataSource, DatabaseSpec, Grant, GrantError, Limits, Migration, SourceAccess,
    SqlError,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// For whom a source is opened, and how.
#[derive(Clone, Copy)]
struct Opened<'a> {
    /// Whose database it is.
    app: &'a AppId,
    read_only: bool,
    /// Of the app that uses it.
    limits: &'a Limits,
    account: &'a Arc<dyn Account>,
}

/// A source that can be brought up to date.
#[async_trait]
pub(super) trait Source: DataSource {
    /// What the app has of it now.
    fn connections(&self) -> Connections;

    async fn migrate(&self, migrations: Vec<Migration>) -> Result<(), SqlError>;
}

#[async_trait]
impl Source for SqliteSource {
    fn connections(&self) -> Connections {
        self.open_connections()
    }

    async fn migrate(&self, migrations: Vec<Migration>) -> Result<(), SqlError> {
        self.run_migrations(migrations).await
    }
}

#[async_trait]
impl Source for ServerSource {
    fn connections(&self) -> Connections {
        self.open_connections()
    }

    async fn migrate(&self, migrations: Vec<Migration>) -> Result<(), SqlError> {
        self.run_migrations(migrations).await
    }
}

impl Databases {
    /// Makes sure that what an app was granted is there, and opens it.
    ///
    /// # Errors
    /// What is missing.
    pub(crate) async fn open(
        &self,
        grant: &Grant,
        account: &Arc<dyn Account>,
    ) -> Result<AppDatabases, GrantError> {
        let mut sources: BTreeMap<String, Arc<dyn Source>> = BTreeMap::new();
        let own = Opened {
            app: &grant.app,
            read_only: false,
            limits: &grant.limits,
            account,
        };
        if let Some(source) = self.source(&grant.database, &own).await? {
            let record = self.records.of(&grant.app);
            let statistics = Some(record.statistics.clone());
            let source = Watched::over(DEFAULT, source, account.clone(), statistics);
            record.set_source(&source);
            sources.insert(DEFAULT.to_owned(), source);
        }
        for (name, granted) in &grant.sources {
            let read_only = granted.access == SourceAccess::ReadOnly;
            let source = match (&granted.app, &granted.url) {
                (Some(owner), _) => {
                    let Some(spec) = grant.source_databases.get(owner) else {
                        continue;
                    };
                    let other = Opened {
                        app: owner,
                        read_only,
                        ..own
                    };
                    self.source(spec, &other).await
                }
                (None, Some(url)) => {
                    let other = Opened { read_only, ..own };
                    self.connection(url, &other).await.map(Some)
                }
                (None, None) => Ok(None),
            };
            let source = source.map_err(|error| about(&format!("data_sources.{name}"), error))?;
            if let Some(source) = source {
                let source = Watched::over(name, source, account.clone(), None);
                sources.insert(name.clone(), source);
            }
        }
        Ok(AppDatabases { sources })
    }

    /// One source; nothing if the spec says that there is none.
    async fn source(
        &self,
        spec: &DatabaseSpec,
        opened: &Opened<'_>,
    ) -> Result<Option<Arc<dyn Source>>, GrantError> {
        let room = match (self.place(spec)?, &spec.url) {
            (Place::Nowhere, _) => return Ok(None),
            (Place::File, _) => return self.file(opened).map(Some),
            (Place::Url, Some(url)) => return self.connection(url, opened).await.map(Some),
            (Place::Url, None) => {
                return Err(GrantError::Refused("database.url: is missing".into()));
            }
            (Place::Service(room), _) => room,
        };
        let _turn = self.preparations.acquire().await;
        let service = self.service()?;
        let (address, server) = service.ensure(opened.app, room, opened.read_only).await?;
        let access = if opened.read_only {
            Access::ReadByRole
        } else {
            Access::Write
        };
        let ender = service.administrator().clone();
        let way = self.way(address, ender, &server, access);
        Ok(Some(self.server(way, opened)))
    }

    fn file(&self, opened: &Opened<'_>) -> Result<Arc<dyn Source>, GrantError> {
        let folder = self.apps.join(opened.app.as_str());
        std::fs::create_dir_all(&folder).map_err(|e| {
            GrantError::Unavailable(format!("{}: cannot be made: {e}", folder.display()))
        })?;
        let limits = opened.limits;
        let settings = SqliteSettings {
            connections: limits.database_connections as usize,
            statement_timeout: Duration::from_millis(limits.statement_timeout_ms),
            result_bytes: limits.result_bytes,
            storage_bytes: limits.storage_bytes,
            read_only: opened.read_only,
        };
        Ok(SqliteSource::new(
            &folder.join(FILE),
            settings,
            opened.account.clone(),
        ))
    }

    async fn connection(
        &self,
        url: &str,
        opened: &Opened<'_>,
    ) -> Result<Arc<dyn Source>, GrantError> {
        let (address, server) = self.inspect(url).await?;
        let access = if opened.read_only {
            Access::ReadByTransaction
        } else {
            Access::Write
        };
        // Nobody else is known there.
        let way = self.way(address.clone(), address, &server, access);
        Ok(self.server(way, opened))
    }

    fn way(&self, address: Address, ender: Address, server: &Server, access: Access) -> Way {
        Way {
            lock: self.migration_lock(&address.database),
            address,
            ender,
            engine: server.engine,
            access,
        }
    }

    fn server(&self, way: Way, opened: &Opened<'_>) -> Arc<dyn Source> {
        let limits = opened.limits;
        let settings = PoolSettings {
            connections: limits.database_connections as usize,
            statement_timeout: Duration::from_millis(limits.statement_timeout_ms),
            result_bytes: limits.result_bytes,
        };
        let account = opened.account.clone();
        ServerSource::new(&self.servers, opened.app.clone(), way, settings, account)
    }
}

fn about(field: &str, error: GrantError) -> GrantError {
    match error {
        GrantError::Refused(why) => GrantError::Refused(format!("{field}: {why}")),
        GrantError::Unavailable(why) => GrantError::Unavailable(format!("{field}: {why}")),
    }
}
