//! The agent: what it is made of, its beginning and its end.

use crate::Settings;
use crate::cell::Cell;
use crate::clock::now_ms;
use crate::components::Components;
use crate::disk::{Disk, DiskError};
use crate::index::Index;
use crate::lanes::Lanes;
use crate::prepare::Preparations;
use crate::pulse::Pulse;
use futures::StreamExt;
use lodge_model::{
    EnvironmentName, JwtKey, LogStore, Provider, RouteSink, Runtime, Sealer, WorkerLink,
};
use parking_lot::Mutex;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use tokio::sync::{Notify, Semaphore, watch};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The public keys of some keys, as a JSON Web Key Set.
pub type KeySet = Arc<dyn Fn(&[JwtKey]) -> serde_json::Value + Send + Sync>;

/// What an agent is built from.
pub struct Parts {
    /// The way to the supervisor.
    pub link: Arc<dyn WorkerLink>,
    /// Runs apps.
    pub runtime: Arc<dyn Runtime>,
    /// Takes routes. Called while an app's lock is held: it must not call back.
    pub routes: Arc<dyn RouteSink>,
    /// Keeps apps' log lines.
    pub logs: Arc<dyn LogStore>,
    /// Removes, tries and reports on apps' databases.
    pub provider: Arc<dyn Provider>,
    /// Has components' bytes.
    pub components: Arc<Components>,
    /// Has the key under which specifications are kept on disk.
    pub sealer: Arc<dyn Sealer>,
    /// Gives the public keys of apps' tokens.
    pub key_set: KeySet,
    /// Holds `specifications/`, and `apps/` with a folder an app for what is its own.
    pub data_dir: PathBuf,
    /// The environment that this worker is.
    pub environment: EnvironmentName,
    /// Limits and delays.
    pub settings: Settings,
}

/// Why there is no agent.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder of what is kept cannot be used.
    #[error("the worker's data directory cannot be used: {0}")]
    Disk(#[from] DiskError),
}

/// Turns specifications into what is, and says what is.
pub struct Agent {
    pub(crate) link: Arc<dyn WorkerLink>,
    pub(crate) runtime: Arc<dyn Runtime>,
    pub(crate) routes: Arc<dyn RouteSink>,
    pub(crate) logs: Arc<dyn LogStore>,
    pub(crate) provider: Arc<dyn Provider>,
    pub(crate) components: Arc<Components>,
    pub(crate) key_set: KeySet,
    pub(crate) data_dir: PathBuf,
    pub(crate) environment: EnvironmentName,
    pub(crate) settings: Settings,
    pub(crate) index: Index,
    pub(crate) disk: Disk,
    pub(crate) lanes: Lanes,
    pub(crate) preparations: Preparations,
    pub(crate) pulse: Pulse,
    /// Tries of databases at once.
    pub(crate) trials: Semaphore,
    /// Logs followed at once.
    pub(crate) followers: Arc<Semaphore>,
    /// True: what was kept on disk counts although nobody has said it since.
    pub(crate) trusts_disk: AtomicBool,
    /// Rung when the link is there.
    pub(crate) connected: Notify,
    pub(crate) refusal: watch::Sender<Option<String>>,
    pub(crate) tasks: TaskTracker,
    pub(crate) stop: CancellationToken,
    /// The cells that were read from disk, until their tasks begin.
    begin_with: Mutex<Vec<Arc<Cell>>>,
}

