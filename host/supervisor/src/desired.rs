//! Start, stop, restart, delete: what should be is written, with the operation that asks for it and
//! the audit entry, in one transaction, before anything acts. Then the reconciler acts.

use crate::cell::{Carried, Cell, State};
use crate::clock::{now_ms, operation_id};
use crate::events::{accepted, entry_of};
use crate::index::unseen_conflict;
use crate::keys::KeyChange;
use crate::live::LiveEvent;
use crate::queue::Lane;
use crate::supervisor::Supervisor;
use crate::{Actor, Error};
use lodge_db::Tx;
use lodge_db::apps::AppRow;
use lodge_db::operations::OperationRow;
use lodge_model::{AppId, DataPolicy, Desired, Operation, OperationKind, OperationStatus};
use std::sync::Arc;

/// What should be of an app from now on, and who asks for it by what.
pub(crate) struct Change<'a> {
    pub(crate) row: AppRow,
    pub(crate) kind: OperationKind,
    pub(crate) actor: &'a Actor,
    /// What becomes of its keys in the same step.
    pub(crate) keys: Vec<KeyChange>,
}

impl<'a> Change<'a> {
    pub(crate) fn of(row: AppRow, kind: OperationKind, actor: &'a Actor) -> Self {
        Self {
            row,
            kind,
            actor,
            keys: Vec::new(),
        }
    }
}

impl Supervisor {
    /// Has an app run, now, whatever its start mode; also one that had given up.
    ///
    /// # Errors
    /// There is no such app, it is being deleted, or the database failed.
    pub async fn start(self: &Arc<Self>, id: &AppId, actor: &Actor) -> Result<Operation, Error> {
        self.ask(id, OperationKind::Start, None, actor).await
    }

    /// Has an app stop, and stay so until it is started, through restarts of the host too.
    ///
    /// # Errors
    /// As [`Supervisor::start`].
    pub async fn stop(self: &Arc<Self>, id: &AppId, actor: &Actor) -> Result<Operation, Error> {
        self.ask(id, OperationKind::Stop, None, actor).await
    }

    /// Has an app stop, if it runs, and run.
    ///
    /// # Errors
    /// As [`Supervisor::start`].
    pub async fn restart(self: &Arc<Self>, id: &AppId, actor: &Actor) -> Result<Operation, Error> {
        self.ask(id, OperationKind::Restart, None, actor).await
    }

    /// Has an app stop and everything of it go. Asked again, it gives the operation under way.
    ///
    /// # Errors
    /// There is no such app, its data are to go while others were granted its database, or the
    /// control database failed.
    pub async fn delete_app(
        self: &Arc<Self>,
        id: &AppId,
        data: DataPolicy,
        actor: &Actor,
    ) -> Result<Operation, Error> {
        self.ask(id, OperationKind::Delete, Some(data), actor).await
    }

    async fn ask(
        self: &Arc<Self>,
        id: &AppId,
        kind: OperationKind,
        data: Option<DataPolicy>,
        actor: &Actor,
    ) -> Result<Operation, Error> {
        let (this, id, actor) = (Arc::clone(self), id.clone(), actor.clone());
        self.unbroken(async move { this.ask_unbroken(&id, kind, data, &actor).await })
            .await
    }

    async fn ask_unbroken(
        &self,
        id: &AppId,
        kind: OperationKind,
        data: Option<DataPolicy>,
        actor: &Actor,
    ) -> Result<Operation, Error> {
        let _one = self.writes.lock().await;
        let cell = self.index.require(id)?;
        if kind == OperationKind::Delete
            && let Some(under_way) = self.deletion_under_way(&cell)
        {
            return Ok(under_way);
        }
        let mut row = self.changeable(&cell)?;
        if data == Some(DataPolicy::Drop) {
            self.check_unused_database(id, "delete it with data=keep")?;
        }
        match kind {
            OperationKind::Stop => row.app.desired = Desired::Stopped,
            OperationKind::Delete => row.deleting = data,
            _ => row.app.desired = Desired::Running,
        }
        self.write_desired(&cell, Change::of(row, kind, actor), |state| {
            state.activated = matches!(kind, OperationKind::Start | OperationKind::Restart);
            if kind == OperationKind::Restart {
                state.restart_before = state.row.generation;
            }
        })
        .await
    }

    fn deletion_under_way(&self, cell: &Cell) -> Option<Operation> {
        let state = cell.lock();
        state.row.deleting?;
        let id = &state.operation.as_ref()?.id;
        self.operations
            .watch(id)
            .map(|watch| watch.borrow().clone())
    }

    /// What should be of an app that may still change.
    pub(crate) fn changeable(&self, cell: &Cell) -> Result<AppRow, Error> {
        let row = cell.lock().row.clone();
        if row.deleting.is_some() {
            return Err(Error::conflict(
                "app_deleting",
                format!(
                    "the app `{}` is being deleted: wait for that, then create it anew",
                    cell.id
                ),
            ));
        }
        Ok(row)
    }

