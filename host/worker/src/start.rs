//! Brings an app up, and says what came of it.
//!
//! How it fails: a failed start is reported with its cause and tried again after a delay that
//! doubles, until the tries are used up; a component that cannot be compiled is not tried again. A
//! higher revision gives another chance in either case. What the app is not guilty of (its database is
//! away) is tried for as long as it is so. Visitors get a refusal at once meanwhile.

use crate::agent::Agent;
use crate::cell::{Cell, Run, State};
use crate::clock::brief;
use crate::prepare::{Prepared, Unprepared};
use lodge_model::{Endpoint, LogLevel, Specification, StartError, Status};
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout};

impl Agent {
    pub(crate) async fn bring_up(self: &Arc<Self>, cell: &Arc<Cell>, spec: &Arc<Specification>) {
        self.try_to_bring_up(cell, spec).await;
        let failed = {
            let state = cell.lock();
            state.engaged && state.failures > 0
        };
        if failed {
            // What an older revision may have left running.
            self.take_down(cell).await;
        }
    }

    async fn try_to_bring_up(self: &Arc<Self>, cell: &Arc<Cell>, spec: &Arc<Specification>) {
        {
            let mut state = cell.lock();
            if state.is_up() {
                return self.settle_running(cell, &mut state);
            }
            if state.failures > 0 && state.retry_at.is_none_or(|at| at > Instant::now()) {
                return;
            }
        }
        match self.prepared(cell, spec) {
            Prepared::Yes => (),
            Prepared::NotYet => return,
            Prepared::Failed(why) => return self.note_unprepared(cell, spec, &why),
        }
        let Some(_place) = self.place(cell).await else {
            return;
        };
        if cell.lock().needs_restart() {
            self.restart(cell, spec).await;
        }
        let Some(outcome) = self.launch(cell, spec).await else {
            return;
        };
        let mut state = cell.lock();
        if !state.wants_run_of(spec) {
            // Asked for something else meanwhile: the next turn decides.
            return;
        }
        match outcome {
            Ok(endpoint) => {
                let spec = Arc::clone(spec);
                state.run = Some(Run { endpoint, spec });
                state.give_another_chance();
                self.settle_running(cell, &mut state);
            }
            Err(StartError::NotCompiled) if !state.recompiled => {
                state.recompiled = true;
                drop(state);
                self.preparations.forget(&spec.component.digest);
                cell.ring();
            }
            Err(StartError::Host(text)) => {
                state.recompiled = false;
                self.note_hindrance(cell, &mut state, &text);
            }
            Err(error) => {
                state.recompiled = false;
                self.note_failure(cell, &mut state, &error.to_string());
            }
        }
    }

    /// A place to start in. None: something has changed meanwhile; look again.
    async fn place(&self, cell: &Cell) -> Option<OwnedSemaphorePermit> {
        let (changes, is_urgent) = {
            let state = cell.lock();
            (state.changes, state.is_waited_for())
        };
        let changed = async {
            while cell.lock().changes == changes {
                cell.changed.notified().await;
            }
        };
        tokio::select! {
            biased;
            place = self.lanes.place(is_urgent) => place,
            () = changed => None,
            () = self.stop.cancelled() => None,
        }
    }

    /// Ends what runs, so that the next run is a new one. Who visits meanwhile waits for that.
    async fn restart(&self, cell: &Cell, spec: &Specification) {
        {
            let mut state = cell.lock();
            state.run = None;
            self.observe(cell, &mut state, spec.revision, Status::Stopping, None);
            self.publish(cell, &mut state);
        }
        self.take_down(cell).await;
    }

    /// None: it is not wanted any more.
    async fn launch(
        &self,
        cell: &Arc<Cell>,
        spec: &Arc<Specification>,
    ) -> Option<Result<Arc<dyn Endpoint>, StartError>> {
        cell.lock().engaged = true;
        let report = |status| {
            let mut state = cell.lock();
            // `running` is noted with the endpoint that makes it true.
            if state.wants_run_of(spec) && status != Status::Running {
                self.observe(cell, &mut state, spec.revision, status, None);
            }
        };
        let limit = self.settings.start_timeout;
        let start = self.runtime.ensure_running(cell.launch(spec), &report);
        tokio::select! {
            outcome = timeout(limit, start) => Some(outcome.unwrap_or_else(|_| {
                // Perhaps for ever: it is not to take a place again and again.
                Err(StartError::Component(format!("it did not start within {} s", limit.as_secs())))
            })),
            // A start that hangs must not make what comes after it wait.
            () = cell.unwanted(spec) => None,
            () = self.stop.cancelled() => None,
        }
    }

    fn settle_running(&self, cell: &Cell, state: &mut State) {
        let news = state.observed.status != Status::Running;
        let revision = state.spec.revision;
        self.observe(cell, state, revision, Status::Running, None);
        state.settle();
        self.publish(cell, state);
        if news {
            let component = &state.spec.component;
            let text = format!("running {} {}", component.name, component.version);
            self.log(cell, LogLevel::Info, text);
        }
    }

    fn note_unprepared(&self, cell: &Cell, spec: &Specification, why: &Unprepared) {
        let mut state = cell.lock();
        if !state.wants_run_of(spec) {
            return;
        }
        match why {
            Unprepared::Never(text) => {
                let failures = self.settings.give_up_after.max(1);
                self.fail(cell, &mut state, failures, text);
            }
            Unprepared::Now(text) => self.note_failure(cell, &mut state, text),
        }
    }

    /// A start failed: tells it, and tries again later unless it failed too often.
    fn note_failure(&self, cell: &Cell, state: &mut State, error: &str) {
        let error = brief(error);
        let failures = state.failures.saturating_add(1);
        let of = self.settings.give_up_after;
        match self.settings.retry_delay(failures) {
            Some(delay) => {
                let text =
                    format!("{error} (failed start {failures} of {of}, trying again in {delay:?})");
                self.fail(cell, state, failures, &text);
                state.retry_at = Some(Instant::now() + delay);
            }
            None => {
                let text = format!(
                    "{error} (failed start {failures} of {of}: not tried again until it is started, \
                     restarted or changed)"
                );
                self.fail(cell, state, failures, &text);
            }
        }
    }

    /// A start failed by no fault of the app's: tells it, and tries again later until it is no more so.
    fn note_hindrance(&self, cell: &Cell, state: &mut State, error: &str) {
        let failures = state.failures.saturating_add(1);
        let delay = self.settings.patient_delay(failures);
        let error = brief(error);
        let text = format!("{error} (failed start {failures}, trying again in {delay:?})");
        self.fail(cell, state, failures, &text);
        state.retry_at = Some(Instant::now() + delay);
    }

    fn fail(&self, cell: &Cell, state: &mut State, failures: u32, text: &str) {
        state.failures = failures;
        state.retry_at = None;
        state.run = None;
        self.log(cell, LogLevel::Error, format!("could not start: {text}"));
        tracing::warn!(app = %cell.id, reason = text, "an app could not start");
        let revision = state.spec.revision;
        self.observe(cell, state, revision, Status::Failed, Some(text.to_owned()));
        state.settle();
        self.publish(cell, state);
    }
}
