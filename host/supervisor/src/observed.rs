//! Writes what was observed, behind the scenes: many apps' reports and ended operations in one
//! transaction.
//!
//! A start must not wait for a disk, and 1,000 apps that start with the host must not wait for
//! 1,000 of them. What should be is written first, by whoever asks for it; what is can be written
//! late, since after a crash it is found out anew. A report that is replaced before it was written
//! is not written at all. If the database fails, everything is kept and tried again.

use crate::cell::{Cell, State};
use crate::clock::now_ms;
use crate::events::entry_of;
use crate::live::LiveEvent;
use crate::supervisor::Supervisor;
use lodge_model::{AppId, Observed, Operation, OperationId, OperationStatus, Status};
use parking_lot::Mutex;
use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;
use tokio::sync::Notify;

/// Apps' reports in one transaction at most, so that no other write waits long: 20,000 that come at once
/// are 200 transactions, and a command goes between two of them.
const BATCH: usize = 100;
/// Delay after a failed write.
const RETRY: Duration = Duration::from_secs(1);

/// Bytes of a cause at most: a guest may have written it.
const MESSAGE_BYTES: usize = 4 * 1024;

/// A cause, no longer than it may be.
pub(crate) fn brief(text: &str) -> String {
    let mut end = text.len().min(MESSAGE_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let cut = if end < text.len() { " …" } else { "" };
    format!("{}{cut}", text.get(..end).unwrap_or_default())
}

/// What is still to be written.
#[derive(Default)]
pub(crate) struct Unwritten {
    pending: Mutex<Pending>,
    wake: Notify,
}

#[derive(Default)]
struct Pending {
    apps: BTreeSet<AppId>,
    ended: VecDeque<Ended>,
}

/// An operation that has ended.
#[derive(Debug, Clone)]
struct Ended {
    id: OperationId,
    status: OperationStatus,
    error: Option<String>,
    at: i64,
}

impl Pending {
    /// Takes one transaction's worth.
    fn take(&mut self) -> Self {
        let mut batch = Self::default();
        while batch.apps.len() < BATCH
            && let Some(app) = self.apps.pop_first()
        {
            batch.apps.insert(app);
        }
        let count = self.ended.len().min(BATCH);
        batch.ended = self.ended.drain(..count).collect();
        batch
    }

    fn put_back(&mut self, batch: Self) {
        self.apps.extend(batch.apps);
        for ended in batch.ended.into_iter().rev() {
            self.ended.push_front(ended);
        }
    }

    fn is_empty(&self) -> bool {
        self.apps.is_empty() && self.ended.is_empty()
    }
}

impl Unwritten {
    fn app(&self, id: &AppId) {
        self.pending.lock().apps.insert(id.clone());
        self.wake.notify_one();
    }

    fn ended(&self, ended: Ended) {
        self.pending.lock().ended.push_back(ended);
        self.wake.notify_one();
    }
}

impl Supervisor {
    /// Notes what is seen of an app; written soon, told at once.
    pub(crate) fn observe(
        &self,
        cell: &Cell,
        state: &mut State,
        status: Status,
        message: Option<String>,
    ) {
        let message = message.as_deref().map(brief);
        let observed = &mut state.observed;
        if observed.status == status && observed.message == message {
            return;
        }
        if observed.status != status {
            observed.since = now_ms();
        }
        observed.status = status;
        observed.message = message;
        observed.version = match status {
            Status::Starting | Status::Running | Status::Stopping => {
                Some(state.row.app.component.version.clone())
            }
            _ => None,
        };
        if let Some(carried) = &state.operation {
            let text = observed.message.as_deref().unwrap_or(status.as_str());
            self.operations.progress(&carried.id, text);
        }
        self.tell_observed(cell, state.observed.clone());
    }

    /// Tells what is of an app now, in one environment; written soon.
    pub(crate) fn tell_observed(&self, cell: &Cell, observed: Observed) {
        self.live.tell(LiveEvent::Observed {
            app: cell.id.clone(),
            observed,
        });
        self.unwritten.app(&cell.id);
    }

    /// Has an app's report written though nothing changed: after a start of the host.
    pub(crate) fn write_observed(&self, cell: &Cell) {
        self.unwritten.app(&cell.id);
    }

    /// Ends the operation that `generation` carries out, if one does: `error` says why it failed.
    pub(crate) fn end_operation(&self, state: &mut State, generation: i64, error: Option<&str>) {
        let Some(id) = state.take_operation(generation) else {
            return;
        };
        let status = match error {
            None => OperationStatus::Succeeded,
            Some(_) => OperationStatus::Failed,
        };
        self.unwritten.ended(Ended {
            id,
            status,
            error: error.map(brief),
            at: now_ms(),
        });
    }

    /// Writes whatever comes, for as long as the process lives.
    pub(crate) async fn keep_writing(&self) {
        loop {
            self.unwritten.wake.notified().await;
            while let Err(error) = self.write_pending().await {
                tracing::error!(
                    %error,
                    "cannot write observed states to the control database; trying again in 1 s"
                );
                tokio::time::sleep(RETRY).await;
            }
        }
    }

    /// Writes all that is pending.
    pub(crate) async fn write_pending(&self) -> Result<(), lodge_db::Error> {
        let _one = self.writing.lock().await;
        if !self.leads() {
            // Who leads hears the same and writes it.
            *self.unwritten.pending.lock() = Pending::default();
            return Ok(());
        }
        loop {
            let batch = self.unwritten.pending.lock().take();
            if batch.is_empty() {
                return Ok(());
            }
            if let Err(error) = self.write_batch(&batch).await {
                self.unwritten.pending.lock().put_back(batch);
                return Err(error);
            }
        }
    }

    async fn write_batch(&self, batch: &Pending) -> Result<(), lodge_db::Error> {
        let mut tx = self.begin().await?;
        for id in &batch.apps {
            let Some(cell) = self.index.get(id) else {
                continue;
            };
            let seen = cell.lock().all_observed();
            for observed in seen {
                lodge_db::observed::upsert(&mut tx, id, &observed).await?;
            }
        }
        let mut told = Vec::new();
        for ended in &batch.ended {
            let error = ended.error.as_deref();
            // False: a later request superseded it first, and has told so.
            if lodge_db::operations::finish(&mut tx, &ended.id, ended.status, error, ended.at)
                .await?
            {
                told.push(ended);
                if let Some(operation) = self.ended_form(ended) {
                    lodge_db::events::insert(&mut tx, &entry_of(&operation)).await?;
                }
            }
        }
        tx.commit().await?;
        for ended in told {
            self.operations
                .finish(&ended.id, ended.status, ended.error.as_deref(), ended.at);
        }
        Ok(())
    }

    /// A running operation as it will be once it has ended.
    fn ended_form(&self, ended: &Ended) -> Option<Operation> {
        let mut operation = self.operations.watch(&ended.id)?.borrow().clone();
        operation.status = ended.status;
        operation.error.clone_from(&ended.error);
        operation.finished_at = Some(ended.at);
        Some(operation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_cut_between_characters() {
        assert_eq!(brief("trap"), "trap");
        let fits = "x".repeat(MESSAGE_BYTES);
        assert_eq!(brief(&fits), fits);
        let cut = brief(&"ü".repeat(MESSAGE_BYTES));
        assert_eq!(cut, format!("{} …", "ü".repeat(MESSAGE_BYTES / 2)));
        assert!(brief(&format!("x{}", "ü".repeat(MESSAGE_BYTES))).starts_with("xü"));
    }
}