impl Agent {
    /// Reads what was kept and tells the request path; nothing runs yet.
    ///
    /// # Errors
    /// The data directory cannot be used.
    pub fn open(parts: Parts) -> Result<Arc<Self>, OpenError> {
        let Parts {
            link,
            runtime,
            routes,
            logs,
            provider,
            components,
            sealer,
            key_set,
            data_dir,
            environment,
            settings,
        } = parts;
        let folder = data_dir.join("specifications");
        let disk = Disk::open(folder, environment.clone(), sealer)?;
        let this = Arc::new(Self {
            index: Index::default(),
            lanes: Lanes::new(settings.urgent_starts, settings.background_starts),
            preparations: Preparations::default(),
            pulse: Pulse::default(),
            trials: Semaphore::new(settings.database_tests),
            followers: Arc::new(Semaphore::new(settings.followed_logs)),
            trusts_disk: AtomicBool::new(false),
            connected: Notify::new(),
            refusal: watch::Sender::new(None),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
            begin_with: Mutex::default(),
            link,
            runtime,
            routes,
            logs,
            provider,
            components,
            key_set,
            data_dir,
            environment,
            settings,
            disk,
        });
        this.take_up_kept()?;
        Ok(this)
    }

    fn take_up_kept(&self) -> Result<(), DiskError> {
        let mut cells = Vec::new();
        for spec in self.disk.read_all()? {
            let rate = spec.grant.limits.log_bytes_per_second;
            let cell = Arc::new(Cell::new(spec, false, now_ms()));
            self.logs.set_rate(&cell.id, rate);
            self.index.insert(Arc::clone(&cell));
            cells.push(cell);
        }
        let routes = cells.iter().map(|cell| cell.route(&cell.lock()));
        self.routes.replace_all(routes.collect());
        *self.begin_with.lock() = cells;
        Ok(())
    }

    /// Begins to listen, to act, and to say that it is alive. Once.
    pub fn run(self: &Arc<Self>) {
        let begin_with = std::mem::take(&mut *self.begin_with.lock());
        for cell in begin_with {
            self.mind(cell);
        }
        let this = Arc::clone(self);
        self.until_stopped(async move { this.listen().await });
        let this = Arc::clone(self);
        self.until_stopped(async move { this.trust_disk_in_time().await });
        let this = Arc::clone(self);
        self.until_stopped(async move { this.beat().await });
        let this = Arc::clone(self);
        self.until_stopped(async move { this.sample().await });
        let this = Arc::clone(self);
        self.until_stopped(async move { this.sweep().await });
    }

    /// Resolves, with what happened and what to do, when another worker has this one's name.
    pub async fn refused(&self) -> String {
        let mut refusal = self.refusal.subscribe();
        match refusal.wait_for(Option::is_some).await {
            Ok(reason) => reason.clone().unwrap_or_default(),
            // The sender lives as long as `self`.
            Err(_) => std::future::pending().await,
        }
    }

    /// Ends politely: says goodbye, starts nothing more, and stops every app; requests under way have
    /// `grace`. What should be stays kept: the next start brings it about again.
    pub async fn shutdown(&self, grace: Duration) {
        self.stop.cancel();
        self.link.figures(self.pulse.look(&self.index.all()));
        if timeout(grace, self.link.leave()).await.is_err() {
            tracing::warn!("the supervisor could not be told in time that this worker ends");
        }
        self.tasks.close();
        if timeout(grace, self.tasks.wait()).await.is_err() {
            tracing::warn!("some starts and stops did not end in time: ending without them");
        }
        let engaged = self.index.all().into_iter();
        let engaged = engaged.filter(|cell| cell.lock().engaged);
        let stops = engaged.map(|cell| async move {
            self.runtime.ensure_stopped(&cell.id, grace).await;
        });
        futures::stream::iter(stops)
            .buffer_unordered(self.settings.urgent_starts.max(1))
            .for_each(async |()| ())
            .await;
    }

    /// Removes components that no app names: what an earlier run left behind.
    async fn sweep(self: &Arc<Self>) {
        // Not before it is known which apps there are.
        tokio::time::sleep(self.settings.trust_disk_after * 10).await;
        for digest in self.components.stored().await {
            self.tidy(digest).await;
        }
    }

    fn until_stopped(&self, work: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            stop.run_until_cancelled(work).await;
        });
    }
}
