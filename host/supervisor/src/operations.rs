//! Operations that run, to be followed. Those that have ended are in the control database.
//!
//! An operation is told to have ended only after the database says so: what was once seen done
//! stays done through a crash.

use crate::Error;
use crate::live::{Live, LiveEvent};
use crate::supervisor::Supervisor;
use lodge_model::{Operation, OperationId, OperationStatus};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::time::Duration;
use tokio::sync::watch;

/// The operations that run.
pub(crate) struct Operations {
    running: Mutex<HashMap<OperationId, watch::Sender<Operation>>>,
    live: Live,
}

impl Operations {
    pub(crate) fn new(live: Live) -> Self {
        Self {
            running: Mutex::default(),
            live,
        }
    }

    /// Notes one that has begun, and is in the database.
    pub(crate) fn begin(&self, operation: Operation) {
        self.live.tell(LiveEvent::Operation {
            operation: operation.clone(),
        });
        self.running
            .lock()
            .insert(operation.id.clone(), watch::channel(operation).0);
    }

    /// Says what one is doing now.
    pub(crate) fn progress(&self, id: &OperationId, progress: &str) {
        let running = self.running.lock();
        if let Some(sender) = running.get(id) {
            sender.send_modify(|operation| operation.progress = Some(progress.to_owned()));
            self.live.tell(LiveEvent::Operation {
                operation: sender.borrow().clone(),
            });
        }
    }

    /// Notes that one has ended, and that the database says so.
    pub(crate) fn finish(
        &self,
        id: &OperationId,
        status: OperationStatus,
        error: Option<&str>,
        finished_at: i64,
    ) {
        let Some(sender) = self.running.lock().remove(id) else {
            return;
        };
        let mut operation = sender.borrow().clone();
        operation.status = status;
        operation.error = error.map(str::to_owned);
        operation.progress = None;
        operation.finished_at = Some(finished_at);
        // Told before whoever waits goes on, so that the story is whole by then.
        self.live.tell(LiveEvent::Operation {
            operation: operation.clone(),
        });
        sender.send_replace(operation);
    }

    /// One that runs, to be watched.
    pub(crate) fn watch(&self, id: &OperationId) -> Option<watch::Receiver<Operation>> {
        self.running.lock().get(id).map(watch::Sender::subscribe)
    }
}

impl Supervisor {
    /// One operation as it is now.
    ///
    /// # Errors
    /// There is none, or the database failed.
    pub async fn operation(&self, id: &OperationId) -> Result<Operation, Error> {
        if let Some(watch) = self.operations.watch(id) {
            return Ok(watch.borrow().clone());
        }
        let row = lodge_db::operations::get(&self.db, id).await?;
        row.map(|row| row.operation)
            .ok_or_else(|| Error::not_found("operation", id))
    }

    /// Waits until an operation has ended, `timeout` at most, and gives it as it is then.
    ///
    /// # Errors
    /// There is none, or the database failed.
    pub async fn wait_operation(
        &self,
        id: &OperationId,
        timeout: Duration,
    ) -> Result<Operation, Error> {
        if let Some(mut watch) = self.operations.watch(id) {
            let ended = watch.wait_for(|operation| operation.status != OperationStatus::Running);
            // Whether it ended, or the time did: it is answered as it is.
            let _ = tokio::time::timeout(timeout, ended).await;
        }
        self.operation(id).await
    }
}
