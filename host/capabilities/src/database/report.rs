//! What an administrator is told of an app's own database: how large it is, its connections, and its
//! statements ([`super::statistics`]).
//!
//! What the app does with databases of others, by grant, is not in it, and neither is what others do
//! with this one.
//!
//! What bounds it: a size is asked for by one at a time of an app and [`SIZINGS`] of all, has
//! [`PATIENCE`], and holds for [`FRESH`], also when it is not known. How it fails: the size is not known,
//! and the report says why; a service is told of by its address, never with a password.

use super::server::address::Address;
use super::server::session::{self, Opening};
use super::statistics::{SLOW, Statistics};
use super::{Databases, FILE, Place, Source};
use lodge_model::{AppId, DatabaseEngine, DatabaseReport, DatabaseSpec, GrantError, Limits, Value};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::io::ErrorKind;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

/// How long asking for a size may take.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long a size holds.
const FRESH: Duration = Duration::from_secs(10);
/// Sizes that are asked for at once.
const SIZINGS: usize = 4;
/// What SQLite has beside the file itself.
const FILE_PARTS: [&str; 4] = ["", "-wal", "-shm", "-journal"];

/// An app's connections to one database, by now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Connections {
    /// In use, and idle.
    pub(super) open: usize,
    /// Statements that wait for one.
    pub(super) waiting: usize,
}

/// Counts those who wait for a place.
pub(super) struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    pub(super) fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Relaxed);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

/// What is known of all apps' databases since the host started.
pub(super) struct Records {
    apps: Mutex<HashMap<AppId, Arc<Record>>>,
    sizings: Semaphore,
}

/// What is known of one app's.
#[derive(Default)]
pub(super) struct Record {
    pub(super) statistics: Arc<Statistics>,
    /// While the app runs.
    source: Mutex<Option<Weak<dyn Source>>>,
    size: tokio::sync::Mutex<Option<Sized>>,
}

/// A size that was asked for.
struct Sized {
    at: Instant,
    of: DatabaseSpec,
    bytes: Result<u64, String>,
}

impl Default for Records {
    fn default() -> Self {
        Self {
            apps: Mutex::default(),
            sizings: Semaphore::new(SIZINGS),
        }
    }
}

impl Records {
    pub(super) fn of(&self, app: &AppId) -> Arc<Record> {
        self.apps.lock().entry(app.clone()).or_default().clone()
    }

    /// The app is gone.
    pub(super) fn forget(&self, app: &AppId) {
        self.apps.lock().remove(app);
    }
}

impl Record {
    pub(super) fn set_source(&self, source: &Arc<dyn Source>) {
        *self.source.lock() = Some(Arc::downgrade(source));
    }

    fn source(&self) -> Option<Arc<dyn Source>> {
        self.source.lock().as_ref().and_then(Weak::upgrade)
    }
}

impl Databases {
    /// What is to be told of an app's own database.
    pub(crate) async fn report(
        &self,
        app: &AppId,
        spec: &DatabaseSpec,
        limits: &Limits,
    ) -> DatabaseReport {
        let mut report = DatabaseReport::empty(spec.kind, SLOW);
        if matches!(self.place(spec), Ok(Place::Nowhere)) {
            return report;
        }
        let record = self.records.of(app);
        match self.size(app, spec, &record).await {
            Ok(bytes) => report.size_bytes = Some(bytes),
            Err(why) => report.problem = Some(why),
        }
        let source = record.source();
        let connections = source.as_ref().map(|source| source.connections());
        let connections = connections.unwrap_or_default();
        report.engine = match &source {
            Some(source) => Some(source.engine()),
            None => self.engine_of(spec),
        };
        report.connections_open = connections.open as u64;
        report.connections_waiting = connections.waiting as u64;
        report.connections_limit = u64::from(limits.database_connections);
        (report.statements, report.failed_statements) = record.statistics.counts();
        report.slow = record.statistics.slow();
        report
    }

    /// As far as it is known without asking.
    fn engine_of(&self, spec: &DatabaseSpec) -> Option<DatabaseEngine> {
        match (self.place(spec).ok()?, &spec.url) {
            (Place::Nowhere, _) => None,
            (Place::File, _) => Some(DatabaseEngine::Sqlite),
            (Place::Service(_), _) => self.service.as_ref().map(|service| service.engine()),
            (Place::Url, Some(url)) => super::service_engine(url).ok(),
            (Place::Url, None) => None,
        }
    }

