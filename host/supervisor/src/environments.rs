//! The places where apps run: this process, and the workers that have introduced themselves.
//!
//! A worker is judged by this process's own clock: it is lost when it was silent for three of its
//! heartbeats. While Redis is away nobody can be heard, so nobody is lost; afterwards everyone has the
//! same time again.

use crate::clock::now_ms;
use crate::figures::machine;
use crate::live::LiveEvent;
use crate::remote::Condition;
use crate::supervisor::Supervisor;
use crate::{Actor, Error};
use lodge_db::environments::EnvironmentRow;
use lodge_model::{
    AppMeter, BootId, EnvironmentName, Heartbeat, Load, Registration, Status, Target,
};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio::time::Instant;
use utoipa::ToSchema;

/// Heartbeats missed before a worker is lost.
const MISSES: u32 = 3;

/// Whether an environment answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EnvironmentStatus {
    /// It reports.
    Online,
    /// It has been silent for three heartbeats.
    Lost,
    /// It ended as it should.
    Left,
    /// It has not reported since this process began.
    Awaited,
}

impl EnvironmentStatus {
    /// The name as the API spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::Lost => "lost",
            Self::Left => "left",
            Self::Awaited => "awaited",
        }
    }
}

/// One place where apps run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EnvironmentInfo {
    /// Its name.
    #[schema(value_type = String)]
    pub name: EnvironmentName,
    /// Lodge's version there.
    pub version: String,
    /// Where people reach it; null: inside this process, or nowhere directly.
    pub url: Option<String>,
    /// Where the supervisor reaches it; null: inside this process.
    pub proxy_url: Option<String>,
    /// Whether it answers.
    pub status: EnvironmentStatus,
    /// What there is to say about that: why it is lost, who was refused.
    pub message: Option<String>,
    /// False: it gets no more apps (cordoned).
    pub schedulable: bool,
    /// True: its apps are moved away or stopped.
    pub draining: bool,
    /// When it last reported, in milliseconds since 1970.
    pub last_heartbeat: i64,
    /// How often it reports, in milliseconds; 0: inside this process.
    pub heartbeat_ms: u64,
    /// Commands that could not be carried out and were put aside, since this process began.
    pub dead_letters: u64,
    /// Apps placed there.
    pub apps: u64,
    /// Of those, apps that run.
    pub running: u64,
    /// When it began, in milliseconds since 1970.
    pub started_at: i64,
    /// Cores that guests may use together.
    pub cpu_cores: f64,
    /// Cores that guests used in the last 10 s.
    pub cpu_load: f64,
    /// Memory that its process has, in bytes.
    pub process_memory_bytes: u64,
    /// Memory that its process may have, in bytes.
    pub memory_total_bytes: u64,
    /// Memory charged to apps, in bytes: part of the process's.
    pub app_memory_bytes: u64,
    /// Instances that apps hold.
    pub instances: u64,
    /// Instances that apps may hold together.
    pub instance_slots: u64,
}

/// One worker.
#[derive(Debug, Clone)]
pub(crate) struct Worker {
    pub(crate) row: EnvironmentRow,
    pub(crate) status: EnvironmentStatus,
    message: Option<String>,
    /// When it was last heard of, or begun to be awaited.
    seen: Instant,
    load: Load,
    dead_letters: u64,
}

/// All workers.
#[derive(Debug, Default)]
pub(crate) struct Workers(Mutex<BTreeMap<EnvironmentName, Worker>>);

impl Worker {
    fn new(row: EnvironmentRow, status: EnvironmentStatus) -> Self {
        Self {
            row,
            status,
            message: None,
            seen: Instant::now(),
            load: Load::default(),
            dead_letters: 0,
        }
    }

    /// It answers, or may be about to.
    fn is_there(&self) -> bool {
        matches!(
            self.status,
            EnvironmentStatus::Online | EnvironmentStatus::Awaited
        )
    }

    fn patience(&self) -> Duration {
        Duration::from_millis(self.row.about.heartbeat_ms).saturating_mul(MISSES)
    }
}

impl Workers {
    pub(crate) fn load(rows: Vec<EnvironmentRow>) -> Self {
        let workers = rows.into_iter().map(|row| {
            let name = row.about.environment.clone();
            (name, Worker::new(row, EnvironmentStatus::Awaited))
        });
        Self(Mutex::new(workers.collect()))
    }

