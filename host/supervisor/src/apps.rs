//! Apps: created, listed, shown, changed.

use crate::cell::{Carried, Cell};
use crate::clock::{app_id, now_ms};
use crate::desired::Change;
use crate::events::accepted;
use crate::index::unseen_conflict;
use crate::input::{
    AppPatch, ComponentChoice, NewApp, check_amounts, check_domains, settle_engine,
};
use crate::keys::KeyChange;
use crate::live::LiveEvent;
use crate::queue::Lane;
use crate::supervisor::Supervisor;
use crate::{Actor, Error, Listing, Page};
use lodge_db::apps::AppRow;
use lodge_db::events::NewEvent;
use lodge_db::operations::OperationRow;
use lodge_model::{
    App, AppId, ComponentRef, ComponentStatus, DatabaseKind, Desired, Digest, EnvironmentName,
    Goal, Invalid, Operation, OperationKind, Placement, StartMode, Status,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Which apps a list shows. What is absent restricts nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppFilter {
    /// Part of the ID, the display name or a domain, in whatever case.
    pub search: Option<String>,
    /// What is observed.
    pub status: Option<Status>,
    /// Placed in this environment.
    pub environment: Option<EnvironmentName>,
    /// What is asked for.
    pub desired: Option<Desired>,
    /// Runs this component version.
    pub component: Option<Digest>,
    /// Has this tag.
    pub tag: Option<String>,
}

impl AppFilter {
    fn takes(&self, cell: &Cell) -> bool {
        let state = cell.lock();
        let app = &state.row.app;
        self.status.is_none_or(|status| {
            state
                .all_observed()
                .iter()
                .any(|seen| seen.status == status)
        }) && self
            .environment
            .as_ref()
            .is_none_or(|name| app.environments.contains(name))
            && self.desired.is_none_or(|desired| desired == app.desired)
            && self
                .component
                .is_none_or(|digest| digest == app.component.digest)
            && self.tag.as_ref().is_none_or(|tag| app.tags.contains(tag))
            && self.search.as_ref().is_none_or(|text| {
                let text = text.to_lowercase();
                app.id.as_str().contains(&text)
                    || app.display_name.to_lowercase().contains(&text)
                    || app.domains.iter().any(|domain| domain.contains(&text))
            })
    }
}

impl Supervisor {
    /// Apps by ID.
    ///
    /// # Errors
    /// The page makes no sense.
    pub fn apps(&self, filter: &AppFilter, page: &Page) -> Result<Listing<App>, Error> {
        let limit = page.limit()?;
        let after: Option<AppId> =
            page.cursor
                .as_deref()
                .map(str::parse)
                .transpose()
                .map_err(|_| {
                    Invalid::new(
                        "cursor",
                        "is not one of this list's: pass `next_cursor` unchanged",
                    )
                })?;
        let cells = self.index.after(after.as_ref());
        let found = cells
            .iter()
            .filter(|cell| filter.takes(cell))
            .take(limit + 1);
        let items = found.map(|cell| cell.app()).collect();
        Ok(Listing::cut(items, limit, |app: &App| app.id.to_string()))
    }

    /// One app.
    ///
    /// # Errors
    /// There is none.
    pub fn app(&self, id: &AppId) -> Result<App, Error> {
        Ok(self.index.require(id)?.app())
    }

    /// Creates an app. One that is to run with the host starts at once.
    ///
    /// # Errors
    /// A field breaks a rule, an ID or domain is another app's, or the database failed.
    pub async fn create_app(self: &Arc<Self>, new: NewApp, actor: &Actor) -> Result<App, Error> {
        let (this, actor) = (Arc::clone(self), actor.clone());
        self.unbroken(async move { this.create(new, &actor).await })
            .await
    }

    /// The app that [`Supervisor::create_app`] would make of this, checked as that checks it. Nothing
    /// is written: another may take the ID or a domain before it is.
    ///
    /// # Errors
    /// As a creation.
    pub fn check_new_app(&self, new: NewApp) -> Result<App, Error> {
        Ok(self.build(new)?.masked())
    }

    /// Changes an app, and brings the change into force.
    ///
    /// # Errors
    /// There is no such app, it is being deleted, a field breaks a rule, a domain is another app's,
    /// or the database failed.
    pub async fn update_app(
        self: &Arc<Self>,
        id: &AppId,
        patch: AppPatch,
        actor: &Actor,
    ) -> Result<App, Error> {
        let (this, id, actor) = (Arc::clone(self), id.clone(), actor.clone());
        self.unbroken(async move { this.update(&id, &patch, &actor).await })
            .await
    }

    async fn create(&self, new: NewApp, actor: &Actor) -> Result<App, Error> {
        let _one = self.writes.lock().await;
        let app = self.build(new)?;
        let row = AppRow {
            app,
            generation: lodge_db::apps::first_generation(&self.db).await?,
            deleting: None,
        };
        let starts =
            row.app.desired == Desired::Running && row.app.start_mode == StartMode::WithHost;
        let operation = if starts {
            Some(self.new_operation(&row, OperationKind::Start, actor)?)
        } else {
            None
        };
        let key = self.missing_key(&row.app).await?;
        self.insert(&row, key.as_ref(), operation.as_ref(), actor)
            .await?;
        key.into_iter().for_each(|key| self.keys.apply(key));

        let cell = Arc::new(Cell::new(row, &self.environment, now_ms()));
        self.logs
            .set_rate(&cell.id, cell.lock().row.app.limits.log_bytes_per_second);
        if let Some(operation) = operation {
            let carried = Carried {
                id: operation.id.clone(),
                generation: cell.lock().row.generation,
            };
            cell.lock().operation = Some(carried);
            self.operations.begin(operation);
        }
        self.index.insert(Arc::clone(&cell));
        self.routes.upsert(cell.route(&cell.lock()));
        self.write_observed(&cell);
        self.live.tell(LiveEvent::AppChanged {
            app: cell.id.clone(),
        });
        if starts || !cell.lock().is_local() {
            self.queue.add(&cell.id, Lane::Urgent);
        }
        Ok(cell.app())
    }

    /// The app that is asked for, checked as far as it can be.
    fn build(&self, new: NewApp) -> Result<App, Error> {
        let id = match new.id {
            Some(id) => id,
            None => self.free_id()?,
        };
        let default = match new.start_mode {
            StartMode::OnFirstVisit => Desired::Running,
            StartMode::WithHost => Desired::Stopped,
        };
        let mut limits = self.kept.lock().limits();
        limits.apply(&new.limits);
        let mut database = new.database;
        settle_engine(&mut database, self.settings.database_engine);
        let now = now_ms();
        let mut app = App {
            display_name: new.display_name.unwrap_or_else(|| id.to_string()),
            component: self.choose_component(&new.component)?,
            start_mode: new.start_mode,
            environments: Vec::new(),
            placement: Placement::default(),
            failover: new.failover,
            database,
            data_sources: new.data_sources,
            auto_upgrade: new.auto_upgrade,
            jwt: new.jwt,
            domains: new.domains,
            tags: new.tags,
            limits,
            config: new.config,
            outbound_hosts: new.outbound_hosts,
            path_access: new.path_access,
            desired: new.desired.unwrap_or(default),
            observed: Vec::new(),
            created_at: now,
            updated_at: now,
            id,
        };
        self.index.check_id(&app.id)?;
        self.place_new(&mut app, new.environments.as_deref())?;
        self.check(&app)?;
        self.provider.check_database(&app.database)?;
        self.check_new_sources(&app, None)?;
        Ok(app)
    }

    fn free_id(&self) -> Result<AppId, Error> {
        loop {
            let id = app_id()?;
            if self.index.check_id(&id).is_ok() {
                return Ok(id);
            }
        }
    }

    fn choose_component(&self, choice: &ComponentChoice) -> Result<ComponentRef, Error> {
        let component = self.library.choose(choice)?;
        if component.status == ComponentStatus::Failed {
            let error = component.error.as_deref().unwrap_or("no reason is known");
            return Err(Invalid::new(
                "component",
                format!(
                    "{} {} could not be compiled and cannot run: {error}",
                    component.name, component.version
                ),
            )
            .into());
        }
        Ok(ComponentRef {
            name: component.name,
            version: component.version,
            digest: component.digest,
        })
    }

    fn check(&self, app: &App) -> Result<(), Error> {
        check_amounts(app)?;
        app.check()?;
        check_domains(app, self.settings.apps_domain.as_deref())?;
        self.index.check_domains(&app.id, &app.domains)
    }

    async fn insert(
        &self,
        row: &AppRow,
        key: Option<&KeyChange>,
        operation: Option<&Operation>,
        actor: &Actor,
    ) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        lodge_db::apps::insert(&mut tx, &*self.sealer, row)
            .await
            .map_err(unseen_conflict)?;
        if let Some(key) = key {
            key.stage(&mut tx, &*self.sealer).await?;
        }
        let created = NewEvent {
            app: Some(row.app.id.as_str()),
            ..actor.entry(row.app.created_at, "app.create")
        };
        lodge_db::events::insert(&mut tx, &created).await?;
        if let Some(operation) = operation {
            let kept = OperationRow {
                operation: operation.clone(),
                generation: row.generation,
            };
            lodge_db::operations::insert(&mut tx, &kept).await?;
            lodge_db::events::insert(&mut tx, &accepted(operation, actor)).await?;
        }
        tx.commit().await.map_err(lodge_db::Error::from)?;
        Ok(())
    }

    async fn update(&self, id: &AppId, patch: &AppPatch, actor: &Actor) -> Result<App, Error> {
        let _one = self.writes.lock().await;
        let cell = self.index.require(id)?;
        let old = self.changeable(&cell)?;
        let mut row = old.clone();
        patch.apply(&mut row.app)?;
        if row.app.database != old.app.database {
            settle_engine(&mut row.app.database, self.settings.database_engine);
        }
        if let Some(choice) = &patch.component {
            row.app.component = self.choose_component(choice)?;
        }
        self.check(&row.app)?;
        self.check_environments(&row.app, Some(&old.app))?;
        self.check_new_sources(&row.app, Some(&old.app))?;
        let moved = row.app.database != old.app.database;
        if moved {
            self.provider.check_database(&row.app.database)?;
        }
        if moved && row.app.database.kind == DatabaseKind::None {
            self.check_unused_database(id, "leave its database as it is")?;
        }
        if row.app == old.app {
            return Ok(cell.app());
        }
        row.app.updated_at = now_ms();
        let domains = row.app.domains.clone();
        let change = Change {
            keys: self.changed_keys(&old.app, &row.app).await?,
            ..Change::of(row, OperationKind::Update, actor)
        };
        self.write_desired(&cell, change, |state| {
            // What runs keeps running, though it may now be one that waits for its first visit.
            let runs = state.engaged || state.remotes.serving().next().is_some();
            state.activated |= runs && old.app.desired == Desired::Running;
            if state.goal() == Goal::Stopped {
                state.activated = false;
            }
        })
        .await?;
        self.index.set_domains(id, &domains);
        if moved {
            self.regrant(&self.users_of_database(id));
        }
        self.logs
            .set_rate(id, cell.lock().row.app.limits.log_bytes_per_second);
        Ok(cell.app())
    }
}
