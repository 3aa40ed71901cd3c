//! Key-value: a small space of an app's own, in an SQLite file beside its database.
//!
//! The file is made when first written to. What bounds it: keys of 512 bytes, values of 1 MiB, 1,000
//! keys a call, and a file of a quarter of `storage_bytes`.

use crate::charged::ThreadBook;
use async_trait::async_trait;
use lodge_model::{Account, KeyPage, KeyValue, KeyValueError, Version};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{Executor as _, Row as _, Sqlite, Transaction};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OnceCell;

const KEY_BYTES: usize = 512;
const VALUE_BYTES: usize = 1 << 20;
const BUCKET_BYTES: usize = 64;
const KEYS_AT_ONCE: usize = 1_000;
/// Keys of one page.
const PAGE: i64 = 1_000;
const DATABASE_PAGE_BYTES: u64 = 4096;
const CONNECTIONS: u32 = 2;
const IDLE: Duration = Duration::from_secs(10);
const PATIENCE: Duration = Duration::from_secs(10);

/// One app's buckets.
pub(crate) struct AppKeyValue {
    path: PathBuf,
    limit: u64,
    pool: OnceCell<SqlitePool>,
    threads: Arc<ThreadBook>,
}

impl AppKeyValue {
    /// Touches nothing yet. `storage_bytes`: the app's limit; `account` pays for what is done.
    pub(crate) fn new(path: &Path, storage_bytes: u64, account: Arc<dyn Account>) -> Self {
        Self {
            path: path.to_owned(),
            limit: storage_bytes / 4,
            pool: OnceCell::new(),
            threads: ThreadBook::new(account),
        }
    }

    async fn pool(&self) -> Result<&SqlitePool, KeyValueError> {
        self.pool.get_or_try_init(|| self.connect()).await
    }

