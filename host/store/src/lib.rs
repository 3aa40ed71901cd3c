//! The component store: an S3-compatible bucket from which workers fetch components.
//!
//! A component lies at `{prefix}/{digest}.wasm`. The supervisor puts it there and removes it; workers
//! read. The store is a shortcut and trusted with nothing: whoever reads verifies the SHA-256, and the
//! supervisor has every component all the same.
//!
//! What bounds it: one part of [`PART`] bytes in memory at a time, a time for each answer's head and
//! for a whole list. How it fails: as a [`StoreError`], in words that hold no credential (an answer to
//! a wrong signature quotes what was signed, so that no answer's text is passed on).

mod client;
mod error;
mod http;
mod open;

pub use client::{Client, client};
pub use error::StoreError;
pub use open::{BadStore, StoreSettings};

use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{StreamExt as _, TryStreamExt as _};
use lodge_model::Digest;
use object_store::path::Path as Key;
use object_store::{
    GetOptions, GetRange, MultipartUpload, ObjectStore, ObjectStoreExt as _, PutPayload,
};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::fs::File;
use tokio::io::AsyncReadExt as _;
use tokio::time::timeout;

/// Bytes that are put at a time; what is longer goes in parts of it (S3 asks for 5 MiB at least).
const PART: usize = 8 * 1024 * 1024;
/// The longest time of a whole list.
const LIST: Duration = Duration::from_secs(60);

/// A store of components. Its `Debug` form shows no credential.
pub struct ComponentStore {
    objects: Arc<dyn ObjectStore>,
    prefix: Key,
    name: String,
}

/// A component's bytes, from somewhere on.
pub struct Found {
    /// Where they begin.
    pub begin: u64,
    /// How many should come.
    pub len: u64,
    /// What comes.
    pub bytes: BoxStream<'static, Result<Bytes, StoreError>>,
}

impl ComponentStore {
    /// Components under `prefix` in any store; `name` is what it is called in texts.
    pub fn new(objects: Arc<dyn ObjectStore>, prefix: Key, name: String) -> Self {
        Self {
            objects,
            prefix,
            name,
        }
    }

    /// What it is called: `s3://bucket/prefix`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A component's bytes from `from` on.
    ///
    /// # Errors
    /// It is not there, or the store cannot be used.
    pub async fn get(&self, digest: &Digest, from: u64) -> Result<Found, StoreError> {
        let options = GetOptions {
            range: (from > 0).then_some(GetRange::Offset(from)),
            ..GetOptions::default()
        };
        let found = self.objects.get_opts(&self.key(digest), options).await?;
        Ok(Found {
            begin: found.range.start,
            len: found.range.end.saturating_sub(found.range.start),
            bytes: found.into_stream().map_err(StoreError::from).boxed(),
        })
    }

    /// Puts a component's file there, over what may be there.
    ///
    /// # Errors
    /// The file cannot be read, or the store cannot be used. Nothing half is left to be read.
    pub async fn put(&self, digest: &Digest, path: &Path) -> Result<(), StoreError> {
        let key = self.key(digest);
        let mut file = File::open(path).await.map_err(StoreError::file(path))?;
        let first = read_part(&mut file, path).await?;
        if first.len() < PART {
            self.objects.put(&key, first.into()).await?;
            return Ok(());
        }
        let mut upload = self.objects.put_multipart(&key).await?;
        let put = put_parts(&mut *upload, first, &mut file, path).await;
        if put.is_err()
            && let Err(error) = upload.abort().await
        {
            let error = StoreError::from(error);
            tracing::warn!(%digest, %error, "parts of a component are left in the component store");
        }
        put
    }

    /// Every component that is there, with its size in bytes.
    ///
    /// # Errors
    /// The store cannot be used, or does not end within a minute.
    pub async fn list(&self) -> Result<HashMap<Digest, u64>, StoreError> {
        let listed = async {
            let mut there = HashMap::new();
            let mut objects = self.objects.list(Some(&self.prefix));
            while let Some(object) = objects.try_next().await? {
                let name = object.location.filename().unwrap_or_default();
                let digest = name.strip_suffix(".wasm").and_then(|hex| hex.parse().ok());
                if let Some(digest) = digest
                    && self.key(&digest) == object.location
                {
                    there.insert(digest, object.size);
                }
            }
            Ok(there)
        };
        let late = |_| StoreError::Away(format!("its list did not end within {LIST:?}"));
        timeout(LIST, listed).await.map_err(late)?
    }

    /// Removes a component. That it is not there is fine.
    ///
    /// # Errors
    /// The store cannot be used.
    pub async fn remove(&self, digest: &Digest) -> Result<(), StoreError> {
        let removed = self.objects.delete(&self.key(digest)).await;
        match removed.map_err(StoreError::from) {
            Err(StoreError::Missing) => Ok(()),
            removed => removed,
        }
    }

    /// Whether it can be listed.
    ///
    /// # Errors
    /// It cannot.
    pub async fn check(&self) -> Result<(), StoreError> {
        let first = self.objects.list(Some(&self.prefix)).try_next().await;
        Ok(first.map(drop)?)
    }

    fn key(&self, digest: &Digest) -> Key {
        self.prefix.clone().join(format!("{digest}.wasm"))
    }
}

impl std::fmt::Debug for ComponentStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("ComponentStore").field(&self.name).finish()
    }
}

/// Puts `first` and what follows it in the file, one part after the other.
async fn put_parts(
    upload: &mut dyn MultipartUpload,
    first: Vec<u8>,
    file: &mut File,
    path: &Path,
) -> Result<(), StoreError> {
    let mut part = first;
    while !part.is_empty() {
        upload.put_part(PutPayload::from(part)).await?;
        part = read_part(file, path).await?;
    }
    upload.complete().await?;
    Ok(())
}

/// The next [`PART`] bytes of a file; fewer: it ended.
async fn read_part(file: &mut File, path: &Path) -> Result<Vec<u8>, StoreError> {
    let mut part = Vec::new();
    let read = file.take(PART as u64).read_to_end(&mut part).await;
    read.map_err(StoreError::file(path))?;
    Ok(part)
}
