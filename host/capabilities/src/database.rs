//! Databases: where an app's data sources are, opened with the app's limits in force.
//!
//! In this version an app's own database is an SQLite file in its folder of the data directory, which
//! may be granted to other apps; other engines are refused when the app starts, by name.

mod script;
mod sqlite;

use async_trait::async_trait;
use lodge_model::{
    Account, AppId, DataSource, DataSources, DatabaseEngine, DatabaseKind, DatabaseSpec, Grant,
    GrantError, Migration, SourceAccess, SqlError,
};
use sqlite::{SqliteSettings, SqliteSource};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// The name of an app's own database.
pub(crate) const DEFAULT: &str = "default";
const FILE: &str = "database.db";

/// One app's data sources, by name.
pub(crate) struct AppDatabases {
    sources: BTreeMap<String, Arc<SqliteSource>>,
}

impl AppDatabases {
    /// Opens what the app was granted. `apps` holds a folder an app.
    ///
    /// # Errors
    /// A kind or engine that is not served; a folder that cannot be made.
    pub(crate) fn open(
        grant: &Grant,
        apps: &Path,
        account: &Arc<dyn Account>,
    ) -> Result<Self, GrantError> {
        let mut sources = BTreeMap::new();
        let mut open = |name: &str, spec: &DatabaseSpec, owner: &AppId, read_only| {
            let source = source(grant, spec, &apps.join(owner.as_str()), read_only, account)?;
            if let Some(source) = source {
                sources.insert(name.to_owned(), source);
            }
            Ok(())
        };
        open(DEFAULT, &grant.database, &grant.app, false)?;
        for (name, granted) in &grant.sources {
            let owner = granted.app.as_ref().ok_or_else(|| {
                GrantError::Refused(format!(
                    "data_sources.{name}.url: this version serves other apps' databases only, by `app`"
                ))
            })?;
            let Some(spec) = grant.source_databases.get(owner) else {
                continue;
            };
            open(name, spec, owner, granted.access == SourceAccess::ReadOnly)?;
        }
        Ok(Self { sources })
    }
}

/// One source; nothing if the spec says that there is none.
fn source(
    grant: &Grant,
    spec: &DatabaseSpec,
    folder: &Path,
    read_only: bool,
    account: &Arc<dyn Account>,
) -> Result<Option<Arc<SqliteSource>>, GrantError> {
    check(spec)?;
    if spec.kind == DatabaseKind::None {
        return Ok(None);
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
        read_only,
    };
    let source = SqliteSource::new(&folder.join(FILE), settings, account.clone());
    Ok(Some(source))
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
