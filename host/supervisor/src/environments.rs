//! The places where apps run, as administrators see and change them: this process, and the workers.

mod workers;

pub(crate) use workers::{Worker, Workers};

use crate::clock::now_ms;
use crate::figures::machine;
use crate::live::LiveEvent;
use crate::supervisor::Supervisor;
use crate::{Actor, Error};
use lodge_db::environments::EnvironmentRow;
use lodge_model::{AppMeter, EnvironmentName, Status};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use utoipa::ToSchema;

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
                    "apps are placed in `{name}` ({}{}): place them elsewhere or delete them first",
                    names.join(", "),
                    if cells.len() > names.len() {
                        " …"
                    } else {
                        ""
                    }
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

    /// Tells listeners how an environment is now. With nobody there it costs nothing: workers beat often,
    /// and each time all of its apps would be counted.
    pub(crate) fn tell_environment(&self, name: &EnvironmentName) {
        if self.live.has_listeners()
            && let Ok(environment) = self.environment(name)
        {
            self.live.tell(LiveEvent::Environment { environment });
        }
    }
}