    async fn connect(&self) -> Result<SqlitePool, KeyValueError> {
        if let Some(folder) = self.path.parent() {
            std::fs::create_dir_all(folder)
                .map_err(|e| KeyValueError::Host(format!("the app's folder: {e}")))?;
        }
        let pages = (self.limit / DATABASE_PAGE_BYTES).max(16);
        let options = SqliteConnectOptions::new()
            .filename(&self.path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .busy_timeout(PATIENCE)
            .pragma("max_page_count", pages.to_string());
        let (known, released) = (self.threads.clone(), self.threads.clone());
        let pool = SqlitePoolOptions::new()
            .max_connections(CONNECTIONS)
            .idle_timeout(IDLE)
            .acquire_timeout(PATIENCE)
            .after_connect(move |connection, _| {
                let threads = known.clone();
                Box::pin(async move {
                    // Asked once, on the connection's own thread.
                    let mut handle = connection.lock_handle().await?;
                    handle.set_progress_handler(1, move || {
                        threads.add_this_thread();
                        true
                    });
                    drop(handle);
                    connection.execute(sqlx::raw_sql("SELECT 1")).await?;
                    connection.lock_handle().await?.remove_progress_handler();
                    Ok(())
                })
            })
            .after_release(move |_, _| {
                released.charge();
                Box::pin(std::future::ready(Ok(true)))
            })
            .connect_with(options)
            .await
            .map_err(|e| self.failed(e))?;
        sqlx::raw_sql(
            "CREATE TABLE IF NOT EXISTS pairs (bucket TEXT, key TEXT, value BLOB NOT NULL, version INTEGER NOT NULL, \
             PRIMARY KEY (bucket, key)) STRICT, WITHOUT ROWID; \
             CREATE TABLE IF NOT EXISTS versions (next INTEGER NOT NULL) STRICT; \
             INSERT INTO versions SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM versions)",
        )
        .execute(&pool)
        .await
        .map_err(|e| self.failed(e))?;
        Ok(pool)
    }

    fn failed(&self, error: sqlx::Error) -> KeyValueError {
        match error {
            sqlx::Error::Database(e) if e.code().as_deref() == Some("13") => {
                KeyValueError::LimitExceeded(format!(
                    "the app's keys and values take more than {} bytes (a quarter of limits.storage_bytes)",
                    self.limit
                ))
            }
            other => KeyValueError::Host(format!("the key-value file: {other}")),
        }
    }

    /// A transaction that writes, and the version of what it writes.
    async fn begin(&self) -> Result<(Transaction<'static, Sqlite>, i64), KeyValueError> {
        let pool = self.pool().await?;
        let mut tx = pool
            .begin_with("BEGIN IMMEDIATE")
            .await
            .map_err(|e| self.failed(e))?;
        let version = sqlx::query_scalar("UPDATE versions SET next = next + 1 RETURNING next")
            .fetch_one(&mut *tx)
            .await
            .map_err(|e| self.failed(e))?;
        Ok((tx, version))
    }

    async fn put(
        &self,
        tx: &mut Transaction<'static, Sqlite>,
        (bucket, key, value): (&str, &str, &[u8]),
        version: i64,
    ) -> Result<(), KeyValueError> {
        check_key(key)?;
        if value.len() > VALUE_BYTES {
            return Err(KeyValueError::LimitExceeded(format!(
                "the value of `{key}` has more than {VALUE_BYTES} bytes"
            )));
        }
        sqlx::query(
            "INSERT INTO pairs VALUES (?, ?, ?, ?) \
             ON CONFLICT DO UPDATE SET value = excluded.value, version = excluded.version",
        )
        .bind(bucket)
        .bind(key)
        .bind(value)
        .bind(version)
        .execute(&mut **tx)
        .await
        .map(drop)
        .map_err(|e| self.failed(e))
    }

    async fn commit(&self, tx: Transaction<'static, Sqlite>) -> Result<(), KeyValueError> {
        tx.commit().await.map_err(|e| self.failed(e))
    }

    /// Closes what is open.
    pub(crate) async fn close(&self) {
        if let Some(pool) = self.pool.get() {
            pool.close().await;
        }
    }
}

fn check_key(key: &str) -> Result<(), KeyValueError> {
    if key.is_empty() || key.len() > KEY_BYTES {
        return Err(KeyValueError::LimitExceeded(format!(
            "a key has 1 to {KEY_BYTES} bytes"
        )));
    }
    Ok(())
}

fn check_count(count: usize) -> Result<(), KeyValueError> {
    if count > KEYS_AT_ONCE {
        return Err(KeyValueError::LimitExceeded(format!(
            "a call takes at most {KEYS_AT_ONCE} keys"
        )));
    }
    Ok(())
}

#[async_trait]
impl KeyValue for AppKeyValue {
    fn check_bucket(&self, bucket: &str) -> Result<(), KeyValueError> {
        let good = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-');
        if bucket.is_empty() || bucket.len() > BUCKET_BYTES || !bucket.bytes().all(good) {
            return Err(KeyValueError::NoSuchStore(bucket.to_owned()));
        }
        Ok(())
    }

    async fn get(&self, bucket: &str, key: &str) -> Result<Option<(Vec<u8>, u64)>, KeyValueError> {
        if !self.path.exists() {
            return Ok(None);
        }
        let row = sqlx::query("SELECT value, version FROM pairs WHERE bucket = ? AND key = ?")
            .bind(bucket)
            .bind(key)
            .fetch_optional(self.pool().await?)
            .await
            .map_err(|e| self.failed(e))?;
        Ok(row.map(|row| (row.get(0), row.get::<i64, _>(1).unsigned_abs())))
    }

    async fn get_many(
        &self,
        bucket: &str,
        keys: Vec<String>,
    ) -> Result<Vec<Option<Vec<u8>>>, KeyValueError> {
        check_count(keys.len())?;
        let (mut values, mut bytes) = (Vec::with_capacity(keys.len()), 0);
        for key in &keys {
            let value = self.get(bucket, key).await?.map(|(value, _)| value);
            bytes += value.as_ref().map_or(0, Vec::len);
            if bytes > 16 * VALUE_BYTES {
                return Err(KeyValueError::LimitExceeded(format!(
                    "the values asked for have more than {} bytes together",
                    16 * VALUE_BYTES
                )));
            }
            values.push(value);
        }
        Ok(values)
    }

