//! The worker's end of the link.

mod acquaintance;
mod commands;
mod fence;
mod holder;
mod judge;
mod outbox;
mod reading;
mod session;
mod writing;

use crate::complaint::Complaint;
use crate::envelope::Post;
use crate::keys::Keys;
use crate::settings::Settings;
use acquaintance::Acquaintance;
use async_trait::async_trait;
use commands::Commands;
use fence::Fence;
use lodge_model::{AppId, Figures, Load, Registration, Report, Revision, ToWorker, WorkerLink};
use outbox::Outbox;
use parking_lot::Mutex;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinHandle;

/// How much may wait to be taken before no more is read: Redis keeps the rest.
const INBOX: usize = 1_024;
/// How long a goodbye may take.
const GOODBYE: Duration = Duration::from_secs(3);

/// The worker's end. Dropped, it is silent, as if the process had died.
pub struct WorkerEnd {
    desk: Arc<Desk>,
    inbox: tokio::sync::Mutex<mpsc::Receiver<ToWorker>>,
    task: JoinHandle<()>,
}

/// What the end and its session share.
struct Desk {
    settings: Settings,
    keys: Keys,
    post: Post,
    registration: Registration,
    /// How many runs there were on this data directory, with this one.
    run: u64,
    fence: Arc<Mutex<Fence>>,
    commands: Mutex<Commands>,
    acquaintance: Mutex<Acquaintance>,
    outbox: Mutex<Outbox>,
    /// There is something to be said.
    wake: Notify,
    /// Whether the goodbye was said, or need not be.
    left: watch::Sender<bool>,
    complaint: Complaint,
}

impl WorkerEnd {
    /// Begins to connect, and goes on until dropped, refused or left. `state_dir` is made if it is not
    /// there; it keeps which revisions were accepted, and must outlive the process as the worker's ID
    /// does. Reads a file there, and writes it.
    ///
    /// # Panics
    /// Outside a Tokio runtime.
    pub fn open(settings: Settings, registration: Registration, state_dir: &Path) -> Arc<Self> {
        let keys = Keys::new(&settings.key);
        let fence = Fence::open(state_dir);
        let desk = Arc::new(Desk {
            post: Post::new(&keys),
            keys,
            settings,
            registration,
            run: fence.runs(),
            fence: Arc::new(Mutex::new(fence)),
            commands: Mutex::default(),
            acquaintance: Mutex::default(),
            outbox: Mutex::default(),
            wake: Notify::new(),
            left: watch::Sender::new(false),
            complaint: Complaint::default(),
        });
        let (sender, inbox) = mpsc::channel(INBOX);
        let task = tokio::spawn(session::run(desk.clone(), sender));
        Arc::new(Self {
            desk,
            inbox: tokio::sync::Mutex::new(inbox),
            task,
        })
    }

    fn say(&self, what: impl FnOnce(&mut Outbox)) {
        what(&mut self.desk.outbox.lock());
        self.desk.wake.notify_one();
    }
}

impl Drop for WorkerEnd {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[async_trait]
impl WorkerLink for WorkerEnd {
    async fn next(&self) -> ToWorker {
        match self.inbox.lock().await.recv().await {
            Some(heard) => heard,
            // It left, or was refused: nothing comes any more.
            None => std::future::pending().await,
        }
    }

    async fn done(&self, app: &AppId, revision: Revision) {
        let entries = self.desk.commands.lock().done(app, revision);
        if !entries.is_empty() {
            self.say(|outbox| outbox.acknowledge(entries));
        }
    }

    fn report(&self, report: Report) {
        self.say(|outbox| outbox.report(report));
    }

    fn figures(&self, figures: Figures) {
        self.say(|outbox| outbox.figures(figures));
    }

    fn beat(&self, load: Load) {
        self.say(|outbox| outbox.beat(load));
    }

    async fn leave(&self) {
        let mut left = self.desk.left.subscribe();
        self.say(Outbox::leave);
        if tokio::time::timeout(GOODBYE, left.wait_for(|left| *left))
            .await
            .is_err()
        {
            tracing::warn!(
                "Redis did not take the goodbye: the supervisor will find this worker lost"
            );
        }
    }
}
