//! Makes components ready to run: their bytes are here ([`crate::Components`]), and compiled.
//!
//! Each component has one task while it is made ready, whichever apps wait for it; their own tasks do
//! not. The task ends when no app waits any more. What came of it is put down with each of them, and
//! they look at it in their next turn. A component that no app names is removed again ([`Agent::tidy`]);
//! one cannot be removed and made ready at the same time.
//!
//! How it fails: a supervisor that is away is waited for, and the apps' reports say so; what the
//! component itself is guilty of is not tried again; the rest counts as a failed start of each app.

use crate::agent::Agent;
use crate::cell::Cell;
use crate::components::FetchError;
use futures::FutureExt;
use lodge_model::{
    AppId, CompileError, CompileProgress, ComponentRef, Digest, Specification, Status,
};
use parking_lot::Mutex;
use std::collections::{HashMap, HashSet};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Why a component is not ready. The text is for administrators.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unprepared {
    /// Its own fault: trying again gives the same.
    Never(String),
    /// Trying again may help.
    Now(String),
}

/// What came of making a component ready.
pub(crate) type Verdict = (Digest, Unprepared);

/// What an app finds.
pub(crate) enum Prepared {
    Yes,
    /// It is being made ready; the app is rung when it is, or cannot be.
    NotYet,
    Failed(Unprepared),
}

enum Stage {
    /// Which task, for whom, and how it is ended.
    UnderWay {
        number: u64,
        waiting: HashSet<AppId>,
        end: CancellationToken,
    },
    /// Is being removed; these wait for that, to have it again.
    Removing {
        waiting: HashSet<AppId>,
    },
    Ready,
}

/// How far each component is; those that nobody asked for are not there. Its lock may be held while
/// those of the index and of cells are taken, and not the other way round.
#[derive(Default)]
pub(crate) struct Preparations {
    stages: Mutex<HashMap<Digest, Stage>>,
    last: Mutex<u64>,
}

impl Preparations {
    /// Takes the app off the lists of those who wait, but for the one component. What nobody waits
    /// for ends.
    pub(crate) fn leave_others(&self, app: &AppId, but: Option<Digest>) {
        self.stages.lock().retain(|digest, stage| match stage {
            Stage::UnderWay { waiting, end, .. } if but != Some(*digest) => {
                let left = waiting.remove(app);
                let is_over = left && waiting.is_empty();
                if is_over {
                    end.cancel();
                }
                !is_over
            }
            _ => true,
        });
    }

    /// Its compiled form is not what was thought: it is to be made ready again.
    pub(crate) fn forget(&self, digest: &Digest) {
        let mut stages = self.stages.lock();
        if matches!(stages.get(digest), Some(Stage::Ready)) {
            stages.remove(digest);
        }
    }

    /// Whether it is ready; if not, the app waits from now on. A number: the caller is to begin the
    /// task of that number.
    fn join(&self, app: &AppId, digest: Digest) -> (bool, Option<(u64, CancellationToken)>) {
        let mut stages = self.stages.lock();
        match stages.get_mut(&digest) {
            Some(Stage::Ready) => (true, None),
            Some(Stage::UnderWay { waiting, .. } | Stage::Removing { waiting }) => {
                waiting.insert(app.clone());
                (false, None)
            }
            None => {
                let mut last = self.last.lock();
                *last += 1;
                let (number, end) = (*last, CancellationToken::new());
                let stage = Stage::UnderWay {
                    number,
                    waiting: HashSet::from([app.clone()]),
                    end: end.clone(),
                };
                stages.insert(digest, stage);
                (false, Some((number, end)))
            }
        }
    }

    /// The task of that number ended: who waited for it? None: it was given up before.
    fn end(&self, digest: Digest, number: u64, is_ready: bool) -> HashSet<AppId> {
        let mut stages = self.stages.lock();
        match stages.get_mut(&digest) {
            Some(Stage::UnderWay {
                number: current,
                waiting,
                ..
            }) if *current == number => {
                let waiting = std::mem::take(waiting);
                if is_ready {
                    stages.insert(digest, Stage::Ready);
                } else {
                    stages.remove(&digest);
                }
                waiting
            }
            _ => HashSet::new(),
        }
    }

    fn is_ready(&self, digest: &Digest) -> bool {
        matches!(self.stages.lock().get(digest), Some(Stage::Ready))
    }

    fn waiting(&self, digest: &Digest) -> Vec<AppId> {
        match self.stages.lock().get(digest) {
            Some(Stage::UnderWay { waiting, .. }) => waiting.iter().cloned().collect(),
            _ => Vec::new(),
        }
    }
}

