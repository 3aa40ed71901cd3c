//! The worker's end of the link, scripted: what the test says is heard, what is said is remembered.

use async_trait::async_trait;
use lodge_model::*;
use parking_lot::Mutex;
use std::time::Instant;
use tokio::sync::{Mutex as AsyncMutex, mpsc};

pub struct ScriptedLink {
    say: mpsc::UnboundedSender<ToWorker>,
    heard: AsyncMutex<mpsc::UnboundedReceiver<ToWorker>>,
    pub reports: Mutex<Vec<Report>>,
    pub done: Mutex<Vec<(AppId, Revision)>>,
    pub beats: Mutex<Vec<(Instant, Load)>>,
    pub figures: Mutex<Vec<Figures>>,
    pub left: Mutex<bool>,
    /// What was acknowledged before it was reported: nothing may be.
    pub too_early: Mutex<Vec<(AppId, Revision)>>,
}

impl Default for ScriptedLink {
    fn default() -> Self {
        let (say, heard) = mpsc::unbounded_channel();
        Self {
            say,
            heard: AsyncMutex::new(heard),
            reports: Mutex::default(),
            done: Mutex::default(),
            beats: Mutex::default(),
            figures: Mutex::default(),
            left: Mutex::default(),
            too_early: Mutex::default(),
        }
    }
}

impl ScriptedLink {
    pub fn say(&self, what: ToWorker) {
        self.say.send(what).unwrap();
    }

    /// The newest report of an app.
    pub fn newest(&self, app: &str) -> Option<Report> {
        let reports = self.reports.lock();
        let found = reports.iter().rev().find(|r| r.app.as_str() == app);
        found.cloned()
    }

    /// The highest revision of an app that was acknowledged.
    pub fn done_up_to(&self, app: &str) -> Option<Revision> {
        let done = self.done.lock();
        let of_app = done.iter().filter(|(id, _)| id.as_str() == app);
        of_app.map(|(_, revision)| *revision).max()
    }
}

#[async_trait]
impl WorkerLink for ScriptedLink {
    async fn next(&self) -> ToWorker {
        match self.heard.lock().await.recv().await {
            Some(heard) => heard,
            None => std::future::pending().await,
        }
    }

    async fn done(&self, app: &AppId, revision: Revision) {
        let said = self.newest(app.as_str()).map(|report| report.revision);
        if said < Some(revision) {
            self.too_early.lock().push((app.clone(), revision));
        }
        self.done.lock().push((app.clone(), revision));
    }

    fn report(&self, report: Report) {
        self.reports.lock().push(report);
    }

    fn figures(&self, figures: Figures) {
        self.figures.lock().push(figures);
    }

    fn beat(&self, load: Load) {
        self.beats.lock().push((Instant::now(), load));
    }

    async fn leave(&self) {
        *self.left.lock() = true;
    }
}
