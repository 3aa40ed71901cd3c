//! Closes the difference between what should be of an app and what is.
//!
//! One worker has an app at a time (see [`crate::queue`]), reads where it should be, does the next
//! step through the runtime's port, and notes the result only if nothing else was asked for
//! meanwhile: then the app is queued again, and the next look decides. Every step is an idempotent
//! "ensure", so that a step whose result was lost is simply done again.
//!
//! How it fails: a failed start is told to the administrator (observed state, the app's log, the
//! operation) and tried again after a delay that doubles, until the tries are used up. What the app is
//! not guilty of (its database is away) is tried for as long as it is so. Visitors get a refusal at
//! once meanwhile. A failed deletion is tried again until it succeeds.

use crate::Error;
use crate::cell::{Cell, State};
use crate::clock::now_ms;
use crate::events::entry_of;
use crate::library::files;
use crate::live::LiveEvent;
use crate::observed::brief;
use crate::supervisor::Supervisor;
use lodge_db::apps::AppRow;
use lodge_db::components::ComponentRow;
use lodge_model::{
    ComponentStatus, DataPolicy, Endpoint, Goal, LogLevel, LogLine, LogSource, OperationStatus,
    StartError, Status,
};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout};

impl Supervisor {
    /// Hands out apps to workers for as long as the process lives.
    pub(crate) async fn dispatch(self: Arc<Self>) {
        while let Some(turn) = self.queue.next().await {
            let this = Arc::clone(&self);
            self.tasks.spawn(async move {
                if let Some(cell) = this.index.get(turn.app()) {
                    this.reconcile(&cell).await;
                }
                drop(turn);
            });
        }
    }

    /// One step towards where the app should be.
    async fn reconcile(self: &Arc<Self>, cell: &Arc<Cell>) {
        if !self.leads() {
            return;
        }
        let on_workers = !cell.lock().remotes.is_empty();
        let nowhere_else = !on_workers || self.tell_environments(cell).await;
        let (row, goal, local, engaged) = {
            let state = cell.lock();
            (
                state.row.clone(),
                state.goal(),
                state.is_local(),
                state.engaged,
            )
        };
        match goal {
            // What it has there goes first: without its row nobody would know of it.
            Goal::Gone(_) if !nowhere_else => {}
            _ if !local && engaged => self.take_down(cell).await,
            Goal::Running | Goal::Waiting | Goal::Stopped if !local => {}
            Goal::Running => self.bring_up(cell, row).await,
            Goal::Waiting | Goal::Stopped => self.bring_down(cell, row.generation).await,
            Goal::Gone(data) => self.remove(cell, row.generation, data).await,
        }
    }

    async fn bring_up(self: &Arc<Self>, cell: &Arc<Cell>, row: AppRow) {
        self.try_to_bring_up(cell, row).await;
        let failed = {
            let state = cell.lock();
            state.engaged && state.failures > 0
        };
        if failed {
            // What an older generation may have left running.
            self.take_down(cell).await;
        }
    }

