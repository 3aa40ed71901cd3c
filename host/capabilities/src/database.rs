//! Databases: where an app's data sources are, opened with the app's limits in force.
//!
//! An app's own database is an SQLite file in its folder of the data directory, a database or schema
//! made for it on the host's service ([`Settings::service`]), or whatever server an administrator
//! gave the URL of. Each may be granted to other apps.

mod migrations;
mod opening;
mod report;
mod result;
mod script;
mod server;
mod sqlite;
mod statistics;
mod temporal;
mod watched;

use crate::keys::HostKey;
use async_trait::async_trait;
use lodge_model::{
    AppId, ConnectionReport, DataPolicy, DataSource, DataSources, DatabaseEngine, DatabaseKind,
    DatabaseSpec, GrantError, Invalid, Migration, Secret, SqlError,
};
use opening::Source;
use report::Records;
use server::address::Address;
use server::pool::Servers;
use server::provision::{self, Provisioner, Room};
use server::session::Server;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::Semaphore;

/// The name of an app's own database.
pub(crate) const DEFAULT: &str = "default";
const FILE: &str = "database.db";
/// Connections to one server, by all apps together, unless the host says otherwise.
const SERVER_CONNECTIONS: usize = 50;
/// Rooms made, and servers looked at, at once: each takes a connection or two beside those of apps.
const PREPARATIONS: usize = 4;

/// What is said of databases when the host starts.
#[derive(Debug)]
pub struct Settings {
    /// The service in which apps' databases are made: the URL of somebody who may make them. None:
    /// SQLite files.
    pub service: Option<Secret>,
    /// The URL of the host's control database, if that is on a server: no app gets it.
    pub control: Option<Secret>,
    /// Connections to one server, by all apps together.
    pub server_connections: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            service: None,
            control: None,
            server_connections: SERVER_CONNECTIONS,
        }
    }
}

/// Bounds the memory and the temporary files of apps' SQLite. To be called once, before this process uses SQLite for anything:
/// later it is too late, and apps' files are refused.
pub fn prepare() {
    if let Err(why) = sqlite::prepare() {
        tracing::error!("{why}");
    }
}

/// The make of the databases of a service.
///
/// # Errors
/// The URL is not that of a service; the text does not quote it.
pub fn service_engine(url: &str) -> Result<DatabaseEngine, String> {
    Address::parse(url).map(|address| address.engine)
}

/// Makes and opens apps' databases.
pub(crate) struct Databases {
    /// Holds a folder an app.
    apps: PathBuf,
    service: Option<Provisioner>,
    control: Option<Secret>,
    key: Arc<HostKey>,
    servers: Servers,
    preparations: Semaphore,
    records: Records,
}

impl Databases {
    /// # Errors
    /// The service's URL is none.
    pub(crate) fn new(
        apps: &Path,
        settings: Settings,
        key: Arc<HostKey>,
    ) -> Result<Self, GrantError> {
        let control = settings.control.clone();
        let service = match settings.service {
            None => None,
            Some(url) => {
                let address = Address::parse(&url.0)
                    .map_err(|why| GrantError::Refused(format!("APPS_DATABASE_URL: {why}")))?;
                Some(Provisioner::new(
                    address,
                    key.clone(),
                    control.map(|control| control.0),
                ))
            }
        };
        Ok(Self {
            apps: apps.to_owned(),
            service,
            control: settings.control,
            key,
            servers: Servers::new(settings.server_connections),
            preparations: Semaphore::new(PREPARATIONS),
            records: Records::default(),
        })
    }

    async fn inspect(&self, url: &str) -> Result<(Address, Server), GrantError> {
        let address =
            Address::parse(url).map_err(|why| GrantError::Refused(format!("the URL {why}")))?;
        if address.database.is_empty() {
            return Err(GrantError::Refused(
                "the URL names no database: write postgres://user:password@host/database".into(),
            ));
        }
        let _turn = self.preparations.acquire().await;
        let control = self.control.as_ref().map(|url| url.0.as_str());
        let server = provision::inspect(&address, control).await?;
        Ok((address, server))
    }

    /// Tries a database without changing anything.
    ///
    /// # Errors
    /// Why an app could not use it.
    pub(crate) async fn test(&self, spec: &DatabaseSpec) -> Result<ConnectionReport, GrantError> {
        let begun = Instant::now();
        let server = match (self.place(spec)?, &spec.url) {
            (Place::Url, Some(url)) => self.inspect(url).await?.1,
            (Place::Service(room), _) => self.service()?.check(room).await?,
            _ => {
                return Err(GrantError::Refused(
                    "database.kind: an SQLite file needs no try: it is made by the app's first statement".into(),
                ));
            }
        };
        Ok(ConnectionReport {
            engine: server.engine,
            version: server.version,
            elapsed_ms: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
        })
    }

