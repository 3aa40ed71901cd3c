//! The [`Runtime`] port in this process.

use crate::account::AppAccount;
use crate::app::RunningApp;
use crate::artifact::Artifacts;
use crate::compile::Compiler;
use crate::engine::{Engines, Flavor};
use crate::gate::Gate;
use crate::guest::Owner;
use crate::memory::{Budget, HostMemory};
use crate::migrate::migrate;
use crate::oneshot::IdleInstances;
use crate::program::{LoadError, Program, Programs};
use crate::report::Broken;
use crate::shared::Instances;
use crate::slots::{Held, Slots};
use crate::ticker;
use async_trait::async_trait;
use lodge_model::{
    AppId, CompileError, CompileProgress, Digest, Endpoint, GrantError, Inspection, Launch,
    LogSink, Provider, Rejection, Runtime, RuntimeFacts, StartError, Status,
};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use wasmtime::PoolingAllocationConfig;

/// How this process runs apps.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The folder of compiled components; made if needed.
    pub cache_dir: PathBuf,
    /// The program, and its first arguments, that run [`crate::child::main`].
    pub child_command: (PathBuf, Vec<String>),
    /// Components compiled at once.
    pub compile_slots: usize,
    /// Instances held at once, by all apps together.
    pub instances: u32,
    /// Memory that all apps together may have, in bytes.
    pub memory_bytes: u64,
    /// Guests run at once: one less than the threads of the async runtime. `usize::MAX` opens the
    /// gate for good.
    pub guest_turns: usize,
}

/// Why the runtime could not be made.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// The engines.
    #[error("the WebAssembly engine cannot be set up: {0}")]
    Engine(String),
    /// The cache or a thread.
    #[error("the cache of compiled components cannot be opened: {0}")]
    Io(#[from] std::io::Error),
}

/// The version of Wasmtime that runs guests: the one that the workspace pins.
pub const WASMTIME_VERSION: &str = "48.0.8";

/// Memory mappings that so many instances, and the components they come from, may take. Generous: an
/// instance has a handful, a compiled component about four.
pub fn memory_mappings(instances: u32) -> u64 {
    const PER_INSTANCE: u64 = 16;
    const FOR_THE_REST: u64 = 10_000;
    u64::from(instances) * PER_INSTANCE + FOR_THE_REST
}

/// How long a stop waits, after cutting off what still runs, for it to be gone.
const CUT_OFF_PATIENCE: Duration = Duration::from_secs(5);

/// Runs apps in this process.
pub struct LocalRuntime {
    engines: Engines,
    programs: Arc<Programs>,
    artifacts: Arc<Artifacts>,
    compiler: Compiler,
    /// One compile at a time of each component.
    compiling: Mutex<HashMap<Digest, Arc<tokio::sync::Mutex<()>>>>,
    gate: Arc<Gate>,
    slots: Arc<Slots>,
    memory: Arc<HostMemory>,
    log: Arc<dyn LogSink>,
    provider: Arc<dyn Provider>,
    facts: RuntimeFacts,
    /// The newest of an app is last; before it those that finish their requests.
    apps: Mutex<HashMap<AppId, Vec<Arc<RunningApp>>>>,
}

impl LocalRuntime {
    /// Sets up engines, pool and cache.
    ///
    /// # Errors
    /// The machine has not what they need.
    pub fn new(
        settings: Settings,
        log: Arc<dyn LogSink>,
        provider: Arc<dyn Provider>,
    ) -> Result<Arc<Self>, RuntimeError> {
        let engine_error = |e: wasmtime::Error| RuntimeError::Engine(format!("{e:#}"));
        let engines = Engines::pooled(settings.instances).map_err(engine_error)?;
        let programs = Arc::new(Programs::new(engines.clone()).map_err(engine_error)?);
        let gate = Gate::new(settings.guest_turns);
        ticker::start(&engines, &gate)?;
        let facts = facts(&settings);
        Ok(Arc::new(Self {
            artifacts: Arc::new(Artifacts::open(&settings.cache_dir)?),
            compiler: Compiler::new(settings.child_command, settings.compile_slots),
            compiling: Mutex::default(),
            slots: Slots::new(settings.instances as usize),
            memory: Arc::new(HostMemory::new(settings.memory_bytes)),
            engines,
            programs,
            gate,
            log,
            provider,
            facts,
            apps: Mutex::default(),
        }))
    }

