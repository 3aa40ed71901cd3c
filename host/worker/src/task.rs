//! An app's own task: one thing at a time, in order, always towards the newest specification.
//!
//! A turn looks where the app should be, does the next step through the runtime's port, and keeps the
//! specification on disk meanwhile. Steps are idempotent "ensures"; what changed during one is looked
//! at in the next turn. A turn waits for nothing that is another app's: components are made ready
//! elsewhere ([`crate::prepare`]), and only starts take a place ([`crate::lanes`]).
//!
//! How it fails: a bug that ends a turn is logged, and the app looked at again a second later.

use crate::agent::Agent;
use crate::cell::Cell;
use futures::FutureExt;
use lodge_model::{Goal, Specification};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio::time::{sleep, sleep_until};

/// The pause after a bug.
const AFTER_A_BUG: Duration = Duration::from_secs(1);

/// Where a turn ended.
enum Turn {
    /// It looked at this many changes.
    Looked(u64),
    /// The app is gone.
    Over,
}

impl Agent {
    /// Gives the app its task.
    pub(crate) fn mind(self: &Arc<Self>, cell: Arc<Cell>) {
        let this = Arc::clone(self);
        self.tasks.spawn(async move {
            while !this.stop.is_cancelled() {
                match AssertUnwindSafe(this.turn(&cell)).catch_unwind().await {
                    Ok(Turn::Looked(changes)) => this.rest(&cell, changes).await,
                    Ok(Turn::Over) => return,
                    Err(_) => {
                        tracing::error!(app = %cell.id, "a bug ended the work on an app; trying again");
                        sleep(AFTER_A_BUG).await;
                    }
                }
            }
        });
    }

    /// Waits until there is something to look at that was not.
    async fn rest(&self, cell: &Cell, looked: u64) {
        let retry_at = {
            let state = cell.lock();
            if state.changes != looked {
                return;
            }
            state.retry_at
        };
        let due = async {
            match retry_at {
                Some(at) => sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = cell.changed.notified() => (),
            () = due => (),
            () = self.stop.cancelled() => (),
        }
    }

    /// One step towards where the app should be.
    async fn turn(self: &Arc<Self>, cell: &Arc<Cell>) -> Turn {
        let (spec, goal, changes, confirmed) = {
            let state = cell.lock();
            let spec = Arc::clone(&state.spec);
            (spec, state.goal(), state.changes, state.confirmed)
        };
        let wanted = (goal == Goal::Running).then_some(spec.component.digest);
        self.preparations.leave_others(&cell.id, wanted);
        if !confirmed && !self.trusts_disk.load(Relaxed) {
            return Turn::Looked(changes);
        }
        match goal {
            Goal::Running => {
                let up = Box::pin(self.bring_up(cell, &spec));
                tokio::join!(up, self.keep(cell, &spec));
            }
            Goal::Waiting | Goal::Stopped => {
                tokio::join!(self.bring_down(cell), self.keep(cell, &spec));
            }
            Goal::Gone(data) => {
                // First, so that a worker that ends in the middle goes on with it.
                self.keep(cell, &spec).await;
                if Box::pin(self.remove(cell, &spec, data)).await {
                    return Turn::Over;
                }
            }
        }
        self.acknowledge(cell).await;
        Turn::Looked(changes)
    }

    /// Keeps what should be on disk, if it is not there.
    async fn keep(&self, cell: &Cell, spec: &Arc<Specification>) {
        if cell.lock().kept == Some(spec.revision) {
            return;
        }
        match self.disk.keep(Arc::clone(spec)).await {
            Ok(()) => cell.lock().kept = Some(spec.revision),
            Err(error) => {
                tracing::error!(app = %cell.id, %error, "cannot keep what an app should be: a restart \
                     of this worker will need Redis or the supervisor to know of it");
            }
        }
    }

    /// Tells the link what is done, and removes what the app left behind on its way.
    async fn acknowledge(self: &Arc<Self>, cell: &Cell) {
        let (done, left) = {
            let mut state = cell.lock();
            let Some(settled) = state.settled else {
                return;
            };
            let is_news = !std::mem::replace(&mut state.acknowledged, true);
            let left = if settled == state.spec.revision {
                std::mem::take(&mut state.left_behind)
            } else {
                Vec::new()
            };
            (is_news.then_some(settled), left)
        };
        if let Some(revision) = done {
            self.link.done(&cell.id, revision).await;
        }
        for digest in left {
            self.tidy(digest).await;
        }
    }
}
