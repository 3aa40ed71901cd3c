//! Has components compiled, and tells whoever waits for it.
//!
//! The runtime bounds how many are compiled at once, and how long. While a component is under way
//! the database says `queued`, so that a crash has it taken up again; its live status is in memory.

use super::Library;
use crate::live::LiveEvent;
use crate::observed::brief;
use crate::supervisor::Supervisor;
use lodge_model::{CompileError, CompileProgress, Component, ComponentStatus, Digest, Goal};
use parking_lot::Mutex;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

/// How a compile ended.
enum Ended {
    /// How long it took; none: it was in the cache.
    Ready(Option<Duration>),
    /// The component's fault.
    Failed(String),
    /// The host's fault, several times.
    FailedForNow(String),
}

impl Library {
    /// What ends the compile that is to begin; none: it is under way.
    fn begin_compile(&self, digest: Digest, stop: &CancellationToken) -> Option<CancellationToken> {
        match self.compiling.lock().entry(digest) {
            Entry::Occupied(_) => None,
            Entry::Vacant(free) => Some(free.insert(stop.child_token()).clone()),
        }
    }

    /// Ends a component's compile, if one is under way.
    pub(super) fn end_compile(&self, digest: Digest) {
        if let Some(ends) = self.compiling.lock().remove(&digest) {
            ends.cancel();
        }
    }
}

impl Supervisor {
    /// Begins to compile a component, unless that is under way. Returns at once.
    pub(crate) fn compile(self: &Arc<Self>, digest: Digest) {
        let Some(ends) = self.library.begin_compile(digest, &self.stop) else {
            return;
        };
        // One that is compiled anew for a new Lodge or a lost cache is not news to those who follow it.
        let known = self.library.get(&digest);
        let is_new = known.is_some_and(|row| row.component.status != ComponentStatus::Ready);
        self.show_component(digest, |component| {
            component.status = ComponentStatus::Queued;
            component.error = None;
        });
        let this = Arc::clone(self);
        self.tasks.spawn(async move {
            if this.compile_until(&ends, digest).await {
                this.wake_users(digest);
                if is_new {
                    this.follow(digest).await;
                }
            }
        });
    }

    /// Makes sure, one by one, that components that were ready still are: after an upgrade of Lodge
    /// or the loss of its cache the first visit should not be the one to wait.
    pub(crate) async fn verify_components(self: &Arc<Self>, ready: Vec<Digest>) {
        for digest in ready {
            if let Some(ends) = self.library.begin_compile(digest, &self.stop)
                && self.compile_until(&ends, digest).await
            {
                self.wake_users(digest);
            }
        }
    }

    /// True: it was not ended meanwhile, by the component's removal or the host's end.
    async fn compile_until(&self, ends: &CancellationToken, digest: Digest) -> bool {
        let compiled = self.compile_with_retries(digest);
        let Some(ended) = ends.run_until_cancelled(compiled).await else {
            return false;
        };
        // Before anybody sees how it ended: who finds the cache lost right then is to have it compiled anew. One that was
        // ended is not there any more; another upload of the same bytes may have begun.
        self.library.compiling.lock().remove(&digest);
        match ended {
            Ended::Ready(took) => self.settle_ready(digest, took).await,
            Ended::Failed(error) => self.settle_failed(digest, &error).await,
            Ended::FailedForNow(error) => self.fail_for_now(digest, &error),
        }
        true
    }

    async fn compile_with_retries(&self, digest: Digest) -> Ended {
        let mut failures = 0;
        loop {
            let error = match self.compile_once(digest).await {
                Ok(took) => return Ended::Ready(took),
                Err(CompileError::Component(error)) => return Ended::Failed(error),
                Err(CompileError::Host(error)) => error,
            };
            tracing::error!(%digest, %error, "the host could not compile a component");
            failures += 1;
            let Some(delay) = self.settings.retry_delay(failures) else {
                return Ended::FailedForNow(error);
            };
            self.show_component(digest, |component| {
                component.status = ComponentStatus::Queued;
                component.error = Some(brief(&format!(
                    "the host failed, trying again in {delay:?}: {error}"
                )));
            });
            sleep(delay).await;
        }
    }

    /// One try. Gives how long the compile itself took; none: it was in the cache.
    async fn compile_once(&self, digest: Digest) -> Result<Option<Duration>, CompileError> {
        let Some(row) = self.library.get(&digest) else {
            return Ok(None);
        };
        let begun = Mutex::new(None);
        let progress = |progress| {
            let status = match progress {
                CompileProgress::Queued => ComponentStatus::Queued,
                CompileProgress::Compiling => {
                    begun.lock().get_or_insert_with(Instant::now);
                    ComponentStatus::Compiling
                }
            };
            self.show_component(digest, |component| component.status = status);
        };
        let path = self.library.path(&digest);
        self.runtime
            .ensure_compiled(digest, row.uses_async, &path, &progress)
            .await?;
        let begun = *begun.lock();
        Ok(begun.map(|begun| begun.elapsed()))
    }

    async fn settle_ready(&self, digest: Digest, took: Option<Duration>) {
        let took = took.map(|took| u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
        let shown = self.show_component(digest, |component| {
            component.status = ComponentStatus::Ready;
            component.error = None;
            component.compile_ms = took.or(component.compile_ms);
        });
        match shown {
            Some(component) => self.keep_status(&component).await,
            // Removed while it was compiled.
            None => self.runtime.remove_compiled(digest).await,
        }
    }

    async fn settle_failed(&self, digest: Digest, error: &str) {
        let shown = self.show_component(digest, |component| {
            component.status = ComponentStatus::Failed;
            component.error = Some(brief(error));
        });
        if let Some(component) = shown {
            self.keep_status(&component).await;
        }
    }

    /// The host, not the component, is at fault: failed for now, and taken up at the next start or
    /// the next upload of the same bytes.
    fn fail_for_now(&self, digest: Digest, error: &str) {
        self.show_component(digest, |component| {
            component.status = ComponentStatus::Failed;
            component.error = Some(brief(&format!(
                "the host failed, upload the same file again to try once more: {error}"
            )));
        });
    }

    /// Changes what is seen of a component, and tells it. None: it is gone.
    fn show_component(
        &self,
        digest: Digest,
        change: impl FnOnce(&mut Component),
    ) -> Option<Component> {
        let component = {
            let mut rows = self.library.rows.write();
            let row = rows.get_mut(&digest)?;
            let before = row.component.clone();
            change(&mut row.component);
            if row.component == before {
                return Some(before);
            }
            row.component.clone()
        };
        self.live.tell(LiveEvent::Component {
            component: component.clone(),
        });
        Some(component)
    }

    /// Writes a settled status. If that fails, the next start compiles again, which is quick.
    async fn keep_status(&self, component: &Component) {
        let kept = async {
            let mut tx = self.begin().await?;
            let error = component.error.as_deref();
            let (digest, ms) = (component.digest, component.compile_ms);
            lodge_db::components::set_status(&mut tx, digest, component.status, error, ms).await?;
            tx.commit().await.map_err(lodge_db::Error::from)
        };
        if let Err(error) = kept.await {
            tracing::error!(digest = %component.digest, %error, "cannot note that a component compiled");
        }
    }

    fn wake_users(&self, digest: Digest) {
        for cell in self.index.users_of(&digest) {
            let lane = {
                let state = cell.lock();
                if state.goal() != Goal::Running || state.runs == state.row.generation {
                    continue;
                }
                state.lane()
            };
            self.queue.add(&cell.id, lane);
        }
    }
}
