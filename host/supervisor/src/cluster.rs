//! Several environments: what workers say is heard here, and what they are to know is told.
//!
//! What should be is in the control database, and Redis only carries it: whatever it loses is told
//! again when it, or a worker, is back. An app's worker is told by the reconciler, one app at a time in
//! order, many apps at once; nothing here waits for a worker, nor for Redis ([`crate::catch_up`] does).

use crate::Error;
use crate::cell::{Cell, State};
use crate::environments::EnvironmentStatus;
use crate::observed::brief;
use crate::remote::Standing;
use crate::supervisor::Supervisor;
use futures::future::BoxFuture;
use http::{Request, Response};
use lodge_db::environments::EnvironmentRow;
use lodge_model::{
    Endpoint, EnvironmentName, Failure, FailureKind, Figures, Forwarding, FromWorkers, Goal,
    LogLevel, Phase, Registration, Report, RequestBody, RequestId, ResponseBody, Status,
    SupervisorLink, Target,
};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often silent workers are looked for.
const LOOK: Duration = Duration::from_secs(1);

/// What a supervisor of several environments has beside one of a single process.
pub struct Cluster {
    /// The way to tell workers what should be.
    pub link: Arc<dyn SupervisorLink>,
    /// The way to send requests to them.
    pub forward: Arc<dyn Forwarding>,
    /// True: apps run in this process too, in `local`.
    pub hosts_apps: bool,
}

/// Where an app would be served whose workers are all lost: nowhere.
struct Lost;

impl Endpoint for Lost {
    fn call(
        self: Arc<Self>,
        _: RequestId,
        _: Request<RequestBody>,
    ) -> BoxFuture<'static, Result<Response<ResponseBody>, Failure>> {
        Box::pin(std::future::ready(Err(FailureKind::EnvironmentLost.into())))
    }
}

impl Supervisor {
    /// Hears workers for as long as the process lives.
    pub(crate) async fn listen_to_workers(self: Arc<Self>) {
        let Some(cluster) = &self.cluster else {
            return;
        };
        loop {
            let heard = cluster.link.next().await;
            self.hear(heard);
        }
    }

    /// Gives silent workers up, for as long as the process lives.
    pub(crate) async fn look_for_silence(self: Arc<Self>) {
        loop {
            tokio::time::sleep(LOOK).await;
            if self.link_problem.lock().is_some() {
                self.workers.forgive();
                continue;
            }
            for name in self.workers.give_up() {
                tracing::warn!(environment = %name, "an environment is lost: it has not reported for three heartbeats");
                self.lose(&name);
            }
        }
    }

    /// Waits for nobody: a user's command is heard of behind 200 workers that join.
    fn hear(self: &Arc<Self>, heard: FromWorkers) {
        match heard {
            FromWorkers::Connected => {
                *self.link_problem.lock() = None;
                self.workers.forgive();
                tracing::info!("connected to Redis");
                for worker in self.workers.all() {
                    // One that is still awaited has said nothing yet: it is caught up with as it joins.
                    if worker.status != EnvironmentStatus::Awaited {
                        self.catch_up_with(&worker.row.about.environment);
                    }
                }
                self.look_at_apps_on_workers();
            }
            FromWorkers::Disconnected { reason } => {
                tracing::warn!(reason, "Redis is away: apps are served on, commands wait");
                *self.link_problem.lock() = Some(reason);
            }
            FromWorkers::Joined(about) => self.join(about),
            FromWorkers::Beat(beat) => {
                if self.workers.beat(&beat) {
                    tracing::info!(environment = %beat.environment, "an environment is back");
                    self.find(&beat.environment);
                    self.catch_up_with(&beat.environment);
                }
                self.tell_environment(&beat.environment);
            }
            FromWorkers::Left { environment, boot } => {
                if self.workers.leave(&environment, boot) {
                    tracing::info!(%environment, "an environment was stopped");
                    self.lose(&environment);
                }
            }
            FromWorkers::Report(report) => self.hear_report(report, None),
            FromWorkers::Figures {
                environment,
                figures,
            } => self.hear_figures(&environment, figures),
            FromWorkers::Refused {
                environment,
                reason,
            } => {
                tracing::warn!(%environment, reason, "a worker was refused");
                self.workers
                    .note(&environment, |worker| worker.say(brief(&reason)));
                self.tell_environment(&environment);
            }
            FromWorkers::DeadLetter {
                environment,
                app,
                reason,
            } => {
                tracing::error!(%environment, %app, reason, "a command was put aside");
                self.workers.note(&environment, |worker| {
                    worker.count_dead_letter();
                    worker.say(format!(
                        "a command for `{app}` was put aside: {}",
                        brief(&reason)
                    ));
                });
                self.tell_environment(&environment);
            }
        }
    }