    /// Takes the control database's word for whether a worker takes apps, and knows it if it is new.
    pub(crate) fn learn(&self, row: EnvironmentRow) {
        let mut workers = self.0.lock();
        let name = row.about.environment.clone();
        match workers.get_mut(&name) {
            Some(worker) => {
                worker.row.schedulable = row.schedulable;
                worker.row.draining = row.draining;
            }
            None => {
                workers.insert(name, Worker::new(row, EnvironmentStatus::Awaited));
            }
        }
    }

    pub(crate) fn get(&self, name: &EnvironmentName) -> Option<Worker> {
        self.0.lock().get(name).cloned()
    }

    pub(crate) fn all(&self) -> Vec<Worker> {
        self.0.lock().values().cloned().collect()
    }

    /// As far as an app placed there is concerned.
    pub(crate) fn condition(&self, name: &EnvironmentName) -> Condition {
        let workers = self.0.lock();
        let worker = workers.get(name);
        Condition {
            online: worker.is_some_and(Worker::is_there),
            draining: worker.is_some_and(|worker| worker.row.draining),
        }
    }

    /// Where requests are sent, and whether it answers.
    pub(crate) fn target(&self, name: &EnvironmentName) -> Option<(Target, bool)> {
        let workers = self.0.lock();
        let worker = workers.get(name)?;
        let about = &worker.row.about;
        let target = Target {
            environment: name.clone(),
            url: about.proxy_url.clone(),
            boot: about.boot,
        };
        Some((target, worker.is_there()))
    }

    /// Takes a worker in. True: it is another run than before.
    pub(crate) fn join(&self, about: Registration) -> (EnvironmentRow, bool) {
        let mut workers = self.0.lock();
        let before = workers.get(&about.environment);
        let other = before.is_none_or(|worker| worker.row.about.boot != about.boot);
        let row = EnvironmentRow {
            schedulable: before.is_none_or(|worker| worker.row.schedulable),
            draining: before.is_some_and(|worker| worker.row.draining),
            about,
            last_seen: now_ms(),
        };
        let mut worker = Worker::new(row.clone(), EnvironmentStatus::Online);
        worker.dead_letters = before.map_or(0, |worker| worker.dead_letters);
        workers.insert(row.about.environment.clone(), worker);
        (row, other)
    }

    /// Notes a sign of life. True: it had been given up.
    pub(crate) fn beat(&self, beat: &Heartbeat) -> bool {
        let mut workers = self.0.lock();
        let Some(worker) = workers.get_mut(&beat.environment) else {
            return false;
        };
        if worker.row.about.boot != beat.boot {
            return false;
        }
        worker.seen = Instant::now();
        worker.row.last_seen = now_ms();
        worker.load = beat.load;
        let back = worker.status != EnvironmentStatus::Online;
        worker.status = EnvironmentStatus::Online;
        worker.message = None;
        back
    }

    /// Notes that a worker said goodbye. True: it was the present run.
    pub(crate) fn leave(&self, name: &EnvironmentName, boot: BootId) -> bool {
        let mut workers = self.0.lock();
        let worker = workers.get_mut(name);
        let Some(worker) = worker.filter(|worker| worker.row.about.boot == boot) else {
            return false;
        };
        worker.status = EnvironmentStatus::Left;
        worker.message = Some("it was stopped".into());
        true
    }

    pub(crate) fn note(&self, name: &EnvironmentName, change: impl FnOnce(&mut Worker)) {
        if let Some(worker) = self.0.lock().get_mut(name) {
            change(worker);
        }
    }

    /// Gives everyone the same time again: nobody could be heard.
    pub(crate) fn forgive(&self) {
        for worker in self.0.lock().values_mut() {
            worker.seen = Instant::now();
        }
    }

    /// Gives up those that were silent for too long, and names them.
    pub(crate) fn give_up(&self) -> Vec<EnvironmentName> {
        let mut lost = Vec::new();
        for (name, worker) in self.0.lock().iter_mut() {
            if worker.is_there() && worker.seen.elapsed() > worker.patience() {
                worker.status = EnvironmentStatus::Lost;
                worker.message = Some(format!(
                    "it has not reported for {} s: look at its log and at its way to Redis",
                    worker.patience().as_secs()
                ));
                lost.push(name.clone());
            }
        }
        lost
    }

    pub(crate) fn remove(&self, name: &EnvironmentName) {
        self.0.lock().remove(name);
    }
}

