//! One app in memory: what it should be, what it is, and who waits for it.
//!
//! The lock of a cell is held for moments and never across an await. Whatever changes what visitors
//! meet tells the routes while it holds the lock, so that their last word is the state's last word.

use crate::figures::track::Track;
use crate::queue::Lane;
use crate::remote::{Remotes, Wanted};
use lodge_db::apps::AppRow;
use lodge_model::{
    App, AppId, AppMeter, CrashWatch, Desired, Endpoint, EnvironmentName, Failure, FailureKind,
    Goal, Grant, Launch, Observed, OperationId, Phase, Route, StartMode, Status, Target,
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
    pub(crate) track: Track,
    pub(crate) crashes: Mutex<CrashWatch>,
    state: Mutex<State>,
    /// Rung when what should be has changed.
    changed: Notify,
}

/// The operation that a generation carries out.
#[derive(Debug, Clone)]
pub(crate) struct Carried {
    pub(crate) id: OperationId,
    pub(crate) generation: i64,
}

/// What an app should be and is.
pub(crate) struct State {
    /// What should be, as the control database has it.
    pub(crate) row: AppRow,
    /// What is in this process.
    pub(crate) observed: Observed,
    /// Where it runs on workers; empty: in this process.
    pub(crate) remotes: Remotes,
    /// The workers that serve it, and the way to them.
    pub(crate) targets: Vec<Target>,
    /// What visitors of an app on workers meet, while they are to meet it at all.
    pub(crate) away: Phase,
    /// Serves, while it does.
    pub(crate) endpoint: Option<Arc<dyn Endpoint>>,
    /// The generation that `endpoint` was made for.
    pub(crate) runs: i64,
    /// How often what it is granted has changed by what is not its own row: a shared key, another
    /// app's database.
    pub(crate) regrants: u64,
    /// Of those, the last that `endpoint` was made for.
    pub(crate) granted: u64,
    /// True: the runtime may have something of it.
    pub(crate) engaged: bool,
    /// True: a visit or an administrator has started it since it was last stopped.
    pub(crate) activated: bool,
    /// A run older than this generation has to end before the next begins.
    pub(crate) restart_before: i64,
    /// Failed starts in a row.
    pub(crate) failures: u32,
    /// Not to be tried before.
    pub(crate) retry_at: Option<Instant>,
    /// True: its component was just compiled again for it, so that once more is once too often.
    pub(crate) recompiled: bool,
    /// The operation under way.
    pub(crate) operation: Option<Carried>,
    /// Where visitors wait for a start.
    visit: Option<watch::Sender<Option<Outcome>>>,
}