    async fn size(&self, app: &AppId, spec: &DatabaseSpec, record: &Record) -> Result<u64, String> {
        let mut known = record.size.lock().await;
        if let Some(known) = &*known
            && known.at.elapsed() < FRESH
            && known.of == *spec
        {
            return known.bytes.clone();
        }
        let asked = async {
            let _turn = self.records.sizings.acquire().await;
            self.ask_size(app, spec).await
        };
        let bytes = match tokio::time::timeout(PATIENCE, asked).await {
            Ok(bytes) => bytes.map_err(|error| error.to_string()),
            Err(_) => Err(format!(
                "the database did not tell its size within {} s",
                PATIENCE.as_secs()
            )),
        };
        *known = Some(Sized {
            at: Instant::now(),
            of: spec.clone(),
            bytes: bytes.clone(),
        });
        bytes
    }

    async fn ask_size(&self, app: &AppId, spec: &DatabaseSpec) -> Result<u64, GrantError> {
        let Some((address, schema)) = self.own_address(app, spec).await? else {
            return self.file_size(app).await;
        };
        let unknown = |error| GrantError::Unavailable(format!("its size is not known: {error}"));
        let opening = Opening {
            statement_timeout: PATIENCE,
            result_bytes: 1 << 16,
            is_ours: true,
        };
        let nobody = super::provision::nobody();
        let mut live = session::connect(&address, opening, nobody)
            .await
            .map_err(unknown)?;
        let (sql, parameters) = match (address.engine, schema) {
            (DatabaseEngine::Postgres, None) => {
                ("SELECT pg_database_size(current_database())", Vec::new())
            }
            (DatabaseEngine::Postgres, Some(schema)) => (SCHEMA_SIZE, vec![Value::Text(schema)]),
            _ => (MYSQL_SIZE, Vec::new()),
        };
        let rows = super::provision::ask(&mut live, sql, parameters)
            .await
            .map_err(unknown)?;
        match rows.first().and_then(|row| row.first()) {
            Some(Value::Int(bytes)) => Ok(u64::try_from(*bytes).unwrap_or_default()),
            _ => Err(GrantError::Unavailable("the server told no size".into())),
        }
    }

    /// Where an app's own database on a server is, as somebody who may enter it, and its schema, if it is
    /// one; none: it is on no server.
    ///
    /// # Errors
    /// The server is away, or the URL is none.
    pub(super) async fn own_address(
        &self,
        app: &AppId,
        spec: &DatabaseSpec,
    ) -> Result<Option<(Address, Option<String>)>, GrantError> {
        match (self.place(spec)?, &spec.url) {
            (Place::Nowhere | Place::File, _) => Ok(None),
            (Place::Service(room), _) => self.service()?.inside(app, room).await.map(Some),
            (Place::Url, Some(url)) => {
                let address = Address::parse(url);
                let refused = |why| GrantError::Refused(format!("the URL {why}"));
                Ok(Some((address.map_err(refused)?, None)))
            }
            (Place::Url, None) => Err(GrantError::Refused("database.url: is missing".into())),
        }
    }

    /// The file and what SQLite has beside it. One that was not made yet has no bytes.
    async fn file_size(&self, app: &AppId) -> Result<u64, GrantError> {
        let folder = self.apps.join(app.as_str());
        let mut bytes = 0;
        for part in FILE_PARTS {
            match tokio::fs::metadata(folder.join(format!("{FILE}{part}"))).await {
                Ok(found) => bytes += found.len(),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => {
                    let text = format!("the database's file cannot be looked at: {error}");
                    return Err(GrantError::Unavailable(text));
                }
            }
        }
        Ok(bytes)
    }
}

/// Tables with what hangs on them, materialized views and sequences of a schema.
const SCHEMA_SIZE: &str = "SELECT COALESCE(SUM(pg_total_relation_size(c.oid)), 0)::bigint FROM pg_class c \
     JOIN pg_namespace n ON n.oid = c.relnamespace \
     WHERE n.nspname = $1 AND c.relkind IN ('r', 'm', 'S')";

/// As the server estimates it.
const MYSQL_SIZE: &str = "SELECT CAST(COALESCE(SUM(DATA_LENGTH + INDEX_LENGTH), 0) AS SIGNED) \
     FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()";
