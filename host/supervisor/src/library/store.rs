//! Components in the component store, where workers fetch them without asking the supervisor.
//!
//! One task brings the store to what is listed: components that are missing are put there, removed ones
//! removed. It lists the store once a start and knows from then on what is there; uploads and removals
//! only wake it. What lies there and was never listed is left alone: it may be another cluster's.
//!
//! What bounds it: one component at a time, and of that one part in memory. How it fails: a store that is
//! away is tried again, with a pause that doubles; uploads succeed all the same, workers fetch from the
//! supervisor meanwhile, and the health check `component_store` says so. A component that is removed
//! while the store is away, by a supervisor that then ends, stays in the store.

use super::Library;
use crate::health::{Found, HealthStatus};
use crate::supervisor::Supervisor;
use lodge_model::Digest;
use lodge_store::{ComponentStore, StoreError};
use parking_lot::Mutex;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::timeout;

/// How long the store may take to answer a health check; less than the checks have.
const CHECK: Duration = Duration::from_millis(1_500);

/// What is known of the store.
pub(crate) struct Shelf {
    store: Arc<ComponentStore>,
    /// Components that are there; none: it was not listed yet.
    there: Mutex<Option<HashSet<Digest>>>,
    /// Those that were removed here.
    gone: Mutex<HashSet<Digest>>,
    problem: Mutex<Option<String>>,
    wake: Notify,
}

impl Shelf {
    pub(super) fn new(store: Arc<ComponentStore>) -> Self {
        Self {
            store,
            there: Mutex::default(),
            gone: Mutex::default(),
            problem: Mutex::default(),
            wake: Notify::new(),
        }
    }

    /// A component was taken in.
    pub(super) fn added(&self) {
        self.wake.notify_one();
    }

    /// A component was removed.
    pub(super) fn removed(&self, digest: Digest) {
        self.gone.lock().insert(digest);
        self.wake.notify_one();
    }

    fn say(&self, problem: Option<String>) {
        let mut known = self.problem.lock();
        match &problem {
            Some(reason) if *known != problem => {
                let store = self.store.name();
                tracing::warn!(
                    store,
                    reason,
                    "components cannot be put into the component store; \
                    workers fetch them from here, and it is tried again"
                );
            }
            None if known.is_some() => {
                tracing::info!(
                    store = self.store.name(),
                    "the component store is complete again"
                );
            }
            _ => {}
        }
        *known = problem;
    }

    /// What is wrong with it, if anything is.
    pub(crate) async fn check(&self) -> Found {
        let problem = self.problem.lock().clone();
        let reason = match problem {
            Some(reason) => reason,
            None => match timeout(CHECK, self.store.check()).await {
                Ok(Ok(())) => return None,
                Ok(Err(error)) => error.to_string(),
                Err(_) => format!("no answer within {CHECK:?}"),
            },
        };
        let text = format!(
            "{} cannot be used: {reason}; workers fetch components from the supervisor meanwhile",
            self.store.name()
        );
        Some((HealthStatus::Warning, text))
    }
}

impl Supervisor {
    /// Keeps the store as the library is, if there is one. Never ends otherwise.
    pub(crate) async fn keep_stored(&self) {
        let Some(shelf) = &self.library.shelf else {
            return;
        };
        let first = self.settings.first_retry;
        let mut pause = first;
        loop {
            match self.library.bring_to(shelf).await {
                Ok(()) => {
                    shelf.say(None);
                    pause = first;
                    shelf.wake.notified().await;
                }
                Err(error) => {
                    shelf.say(Some(error.to_string()));
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(self.settings.longest_retry);
                }
            }
        }
    }
}

impl Library {
    /// Makes the store what the library is.
    async fn bring_to(&self, shelf: &Shelf) -> Result<(), StoreError> {
        if shelf.there.lock().is_none() {
            let there = self.whole(shelf.store.list().await?);
            *shelf.there.lock() = Some(there);
        }
        self.take_away(shelf).await?;
        let missing: Vec<_> = {
            let there = shelf.there.lock();
            let is_there = |digest: &Digest| there.as_ref().is_some_and(|t| t.contains(digest));
            let rows = self.rows.read();
            rows.keys().filter(|d| !is_there(d)).copied().collect()
        };
        let mut unreadable = None;
        for digest in missing {
            match shelf.store.put(&digest, &self.path(&digest)).await {
                Ok(()) => {
                    shelf.there.lock().get_or_insert_default().insert(digest);
                }
                // It was removed meanwhile.
                Err(_) if self.get(&digest).is_none() => {}
                // The others' may be fine.
                Err(error @ StoreError::File { .. }) => unreadable = Some(error),
                Err(error) => return Err(error),
            }
        }
        unreadable.map_or(Ok(()), Err)
    }

    /// Of what is in the store, what has the length that it should have.
    fn whole(&self, listed: std::collections::HashMap<Digest, u64>) -> HashSet<Digest> {
        let rows = self.rows.read();
        let is_whole = |digest: &Digest, size: u64| {
            let row = rows.get(digest);
            row.is_none_or(|row| row.component.size == size)
        };
        let whole = listed.into_iter().filter(|(d, size)| is_whole(d, *size));
        whole.map(|(digest, _)| digest).collect()
    }

    async fn take_away(&self, shelf: &Shelf) -> Result<(), StoreError> {
        let gone: Vec<_> = shelf.gone.lock().iter().copied().collect();
        for digest in gone {
            // It may have been taken in again.
            if self.get(&digest).is_none() {
                shelf.store.remove(&digest).await?;
                shelf.there.lock().get_or_insert_default().remove(&digest);
            }
            shelf.gone.lock().remove(&digest);
        }
        Ok(())
    }
}
