//! The workers that have introduced themselves, in memory: who they are and whether they answer.
//!
//! A worker is judged by this process's own clock: it is lost when it was silent for three of its
//! heartbeats. While Redis is away nobody can be heard, so nobody is lost; afterwards everyone has the
//! same time again.

use super::{EnvironmentInfo, EnvironmentStatus};
use crate::clock::now_ms;
use crate::remote::Condition;
use lodge_db::environments::EnvironmentRow;
use lodge_model::{BootId, EnvironmentName, Heartbeat, Load, Registration, Target};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

/// Heartbeats missed before a worker is lost.
const MISSES: u32 = 3;

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

    pub(super) fn info(&self, apps: u64, running: u64) -> EnvironmentInfo {
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
