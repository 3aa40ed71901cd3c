//! The component store as a source.

use super::Components;
use super::source::{Answer, Source, Stopped, again};
use async_trait::async_trait;
use futures::StreamExt as _;
use lodge_model::Digest;
use lodge_store::{ComponentStore, StoreError};
use tokio::time::timeout;

/// The store of this cluster.
pub(super) struct FromStore<'a> {
    pub(super) components: &'a Components,
    pub(super) store: &'a ComponentStore,
}

#[async_trait]
impl Source for FromStore<'_> {
    fn name(&self) -> &'static str {
        "the component store"
    }

    async fn read(&self, digest: Digest, from: u64) -> Result<Answer, Stopped> {
        let limit = self.components.settings.head;
        let found = match timeout(limit, self.store.get(&digest, from)).await {
            Ok(Ok(found)) => found,
            Ok(Err(StoreError::Missing)) => return Err(Stopped::Absent),
            Ok(Err(error)) => return Err(again(format!("the component store: {error}"))),
            Err(_) => {
                let reason = format!("the component store did not answer within {limit:?}");
                return Err(again(reason));
            }
        };
        Ok(Answer {
            begin: Some(found.begin),
            len: found.len,
            bytes: found
                .bytes
                .map(|data| data.map_err(|error| format!("the component store: {error}")))
                .boxed(),
        })
    }
}