    async fn try_to_bring_up(self: &Arc<Self>, cell: &Arc<Cell>, row: AppRow) {
        let (restart, regrants) = {
            let mut state = cell.lock();
            let runs = state.endpoint.is_some()
                && state.runs == row.generation
                && state.granted == state.regrants;
            if runs {
                return self.settle_running(cell, &mut state, row.generation);
            }
            if state.failures > 0 && state.retry_at.is_none_or(|at| at > Instant::now()) {
                return;
            }
            let restart = state.engaged && state.runs < state.restart_before;
            (restart, state.regrants)
        };
        let Some(component) = self.ready_component(cell, &row) else {
            return;
        };
        if restart {
            self.take_down(cell).await;
        }
        let outcome = self.launch(cell, &row, &component).await;
        let mut state = cell.lock();
        if state.row.generation != row.generation || state.goal() != Goal::Running {
            // Asked for something else meanwhile: it is queued, and the next look decides.
            return;
        }
        match outcome {
            Ok(endpoint) => {
                state.endpoint = Some(endpoint);
                state.runs = row.generation;
                state.granted = regrants;
                state.give_another_chance();
                self.settle_running(cell, &mut state, row.generation);
            }
            Err(StartError::NotCompiled) if !state.recompiled => {
                state.recompiled = true;
                let waits = Some(waits_for(&component));
                self.observe(cell, &mut state, Status::Preparing, waits);
                drop(state);
                self.compile(component.component.digest);
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

    /// The app's component, if it is ready. Otherwise notes what is waited for, or that there is
    /// nothing to wait for; the end of a compile queues the app again.
    fn ready_component(&self, cell: &Cell, row: &AppRow) -> Option<ComponentRow> {
        let found = self.library.get(&row.app.component.digest);
        let mut state = cell.lock();
        if state.row.generation != row.generation {
            return None;
        }
        let Some(component) = found else {
            self.give_up(cell, &mut state, "its component is not there");
            return None;
        };
        match component.component.status {
            ComponentStatus::Ready => return Some(component),
            ComponentStatus::Queued | ComponentStatus::Compiling => {
                let waits = Some(waits_for(&component));
                self.observe(cell, &mut state, Status::Preparing, waits);
            }
            ComponentStatus::Failed => {
                let error = component
                    .component
                    .error
                    .as_deref()
                    .unwrap_or("no reason is known");
                let c = &component.component;
                let text = format!("{} {} could not be compiled: {error}", c.name, c.version);
                self.give_up(cell, &mut state, &text);
            }
        }
        None
    }

    async fn launch(
        &self,
        cell: &Arc<Cell>,
        row: &AppRow,
        component: &ComponentRow,
    ) -> Result<Arc<dyn Endpoint>, StartError> {
        let generation = row.generation;
        cell.lock().engaged = true;
        let report = |status| {
            let mut state = cell.lock();
            // `running` is noted with the endpoint that makes it true.
            if state.row.generation == generation && status != Status::Running {
                self.observe(cell, &mut state, status, None);
            }
        };
        let grant = self.launch_grant(cell, &row.app).await?;
        let launch = cell.launch(grant, component);
        let limit = self.settings.start_timeout;
        let start = timeout(limit, self.runtime.ensure_running(launch, &report));
        tokio::select! {
            outcome = start => outcome.unwrap_or_else(|_| {
                // Perhaps for ever: it is not to take a place again and again.
                Err(StartError::Component(format!("it did not start within {} s", limit.as_secs())))
            }),
            // A start that hangs must not make its stop wait.
            () = cell.unwanted() => Err(StartError::Host("it was stopped meanwhile".into())),
        }
    }

    fn settle_running(&self, cell: &Cell, state: &mut State, generation: i64) {
        let news = state.observed.status != Status::Running;
        self.observe(cell, state, Status::Running, None);
        self.publish(cell, state);
        self.end_operation(state, generation, None);
        if news {
            let component = &state.row.app.component;
            let text = format!("running {} {}", component.name, component.version);
            self.log(cell, LogLevel::Info, text);
        }
    }

    async fn bring_down(&self, cell: &Cell, generation: i64) {
        let engaged = {
            let mut state = cell.lock();
            if state.engaged {
                self.observe(cell, &mut state, Status::Stopping, None);
            }
            state.engaged
        };
        if engaged {
            self.take_down(cell).await;
        }
        let mut state = cell.lock();
        if state.row.generation != generation {
            return;
        }
        let status = match state.goal() {
            Goal::Waiting => Status::Waiting,
            Goal::Stopped => Status::Stopped,
            // Visited meanwhile: it is queued.
            Goal::Running | Goal::Gone(_) => return,
        };
        self.observe(cell, &mut state, status, None);
        self.publish(cell, &mut state);
        self.end_operation(&mut state, generation, None);
        if engaged {
            self.log(cell, LogLevel::Info, status.as_str().to_owned());
        }
    }

    async fn take_down(&self, cell: &Cell) {
        self.runtime
            .ensure_stopped(&cell.id, self.settings.stop_grace)
            .await;
        cell.lock().disengage();
    }

    /// Stops the app and removes everything of it; what cannot be removed now is tried again.
    async fn remove(self: &Arc<Self>, cell: &Cell, generation: i64, data: DataPolicy) {
        let local = cell.lock().is_local();
        if local {
            self.observe(cell, &mut cell.lock(), Status::Stopping, None);
            self.take_down(cell).await;
        }
        if let Err(error) = self.remove_everything(cell, data).await {
            let mut state = cell.lock();
            state.failures = state.failures.saturating_add(1);
            let delay = self.settings.patient_delay(state.failures);
            let text = format!("cannot be deleted yet, trying again in {delay:?}: {error}");
            tracing::error!(app = %cell.id, %error, ?delay, "cannot delete an app yet");
            self.observe(cell, &mut state, Status::Stopping, Some(text));
            drop(state);
            self.queue.add_later(&cell.id, delay);
            return;
        }
        self.forget_everywhere(cell);
        self.routes.remove(&cell.id);
        self.index.remove(&cell.id);
        self.keys.forget(&cell.id);
        self.regrant(&self.users_of_database(&cell.id));
        self.live.tell(LiveEvent::AppRemoved {
            app: cell.id.clone(),
        });
        let operation = cell.lock().take_operation(generation);
        if let Some(id) = operation {
            self.operations
                .finish(&id, OperationStatus::Succeeded, None, now_ms());
        }
    }

    /// The row goes last, with the end of the operation: until then the next start would go on.
    async fn remove_everything(&self, cell: &Cell, data: DataPolicy) -> Result<(), Error> {
        let local = cell.lock().is_local();
        // A worker removes what it gave.
        let kept = if local {
            self.remove_capabilities(cell, data).await?
        } else {
            None
        };
        self.logs.remove(&cell.id);
        if data == DataPolicy::Drop {
            files::remove_dir_if_there(&files::app(&self.data_dir, &cell.id)).await?;
        }
        let operation = cell
            .lock()
            .operation
            .as_ref()
            .map(|carried| carried.id.clone());
        let running = operation.and_then(|id| self.operations.watch(&id));
        let mut tx = self.begin().await?;
        lodge_db::apps::delete(&mut tx, &cell.id).await?;
        if let Some(watch) = running {
            let mut operation = watch.borrow().clone();
            let (status, now) = (OperationStatus::Succeeded, now_ms());
            operation.status = status;
            operation.finished_at = Some(now);
            if lodge_db::operations::finish(&mut tx, &operation.id, status, None, now).await? {
                let mut entry = entry_of(&operation);
                entry.message = kept.as_deref();
                lodge_db::events::insert(&mut tx, &entry).await?;
            }
        }
        tx.commit().await.map_err(lodge_db::Error::from)?;
        Ok(())
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
                self.try_later(cell, state, delay);
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
        self.try_later(cell, state, delay);
    }

    pub(crate) fn try_later(&self, cell: &Cell, state: &mut State, delay: Duration) {
        state.retry_at = Some(Instant::now() + delay);
        // A little later, so that the retry is due for certain.
        self.queue
            .add_later(&cell.id, delay + Duration::from_millis(1));
    }

    /// A start that cannot succeed: no further tries.
    fn give_up(&self, cell: &Cell, state: &mut State, error: &str) {
        if state.failures == 0 {
            self.fail(cell, state, self.settings.give_up_after.max(1), error);
        }
    }

    fn fail(&self, cell: &Cell, state: &mut State, failures: u32, text: &str) {
        state.failures = failures;
        state.retry_at = None;
        state.endpoint = None;
        self.log(cell, LogLevel::Error, format!("could not start: {text}"));
        tracing::warn!(app = %cell.id, reason = text, "an app could not start");
        self.observe(cell, state, Status::Failed, Some(text.to_owned()));
        self.publish(cell, state);
        let generation = state.row.generation;
        self.end_operation(state, generation, Some(text));
    }

    /// Tells the request path and whoever waits what visitors meet now.
    pub(crate) fn publish(&self, cell: &Cell, state: &mut State) {
        self.routes.set_phase(&cell.id, state.phase());
        state.answer_visitors();
    }

    pub(crate) fn log(&self, cell: &Cell, level: LogLevel, message: String) {
        let line = LogLine {
            time: now_ms(),
            level,
            source: LogSource::Host,
            message,
            fields: None,
            request: None,
        };
        self.logs.write(&cell.id, line);
    }
}

fn waits_for(component: &ComponentRow) -> String {
    let c = &component.component;
    format!("waits for {} {} to be compiled", c.name, c.version)
}