    /// An operation that begins now.
    pub(crate) fn new_operation(
        &self,
        row: &AppRow,
        kind: OperationKind,
        actor: &Actor,
    ) -> Result<Operation, Error> {
        let now = now_ms();
        Ok(Operation {
            id: operation_id(now)?,
            kind,
            app: row.app.id.clone(),
            status: OperationStatus::Running,
            progress: None,
            error: None,
            actor: actor.as_str().to_owned(),
            created_at: now,
            finished_at: None,
        })
    }

    /// Writes what should be from now on, then notes it in memory (`note` sets what only the memory
    /// knows), tells the request path, and has the reconciler look. For the holder of `writes`.
    pub(crate) async fn write_desired(
        &self,
        cell: &Arc<Cell>,
        mut change: Change<'_>,
        note: impl FnOnce(&mut State),
    ) -> Result<Operation, Error> {
        change.row.generation += 1;
        let operation = self.new_operation(&change.row, change.kind, change.actor)?;
        let Some((tx, superseded)) = self.stage_desired(&change, &operation).await? else {
            self.reread(cell).await;
            return Err(Error::conflict(
                "changed_meanwhile",
                format!(
                    "the app `{}` was changed meanwhile: look at it and try again",
                    cell.id
                ),
            ));
        };
        if let Err(error) = tx.commit().await {
            // It may have happened although the answer did not come.
            self.reread(cell).await;
            return Err(lodge_db::Error::from(error).into());
        }
        let Change { row, keys, .. } = change;
        for change in keys {
            self.keys.apply(change);
        }
        for old in superseded {
            let at = old.finished_at.unwrap_or_default();
            self.operations
                .finish(&old.id, old.status, old.error.as_deref(), at);
        }
        self.operations.begin(operation.clone());
        {
            let mut state = cell.lock();
            state.operation = Some(Carried {
                id: operation.id.clone(),
                generation: row.generation,
            });
            state.row = row;
            state.place(&self.environment);
            self.index.placed(cell, &state);
            state.give_another_chance();
            note(&mut state);
            self.refresh(cell, &mut state);
            state.answer_visitors();
            // Not only the phase: the limits, domains and path access may have changed.
            self.routes.upsert(cell.route(&state));
        }
        cell.ring();
        self.live.tell(LiveEvent::AppChanged {
            app: cell.id.clone(),
        });
        self.queue.add(&cell.id, Lane::Urgent);
        Ok(operation)
    }

    /// The transaction, but for its commit; and the operations that the new one takes the place of.
    /// None: the app has changed since the generation before.
    async fn stage_desired(
        &self,
        change: &Change<'_>,
        operation: &Operation,
    ) -> Result<Option<(Tx, Vec<Operation>)>, Error> {
        let row = &change.row;
        let mut tx = self.begin().await?;
        if !lodge_db::apps::update(&mut tx, &*self.sealer, row, row.generation - 1)
            .await
            .map_err(unseen_conflict)?
        {
            return Ok(None);
        }
        for keys in &change.keys {
            keys.stage(&mut tx, &*self.sealer).await?;
        }
        let (app, now) = (&row.app.id, operation.created_at);
        let superseded = lodge_db::operations::supersede(&mut tx, app, &operation.id, now).await?;
        for old in &superseded {
            lodge_db::events::insert(&mut tx, &entry_of(old)).await?;
        }
        let kept = OperationRow {
            operation: operation.clone(),
            generation: row.generation,
        };
        lodge_db::operations::insert(&mut tx, &kept).await?;
        lodge_db::events::insert(&mut tx, &accepted(operation, change.actor)).await?;
        Ok(Some((tx, superseded)))
    }

    /// Takes what the database says over what the memory says, after a write of which nobody knows
    /// whether it happened. If the database cannot say either, the next change of the app will find
    /// out: its generation does not fit then.
    async fn reread(&self, cell: &Arc<Cell>) {
        if let Err(error) = self.try_reread(cell).await {
            tracing::error!(app = %cell.id, %error, "cannot read an app again after a failed write");
        }
    }

    async fn try_reread(&self, cell: &Arc<Cell>) -> Result<(), lodge_db::Error> {
        let Some(row) = lodge_db::apps::get(&self.db, &*self.sealer, &cell.id).await? else {
            return Ok(());
        };
        if row.generation == cell.lock().row.generation {
            return Ok(());
        }
        let unfinished = lodge_db::operations::unfinished(&self.db).await?;
        self.keys
            .load(lodge_db::keys::all(&self.db, &*self.sealer).await?);
        self.index.set_domains(&cell.id, &row.app.domains);
        let current = |operation: &OperationRow| {
            operation.operation.app == cell.id && operation.generation == row.generation
        };
        let operation = unfinished.into_iter().find(current);
        {
            let mut state = cell.lock();
            if row.app.desired == Desired::Stopped {
                state.activated = false;
            }
            state.row = row;
            state.place(&self.environment);
            self.index.placed(cell, &state);
            state.give_another_chance();
        }
        if let Some(operation) = operation {
            self.take_up(cell, operation);
        }
        {
            let mut state = cell.lock();
            state.answer_visitors();
            self.routes.upsert(cell.route(&state));
        }
        cell.ring();
        self.queue.add(&cell.id, Lane::Urgent);
        Ok(())
    }
}
