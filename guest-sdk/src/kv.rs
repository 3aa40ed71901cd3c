//! The app's key-value space.
//!
//! ```
//! # fn visit() -> Result<(), lodge_sdk::kv::Error> {
//! let store = lodge_sdk::kv::open()?;
//! let visits = store.increment("visits", 1)?;
//! store.set("last", format!("the {visits}th").as_bytes())?;
//! # Ok(()) }
//! ```

use crate::sys;
use std::fmt;

/// How often [`Store::update`] tries.
const TRIES: usize = 16;

/// The store of the app.
pub struct Store(sys::Bucket);

/// Why it could not be done; a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error(pub(crate) String);

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

/// Opens it.
///
/// # Errors
/// The host has none now.
pub fn open() -> Result<Store, Error> {
    sys::Bucket::open().map(Store)
}

impl Store {
    /// # Errors
    /// The store failed.
    pub fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        self.0.get(key)
    }

    /// # Errors
    /// The store failed, or has no room (`limits.storage_bytes`).
    pub fn set(&self, key: &str, value: &[u8]) -> Result<(), Error> {
        self.0.set(key, value)
    }

    /// # Errors
    /// The store failed.
    pub fn delete(&self, key: &str) -> Result<(), Error> {
        self.0.delete(key)
    }

    /// # Errors
    /// The store failed.
    pub fn exists(&self, key: &str) -> Result<bool, Error> {
        self.0.exists(key)
    }

    /// All keys.
    ///
    /// # Errors
    /// The store failed.
    pub fn keys(&self) -> Result<Vec<String>, Error> {
        self.0.keys()
    }

    /// Adds to a number that is kept as text, and gives the sum; one that is not there is 0.
    ///
    /// # Errors
    /// The store failed, or the value is no number.
    pub fn increment(&self, key: &str, by: i64) -> Result<i64, Error> {
        self.0.increment(key, by)
    }

    /// Changes a value although others may be changing it: `change` may be called again.
    ///
    /// # Errors
    /// The store failed, or others were always faster.
    pub fn update(
        &self,
        key: &str,
        change: impl Fn(Option<Vec<u8>>) -> Vec<u8>,
    ) -> Result<(), Error> {
        for _ in 0..TRIES {
            if self.0.swap(key, &change)? {
                return Ok(());
            }
        }
        Err(Error(format!(
            "`{key}` was changed by others {TRIES} times"
        )))
    }
}
