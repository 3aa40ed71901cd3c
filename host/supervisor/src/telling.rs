//! What workers are told: an app's specification for each of its environments, one app at a time.

use crate::cell::{Cell, State};
use crate::observed::brief;
use crate::queue::Lane;
use crate::remote::Telling;
use crate::supervisor::Supervisor;
use lodge_model::{
    AppId, ComponentRef, ComponentStatus, DataPolicy, Digest, EnvironmentName, Goal, Grant,
    LogLevel, Revision, Specification, StartError, World,
};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

/// Delay before something is told again that Redis did not take.
const TELL_AGAIN: Duration = Duration::from_secs(2);

impl Supervisor {
    /// Tells an app's environments what they are to know, as far as it is their turn. True: nothing of
    /// the app is left in any.
    pub(crate) async fn tell_environments(self: &Arc<Self>, cell: &Arc<Cell>) -> bool {
        let Some(cluster) = &self.cluster else {
            return true;
        };
        loop {
            let telling = {
                let mut state = cell.lock();
                self.drop_gone(cell, &mut state);
                let wanted = state.wanted();
                let condition = |name: &EnvironmentName| self.workers.condition(name);
                match state
                    .remotes
                    .next(wanted, self.term.load(Relaxed), condition)
                {
                    Some(telling) => telling,
                    None => {
                        self.refresh(cell, &mut state);
                        self.settle(cell, &mut state);
                        return state.remotes.all_gone();
                    }
                }
            };
            if let Some(problem) = self.link_problem() {
                // Every app is looked at when it is back: none has to try meanwhile.
                self.wait_for_redis(cell, &problem);
                return false;
            }
            let told = match self.specification(cell, &telling).await {
                Ok(specification) => cluster.link.publish(&specification).await,
                Err(error) => {
                    self.cannot_tell(cell, &telling, &error.to_string());
                    if matches!(error, StartError::Host(_)) {
                        // Not the app's fault, and perhaps not for long.
                        self.queue.add_later(&cell.id, self.settings.longest_retry);
                    }
                    return false;
                }
            };
            match told {
                Ok(()) => {
                    let mut state = cell.lock();
                    state.remotes.told(&telling);
                }
                Err(error) => {
                    self.wait_for_redis(cell, &error.to_string());
                    self.queue.add_later(&cell.id, TELL_AGAIN);
                    return false;
                }
            }
        }
    }

    fn wait_for_redis(&self, cell: &Cell, why: &str) {
        let operation = {
            let state = cell.lock();
            state.operation.as_ref().map(|carried| carried.id.clone())
        };
        if let Some(id) = operation {
            let text = format!("waits for Redis: {why}");
            self.operations.progress(&id, &text);
        }
    }

    fn cannot_tell(&self, cell: &Cell, telling: &Telling, why: &str) {
        let mut state = cell.lock();
        let generation = state.row.generation;
        if generation != telling.wanted.generation {
            return;
        }
        if let Some(observed) = state.remotes.fail(&telling.environment, brief(why)) {
            self.tell_observed(cell, observed);
        }
        self.log(cell, LogLevel::Error, format!("could not start: {why}"));
        self.refresh(cell, &mut state);
        self.end_operation(&mut state, generation, Some(why));
    }

    /// Forgets the environments that an app has left.
    fn drop_gone(self: &Arc<Self>, cell: &Arc<Cell>, state: &mut State) {
        for environment in state.remotes.drop_gone() {
            self.index.left(&cell.id, &environment);
            self.forget(cell.id.clone(), environment);
        }
    }

    fn forget(self: &Arc<Self>, app: AppId, environment: EnvironmentName) {
        if !self.leads() {
            return;
        }
        let this = Arc::clone(self);
        self.tasks.spawn(async move {
            if let Some(cluster) = &this.cluster
                && let Err(error) = cluster.link.forget(&environment, &app).await
            {
                // It is found again when the environment is next looked at as a whole.
                tracing::debug!(%app, %environment, %error, "cannot remove an app from Redis yet");
            }
            let kept = async {
                let mut tx = this.begin().await?;
                lodge_db::observed::delete(&mut tx, &app, &environment).await?;
                tx.commit().await.map_err(lodge_db::Error::from)
            };
            if let Err(error) = kept.await {
                tracing::debug!(%app, %environment, %error, "cannot remove an old report");
            }
        });
    }