    async fn program(&self, launch: &Launch) -> Result<Arc<Program>, StartError> {
        if let Some(program) = self.programs.in_memory(launch.digest) {
            return Ok(program);
        }
        let (programs, artifacts) = (self.programs.clone(), self.artifacts.clone());
        let (digest, world, flavor) = (launch.digest, launch.world, Flavor::of(launch.uses_async));
        let load = move || programs.load(&artifacts, digest, flavor, world);
        match tokio::task::spawn_blocking(load).await {
            Ok(Ok(program)) => Ok(program),
            Ok(Err(LoadError::Refused(why))) => {
                tracing::info!(%digest, %why, "compiled component not used");
                Err(StartError::NotCompiled)
            }
            Ok(Err(LoadError::Unfit(e))) => Err(StartError::Component(format!(
                "the component does not fit this host: {e:#}"
            ))),
            Err(e) => Err(StartError::Host(format!(
                "loading the component failed: {e}"
            ))),
        }
    }

    async fn assemble(
        &self,
        launch: Launch,
        program: Arc<Program>,
    ) -> Result<Arc<RunningApp>, StartError> {
        let limits = &launch.limits;
        self.log.set_rate(&launch.app, limits.log_bytes_per_second);
        let owner = Owner {
            app: launch.app.clone(),
            log: self.log.clone(),
        };
        let lane = Arc::new(self.gate.lane(limits.cpu_weight, limits.cpu_cores));
        let budget = Budget::new(
            limits.memory_bytes,
            launch.meter.clone(),
            self.memory.clone(),
        );
        let account = AppAccount {
            owner: owner.clone(),
            lane: lane.clone(),
            budget: budget.clone(),
            meter: launch.meter.clone(),
        };
        let opened = self.provider.open(&launch.grant, Arc::new(account)).await;
        let capabilities = opened.map_err(|error| match error {
            GrantError::Refused(text) => StartError::Component(text),
            GrantError::Unavailable(text) => StartError::Host(text),
        })?;
        Ok(Arc::new(RunningApp {
            owner,
            capabilities: Arc::new(capabilities),
            program,
            lane,
            budget,
            slots: self.slots.clone(),
            held: Held::new(),
            cut_off: CancellationToken::new(),
            lingering: AtomicUsize::new(0),
            idle: IdleInstances::default(),
            instances: Instances::default(),
            launch,
        }))
    }

    fn running(&self, launch: &Launch) -> Option<Arc<RunningApp>> {
        let apps = self.apps.lock();
        let newest = apps.get(&launch.app)?.last()?;
        let same = newest.launch.digest == launch.digest
            && newest.launch.limits == launch.limits
            && newest.launch.grant == launch.grant;
        same.then(|| newest.clone())
    }

    async fn is_cached(&self, digest: Digest, flavor: Flavor) -> bool {
        let (artifacts, engine) = (self.artifacts.clone(), self.engines.get(flavor).clone());
        let verified =
            tokio::task::spawn_blocking(move || artifacts.verify(digest, flavor, &engine)).await;
        matches!(verified, Ok(Ok(())))
    }
}

#[async_trait]
impl Runtime for LocalRuntime {
    async fn inspect(&self, wasm: &Path) -> Result<Inspection, Rejection> {
        self.compiler.inspect(wasm).await
    }

