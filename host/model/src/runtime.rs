//! The port through which the lifecycle path makes apps run: by Wasmtime in this process, or on a
//! worker. Every act is an idempotent "ensure".

use crate::{
    AppId, AppMeter, Digest, Endpoint, Grant, Inspection, Limits, Rejection, Status, World,
};
use async_trait::async_trait;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Why a component has no compiled form.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CompileError {
    /// The component's own fault: trying again gives the same. Includes a compile that met its
    /// memory, CPU or time limit.
    #[error("{0}")]
    Component(String),
    /// The host's: no space left, no process to be had. Trying again may help.
    #[error("{0}")]
    Host(String),
}

/// Why an app did not start.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StartError {
    /// The compiled form is missing or was refused (corrupted, foreign): compile, then try again.
    #[error("the compiled component is not in the cache")]
    NotCompiled,
    /// The component itself cannot start; the text is for the administrator.
    #[error("{0}")]
    Component(String),
    /// The host's fault.
    #[error("{0}")]
    Host(String),
}

/// How far a compile is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CompileProgress {
    /// Waits for a slot.
    Queued,
    /// A child process compiles it.
    Compiling,
}

/// All that an environment needs to run one app.
#[derive(Debug, Clone)]
pub struct Launch {
    /// Which app.
    pub app: AppId,
    /// Which component.
    pub digest: Digest,
    /// The world it speaks.
    pub world: World,
    /// Whether it needs the engine with the component model's async features.
    pub uses_async: bool,
    /// What it may use.
    pub limits: Limits,
    /// Where its use is counted.
    pub meter: Arc<AppMeter>,
    /// What its capabilities are made from.
    pub grant: Grant,
}

/// What a runtime has to give, and what it found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RuntimeFacts {
    /// Instances that all apps together may hold.
    pub instance_slots: u64,
    /// Memory that all apps together may have, in bytes.
    pub memory_bytes: u64,
    /// Cores that guests may use together.
    pub guest_cores: f64,
    /// Whether the kernel tells which pages a guest wrote (`PAGEMAP_SCAN`): without it, instances
    /// are cleaned up more slowly.
    pub pagemap_scan: bool,
    /// Memory mappings that full instance slots and their components may take.
    pub memory_mappings: u64,
}

/// Runs apps.
#[async_trait]
pub trait Runtime: Send + Sync + 'static {
    /// Reads and validates a component's bytes in a bounded child process.
    ///
    /// # Errors
    /// What it is instead of a component that Lodge can run, and what to do.
    async fn inspect(&self, wasm: &Path) -> Result<Inspection, Rejection>;

    /// Makes sure that the compiled form of a component is in the cache, whole and authentic.
    /// Calls for one digest share one compile.
    ///
    /// # Errors
    /// Why there is none.
    async fn ensure_compiled(
        &self,
        digest: Digest,
        uses_async: bool,
        wasm: &Path,
        progress: &(dyn Fn(CompileProgress) + Sync),
    ) -> Result<(), CompileError>;

    /// Removes the compiled form of a component that no app uses.
    async fn remove_compiled(&self, digest: Digest);

    /// Makes sure that the app runs as `launch` says, and gives its endpoint. An app that runs
    /// with other settings is replaced; requests under way finish on the old one.
    ///
    /// # Errors
    /// Why it does not run.
    async fn ensure_running(
        &self,
        launch: Launch,
        report: &(dyn Fn(Status) + Sync),
    ) -> Result<Arc<dyn Endpoint>, StartError>;

    /// Makes sure that the app does not run: requests under way have `grace` to finish, then they
    /// are cut off. Returns when its last instance is gone.
    async fn ensure_stopped(&self, app: &AppId, grace: Duration);

    /// What it has to give. Cheap: it may be asked often.
    fn facts(&self) -> RuntimeFacts;
}
