//! `wasi:keyvalue`: a small space of the app's own.

use super::View;
use super::sync::wasi::keyvalue::store::Error;
use super::sync::wasi::keyvalue::{atomics, batch, store};
use lodge_model::{KeyValueError, Version};
use wasmtime::Result;
use wasmtime::component::Resource;

/// A bucket that a guest opened.
pub struct Bucket(String);

/// What a key held when a guest looked.
pub struct Cas {
    bucket: String,
    key: String,
    seen: Version,
}

type Answer<T> = std::result::Result<T, Error>;

impl From<KeyValueError> for Error {
    fn from(error: KeyValueError) -> Self {
        match error {
            KeyValueError::NoSuchStore(_) => Self::NoSuchStore,
            other => Self::Other(other.to_string()),
        }
    }
}

impl View<'_> {
    fn bucket(&self, bucket: &Resource<Bucket>) -> Result<&str> {
        Ok(&self.table.get(bucket)?.0)
    }

    /// A key's value, and a handle that remembers its version.
    async fn look(
        &mut self,
        bucket: String,
        key: String,
    ) -> Result<Answer<(Resource<Cas>, Option<Vec<u8>>)>> {
        let (value, seen) = match self.capabilities.keyvalue.get(&bucket, &key).await {
            Ok(Some((value, version))) => (Some(value), Some(version)),
            Ok(None) => (None, None),
            Err(e) => return Ok(Err(e.into())),
        };
        let cas = self.table.push(Cas { bucket, key, seen })?;
        Ok(Ok((cas, value)))
    }
}

impl store::Host for View<'_> {
    async fn open(&mut self, identifier: String) -> Result<Answer<Resource<Bucket>>> {
        match self.capabilities.keyvalue.check_bucket(&identifier) {
            Ok(()) => Ok(Ok(self.table.push(Bucket(identifier))?)),
            Err(e) => Ok(Err(e.into())),
        }
    }
}

impl store::HostBucket for View<'_> {
    async fn get(
        &mut self,
        bucket: Resource<Bucket>,
        key: String,
    ) -> Result<Answer<Option<Vec<u8>>>> {
        let found = self
            .capabilities
            .keyvalue
            .get(self.bucket(&bucket)?, &key)
            .await;
        Ok(found
            .map(|found| found.map(|(value, _)| value))
            .map_err(Error::from))
    }

    async fn set(
        &mut self,
        bucket: Resource<Bucket>,
        key: String,
        value: Vec<u8>,
    ) -> Result<Answer<()>> {
        let _hold = match self.hold(value.len() as u64) {
            Ok(hold) => hold,
            Err(text) => return Ok(Err(Error::Other(text))),
        };
        let bucket = self.bucket(&bucket)?;
        let set = self
            .capabilities
            .keyvalue
            .set_many(bucket, vec![(key, value)]);
        Ok(set.await.map_err(Error::from))
    }

    async fn delete(&mut self, bucket: Resource<Bucket>, key: String) -> Result<Answer<()>> {
        let bucket = self.bucket(&bucket)?;
        let deleted = self.capabilities.keyvalue.delete_many(bucket, vec![key]);
        Ok(deleted.await.map_err(Error::from))
    }

    async fn exists(&mut self, bucket: Resource<Bucket>, key: String) -> Result<Answer<bool>> {
        let bucket = self.bucket(&bucket)?;
        let exists = self.capabilities.keyvalue.exists(bucket, &key).await;
        Ok(exists.map_err(Error::from))
    }

    async fn list_keys(
        &mut self,
        bucket: Resource<Bucket>,
        cursor: Option<String>,
    ) -> Result<Answer<store::KeyResponse>> {
        let bucket = self.bucket(&bucket)?;
        let page = self.capabilities.keyvalue.list(bucket, cursor).await;
        let response = page.map(|page| store::KeyResponse {
            keys: page.keys,
            cursor: page.cursor,
        });
        Ok(response.map_err(Error::from))
    }

    async fn drop(&mut self, bucket: Resource<Bucket>) -> Result<()> {
        self.table.delete(bucket)?;
        Ok(())
    }
}