impl Agent {
    /// Whether the app's component is ready to run. Begins to make it so, if not.
    pub(crate) fn prepared(self: &Arc<Self>, cell: &Arc<Cell>, spec: &Specification) -> Prepared {
        let digest = spec.component.digest;
        let verdict = cell.lock().verdict.take();
        if let Some((of, why)) = verdict
            && of == digest
        {
            return Prepared::Failed(why);
        }
        if self.preparations.is_ready(&digest) {
            return Prepared::Yes;
        }
        {
            // Before it waits, so that what comes of it is said after this.
            let mut state = cell.lock();
            let text = Some(format!("waits for {}", label(&spec.component)));
            self.observe(cell, &mut state, spec.revision, Status::Preparing, text);
        }
        let (is_ready, begin) = self.preparations.join(&cell.id, digest);
        if let Some((number, end)) = begin {
            self.begin_to_prepare(spec, number, end);
        }
        if is_ready {
            Prepared::Yes
        } else {
            Prepared::NotYet
        }
    }

    fn begin_to_prepare(
        self: &Arc<Self>,
        spec: &Specification,
        number: u64,
        end: CancellationToken,
    ) {
        let (this, digest) = (Arc::clone(self), spec.component.digest);
        let (component, size, uses_async) =
            (spec.component.clone(), spec.component_size, spec.uses_async);
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            let work = this.prepare(&component, size, uses_async);
            let work = AssertUnwindSafe(work).catch_unwind();
            let outcome = tokio::select! {
                outcome = work => outcome.unwrap_or_else(|_| {
                    Err(Unprepared::Now("a bug of the host's ended the work on it".into()))
                }),
                () = end.cancelled() => return,
                () = stop.cancelled() => return,
            };
            for app in this.preparations.end(digest, number, outcome.is_ok()) {
                if let Some(cell) = this.index.get(&app) {
                    cell.lock().verdict = outcome.clone().err().map(|why| (digest, why));
                    cell.ring();
                }
            }
        });
    }

    async fn prepare(
        &self,
        component: &ComponentRef,
        size: u64,
        uses_async: bool,
    ) -> Result<(), Unprepared> {
        let name = label(component);
        let fetched = self.fetch(component, size).await;
        let wasm = fetched
            .map_err(|error| Unprepared::Now(format!("{name} could not be fetched: {error}")))?;
        self.show(
            &component.digest,
            &format!("waits for {name} to be compiled"),
        );
        let progress = |_: CompileProgress| ();
        let compiled = self
            .runtime
            .ensure_compiled(component.digest, uses_async, &wasm, &progress)
            .await;
        compiled.map_err(|error| match error {
            CompileError::Component(text) => {
                Unprepared::Never(format!("{name} could not be compiled: {text}"))
            }
            CompileError::Host(text) => {
                Unprepared::Now(format!("the host failed to compile {name}: {text}"))
            }
        })
    }

    /// Has the component's bytes here, and the apps' reports say what is in the way.
    async fn fetch(
        &self,
        component: &ComponentRef,
        size: u64,
    ) -> Result<std::path::PathBuf, FetchError> {
        let name = label(component);
        let mut troubles = self.components.troubles();
        let mut fetch = std::pin::pin!(self.components.ensure(component, size));
        loop {
            tokio::select! {
                fetched = &mut fetch => return fetched,
                changed = troubles.changed() => {
                    if changed.is_err() {
                        return fetch.await;
                    }
                    let trouble = troubles.borrow_and_update().get(&component.digest).cloned();
                    if let Some(trouble) = trouble {
                        self.show(&component.digest, &format!("waits for {name}: {trouble}"));
                    }
                }
            }
        }
    }

    /// Says what the apps that wait for a component wait for.
    fn show(&self, digest: &Digest, text: &str) {
        for app in self.preparations.waiting(digest) {
            let Some(cell) = self.index.get(&app) else {
                continue;
            };
            let mut state = cell.lock();
            let told = state.told.as_ref().map(|report| report.revision);
            if let Some(revision) = told
                && state.observed.status == Status::Preparing
                && state.spec.component.digest == *digest
            {
                let text = Some(text.to_owned());
                self.observe(&cell, &mut state, revision, Status::Preparing, text);
            }
        }
    }

    /// Removes a component if no app names it.
    pub(crate) async fn tidy(self: &Arc<Self>, digest: Digest) {
        {
            let mut stages = self.preparations.stages.lock();
            let is_busy = !matches!(stages.get(&digest), Some(Stage::Ready) | None);
            if is_busy || self.index.components().contains(&digest) {
                return;
            }
            let waiting = HashSet::new();
            stages.insert(digest, Stage::Removing { waiting });
        }
        self.components.remove(&digest).await;
        self.runtime.remove_compiled(digest).await;
        let stage = self.preparations.stages.lock().remove(&digest);
        if let Some(Stage::Removing { waiting }) = stage {
            for cell in waiting.iter().filter_map(|app| self.index.get(app)) {
                cell.ring();
            }
        }
    }
}

fn label(component: &ComponentRef) -> String {
    format!("{} {}", component.name, component.version)
}
