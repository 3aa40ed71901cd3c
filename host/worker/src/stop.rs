//! Brings an app down, or makes it go.

use crate::agent::Agent;
use crate::cell::Cell;
use lodge_model::{DataPolicy, Goal, LogLevel, Observed, Report, Specification, Status};
use std::io::ErrorKind;
use std::sync::Arc;
use tokio::time::Instant;

/// Why not everything of an app is removed.
#[derive(Debug, thiserror::Error)]
enum RemoveError {
    #[error(transparent)]
    Data(#[from] lodge_model::GrantError),
    #[error("its files: {0}")]
    Files(std::io::Error),
    #[error("what was kept of it: {0}")]
    Kept(#[from] crate::disk::DiskError),
}

impl Agent {
    pub(crate) async fn bring_down(&self, cell: &Cell) {
        let engaged = {
            let mut state = cell.lock();
            let engaged = state.engaged;
            if engaged {
                let revision = state.spec.revision;
                self.observe(cell, &mut state, revision, Status::Stopping, None);
            }
            engaged
        };
        if engaged {
            self.take_down(cell).await;
        }
        let mut state = cell.lock();
        let status = match state.goal() {
            Goal::Waiting => Status::Waiting,
            Goal::Stopped => Status::Stopped,
            // Visited or changed meanwhile: the next turn decides.
            Goal::Running | Goal::Gone(_) => return,
        };
        let revision = state.spec.revision;
        self.observe(cell, &mut state, revision, status, None);
        state.settle();
        self.publish(cell, &mut state);
        if engaged {
            self.log(cell, LogLevel::Info, status.as_str().to_owned());
        }
    }

    /// Nothing runs of it any more.
    pub(crate) async fn take_down(&self, cell: &Cell) {
        self.runtime
            .ensure_stopped(&cell.id, self.settings.stop_grace)
            .await;
        let mut state = cell.lock();
        state.engaged = false;
        state.run = None;
    }

    /// Stops the app and removes everything of it; what cannot be removed now is tried again. True:
    /// it is gone, and the cell with it.
    pub(crate) async fn remove(
        self: &Arc<Self>,
        cell: &Arc<Cell>,
        spec: &Specification,
        data: DataPolicy,
    ) -> bool {
        {
            let mut state = cell.lock();
            if state.retry_at.is_some_and(|at| at > Instant::now()) {
                return false;
            }
            let message = state.observed.message.clone();
            self.observe(cell, &mut state, spec.revision, Status::Stopping, message);
        }
        self.take_down(cell).await;
        if let Err(error) = self.remove_everything(cell, spec, data).await {
            self.note_unremoved(cell, spec, &error);
            return false;
        }
        if !self.let_go(cell, spec) {
            return false;
        }
        self.link.done(&cell.id, spec.revision).await;
        let left = {
            let mut state = cell.lock();
            let mut left = std::mem::take(&mut state.left_behind);
            left.push(spec.component.digest);
            left
        };
        for digest in left {
            self.tidy(digest).await;
        }
        true
    }

    /// The kept copy goes last: until then the next start would go on.
    async fn remove_everything(
        &self,
        cell: &Cell,
        spec: &Specification,
        data: DataPolicy,
    ) -> Result<(), RemoveError> {
        self.provider.remove(&spec.grant, data).await?;
        self.logs.remove(&cell.id);
        if data == DataPolicy::Drop {
            let folder = self.data_dir.join("apps").join(cell.id.as_str());
            match tokio::fs::remove_dir_all(&folder).await {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(RemoveError::Files(error));
                }
                _ => (),
            }
        }
        Ok(self.disk.forget(&cell.id).await?)
    }

    fn note_unremoved(&self, cell: &Cell, spec: &Specification, error: &RemoveError) {
        let mut state = cell.lock();
        if state.spec.revision != spec.revision {
            return;
        }
        state.failures = state.failures.saturating_add(1);
        let delay = self.settings.patient_delay(state.failures);
        state.retry_at = Some(Instant::now() + delay);
        let text = format!("cannot be deleted yet, trying again in {delay:?}: {error}");
        tracing::error!(app = %cell.id, %error, ?delay, "cannot delete an app yet");
        self.observe(
            cell,
            &mut state,
            spec.revision,
            Status::Stopping,
            Some(text),
        );
    }

    /// The app is no longer one of this worker's, unless a newer specification has come meanwhile.
    fn let_go(&self, cell: &Arc<Cell>, spec: &Specification) -> bool {
        let gone = self.index.remove_if(cell, |state| {
            if state.spec.revision != spec.revision {
                // Its copy on disk went with everything else.
                state.kept = None;
                return false;
            }
            state.removed = true;
            let observed = Observed {
                status: Status::Stopped,
                version: None,
                message: None,
                since: crate::clock::now_ms(),
                ..state.observed.clone()
            };
            self.link.report(Report {
                app: cell.id.clone(),
                observed,
                revision: spec.revision,
                gone: true,
            });
            self.routes.remove(&cell.id);
            state.answer_visitors();
            true
        });
        if gone {
            self.pulse.keep_last(cell);
        }
        gone
    }
}