    /// After the deletion of an app: nothing of it stays in Redis.
    pub(crate) fn forget_everywhere(self: &Arc<Self>, cell: &Cell) {
        let places: Vec<_> = {
            let state = cell.lock();
            let places = state.remotes.places().iter();
            places.map(|place| place.environment.clone()).collect()
        };
        for environment in places {
            self.forget(cell.id.clone(), environment);
        }
    }

    async fn specification(
        &self,
        cell: &Cell,
        telling: &Telling,
    ) -> Result<Specification, StartError> {
        let (row, operation) = {
            let state = cell.lock();
            let operation = state.operation.as_ref().map(|carried| carried.id.clone());
            (state.row.clone(), operation)
        };
        let app = &row.app;
        let found = self.library.get(&app.component.digest);
        let Some(component) = found else {
            return Err(StartError::Host("its component is not there".into()));
        };
        let starts = matches!(telling.wanted.goal, Goal::Running | Goal::Waiting);
        if starts && component.component.status == ComponentStatus::Failed {
            let why = component.component.error.unwrap_or_default();
            let text = format!("its component could not be compiled: {why}");
            return Err(StartError::Component(text));
        }
        let grant = self.launch_grant(cell, app).await?;
        Ok(Specification {
            app: cell.id.clone(),
            environment: telling.environment.clone(),
            revision: telling.revision,
            goal: telling.wanted.goal,
            restart_before: telling.wanted.restart_before,
            operation,
            component: app.component.clone(),
            component_size: component.component.size,
            world: component.component.world,
            uses_async: component.uses_async,
            domains: app.domains.clone(),
            path_access: app.path_access,
            grant,
        })
    }

    /// Has an environment let go of an app that is not placed there: one that was deleted or moved while
    /// it did not answer. Its data stay.
    pub(crate) fn evict(
        self: &Arc<Self>,
        app: &AppId,
        environment: &EnvironmentName,
        from: Revision,
    ) {
        if let Some(cell) = self.index.get(app) {
            let mut state = cell.lock();
            state.remotes.evict(environment);
            self.index.placed(&cell, &state);
            drop(state);
            self.queue.add(app, Lane::Background);
            return;
        }
        if !self.leads() {
            return;
        }
        let specification = farewell(app, environment, from, self.term.load(Relaxed));
        let (this, app, environment) = (Arc::clone(self), app.clone(), environment.clone());
        self.tasks.spawn(async move {
            if let Some(cluster) = &this.cluster
                && let Err(error) = cluster.link.publish(&specification).await
            {
                tracing::debug!(%app, %environment, %error, "cannot have an environment let go of an app yet");
            }
        });
    }
}

/// What an environment is told of an app that nothing else is known of: to let go of it.
fn farewell(
    app: &AppId,
    environment: &EnvironmentName,
    from: Revision,
    term: i64,
) -> Specification {
    Specification {
        app: app.clone(),
        environment: environment.clone(),
        revision: Revision {
            generation: from.generation,
            term: term.max(from.term),
            step: from.step.saturating_add(1),
        },
        goal: Goal::Gone(DataPolicy::Keep),
        restart_before: 0,
        operation: None,
        component: ComponentRef {
            name: "none".into(),
            version: "none".into(),
            digest: Digest::from_bytes([0; 32]),
        },
        component_size: 0,
        world: World::Http02,
        uses_async: false,
        domains: Vec::new(),
        path_access: lodge_model::PathAccess::default(),
        grant: Grant {
            app: app.clone(),
            database: lodge_model::DatabaseSpec::default(),
            sources: std::collections::BTreeMap::new(),
            source_databases: std::collections::BTreeMap::new(),
            jwt_keys: Vec::new(),
            config: std::collections::BTreeMap::new(),
            outbound_hosts: Vec::new(),
            limits: lodge_model::Limits::default(),
        },
    }
}