    /// Whether the service, if there is one, lets databases be made.
    ///
    /// # Errors
    /// What is the matter.
    pub(crate) async fn check_service(&self) -> Result<(), GrantError> {
        if let Some(service) = &self.service {
            service.check(Room::Database).await?;
        }
        Ok(())
    }

    /// Drops, if `data` says so, what was made for an app on the service. Files are not its business.
    ///
    /// # Errors
    /// What could not be dropped.
    pub(crate) async fn remove(
        &self,
        app: &AppId,
        spec: &DatabaseSpec,
        data: DataPolicy,
    ) -> Result<(), GrantError> {
        self.records.forget(app);
        if data == DataPolicy::Keep {
            return Ok(());
        }
        let Place::Service(room) = self.place(spec)? else {
            return Ok(());
        };
        let _turn = self.preparations.acquire().await;
        self.service()?.remove(app, room).await
    }

    /// Whether there are such databases here.
    ///
    /// # Errors
    /// The field that does not fit.
    pub(crate) fn check(&self, spec: &DatabaseSpec) -> Result<(), Invalid> {
        self.find(spec)?;
        if let (DatabaseKind::NewConnection, Some(url)) = (spec.kind, &spec.url) {
            Address::parse(url).map_err(|why| Invalid::new("database.url", why))?;
        }
        Ok(())
    }

    fn place(&self, spec: &DatabaseSpec) -> Result<Place, GrantError> {
        self.find(spec)
            .map_err(|invalid| GrantError::Refused(invalid.to_string()))
    }

    /// Where a database of this kind is.
    fn find(&self, spec: &DatabaseSpec) -> Result<Place, Invalid> {
        let room = match (spec.kind, spec.engine) {
            (DatabaseKind::None, _) => return Ok(Place::Nowhere),
            // What has no engine was made before there was a choice.
            (DatabaseKind::NewDatabase, None | Some(DatabaseEngine::Sqlite)) => {
                return Ok(Place::File);
            }
            (DatabaseKind::NewConnection, _) => return Ok(Place::Url),
            (DatabaseKind::NewDatabase, _) => Room::Database,
            (DatabaseKind::NewSchema, _) => Room::Schema,
        };
        let wanted = spec.engine.unwrap_or(DatabaseEngine::Postgres);
        let Some(service) = &self.service else {
            return Err(Invalid::new(
                match room {
                    Room::Database => "database.engine",
                    Room::Schema => "database.kind",
                },
                "needs a database server, and the host has none for apps (APPS_DATABASE_URL): choose `new_database` with \
                 the engine `sqlite`, or `new_connection`",
            ));
        };
        let there = service.engine();
        if same_make(wanted, there) {
            return Ok(Place::Service(room));
        }
        let (field, remedy) = match room {
            Room::Database => ("database.engine", "leave it out"),
            Room::Schema => ("database.kind", "choose `new_database`"),
        };
        Err(Invalid::new(
            field,
            format!(
                "the host's service of apps' databases (APPS_DATABASE_URL) is {there}, not {wanted}: {remedy}, or use \
                 `new_connection`"
            ),
        ))
    }

    fn service(&self) -> Result<&Provisioner, GrantError> {
        self.service.as_ref().ok_or_else(|| {
            GrantError::Refused("the host has no database service (APPS_DATABASE_URL)".into())
        })
    }
}

/// MySQL and MariaDB take each other's place.
fn same_make(one: DatabaseEngine, other: DatabaseEngine) -> bool {
    let mysql = |e| matches!(e, DatabaseEngine::Mysql | DatabaseEngine::Mariadb);
    one == other || (mysql(one) && mysql(other))
}

/// Where a database is.
enum Place {
    Nowhere,
    File,
    Service(Room),
    Url,
}

/// One app's data sources, by name.
pub(crate) struct AppDatabases {
    sources: BTreeMap<String, Arc<dyn Source>>,
}

#[async_trait]
impl DataSources for AppDatabases {
    async fn open(&self, name: &str) -> Result<Arc<dyn DataSource>, SqlError> {
        match self.sources.get(name) {
            Some(source) => Ok(source.clone()),
            None => Err(SqlError::NoSuchSource(name.to_owned())),
        }
    }

    async fn migrate(&self, migrations: Vec<Migration>) -> Result<(), SqlError> {
        match self.sources.get(DEFAULT) {
            Some(source) => source.migrate(migrations).await,
            None if migrations.is_empty() => Ok(()),
            None => Err(SqlError::NoSuchSource(DEFAULT.to_owned())),
        }
    }
}
