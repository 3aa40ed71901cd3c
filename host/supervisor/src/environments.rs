//! The places where apps run: what is told of them, and what may be done to them.

use crate::figures::machine;
use crate::supervisor::Supervisor;
use crate::{Actor, Error};
use lodge_model::{AppMeter, EnvironmentName, Status};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use utoipa::ToSchema;

/// Whether an environment is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EnvironmentStatus {
    /// It reports.
    Online,
    /// It has missed three reports: it, or the way to it, is down.
    Lost,
    /// It ended as it should, and has not come back.
    Left,
    /// Another worker claims its name, and was refused.
    Refused,
}

impl EnvironmentStatus {
    /// The name as the API spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::Lost => "lost",
            Self::Left => "left",
            Self::Refused => "refused",
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
    /// Where people reach it; null: nowhere, or inside this process.
    pub url: Option<String>,
    /// Where the supervisor reaches it; null: inside this process.
    pub proxy_url: Option<String>,
    /// Whether it is there.
    pub status: EnvironmentStatus,
    /// Why it is lost, left or refused, or what a drain waits for.
    pub message: Option<String>,
    /// False: it is cordoned, and takes no further apps.
    pub schedulable: bool,
    /// True: its apps are being moved or stopped.
    pub draining: bool,
    /// When it last reported, in milliseconds since 1970.
    pub last_heartbeat: i64,
    /// How often it reports, in milliseconds; 0: inside this process.
    pub heartbeat_ms: u64,
    /// Apps placed there.
    pub apps: u64,
    /// Of those, apps that run.
    pub running: u64,
    /// Commands that it could not carry out however often it tried.
    pub dead_letters: u64,
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
        vec![self.this_process()]
    }

    /// One of them.
    ///
    /// # Errors
    /// There is none of that name.
    pub fn environment(&self, name: &EnvironmentName) -> Result<EnvironmentInfo, Error> {
        if *name != self.environment {
            return Err(Error::not_found("environment", name));
        }
        Ok(self.this_process())
    }

    /// Lets it take further apps, or not: a cordon. What runs there stays.
    ///
    /// # Errors
    /// There is none of that name, or it is this process.
    #[expect(clippy::unused_async, reason = "workers' are written down")]
    pub async fn set_schedulable(
        self: &Arc<Self>,
        name: &EnvironmentName,
        schedulable: bool,
        _: &Actor,
    ) -> Result<EnvironmentInfo, Error> {
        let environment = self.environment(name)?;
        if schedulable {
            return Ok(environment);
        }
        Err(local("cordoned", name))
    }

    /// Cordons it, then moves or stops its apps; requests under way are finished.
    ///
    /// # Errors
    /// There is none of that name, or it is this process.
    #[expect(clippy::unused_async, reason = "workers' are written down")]
    pub async fn drain(
        self: &Arc<Self>,
        name: &EnvironmentName,
        _: &Actor,
    ) -> Result<EnvironmentInfo, Error> {
        self.environment(name)?;
        Err(local("drained", name))
    }

    /// Forgets an environment that is not there and has no apps.
    ///
    /// # Errors
    /// There is none of that name, it is online (`environment_online`), or apps are placed there
    /// (`environment_in_use`, which names them).
    #[expect(
        clippy::unused_async,
        reason = "workers' are removed from the database"
    )]
    pub async fn remove_environment(
        self: &Arc<Self>,
        name: &EnvironmentName,
        _: &Actor,
    ) -> Result<(), Error> {
        self.environment(name)?;
        Err(Error::conflict(
            "environment_online",
            format!("`{name}` is this process: it cannot be removed"),
        ))
    }

    fn this_process(&self) -> EnvironmentInfo {
        let cells = self.index.all();
        let running = cells
            .iter()
            .filter(|cell| cell.lock().observed.status == Status::Running)
            .count();
        let sum = |held: fn(&AppMeter) -> u64| cells.iter().map(|cell| held(&cell.meter)).sum();
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
            last_heartbeat: crate::clock::now_ms(),
            heartbeat_ms: 0,
            apps: cells.len() as u64,
            running: running as u64,
            dead_letters: 0,
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
}

fn local(done: &str, name: &EnvironmentName) -> Error {
    Error::conflict(
        "environment_local",
        format!("`{name}` is this process, with no other to go to: only workers are {done}"),
    )
}
