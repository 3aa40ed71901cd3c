//! Key-value: a small space of the app's own, as `wasi:keyvalue` shows it.

use async_trait::async_trait;

/// Why a key-value operation failed. Texts are for the guest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyValueError {
    /// The bucket's name is not one.
    #[error("`{0}` is no name of a bucket")]
    NoSuchStore(String),
    /// A quota, a too long key or value; names it.
    #[error("{0}")]
    LimitExceeded(String),
    /// A value that is no number was to be counted up, or the sum does not fit.
    #[error("{0}")]
    NotANumber(String),
    /// A fault of the host's.
    #[error("{0}")]
    Host(String),
}

/// Keys in their order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeyPage {
    /// The keys.
    pub keys: Vec<String>,
    /// Where the next page begins; none: there is none.
    pub cursor: Option<String>,
}

/// Which write a key's value is from; none: it has no value.
pub type Version = Option<u64>;

/// One app's buckets. A bucket is made when first written to.
#[async_trait]
pub trait KeyValue: Send + Sync + 'static {
    /// Checks a bucket's name.
    fn check_bucket(&self, bucket: &str) -> Result<(), KeyValueError>;
    /// A key's value and its version.
    async fn get(&self, bucket: &str, key: &str) -> Result<Option<(Vec<u8>, u64)>, KeyValueError>;
    /// The values of several keys, in their order.
    async fn get_many(
        &self,
        bucket: &str,
        keys: Vec<String>,
    ) -> Result<Vec<Option<Vec<u8>>>, KeyValueError>;
    /// Sets several keys, all or none.
    async fn set_many(
        &self,
        bucket: &str,
        entries: Vec<(String, Vec<u8>)>,
    ) -> Result<(), KeyValueError>;
    /// Removes several keys; those that are not there are passed over.
    async fn delete_many(&self, bucket: &str, keys: Vec<String>) -> Result<(), KeyValueError>;
    /// Whether a key has a value.
    async fn exists(&self, bucket: &str, key: &str) -> Result<bool, KeyValueError>;
    /// The keys after `cursor`.
    async fn list(&self, bucket: &str, cursor: Option<String>) -> Result<KeyPage, KeyValueError>;
    /// Adds to a number, 0 where there is none, and tells the sum.
    async fn increment(&self, bucket: &str, key: &str, delta: i64) -> Result<i64, KeyValueError>;
    /// Sets a key if its version still is `expected`; false: it is not.
    async fn swap(
        &self,
        bucket: &str,
        key: &str,
        expected: Version,
        value: Vec<u8>,
    ) -> Result<bool, KeyValueError>;
}
