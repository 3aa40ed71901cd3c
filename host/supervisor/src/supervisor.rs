//! The control plane itself: what it is made of, and what it answers without changing anything.

use crate::catch_up::CatchUps;
use crate::cluster::Cluster;
use crate::environments::Workers;
use crate::figures::Figures;
use crate::health::LastHealth;
use crate::index::Index;
use crate::keys::{KeyMaker, KeySet, Keys};
use crate::library::Library;
use crate::live::{Live, LiveEvent};
use crate::observed::Unwritten;
use crate::operations::Operations;
use crate::preferences::Kept;
use crate::queue::Queue;
use crate::{Error, Fault, Settings};
use futures::StreamExt;
use lodge_db::{Claim, Database};
use lodge_model::{EnvironmentName, LogStore, Provider, RouteSink, Runtime, Sealer};
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;
use tokio::sync::{Semaphore, broadcast};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What the control plane is built from.
pub struct Parts {
    /// The control database.
    pub db: Database,
    /// Runs apps.
    pub runtime: Arc<dyn Runtime>,
    /// Takes routes. Called while an app's lock is held: it must not call back.
    pub routes: Arc<dyn RouteSink>,
    /// Keeps apps' log lines.
    pub logs: Arc<dyn LogStore>,
    /// Removes and tries apps' databases.
    pub provider: Arc<dyn Provider>,
    /// Has the key under which secrets are kept.
    pub sealer: Arc<dyn Sealer>,
    /// Makes the keys of apps' tokens.
    pub make_key: KeyMaker,
    /// Gives the public keys among them.
    pub key_set: KeySet,
    /// Holds `components/`, `uploads/`, `apps/` and `lock`.
    pub data_dir: PathBuf,
    /// The environment in this process: `local`.
    pub environment: EnvironmentName,
    /// Several environments; none: apps run in this process only.
    pub cluster: Option<Cluster>,
    /// Limits and delays.
    pub settings: Settings,
}

/// The control plane. It owns what should be, and brings about that it is.
pub struct Supervisor {
    pub(crate) db: Database,
    pub(crate) runtime: Arc<dyn Runtime>,
    pub(crate) routes: Arc<dyn RouteSink>,
    pub(crate) logs: Arc<dyn LogStore>,
    pub(crate) provider: Arc<dyn Provider>,
    pub(crate) sealer: Arc<dyn Sealer>,
    pub(crate) keys: Keys,
    /// Tries of databases at once.
    pub(crate) trials: Semaphore,
    pub(crate) data_dir: PathBuf,
    pub(crate) environment: EnvironmentName,
    pub(crate) cluster: Option<Cluster>,
    pub(crate) workers: Workers,
    pub(crate) catch_ups: CatchUps,
    /// Why workers cannot be told anything now.
    pub(crate) link_problem: parking_lot::Mutex<Option<String>>,
    pub(crate) settings: Settings,
    /// What an administrator set for the whole host.
    pub(crate) kept: parking_lot::Mutex<Kept>,
    pub(crate) index: Index,
    pub(crate) library: Library,
    pub(crate) operations: Operations,
    pub(crate) live: Live,
    pub(crate) queue: Arc<Queue>,
    pub(crate) unwritten: Unwritten,
    pub(crate) figures: Figures,
    pub(crate) health: LastHealth,
    /// When this process began, in milliseconds since 1970.
    pub(crate) started_at: i64,
    /// Held while something is checked against what is there and then written: one change of what
    /// should be at a time.
    pub(crate) writes: tokio::sync::Mutex<()>,
    /// Held while observed states are written, so that an older one cannot follow a newer.
    pub(crate) writing: tokio::sync::Mutex<()>,
    pub(crate) tasks: TaskTracker,
    pub(crate) stop: CancellationToken,
    /// The data directory and the control database are this process's; that goes with it.
    pub(crate) _lock: File,
    pub(crate) claim: parking_lot::Mutex<Option<Arc<Claim>>>,
    /// The term in which this process leads or led last; 0: none.
    pub(crate) term: AtomicI64,
}

impl Supervisor {
    /// What happens from now on, as it happens.
    pub fn subscribe(&self) -> broadcast::Receiver<LiveEvent> {
        self.live.subscribe()
    }

    /// Ends: takes no more requests, stops every app (requests under way have `grace`), writes what
    /// was observed. What should be stays as it is: the next start brings it about again.
    pub async fn shutdown(&self, grace: Duration) {
        self.stop.cancel();
        self.queue.close();
        self.tasks.close();
        if tokio::time::timeout(grace, self.tasks.wait())
            .await
            .is_err()
        {
            tracing::warn!("some starts and stops did not end in time: ending without them");
        }
        let engaged = self
            .index
            .all()
            .into_iter()
            .filter(|cell| cell.lock().engaged);
        let stops = engaged.map(|cell| async move {
            self.runtime.ensure_stopped(&cell.id, grace).await;
        });
        futures::stream::iter(stops)
            .buffer_unordered(self.settings.urgent_lanes)
            .for_each(async |()| ())
            .await;
        if let Err(error) = self.write_pending().await {
            tracing::error!(%error, "cannot write the last observed states to the control database");
        }
        self.finish_figures().await;
    }

    /// Runs a change to its end, though whoever asked for it may go away in the middle: the
    /// database, the memory and the files must not part.
    pub(crate) async fn unbroken<T: Send + 'static>(
        &self,
        change: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> Result<T, Error> {
        self.check_open()?;
        self.tasks.spawn(change).await.unwrap_or_else(|error| {
            Err(Fault::Bug(format!("a change ended in the middle: {error}")).into())
        })
    }

    /// Refuses changes once the end has begun.
    pub(crate) fn check_open(&self) -> Result<(), Error> {
        if self.stop.is_cancelled() {
            return Err(Error::Unavailable {
                code: "shutting_down",
                message: "this host is shutting down: try again when it is back".into(),
            });
        }
        if !self.leads() {
            return Err(Error::Unavailable {
                code: "not_leading",
                message:
                    "another supervisor leads, and this one only passes visitors on: ask that one, \
                          or try again in a moment"
                        .into(),
            });
        }
        Ok(())
    }
}
