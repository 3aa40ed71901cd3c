//! SEAM: stands in for `database::DatabaseService` and `keyvalue::AppKeyValue` until those are
//! joined, with their signatures. Everything that an app asks of them is unavailable. To join: name
//! the real ones in `provider.rs` and delete this file.

use async_trait::async_trait;
use lodge_model::{
    Account, AppId, ConnectionReport, DataPolicy, DataSource, DataSources, DatabaseSpec, Grant,
    GrantError, KeyPage, KeyValue, KeyValueError, Limits, Migration, SqlError, Version,
};
use std::path::Path;
use std::sync::Arc;

const NOT_YET: &str = "not available in this build";

pub(super) struct DatabaseService;

impl DatabaseService {
    pub(super) fn new() -> Self {
        Self
    }

    pub(super) async fn open(
        &self,
        _grant: &Grant,
        _account: Arc<dyn Account>,
    ) -> Result<Arc<dyn DataSources>, GrantError> {
        Ok(Arc::new(Absent))
    }

    pub(super) async fn close(&self, _app: &AppId) {}

    pub(super) async fn remove(&self, _grant: &Grant, _data: DataPolicy) -> Result<(), GrantError> {
        Ok(())
    }

    pub(super) async fn test(
        &self,
        _app: &AppId,
        _database: &DatabaseSpec,
    ) -> Result<ConnectionReport, GrantError> {
        Err(GrantError::Unavailable(NOT_YET.into()))
    }
}

pub(super) struct AppKeyValue;

impl AppKeyValue {
    pub(super) fn open(
        _data_dir: &Path,
        _app: &AppId,
        _account: Arc<dyn Account>,
        _limits: &Limits,
    ) -> Result<Arc<dyn KeyValue>, GrantError> {
        Ok(Arc::new(Absent))
    }

    pub(super) fn remove(
        _data_dir: &Path,
        _app: &AppId,
        _data: DataPolicy,
    ) -> Result<(), GrantError> {
        Ok(())
    }
}

struct Absent;

#[async_trait]
impl DataSources for Absent {
    async fn open(&self, _name: &str) -> Result<Arc<dyn DataSource>, SqlError> {
        Err(SqlError::Unavailable(NOT_YET.into()))
    }

    async fn migrate(&self, migrations: Vec<Migration>) -> Result<(), SqlError> {
        match migrations.is_empty() {
            true => Ok(()),
            false => Err(SqlError::Unavailable(NOT_YET.into())),
        }
    }
}

fn absent<T>() -> Result<T, KeyValueError> {
    Err(KeyValueError::Host(NOT_YET.into()))
}

#[async_trait]
impl KeyValue for Absent {
    fn check_bucket(&self, _: &str) -> Result<(), KeyValueError> {
        absent()
    }

    async fn get(&self, _: &str, _: &str) -> Result<Option<(Vec<u8>, u64)>, KeyValueError> {
        absent()
    }

    async fn get_many(
        &self,
        _: &str,
        _: Vec<String>,
    ) -> Result<Vec<Option<Vec<u8>>>, KeyValueError> {
        absent()
    }

    async fn set_many(&self, _: &str, _: Vec<(String, Vec<u8>)>) -> Result<(), KeyValueError> {
        absent()
    }

    async fn delete_many(&self, _: &str, _: Vec<String>) -> Result<(), KeyValueError> {
        absent()
    }

    async fn exists(&self, _: &str, _: &str) -> Result<bool, KeyValueError> {
        absent()
    }

    async fn list(&self, _: &str, _: Option<String>) -> Result<KeyPage, KeyValueError> {
        absent()
    }

    async fn increment(&self, _: &str, _: &str, _: i64) -> Result<i64, KeyValueError> {
        absent()
    }

    async fn swap(&self, _: &str, _: &str, _: Version, _: Vec<u8>) -> Result<bool, KeyValueError> {
        absent()
    }
}
