//! What a worker says of itself.

use super::BootId;
use crate::EnvironmentName;
use serde::{Deserialize, Serialize};

/// How a worker introduces itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Registration {
    /// The environment that it is: `ENVIRONMENT_NAME`.
    pub environment: EnvironmentName,
    /// This run of its process.
    pub boot: BootId,
    /// Its data directory's name for itself, kept over restarts: a second worker of the same name has
    /// another.
    pub worker_id: String,
    /// Lodge's version there.
    pub version: String,
    /// Where people reach it: `ENVIRONMENT_URL`.
    pub url: Option<String>,
    /// Where the supervisor reaches it: `ENVIRONMENT_PROXY_URL`, or else `url`.
    pub proxy_url: String,
    /// How often it says that it is there, in milliseconds.
    pub heartbeat_ms: u64,
    /// What it has to give.
    pub capacity: Capacity,
    /// When it began, in milliseconds since 1970 by its own clock. For people: nothing hangs on it.
    pub started_at: i64,
}

/// What a worker has to give.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Capacity {
    /// Cores that guests may use together.
    pub cores: f64,
    /// Memory that its process may have, in bytes.
    pub memory_bytes: u64,
    /// Instances that apps may hold together.
    pub instance_slots: u64,
}

/// How busy a worker is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Load {
    /// Cores that guests used lately.
    pub cpu: f64,
    /// Memory that its process has, in bytes.
    pub process_memory_bytes: u64,
    /// Memory charged to apps, in bytes.
    pub app_memory_bytes: u64,
    /// Instances that apps hold.
    pub instances: u64,
    /// Apps that it was given.
    pub apps: u64,
    /// Of those, apps that run.
    pub running: u64,
}

/// A sign of life.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Heartbeat {
    /// Whose.
    pub environment: EnvironmentName,
    /// Of which run.
    pub boot: BootId,
    /// How busy.
    pub load: Load,
}