impl Worker {
    /// A command for it was put aside.
    pub(crate) fn count_dead_letter(&mut self) {
        self.dead_letters += 1;
    }

    pub(crate) fn say(&mut self, message: String) {
        self.message = Some(message);
    }

    pub(crate) fn load(&self) -> Load {
        self.load
    }

    fn info(&self, apps: u64, running: u64) -> EnvironmentInfo {
        let about = &self.row.about;
        EnvironmentInfo {
            name: about.environment.clone(),
            version: about.version.clone(),
            url: about.url.clone(),
            proxy_url: Some(about.proxy_url.clone()),
            status: self.status,
            message: self.message.clone(),
            schedulable: self.row.schedulable,
            draining: self.row.draining,
            last_heartbeat: self.row.last_seen,
            heartbeat_ms: about.heartbeat_ms,
            dead_letters: self.dead_letters,
            apps,
            running,
            started_at: about.started_at,
            cpu_cores: about.capacity.cores,
            cpu_load: self.load.cpu,
            process_memory_bytes: self.load.process_memory_bytes,
            memory_total_bytes: about.capacity.memory_bytes,
            app_memory_bytes: self.load.app_memory_bytes,
            instances: self.load.instances,
            instance_slots: about.capacity.instance_slots,
        }
    }
}

impl Supervisor {
    /// The places where apps run.
    pub fn environments(&self) -> Vec<EnvironmentInfo> {
        let mut counts: HashMap<EnvironmentName, (u64, u64)> = HashMap::new();
        for cell in self.index.all() {
            for observed in cell.lock().all_observed() {
                let (apps, running) = counts.entry(observed.environment).or_default();
                *apps += 1;
                *running += u64::from(observed.status == Status::Running);
            }
        }
        let count = |name: &EnvironmentName| counts.get(name).copied().unwrap_or_default();
        let mut infos = Vec::new();
        if self.hosts_apps() {
            let (apps, running) = count(&self.environment);
            infos.push(self.local_info(apps, running));
        }
        for worker in self.workers.all() {
            let (apps, running) = count(&worker.row.about.environment);
            infos.push(worker.info(apps, running));
        }
        infos
    }

    /// One of them.
    ///
    /// # Errors
    /// There is none of that name.
    pub fn environment(&self, name: &EnvironmentName) -> Result<EnvironmentInfo, Error> {
        if self.hosts_apps() && *name == self.environment {
            let mut infos = self.environments().into_iter();
            let local = infos.find(|info| info.name == *name);
            return local.ok_or_else(|| Error::not_found("environment", name));
        }
        let worker = self.workers.get(name);
        let worker = worker.ok_or_else(|| Error::not_found("environment", name))?;
        let (mut apps, mut running) = (0, 0);
        for cell in self.cells_in(name) {
            let state = cell.lock();
            if let Some(status) = state.remotes.status_in(name) {
                apps += 1;
                running += u64::from(status == Status::Running);
            }
        }
        Ok(worker.info(apps, running))
    }

    /// True: apps run in this process.
    pub(crate) fn hosts_apps(&self) -> bool {
        self.cluster
            .as_ref()
            .is_none_or(|cluster| cluster.hosts_apps)
    }

    fn local_info(&self, apps: u64, running: u64) -> EnvironmentInfo {
        let cells = self.index.all();
        let local = cells.iter().filter(|cell| cell.lock().is_local());
        let sum = |held: fn(&AppMeter) -> u64| local.clone().map(|cell| held(&cell.meter)).sum();
        let facts = self.runtime.facts();
        EnvironmentInfo {
            name: self.environment.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            url: None,
            proxy_url: None,
            status: EnvironmentStatus::Online,
            message: None,
            schedulable: true,
            draining: false,
            last_heartbeat: now_ms(),
            heartbeat_ms: 0,
            dead_letters: 0,
            apps,
            running,
            started_at: self.started_at,
            cpu_cores: facts.guest_cores,
            cpu_load: self.cpu_load(),
            process_memory_bytes: machine::process_memory(),
            memory_total_bytes: machine::memory_total(),
            app_memory_bytes: sum(|meter| meter.memory_bytes.load(Relaxed)),
            instances: sum(|meter| meter.instances.load(Relaxed).max(0).unsigned_abs()),
            instance_slots: facts.instance_slots,
        }
    }