    async fn ensure_compiled(
        &self,
        digest: Digest,
        uses_async: bool,
        wasm: &Path,
        progress: &(dyn Fn(CompileProgress) + Sync),
    ) -> Result<(), CompileError> {
        let flavor = Flavor::of(uses_async);
        if self.programs.in_memory(digest).is_some() || self.is_cached(digest, flavor).await {
            return Ok(());
        }
        let turn = self.compiling.lock().entry(digest).or_default().clone();
        let _turn = turn.lock().await;
        if self.is_cached(digest, flavor).await {
            return Ok(());
        }
        progress(CompileProgress::Queued);
        let engine = self.engines.get(flavor).clone();
        let part = self.artifacts.part_path(digest, flavor, &engine);
        let started = || progress(CompileProgress::Compiling);
        let compiled = self
            .compiler
            .compile(uses_async, wasm, &part, started)
            .await;
        self.compiling.lock().remove(&digest);
        if compiled.is_err() {
            // A child that was ended may have left a part.
            let _ = tokio::fs::remove_file(&part).await;
        }
        compiled?;
        let artifacts = self.artifacts.clone();
        let adopted =
            tokio::task::spawn_blocking(move || artifacts.adopt(digest, flavor, &engine)).await;
        let in_cache = |e: &dyn std::fmt::Display| {
            CompileError::Host(format!(
                "the compiled form cannot be put into the cache: {e}"
            ))
        };
        adopted.map_err(|e| in_cache(&e))?.map_err(|e| in_cache(&e))
    }

    async fn remove_compiled(&self, digest: Digest) {
        let artifacts = self.artifacts.clone();
        let removed = tokio::task::spawn_blocking(move || artifacts.remove(digest)).await;
        if let Ok(Err(e)) = removed {
            tracing::warn!(%digest, error = %e, "a compiled component stays in the cache");
        }
    }

    async fn ensure_running(
        &self,
        launch: Launch,
        report: &(dyn Fn(Status) + Sync),
    ) -> Result<Arc<dyn Endpoint>, StartError> {
        if let Some(running) = self.running(&launch) {
            return Ok(running);
        }
        report(Status::Preparing);
        let program = self.program(&launch).await?;
        let id = launch.app.clone();
        let started = match self.assemble(launch, program).await {
            Ok(app) => start(app, report).await,
            Err(e) => Err(e),
        };
        let app = match started {
            Ok(app) => app,
            Err(e) => {
                // An older one, if there is one, goes on with what is open.
                if !self.apps.lock().contains_key(&id) {
                    self.provider.close(&id).await;
                }
                return Err(e);
            }
        };
        let mut apps = self.apps.lock();
        let generations = apps.entry(app.launch.app.clone()).or_default();
        generations.retain(|old| old.held.count() > 0);
        for old in generations.iter() {
            old.retire_idle();
        }
        generations.push(app.clone());
        Ok(app)
    }

    async fn ensure_stopped(&self, app: &AppId, grace: Duration) {
        // None, perhaps: but a start that was given up may have left its capabilities open.
        let generations = self.apps.lock().remove(app).unwrap_or_default();
        let deadline = tokio::time::Instant::now() + grace;
        for app in &generations {
            app.retire_idle();
            if tokio::time::timeout_at(deadline, gone(app)).await.is_err() {
                app.cut_off.cancel();
                if tokio::time::timeout(CUT_OFF_PATIENCE, gone(app))
                    .await
                    .is_err()
                {
                    tracing::warn!(app = %app.launch.app, instances = app.held.count(), "instances outlive their app's stop");
                }
            }
        }
        self.provider.close(app).await;
    }

    fn facts(&self) -> RuntimeFacts {
        self.facts
    }
}

fn facts(settings: &Settings) -> RuntimeFacts {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    RuntimeFacts {
        instance_slots: settings.instances.into(),
        memory_bytes: settings.memory_bytes,
        // More turns than threads, where the gate is open for good, are no more cores.
        guest_cores: settings.guest_turns.min(threads) as f64,
        pagemap_scan: PoolingAllocationConfig::is_pagemap_scan_available(),
        memory_mappings: memory_mappings(settings.instances),
    }
}

/// Brings the app's database up to date, then tries an instance.
async fn start(
    app: Arc<RunningApp>,
    report: &(dyn Fn(Status) + Sync),
) -> Result<Arc<RunningApp>, StartError> {
    migrate(&app).await?;
    report(Status::Starting);
    app.probe().await.map_err(Broken::at_start)?;
    Ok(app)
}

/// Resolves once the app holds no instance.
async fn gone(app: &RunningApp) {
    loop {
        let mut emptied = std::pin::pin!(app.held.empty.notified());
        emptied.as_mut().enable();
        if app.held.count() == 0 {
            return;
        }
        emptied.await;
    }
}

#[cfg(test)]
mod tests;