    async fn set_many(
        &self,
        bucket: &str,
        entries: Vec<(String, Vec<u8>)>,
    ) -> Result<(), KeyValueError> {
        check_count(entries.len())?;
        let (mut tx, version) = self.begin().await?;
        for (key, value) in &entries {
            self.put(&mut tx, (bucket, key, value), version).await?;
        }
        self.commit(tx).await
    }

    async fn delete_many(&self, bucket: &str, keys: Vec<String>) -> Result<(), KeyValueError> {
        check_count(keys.len())?;
        if !self.path.exists() {
            return Ok(());
        }
        let (mut tx, _) = self.begin().await?;
        for key in &keys {
            sqlx::query("DELETE FROM pairs WHERE bucket = ? AND key = ?")
                .bind(bucket)
                .bind(key)
                .execute(&mut *tx)
                .await
                .map_err(|e| self.failed(e))?;
        }
        self.commit(tx).await
    }

    async fn exists(&self, bucket: &str, key: &str) -> Result<bool, KeyValueError> {
        Ok(self.get(bucket, key).await?.is_some())
    }

    async fn list(&self, bucket: &str, cursor: Option<String>) -> Result<KeyPage, KeyValueError> {
        if !self.path.exists() {
            return Ok(KeyPage::default());
        }
        let mut keys: Vec<String> = sqlx::query_scalar(
            "SELECT key FROM pairs WHERE bucket = ? AND key > ? ORDER BY key LIMIT ?",
        )
        .bind(bucket)
        .bind(cursor.unwrap_or_default())
        .bind(PAGE + 1)
        .fetch_all(self.pool().await?)
        .await
        .map_err(|e| self.failed(e))?;
        let page = usize::try_from(PAGE).unwrap_or(usize::MAX);
        let more = keys.len() > page;
        keys.truncate(page);
        let cursor = keys.last().filter(|_| more).cloned();
        Ok(KeyPage { keys, cursor })
    }

    async fn increment(&self, bucket: &str, key: &str, delta: i64) -> Result<i64, KeyValueError> {
        let (mut tx, version) = self.begin().await?;
        let before: Option<Vec<u8>> =
            sqlx::query_scalar("SELECT value FROM pairs WHERE bucket = ? AND key = ?")
                .bind(bucket)
                .bind(key)
                .fetch_optional(&mut *tx)
                .await
                .map_err(|e| self.failed(e))?;
        let number = |bytes: Vec<u8>| std::str::from_utf8(&bytes).ok()?.parse::<i64>().ok();
        let before = match before {
            None => 0,
            Some(bytes) => number(bytes).ok_or_else(|| {
                KeyValueError::NotANumber(format!("the value of `{key}` is not a decimal number"))
            })?,
        };
        let sum = before.checked_add(delta).ok_or_else(|| {
            KeyValueError::NotANumber(format!("the sum in `{key}` does not fit 64 bits"))
        })?;
        let text = sum.to_string();
        self.put(&mut tx, (bucket, key, text.as_bytes()), version)
            .await?;
        self.commit(tx).await?;
        Ok(sum)
    }

    async fn swap(
        &self,
        bucket: &str,
        key: &str,
        expected: Version,
        value: Vec<u8>,
    ) -> Result<bool, KeyValueError> {
        let (mut tx, version) = self.begin().await?;
        let now: Option<i64> =
            sqlx::query_scalar("SELECT version FROM pairs WHERE bucket = ? AND key = ?")
                .bind(bucket)
                .bind(key)
                .fetch_optional(&mut *tx)
                .await
                .map_err(|e| self.failed(e))?;
        if now.map(i64::unsigned_abs) != expected {
            return Ok(false);
        }
        self.put(&mut tx, (bucket, key, &value), version).await?;
        self.commit(tx).await?;
        Ok(true)
    }
}

#[cfg(test)]
#[path = "keyvalue/tests.rs"]
mod tests;