impl atomics::Host for View<'_> {
    async fn increment(
        &mut self,
        bucket: Resource<Bucket>,
        key: String,
        delta: i64,
    ) -> Result<Answer<i64>> {
        let bucket = self.bucket(&bucket)?;
        let sum = self.capabilities.keyvalue.increment(bucket, &key, delta);
        Ok(sum.await.map_err(Error::from))
    }

    async fn swap(
        &mut self,
        cas: Resource<Cas>,
        value: Vec<u8>,
    ) -> Result<std::result::Result<(), atomics::CasError>> {
        let _hold = match self.hold(value.len() as u64) {
            Ok(hold) => hold,
            Err(text) => return Ok(Err(atomics::CasError::StoreError(Error::Other(text)))),
        };
        let Cas { bucket, key, seen } = self.table.delete(cas)?;
        let swap = self.capabilities.keyvalue.swap(&bucket, &key, seen, value);
        match swap.await {
            Ok(true) => Ok(Ok(())),
            Ok(false) => Ok(Err(match self.look(bucket, key).await? {
                Ok(now) => atomics::CasError::CasFailed(now),
                Err(e) => atomics::CasError::StoreError(e),
            })),
            Err(e) => Ok(Err(atomics::CasError::StoreError(e.into()))),
        }
    }
}

impl atomics::HostCas for View<'_> {
    async fn new(
        &mut self,
        bucket: Resource<Bucket>,
        key: String,
    ) -> Result<Answer<Resource<Cas>>> {
        let bucket = self.bucket(&bucket)?.to_owned();
        Ok(self.look(bucket, key).await?.map(|(cas, _)| cas))
    }

    async fn new_with_read(
        &mut self,
        bucket: Resource<Bucket>,
        key: String,
    ) -> Result<Answer<(Resource<Cas>, Option<Vec<u8>>)>> {
        let bucket = self.bucket(&bucket)?.to_owned();
        self.look(bucket, key).await
    }

    async fn drop(&mut self, cas: Resource<Cas>) -> Result<()> {
        self.table.delete(cas)?;
        Ok(())
    }
}

impl batch::Host for View<'_> {
    async fn get_many(
        &mut self,
        bucket: Resource<Bucket>,
        keys: Vec<String>,
    ) -> Result<Answer<Vec<Option<(String, Vec<u8>)>>>> {
        let bucket = self.bucket(&bucket)?;
        let found = self.capabilities.keyvalue.get_many(bucket, keys.clone());
        let pairs = found.await.map(|values| {
            let named = keys.into_iter().zip(values);
            named
                .map(|(key, value)| value.map(|value| (key, value)))
                .collect()
        });
        Ok(pairs.map_err(Error::from))
    }

    async fn set_many(
        &mut self,
        bucket: Resource<Bucket>,
        entries: Vec<(String, Vec<u8>)>,
    ) -> Result<Answer<()>> {
        let bytes = |(key, value): &(String, Vec<u8>)| (key.len() + value.len()) as u64;
        let _hold = match self.hold(entries.iter().map(bytes).sum()) {
            Ok(hold) => hold,
            Err(text) => return Ok(Err(Error::Other(text))),
        };
        let bucket = self.bucket(&bucket)?;
        let set = self.capabilities.keyvalue.set_many(bucket, entries).await;
        Ok(set.map_err(Error::from))
    }

    async fn delete_many(
        &mut self,
        bucket: Resource<Bucket>,
        keys: Vec<String>,
    ) -> Result<Answer<()>> {
        let bucket = self.bucket(&bucket)?;
        let deleted = self.capabilities.keyvalue.delete_many(bucket, keys).await;
        Ok(deleted.map_err(Error::from))
    }
}
