//! From nothing to ready: reads what should be, tells the request path, and begins to close the
//! difference.
//!
//! Nothing runs in a process that has just started, whatever was observed before the last one ended.
//! So every app begins stopped, waiting or to be started, and what had been asked for and was not
//! done is taken up again. When [`Supervisor::open`] returns, every route is known.

use crate::catch_up::CatchUps;
use crate::cell::{Carried, Cell};
use crate::clock::now_ms;
use crate::environments::Workers;
use crate::events::entry_of;
use crate::figures::Figures;
use crate::health::LastHealth;
use crate::index::Index;
use crate::keys::Keys;
use crate::lead;
use crate::library::{Library, files};
use crate::live::Live;
use crate::observed::Unwritten;
use crate::operations::Operations;
use crate::preferences::Kept;
use crate::queue::{Lane, Queue};
use crate::supervisor::{Parts, Supervisor};
use crate::{Error, Settings};
use lodge_db::operations::OperationRow;
use lodge_model::{ComponentStatus, Digest, Goal, OperationKind, OperationStatus};
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How often old entries are removed.
const PRUNE_EVERY: Duration = Duration::from_secs(60 * 60);

impl Supervisor {
    /// Reads everything, publishes every route and starts the reconciler.
    ///
    /// # Errors
    /// The data directory cannot be used, another process uses it or the control database, or the
    /// latter failed.
    pub async fn open(parts: Parts) -> Result<Arc<Self>, Error> {
        let this = Arc::new(Self::assemble(parts).await?);
        this.load_apps().await?;
        if this.leads() {
            this.take_up_operations().await?;
        }
        this.publish_all();
        this.spawn_workers();
        if this.leads() {
            this.begin_work();
        }
        Ok(this)
    }

    async fn assemble(parts: Parts) -> Result<Self, Error> {
        let Parts {
            db,
            runtime,
            provider,
            routes,
            logs,
            sealer,
            make_key,
            key_set,
            data_dir,
            environment,
            cluster,
            settings,
        } = parts;
        let lock = files::prepare(&data_dir)?;
        let (claim, term) = lead::first_claim(&db, cluster.as_ref(), &settings).await?;
        lodge_db::sealing::check(&db, &*sealer).await?;
        let keys = lodge_db::keys::all(&db, &*sealer).await?;
        let components = lodge_db::components::all(&db).await?;
        let known: HashSet<Digest> = components.iter().map(|row| row.component.digest).collect();
        for digest in files::sweep(&data_dir, &known)? {
            runtime.remove_compiled(digest).await;
        }
        let kept = Kept::load(&db, &settings).await?;
        let workers = Workers::load(Self::known_workers(&db, cluster.as_ref()).await?);
        let live = Live::new(settings.live_backlog);
        let Settings {
            urgent_lanes,
            background_lanes,
            uploads,
            ..
        } = settings;
        let store = settings.component_store.clone();
        Ok(Self {
            index: Index::default(),
            keys: Keys::new(make_key, key_set, keys),
            trials: Semaphore::new(settings.database_tests),
            library: Library::new(&data_dir, uploads, store, components),
            operations: Operations::new(live.clone()),
            queue: Queue::new(urgent_lanes, background_lanes),
            unwritten: Unwritten::default(),
            figures: Figures::default(),
            health: LastHealth::default(),
            started_at: now_ms(),
            writes: tokio::sync::Mutex::default(),
            writing: tokio::sync::Mutex::default(),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
            _lock: lock,
            claim: parking_lot::Mutex::new(claim.map(Arc::new)),
            term: AtomicI64::new(term),
            db,
            runtime,
            provider,
            routes,
            logs,
            sealer,
            data_dir,
            environment,
            link_problem: parking_lot::Mutex::new(
                cluster.as_ref().map(|_| "not connected yet".to_owned()),
            ),
            cluster,
            workers,
            catch_ups: CatchUps::default(),
            settings,
            kept: parking_lot::Mutex::new(kept),
            live,
        })
    }

    async fn load_apps(&self) -> Result<(), Error> {
        for row in lodge_db::apps::all(&self.db, &*self.sealer).await? {
            let rate = row.app.limits.log_bytes_per_second;
            let cell = Arc::new(Cell::new(row, &self.environment, now_ms()));
            self.logs.set_rate(&cell.id, rate);
            self.index.insert(cell);
        }
        // What was observed before counts only where it is still so: its `since` is kept then.
        for (id, observed) in lodge_db::observed::all(&self.db).await? {
            let Some(cell) = self.index.get(&id) else {
                continue;
            };
            let mut state = cell.lock();
            if observed.environment == self.environment && observed.status == state.observed.status
            {
                state.observed = observed;
            } else if !state.is_local() {
                state.remotes.remember(observed);
            } else {
                self.write_observed(&cell);
            }
        }
        Ok(())
    }

    /// Finds what was asked for and not done. An app can have one such operation: the one that its
    /// generation carries out.
    pub(crate) async fn take_up_operations(&self) -> Result<(), Error> {
        for row in lodge_db::operations::unfinished(&self.db).await? {
            let cell = self.index.get(&row.operation.app);
            let current = cell.filter(|cell| cell.lock().row.generation == row.generation);
            match current {
                Some(cell) => self.take_up(&cell, row),
                None => self.end_outdated(row).await?,
            }
        }
        Ok(())
    }