    fn join(self: &Arc<Self>, about: Registration) {
        let name = about.environment.clone();
        tracing::info!(environment = %name, version = about.version, url = about.proxy_url, "an environment is there");
        let (row, other) = self.workers.join(about);
        self.keep_worker(row);
        if other {
            for cell in self.cells_in(&name) {
                cell.lock().remotes.restarted(&name);
            }
        } else {
            self.find(&name);
        }
        self.catch_up_with(&name);
        self.tell_environment(&name);
    }

    /// Written behind: a worker is not kept waiting for the control database.
    fn keep_worker(self: &Arc<Self>, row: EnvironmentRow) {
        if !self.leads() {
            return;
        }
        let this = Arc::clone(self);
        self.tasks.spawn(async move {
            let kept = async {
                let mut tx = this.begin().await?;
                lodge_db::environments::upsert(&mut tx, &row).await?;
                tx.commit().await.map_err(lodge_db::Error::from)
            };
            if let Err(error) = kept.await {
                tracing::error!(environment = %row.about.environment, %error, "cannot note an environment");
            }
        });
    }

    /// An environment does not answer: what it had is not known, and what may move is moved.
    fn lose(self: &Arc<Self>, name: &EnvironmentName) {
        for cell in self.cells_in(name) {
            let mut state = cell.lock();
            let message = format!("the environment `{name}` does not answer");
            if let Some(observed) = state.remotes.lose(name, message) {
                self.tell_observed(&cell, observed);
            }
            self.refresh(&cell, &mut state);
        }
        self.tell_environment(name);
        self.look_at_apps_of(name);
        let (this, name) = (Arc::clone(self), name.clone());
        self.tasks
            .spawn(async move { this.fail_over_from(&name).await });
    }

    /// An environment answers again: what its apps are there is known again.
    fn find(self: &Arc<Self>, name: &EnvironmentName) {
        for cell in self.cells_in(name) {
            let mut state = cell.lock();
            if let Some(observed) = state.remotes.find(name) {
                self.tell_observed(&cell, observed);
                self.refresh(&cell, &mut state);
            }
        }
    }

    /// `kept`: it was not heard now but read, and that was asked for then.
    pub(crate) fn hear_report(self: &Arc<Self>, report: Report, kept: Option<Instant>) {
        let environment = report.observed.environment.clone();
        let Some(cell) = self.index.get(&report.app) else {
            if !report.gone {
                self.evict(&report.app, &environment, report.revision);
            }
            return;
        };
        let mut state = cell.lock();
        if !state.remotes.is_at(&environment) {
            if report.gone {
                return;
            }
            state.remotes.evict(&environment);
            self.index.placed(&cell, &state);
        }
        let observed = report.observed.clone();
        let news = match kept {
            None => state.remotes.hear(report),
            Some(asked) => state.remotes.hear_kept(report, asked),
        };
        if !news {
            return;
        }
        if observed.status == Status::Running && state.goal() == Goal::Waiting {
            // Visited there directly, or before this process began.
            state.activated = true;
        }
        if let Some(carried) = &state.operation {
            let what = observed
                .message
                .as_deref()
                .unwrap_or(observed.status.as_str());
            self.operations
                .progress(&carried.id, &format!("{environment}: {what}"));
        }
        self.tell_observed(&cell, observed);
        self.refresh(&cell, &mut state);
        self.settle(&cell, &mut state);
        let lane = state.lane();
        drop(state);
        self.queue.add(&cell.id, lane);
    }

    fn hear_figures(&self, environment: &EnvironmentName, figures: Figures) {
        for (app, tally) in figures.apps {
            let Some(cell) = self.index.get(&app) else {
                continue;
            };
            let mut state = cell.lock();
            if let Some(place) = state.remotes.place_mut(environment) {
                place.held = tally.clone();
            }
            let held = state.remotes.held();
            cell.meter.absorb(&tally, &held);
        }
    }

