//! One app in memory: what it should be, what it is, and who waits for it.
//!
//! The lock of a cell is held for moments and never across an await. Whatever changes what visitors
//! meet tells the routes while it holds the lock, so that their last word is the state's last word;
//! reports go to the link under it too, so that the last one said is the newest.

use crate::prepare::Verdict;
use crate::usage::Usage;
use lodge_model::{
    AppId, AppMeter, CrashWatch, Digest, Endpoint, Failure, FailureKind, Goal, Launch, Observed,
    Phase, Report, Revision, Route, Specification, Status,
};
use parking_lot::{Mutex, MutexGuard};
use std::sync::Arc;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

/// How a visitor's wait ends.
pub(crate) type Outcome = Result<Arc<dyn Endpoint>, Failure>;

/// One app.
pub(crate) struct Cell {
    pub(crate) id: AppId,
    pub(crate) meter: Arc<AppMeter>,
    pub(crate) usage: Mutex<Usage>,
    pub(crate) crashes: Mutex<CrashWatch>,
    state: Mutex<State>,
    /// Rung when there is something to look at. The app's task listens.
    pub(crate) changed: Notify,
}

/// What serves, and what it was made for.
pub(crate) struct Run {
    pub(crate) endpoint: Arc<dyn Endpoint>,
    pub(crate) spec: Arc<Specification>,
}

/// What an app should be and is.
pub(crate) struct State {
    /// What should be: the newest that was heard.
    pub(crate) spec: Arc<Specification>,
    /// False: it was read from disk, and the link has not said it yet.
    pub(crate) confirmed: bool,
    /// True: the app is gone, and the cell no longer the app's.
    pub(crate) removed: bool,
    /// Grows with all that the app's task has to look at.
    pub(crate) changes: u64,
    /// What is.
    pub(crate) observed: Observed,
    /// What was last said of it.
    pub(crate) told: Option<Report>,
    /// Of which revision the end was reached and said, if it was.
    pub(crate) settled: Option<Revision>,
    /// True: the link was told that `settled` is done.
    pub(crate) acknowledged: bool,
    /// The revision that lies on disk.
    pub(crate) kept: Option<Revision>,
    pub(crate) run: Option<Run>,
    /// True: the runtime may have something of it.
    pub(crate) engaged: bool,
    /// True: it was visited, or ran, since it was last stopped.
    pub(crate) activated: bool,
    /// True: an operation waits for it.
    pub(crate) asked: bool,
    /// Failed starts, or removals, in a row.
    pub(crate) failures: u32,
    /// Not to be tried before.
    pub(crate) retry_at: Option<Instant>,
    /// True: its component was just compiled again for it, so that once more is once too often.
    pub(crate) recompiled: bool,
    /// What came of making a component ready, until the app's task has looked at it.
    pub(crate) verdict: Option<Verdict>,
    /// Components that it ran before.
    pub(crate) left_behind: Vec<Digest>,
    /// Where visitors wait for a start.
    visit: Option<watch::Sender<Option<Outcome>>>,
}