    pub(crate) fn take_up(&self, cell: &Cell, row: OperationRow) {
        let OperationRow {
            operation,
            generation,
        } = row;
        tracing::info!(app = %cell.id, operation = %operation.id, "taking up an operation again");
        let mut state = cell.lock();
        if matches!(
            operation.kind,
            OperationKind::Start | OperationKind::Restart
        ) {
            state.activated = true;
        }
        if operation.kind == OperationKind::Restart {
            // Workers may not have been told before the last process ended.
            state.restart_before = generation;
        }
        state.operation = Some(Carried {
            id: operation.id.clone(),
            generation,
        });
        self.operations.begin(operation);
    }

    async fn end_outdated(&self, row: OperationRow) -> Result<(), Error> {
        let mut operation = row.operation;
        operation.status = OperationStatus::Failed;
        operation.error =
            Some("the host ended before it was done, and its app has changed since".into());
        operation.finished_at = Some(now_ms());
        let mut tx = self.begin().await?;
        let (status, error) = (operation.status, operation.error.as_deref());
        lodge_db::operations::finish(&mut tx, &operation.id, status, error, now_ms()).await?;
        lodge_db::events::insert(&mut tx, &entry_of(&operation)).await?;
        tx.commit().await.map_err(lodge_db::Error::from)?;
        Ok(())
    }

    fn publish_all(&self) {
        let cells = self.index.all();
        self.routes
            .replace_all(cells.iter().map(|cell| cell.route(&cell.lock())).collect());
    }

    fn spawn_workers(self: &Arc<Self>) {
        let this = Arc::clone(self);
        self.tasks.spawn(async move { this.dispatch().await });
        let this = Arc::clone(self);
        self.tasks.spawn(async move {
            let stop = this.stop.clone();
            stop.run_until_cancelled(this.keep_writing()).await;
        });
        let this = Arc::clone(self);
        self.tasks.spawn(async move {
            let stop = this.stop.clone();
            stop.run_until_cancelled(this.keep_pruning()).await;
        });
        let this = Arc::clone(self);
        self.tasks.spawn(async move {
            let stop = this.stop.clone();
            stop.run_until_cancelled(this.keep_stored()).await;
        });
        self.spawn_sampler();
        if self.cluster.is_some() {
            let this = Arc::clone(self);
            self.tasks.spawn(async move {
                let stop = this.stop.clone();
                stop.run_until_cancelled(this.listen_to_workers()).await;
            });
            let this = Arc::clone(self);
            self.tasks.spawn(async move {
                let stop = this.stop.clone();
                stop.run_until_cancelled(this.look_for_silence()).await;
            });
            let this = Arc::clone(self);
            self.tasks.spawn(async move {
                let stop = this.stop.clone();
                stop.run_until_cancelled(this.keep_leading()).await;
            });
        }
    }

    pub(crate) fn begin_work(self: &Arc<Self>) {
        for cell in self.index.all() {
            let (goal, asked) = {
                let state = cell.lock();
                (state.goal(), state.operation.is_some())
            };
            match goal {
                _ if asked => self.queue.add(&cell.id, Lane::Urgent),
                _ if !cell.lock().remotes.is_empty() => {
                    self.queue.add(&cell.id, Lane::Background);
                }
                Goal::Running | Goal::Gone(_) => self.queue.add(&cell.id, Lane::Background),
                Goal::Waiting | Goal::Stopped => {}
            }
        }
        let mut ready = Vec::new();
        for component in self.library.newest_first() {
            match component.status {
                ComponentStatus::Queued | ComponentStatus::Compiling => {
                    self.compile(component.digest);
                }
                ComponentStatus::Ready => ready.push(component.digest),
                ComponentStatus::Failed => {}
            }
        }
        // Where workers host the apps, they compile.
        if !self.hosts_apps() {
            return;
        }
        let this = Arc::clone(self);
        self.tasks.spawn(async move {
            let stop = this.stop.clone();
            stop.run_until_cancelled(this.verify_components(ready))
                .await;
        });
    }

    async fn keep_pruning(&self) {
        loop {
            if self.leads()
                && let Err(error) = self.prune().await
            {
                tracing::warn!(%error, "cannot remove old entries; trying again in an hour");
            }
            tokio::time::sleep(PRUNE_EVERY).await;
        }
    }

    /// Removes audit entries and ended operations that are older than the retention, and keys that
    /// verify no more.
    async fn prune(&self) -> Result<(), Error> {
        let kept = i64::try_from(self.settings.retention.as_millis()).unwrap_or(i64::MAX);
        let now = now_ms();
        let before = now.saturating_sub(kept);
        let mut tx = self.begin().await?;
        lodge_db::events::prune(&mut tx, before).await?;
        lodge_db::operations::prune(&mut tx, before).await?;
        lodge_db::keys::prune(&mut tx, now).await?;
        tx.commit().await.map_err(lodge_db::Error::from)?;
        self.keys.prune(now);
        Ok(())
    }
}