    /// Has visitors meet what there is now.
    pub(crate) fn refresh(&self, cell: &Cell, state: &mut State) {
        let Some(cluster) = &self.cluster else {
            return;
        };
        if state.is_local() {
            return;
        }
        let targets = self.serving(state);
        if targets.is_empty() {
            let there = |name: &EnvironmentName| self.workers.condition(name).online;
            state.away = if state.remotes.may_still_serve(there) {
                Phase::Waiting
            } else if state.remotes.any_failed() {
                Phase::Failed
            } else {
                Phase::Running(Arc::new(Lost))
            };
            state.targets = targets;
        } else if state.targets != targets {
            state.away = Phase::Running(cluster.forward.endpoint(&cell.id, targets.clone()));
            state.targets = targets;
        }
        self.routes.set_phase(&cell.id, state.phase());
        state.answer_visitors();
    }

    /// The workers to send an app's requests to: those where it is placed and that answer, else those
    /// that it leaves, else those that did serve it, since who is cut off from Redis may still.
    fn serving(&self, state: &State) -> Vec<Target> {
        let mut ranks: [Vec<Target>; 4] = Default::default();
        let [placed, leaving, silent, starters] = &mut ranks;
        if !self.leads() && state.goal() != Goal::Stopped {
            // Who does not lead can start nothing; a worker starts at a visit what it was told of.
            let places = state.remotes.places().iter();
            let found = places.filter_map(|place| self.workers.target(&place.environment));
            starters.extend(
                found
                    .filter(|(_, online)| *online)
                    .map(|(target, _)| target),
            );
        }
        for (name, leaves) in state.remotes.serving() {
            match self.workers.target(name) {
                Some((target, true)) if !leaves => placed.push(target),
                Some((target, true)) => leaving.push(target),
                Some((target, false)) => silent.push(target),
                None => {}
            }
        }
        ranks
            .into_iter()
            .find(|rank| !rank.is_empty())
            .unwrap_or_default()
    }

    /// Ends the operation under way, if the app is as far as it goes.
    pub(crate) fn settle(&self, cell: &Cell, state: &mut State) {
        if state.is_local() || matches!(state.goal(), Goal::Gone(_)) {
            return;
        }
        let condition = |name: &EnvironmentName| self.workers.condition(name);
        let generation = state.row.generation;
        match state.remotes.standing(state.wanted(), condition) {
            Standing::UnderWay => {}
            Standing::Done => self.end_operation(state, generation, None),
            Standing::Mixed(how) => {
                if state.operation.is_some() {
                    self.log(cell, LogLevel::Warn, how.clone());
                }
                self.end_operation(state, generation, Some(&how));
            }
        }
    }

    /// The apps that are placed in an environment, or leave it.
    pub(crate) fn cells_in(&self, name: &EnvironmentName) -> Vec<Arc<Cell>> {
        self.index.at(name)
    }

    /// Has the reconciler look at every app of an environment.
    pub(crate) fn look_at_apps_of(&self, name: &EnvironmentName) {
        for cell in self.cells_in(name) {
            let lane = cell.lock().lane();
            self.queue.add(&cell.id, lane);
        }
    }

    /// Nobody was told anything while Redis was away, nor those who have not joined yet.
    fn look_at_apps_on_workers(&self) {
        for cell in self.index.all() {
            let lane = {
                let state = cell.lock();
                (!state.remotes.is_empty()).then(|| state.lane())
            };
            if let Some(lane) = lane {
                self.queue.add(&cell.id, lane);
            }
        }
    }

    /// Why workers cannot be told anything now; none: they can.
    pub fn link_problem(&self) -> Option<String> {
        self.link_problem.lock().clone()
    }

    /// The workers that were not stopped and do not answer.
    pub(crate) fn lost_workers(&self) -> Vec<EnvironmentName> {
        let workers = self.workers.all().into_iter();
        let lost = workers.filter(|worker| worker.status == EnvironmentStatus::Lost);
        lost.map(|worker| worker.row.about.environment).collect()
    }

    /// Reads the workers that were seen before.
    ///
    /// # Errors
    /// The database failed.
    pub(crate) async fn known_workers(
        db: &lodge_db::Database,
        cluster: Option<&Cluster>,
    ) -> Result<Vec<EnvironmentRow>, Error> {
        match cluster {
            Some(_) => Ok(lodge_db::environments::all(db).await?),
            None => Ok(Vec::new()),
        }
    }
}