impl Cell {
    /// An app that nothing runs of.
    pub(crate) fn new(spec: Specification, confirmed: bool, now: i64) -> Self {
        let observed = Observed {
            environment: spec.environment.clone(),
            status: match spec.goal {
                Goal::Running => Status::Preparing,
                Goal::Waiting => Status::Waiting,
                Goal::Stopped | Goal::Gone(_) => Status::Stopped,
            },
            since: now,
            version: None,
            message: None,
        };
        let kept = (!confirmed).then_some(spec.revision);
        Self {
            id: spec.app.clone(),
            meter: Arc::default(),
            usage: Mutex::default(),
            crashes: Mutex::default(),
            changed: Notify::new(),
            state: Mutex::new(State {
                asked: confirmed && spec.operation.is_some(),
                spec: Arc::new(spec),
                confirmed,
                removed: false,
                changes: 0,
                observed,
                told: None,
                settled: None,
                acknowledged: false,
                kept,
                run: None,
                engaged: false,
                activated: false,
                failures: 0,
                retry_at: None,
                recompiled: false,
                verdict: None,
                left_behind: Vec::new(),
                visit: None,
            }),
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    /// Has the app's task look once more.
    pub(crate) fn ring(&self) {
        self.lock().changes += 1;
        self.changed.notify_one();
    }

    /// Returns once a run made for `spec` is not wanted any more. For the app's task.
    pub(crate) async fn unwanted(&self, spec: &Specification) {
        while self.lock().wants_run_of(spec) {
            self.changed.notified().await;
        }
    }

    /// All that the request path has to know.
    pub(crate) fn route(&self, state: &State) -> Route {
        let spec = &state.spec;
        Route {
            app: self.id.clone(),
            domains: spec.domains.clone(),
            path_access: spec.path_access,
            limits: spec.grant.limits.clone(),
            meter: Arc::clone(&self.meter),
            phase: state.phase(),
        }
    }

    /// All that the runtime has to know.
    pub(crate) fn launch(&self, spec: &Specification) -> Launch {
        Launch {
            app: self.id.clone(),
            digest: spec.component.digest,
            world: spec.world,
            uses_async: spec.uses_async,
            limits: spec.grant.limits.clone(),
            meter: Arc::clone(&self.meter),
            grant: spec.grant.clone(),
        }
    }
}

impl State {
    /// Where the app is brought. One that was visited runs until it is stopped.
    pub(crate) fn goal(&self) -> Goal {
        match self.spec.goal {
            Goal::Waiting if self.activated => Goal::Running,
            goal => goal,
        }
    }

    /// Takes what should be from now on.
    pub(crate) fn take(&mut self, spec: Specification) {
        let before = std::mem::replace(&mut self.spec, Arc::new(spec));
        let spec = &self.spec;
        if before.component.digest != spec.component.digest {
            self.left_behind.push(before.component.digest);
        }
        self.activated = match spec.goal {
            // What serves already does what `waiting` asks for.
            Goal::Waiting => self.run.is_some() || (self.activated && self.failures == 0),
            Goal::Running => self.activated,
            Goal::Stopped | Goal::Gone(_) => false,
        };
        self.asked = spec.operation.is_some();
        self.confirmed = true;
        self.give_another_chance();
    }

    /// Whether a run made for `spec` is what should be now: the same thing with the same grants, and
    /// nobody asked for a restart since.
    pub(crate) fn wants_run_of(&self, spec: &Specification) -> bool {
        let wanted = &self.spec;
        self.goal() == Goal::Running
            && spec.component == wanted.component
            && spec.world == wanted.world
            && spec.uses_async == wanted.uses_async
            && spec.revision.generation >= self.restart_before()
            && spec.grant == wanted.grant
    }

    /// Whether what runs is what should run.
    pub(crate) fn is_up(&self) -> bool {
        self.run
            .as_ref()
            .is_some_and(|run| self.wants_run_of(&run.spec))
    }

    /// Whether what the runtime has, if anything, must end before the next run.
    pub(crate) fn needs_restart(&self) -> bool {
        let began = |run: &Run| run.spec.revision.generation;
        self.engaged && self.run.as_ref().map_or(0, began) < self.restart_before()
    }

    /// A run can be no younger than what asks for it.
    fn restart_before(&self) -> i64 {
        self.spec.restart_before.min(self.spec.revision.generation)
    }

    /// What visitors meet.
    pub(crate) fn phase(&self) -> Phase {
        match (self.goal(), &self.run) {
            (Goal::Gone(_) | Goal::Stopped, _) => Phase::Stopped,
            _ if self.failures > 0 => Phase::Failed,
            (Goal::Running, Some(run)) => Phase::Running(Arc::clone(&run.endpoint)),
            (Goal::Running | Goal::Waiting, _) => Phase::Waiting,
        }
    }

    /// Forgets earlier failures.
    pub(crate) fn give_another_chance(&mut self) {
        self.failures = 0;
        self.retry_at = None;
        self.recompiled = false;
        self.verdict = None;
    }

    /// The newest specification was acted upon, and it is said what came of it.
    pub(crate) fn settle(&mut self) {
        if self.settled != Some(self.spec.revision) {
            self.settled = Some(self.spec.revision);
            self.acknowledged = false;
        }
        self.asked = false;
    }

    /// Whether a visitor or an operation waits for it.
    pub(crate) fn is_waited_for(&self) -> bool {
        self.visit.is_some() || self.asked
    }

    /// Joins those who wait for the start. The receiver gets the outcome, or an error if the app
    /// is gone.
    pub(crate) fn join(&mut self) -> watch::Receiver<Option<Outcome>> {
        self.visit
            .get_or_insert_with(|| watch::channel(None).0)
            .subscribe()
    }

    /// Ends the wait of visitors, if the phase says how.
    pub(crate) fn answer_visitors(&mut self) {
        let outcome = match self.phase() {
            Phase::Waiting => return,
            Phase::Running(endpoint) => Ok(endpoint),
            Phase::Stopped => Err(FailureKind::AppStopped.into()),
            Phase::Failed => Err(FailureKind::AppFailed.into()),
        };
        if let Some(visit) = self.visit.take() {
            // An error only says that every visitor has gone.
            let _ = visit.send(Some(outcome));
        }
    }
}