    /// Has a worker get no more apps, or get them again. The latter also ends a drain.
    ///
    /// # Errors
    /// There is no such worker, or the database failed.
    pub async fn set_schedulable(
        self: &Arc<Self>,
        name: &EnvironmentName,
        schedulable: bool,
        actor: &Actor,
    ) -> Result<EnvironmentInfo, Error> {
        let kind = if schedulable {
            "environment.uncordon"
        } else {
            "environment.cordon"
        };
        self.change_worker(name, kind, actor, |row| {
            row.schedulable = schedulable;
            row.draining &= !schedulable;
        })
        .await?;
        self.look_at_apps_of(name);
        self.environment(name)
    }

    /// Empties a worker: it gets no more apps, those that may be elsewhere are moved, and the others
    /// stop until it is uncordoned. Returns at once; requests under way are finished.
    ///
    /// # Errors
    /// There is no such worker, or the database failed.
    pub async fn drain(
        self: &Arc<Self>,
        name: &EnvironmentName,
        actor: &Actor,
    ) -> Result<EnvironmentInfo, Error> {
        self.change_worker(name, "environment.drain", actor, |row| {
            row.schedulable = false;
            row.draining = true;
        })
        .await?;
        self.move_apps_from(name, actor).await;
        self.look_at_apps_of(name);
        self.environment(name)
    }

    /// Forgets a worker that is gone and has no apps.
    ///
    /// # Errors
    /// There is no such worker, it is online, apps are placed there, or the database failed.
    pub async fn remove_environment(
        self: &Arc<Self>,
        name: &EnvironmentName,
        actor: &Actor,
    ) -> Result<(), Error> {
        let worker = self.worker(name)?;
        if worker.status == EnvironmentStatus::Online {
            return Err(Error::conflict(
                "environment_online",
                format!("the environment `{name}` is online: stop its worker first"),
            ));
        }
        let cells = self.cells_in(name);
        if !cells.is_empty() {
            let names: Vec<_> = cells
                .iter()
                .take(10)
                .map(|cell| format!("`{}`", cell.id))
                .collect();
            return Err(Error::conflict(
                "environment_in_use",
                format!(
                    "{} apps are placed in `{name}` ({}): place them elsewhere or delete them first",
                    cells.len(),
                    names.join(", ")
                ),
            ));
        }
        let mut tx = self.begin().await?;
        lodge_db::environments::delete(&mut tx, name).await?;
        let entry = actor.entry(now_ms(), "environment.remove");
        let entry = lodge_db::events::NewEvent {
            subject: Some(name.as_str()),
            ..entry
        };
        lodge_db::events::insert(&mut tx, &entry).await?;
        tx.commit().await.map_err(lodge_db::Error::from)?;
        self.workers.remove(name);
        if let Some(cluster) = &self.cluster
            && let Err(error) = cluster.link.remove(name).await
        {
            tracing::warn!(environment = %name, %error, "cannot remove what Redis has of an environment");
        }
        self.live.tell(LiveEvent::EnvironmentRemoved {
            environment: name.clone(),
        });
        Ok(())
    }

    pub(crate) fn worker(&self, name: &EnvironmentName) -> Result<Worker, Error> {
        if *name == self.environment && self.hosts_apps() {
            return Err(Error::conflict(
                "environment_local",
                format!(
                    "`{name}` is this process itself: only workers can be cordoned, drained and removed"
                ),
            ));
        }
        self.workers
            .get(name)
            .ok_or_else(|| Error::not_found("environment", name))
    }

    async fn change_worker(
        &self,
        name: &EnvironmentName,
        kind: &'static str,
        actor: &Actor,
        change: impl Fn(&mut EnvironmentRow),
    ) -> Result<(), Error> {
        let mut row = self.worker(name)?.row;
        change(&mut row);
        let mut tx = self.begin().await?;
        lodge_db::environments::upsert(&mut tx, &row).await?;
        let entry = lodge_db::events::NewEvent {
            subject: Some(name.as_str()),
            ..actor.entry(now_ms(), kind)
        };
        lodge_db::events::insert(&mut tx, &entry).await?;
        tx.commit().await.map_err(lodge_db::Error::from)?;
        self.workers.note(name, |worker| change(&mut worker.row));
        self.tell_environment(name);
        Ok(())
    }

    /// Tells listeners how an environment is now.
    pub(crate) fn tell_environment(&self, name: &EnvironmentName) {
        if let Ok(environment) = self.environment(name) {
            self.live.tell(LiveEvent::Environment { environment });
        }
    }
}
