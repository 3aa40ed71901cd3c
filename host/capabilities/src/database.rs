//! Databases: where an app's data sources are, opened with the app's limits in force.
//!
//! In this version an app's own database is an SQLite file in its folder of the data directory; other
//! engines are refused when the app starts, by name.

mod script;
mod sqlite;

use async_trait::async_trait;
use lodge_model::{
    Account, DataSource, DataSources, DatabaseEngine, DatabaseKind, DatabaseSpec, Grant,
    GrantError, Migration, SqlError,
};
use sqlite::{SqliteSettings, SqliteSource};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// The name of an app's own database.
pub(crate) const DEFAULT: &str = "default";
const FILE: &str = "database.db";

/// One app's data sources.
pub(crate) struct AppDatabases {
    default: Option<Arc<SqliteSource>>,
}

impl AppDatabases {
    /// Opens what the app was granted. `folder` is the app's own.
    ///
    /// # Errors
    /// A kind or engine that is not served; a folder that cannot be made.
    pub(crate) fn open(
        grant: &Grant,
        folder: &Path,
        account: Arc<dyn Account>,
    ) -> Result<Self, GrantError> {
        check(&grant.database)?;
        if grant.database.kind == DatabaseKind::None {
            return Ok(Self { default: None });
        }
        std::fs::create_dir_all(folder).map_err(|e| {
            GrantError::Unavailable(format!("{}: cannot be made: {e}", folder.display()))
        })?;
        let limits = &grant.limits;
        let settings = SqliteSettings {
            connections: limits.database_connections as usize,
            statement_timeout: Duration::from_millis(limits.statement_timeout_ms),
            result_bytes: limits.result_bytes,
            storage_bytes: limits.storage_bytes,
        };
        let source = SqliteSource::new(&folder.join(FILE), settings, account);
        Ok(Self {
            default: Some(source),
        })
    }
}

/// Whether a database of this kind is served.
///
/// # Errors
/// It is not; the text says what is.
pub(crate) fn check(spec: &DatabaseSpec) -> Result<(), GrantError> {
    let what = match (spec.kind, spec.engine) {
        (DatabaseKind::None, _)
        | (DatabaseKind::NewDatabase, None | Some(DatabaseEngine::Sqlite)) => return Ok(()),
        (DatabaseKind::NewDatabase, Some(_)) => "database.engine",
        (DatabaseKind::NewSchema | DatabaseKind::NewConnection, _) => "database.kind",
    };
    Err(GrantError::Refused(format!(
        "{what}: this version serves `new_database` with the engine `sqlite` only"
    )))
}

#[async_trait]
impl DataSources for AppDatabases {
    async fn open(&self, name: &str) -> Result<Arc<dyn DataSource>, SqlError> {
        match &self.default {
            Some(source) if name == DEFAULT => Ok(source.clone()),
            _ => Err(SqlError::NoSuchSource(name.to_owned())),
        }
    }

    async fn migrate(&self, migrations: Vec<Migration>) -> Result<(), SqlError> {
        match &self.default {
            Some(source) => source.migrate(migrations).await,
            None if migrations.is_empty() => Ok(()),
            None => Err(SqlError::NoSuchSource(DEFAULT.to_owned())),
        }
    }
}