impl Cell {
    /// An app that nothing runs of.
    pub(crate) fn new(row: AppRow, environment: &EnvironmentName, now: i64) -> Self {
        let mut state = State {
            observed: Observed {
                environment: environment.clone(),
                status: Status::Stopped,
                since: now,
                version: None,
                message: None,
            },
            remotes: Remotes::default(),
            targets: Vec::new(),
            away: Phase::Waiting,
            endpoint: None,
            runs: 0,
            regrants: 0,
            granted: 0,
            engaged: false,
            activated: false,
            restart_before: 0,
            failures: 0,
            retry_at: None,
            recompiled: false,
            operation: None,
            visit: None,
            row,
        };
        state.observed.status = match state.goal() {
            Goal::Running => Status::Preparing,
            Goal::Waiting => Status::Waiting,
            Goal::Stopped | Goal::Gone(_) => Status::Stopped,
        };
        state.place(environment);
        Self {
            id: state.row.app.id.clone(),
            meter: Arc::default(),
            track: Track::default(),
            crashes: Mutex::default(),
            state: Mutex::new(state),
            changed: Notify::new(),
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    /// Says that what should be has changed.
    pub(crate) fn ring(&self) {
        self.changed.notify_one();
    }

    /// Returns once the app is not to run any more. For one caller at a time.
    pub(crate) async fn unwanted(&self) {
        while self.lock().goal() == Goal::Running {
            self.changed.notified().await;
        }
    }

    /// The app as anyone may see it.
    pub(crate) fn app(&self) -> App {
        let state = self.lock();
        let mut app = state.row.app.clone();
        app.observed = state.all_observed();
        app.masked()
    }

    /// All that the request path has to know.
    pub(crate) fn route(&self, state: &State) -> Route {
        let app = &state.row.app;
        let mut limits = app.limits.clone();
        if !state.is_local() {
            // Each worker has as many turns and places, and says which requests get none.
            let workers = u32::try_from(state.remotes.places().len()).unwrap_or(u32::MAX);
            let places = limits.concurrency.saturating_add(limits.queue);
            limits.concurrency = places.saturating_mul(workers);
        }
        Route {
            app: self.id.clone(),
            domains: app.domains.clone(),
            path_access: app.path_access,
            limits,
            meter: Arc::clone(&self.meter),
            phase: state.phase(),
        }
    }

    /// All that the runtime has to know.
    pub(crate) fn launch(
        &self,
        grant: Grant,
        component: &lodge_db::components::ComponentRow,
    ) -> Launch {
        Launch {
            app: self.id.clone(),
            digest: component.component.digest,
            world: component.component.world,
            uses_async: component.uses_async,
            limits: grant.limits.clone(),
            meter: Arc::clone(&self.meter),
            grant,
        }
    }
}

impl State {
    /// Puts it where its row says: in this process, or on workers.
    pub(crate) fn place(&mut self, local: &EnvironmentName) {
        let environments = &self.row.app.environments;
        if environments.contains(local) {
            self.remotes.place(&[]);
        } else {
            self.remotes.place(environments);
        }
    }

    /// True: it is placed in this process.
    pub(crate) fn is_local(&self) -> bool {
        self.row
            .app
            .environments
            .contains(&self.observed.environment)
    }

    /// What workers that have it are to know.
    pub(crate) fn wanted(&self) -> Wanted {
        Wanted {
            generation: self.row.generation,
            goal: self.goal(),
            restart_before: self.restart_before,
            regrants: self.regrants,
        }
    }

    /// What is, everywhere it is placed.
    pub(crate) fn all_observed(&self) -> Vec<Observed> {
        if self.is_local() {
            return vec![self.observed.clone()];
        }
        self.remotes.observed()
    }

    /// Where the reconciler brings it.
    pub(crate) fn goal(&self) -> Goal {
        let app = &self.row.app;
        match (self.row.deleting, app.desired) {
            (Some(data), _) => Goal::Gone(data),
            (None, Desired::Stopped) => Goal::Stopped,
            (None, Desired::Running) => {
                if self.activated || app.start_mode == StartMode::WithHost {
                    Goal::Running
                } else {
                    Goal::Waiting
                }
            }
        }
    }

    /// What visitors meet.
    pub(crate) fn phase(&self) -> Phase {
        match (self.goal(), &self.endpoint) {
            (Goal::Gone(_) | Goal::Stopped, _) => Phase::Stopped,
            _ if !self.is_local() => self.away.clone(),
            _ if self.failures > 0 => Phase::Failed,
            (Goal::Running, Some(endpoint)) => Phase::Running(Arc::clone(endpoint)),
            (Goal::Running | Goal::Waiting, _) => Phase::Waiting,
        }
    }

    /// Forgets earlier failures: an administrator has acted.
    pub(crate) fn give_another_chance(&mut self) {
        self.failures = 0;
        self.retry_at = None;
        self.recompiled = false;
    }

    /// Nothing runs of it any more.
    pub(crate) fn disengage(&mut self) {
        self.engaged = false;
        self.endpoint = None;
        self.runs = 0;
    }

    /// Joins those who wait for the start. The receiver gets the outcome, or an error if the app
    /// is gone.
    pub(crate) fn join(&mut self) -> watch::Receiver<Option<Outcome>> {
        self.visit
            .get_or_insert_with(|| watch::channel(None).0)
            .subscribe()
    }

    /// Where it stands in line when it is to be looked at.
    pub(crate) fn lane(&self) -> Lane {
        if self.is_waited_for() {
            Lane::Urgent
        } else {
            Lane::Background
        }
    }

    /// Whether a visitor or an administrator waits for it.
    pub(crate) fn is_waited_for(&self) -> bool {
        self.visit.is_some() || self.operation.is_some()
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

    /// Takes the operation if `generation` carries it out.
    pub(crate) fn take_operation(&mut self, generation: i64) -> Option<OperationId> {
        if self.operation.as_ref()?.generation > generation {
            return None;
        }
        self.operation.take().map(|carried| carried.id)
    }
}
