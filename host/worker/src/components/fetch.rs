//! The work of fetching one component: from the store, if there is one, then from the supervisor, and
//! again from the beginning, however often that takes.
//!
//! A part that one source began the other goes on with: the bytes are those of the digest. If the whole
//! is something else then, nobody can say who sent it: it is fetched anew from the supervisor alone,
//! whose bytes count. A store that was away a moment ago is not waited for again while there is a
//! supervisor to ask.

use super::attempt::Attempt;
use super::source::{Again, Source, Stopped};
use super::store::FromStore;
use super::supervisor::FromSupervisor;
use super::{Address, Components, FetchError};
use lodge_model::Digest;
use lodge_store::ComponentStore;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

/// A component that is being fetched.
pub(super) struct Fetching<'a> {
    components: &'a Components,
    digest: Digest,
    size: u64,
    /// None: there is none, or what it has is something else.
    store: Option<&'a ComponentStore>,
    pause: Duration,
}

/// How a source's turn ended.
enum Turn {
    /// The component is here.
    Done,
    /// It is not, and this broke off, if anything was begun.
    Not(Option<Again>),
}

impl<'a> Fetching<'a> {
    pub(super) fn new(components: &'a Components, digest: Digest, size: u64) -> Self {
        Self {
            components,
            digest,
            size,
            store: components.settings.store.as_deref(),
            pause: components.settings.first_retry,
        }
    }

    pub(super) async fn run(mut self) -> Result<(), FetchError> {
        let mut supervisor = self.components.supervisor.subscribe();
        loop {
            let address = supervisor.borrow_and_update().clone();
            let Turn::Not(stored) = self.ask_store(address.is_some()).await? else {
                return Ok(());
            };
            let turn = match &address {
                Some(address) => self.ask_supervisor(address, stored.is_some()).await?,
                None => Turn::Not(None),
            };
            let Turn::Not(sent) = turn else {
                return Ok(());
            };
            let mut reasons: Vec<String> = Vec::new();
            for again in [stored, sent].into_iter().flatten() {
                if again.received > 0 {
                    self.pause = self.components.settings.first_retry;
                }
                reasons.push(again.reason);
            }
            if address.is_none() {
                reasons.push("the supervisor's address is not known yet".to_owned());
            }
            self.wait(&mut supervisor, address.is_none(), &reasons.join("; "))
                .await;
        }
    }

    /// A supervisor that is somewhere else now is asked at once.
    async fn wait(
        &mut self,
        supervisor: &mut watch::Receiver<Option<Address>>,
        unknown: bool,
        reason: &str,
    ) {
        if unknown && self.store.is_none() {
            self.components.trouble(self.digest, reason);
            // The sender lives as long as the components.
            let _ = supervisor.changed().await;
            return;
        }
        let text = format!("{reason}; trying again in {:?}", self.pause);
        self.components.trouble(self.digest, &text);
        let _ = timeout(self.pause, supervisor.changed()).await;
        self.pause = (self.pause * 2).min(self.components.settings.longest_retry);
    }

    async fn ask_store(&mut self, may_skip: bool) -> Result<Turn, FetchError> {
        let Some(store) = self.store else {
            return Ok(Turn::Not(None));
        };
        if may_skip && let Some(reason) = self.away_just_now() {
            return Ok(Turn::Not(Some(Again {
                reason,
                received: 0,
            })));
        }
        let source = FromStore {
            components: self.components,
            store,
        };
        let tried = self.attempt(&source).await;
        *self.components.store_away.lock() = match &tried {
            Err(Stopped::Again(again)) if again.received == 0 => {
                Some((Instant::now(), again.reason.clone()))
            }
            _ => None,
        };
        match tried {
            Err(Stopped::Never(error)) => self.without_store(error),
            tried => turn(tried),
        }
    }

    fn away_just_now(&self) -> Option<String> {
        let away = self.components.store_away.lock();
        let (at, reason) = away.as_ref()?;
        (at.elapsed() < self.components.settings.longest_retry).then(|| reason.clone())
    }

    async fn ask_supervisor(
        &mut self,
        address: &Address,
        store_is_away: bool,
    ) -> Result<Turn, FetchError> {
        let source = FromSupervisor {
            components: self.components,
            address,
        };
        match self.attempt(&source).await {
            // The store may have it.
            Err(Stopped::Never(error @ FetchError::Missing(_))) if store_is_away => {
                Ok(Turn::Not(Some(Again {
                    reason: error.to_string(),
                    received: 0,
                })))
            }
            // What the store sent may be part of it.
            Err(Stopped::Never(error)) if self.store.is_some() => self.without_store(error),
            tried => turn(tried),
        }
    }

    /// Goes on without the store, if bytes of its may be the reason of the error.
    fn without_store(&mut self, error: FetchError) -> Result<Turn, FetchError> {
        if !matches!(
            error,
            FetchError::WrongBytes { .. } | FetchError::TooLarge(_)
        ) {
            return Err(error);
        }
        let digest = self.digest;
        tracing::error!(%digest, %error, "the component store may have something else under a \
            component's name: fetching the component from the supervisor alone");
        self.store = None;
        Ok(Turn::Not(Some(Again {
            reason: error.to_string(),
            received: 1,
        })))
    }

    async fn attempt(&self, source: &dyn Source) -> Result<(), Stopped> {
        let attempt = Attempt {
            components: self.components,
            source,
            digest: self.digest,
            size: self.size,
        };
        // Only while it tries: one that cannot be had must not hold up the others.
        let _place = self.components.places.acquire().await;
        let tried = attempt.run().await;
        if let Err(Stopped::Again(Again { reason, received })) = &tried {
            let (digest, from) = (self.digest, source.name());
            tracing::warn!(%digest, from, reason, received, "a component's download broke off");
        }
        tried
    }
}

fn turn(tried: Result<(), Stopped>) -> Result<Turn, FetchError> {
    match tried {
        Ok(()) => Ok(Turn::Done),
        Err(Stopped::Again(again)) => Ok(Turn::Not(Some(again))),
        Err(Stopped::Absent) => Ok(Turn::Not(None)),
        Err(Stopped::Never(error)) => Err(error),
    }
}
