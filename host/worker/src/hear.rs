//! Listens to the link. Nothing here waits for an app: what is heard is noted, and the app's task
//! rung.
//!
//! A worker that has just started knows what it kept on disk, and not whether that still holds: an
//! app may have moved to another environment meanwhile. So it waits for the link's word, but only for
//! a moment, and not if the link is away: then what was kept counts.

use crate::agent::Agent;
use crate::cell::Cell;
use crate::clock::now_ms;
use lodge_model::{Specification, ToWorker};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use tokio::time::{sleep, timeout};

impl Agent {
    /// Hears whatever comes, for as long as the process lives.
    pub(crate) async fn listen(self: &Arc<Self>) {
        loop {
            match self.link.next().await {
                ToWorker::Connected => {
                    tracing::info!("connected to the supervisor's Redis");
                    // The supervisor may be new, or Redis empty.
                    for cell in self.index.all() {
                        self.tell_again(&cell.lock());
                    }
                    self.connected.notify_one();
                }
                ToWorker::Disconnected { reason } => {
                    tracing::warn!(
                        reason,
                        "the supervisor's Redis is away: apps go on as they are"
                    );
                    self.trust_disk();
                }
                ToWorker::Specification(spec) => self.accept(*spec),
                ToWorker::Supervisor { url, boot } => self.components.set_supervisor(url, boot),
                ToWorker::Refused { reason } => {
                    tracing::error!(reason, "this worker was refused");
                    self.refusal.send_replace(Some(reason));
                }
            }
        }
    }

    /// Notes what should be of an app, if it is news.
    fn accept(self: &Arc<Self>, spec: Specification) {
        if spec.environment != self.environment {
            tracing::error!(app = %spec.app, environment = %spec.environment,
                "a specification of another environment was ignored");
            return;
        }
        let Some(cell) = self.index.get(&spec.app) else {
            return self.introduce(spec);
        };
        let mut state = cell.lock();
        if state.removed {
            // Between two instructions of its removal: it is out of the index by now.
            drop(state);
            return self.introduce(spec);
        }
        if spec.revision <= state.spec.revision {
            // At least once: whoever says it again did not hear the answer.
            state.confirmed |= spec.revision == state.spec.revision;
            state.acknowledged = false;
            self.tell_again(&state);
        } else {
            let rate = spec.grant.limits.log_bytes_per_second;
            state.take(spec);
            self.logs.set_rate(&cell.id, rate);
            state.answer_visitors();
            // Not only the phase: the limits, domains and path access may have changed.
            self.routes.upsert(cell.route(&state));
        }
        drop(state);
        cell.ring();
    }

    fn introduce(self: &Arc<Self>, spec: Specification) {
        let rate = spec.grant.limits.log_bytes_per_second;
        let cell = Arc::new(Cell::new(spec, true, now_ms()));
        self.logs.set_rate(&cell.id, rate);
        self.index.insert(Arc::clone(&cell));
        self.routes.upsert(cell.route(&cell.lock()));
        self.mind(cell);
    }

    /// Waits for the link's word for a moment.
    pub(crate) async fn trust_disk_in_time(&self) {
        let patience = self.settings.trust_disk_after;
        if timeout(patience, self.connected.notified()).await.is_ok() {
            sleep(patience).await;
        }
        self.trust_disk();
    }

    fn trust_disk(&self) {
        if self.trusts_disk.swap(true, Relaxed) {
            return;
        }
        for cell in self.index.all() {
            if !cell.lock().confirmed {
                cell.ring();
            }
        }
    }
}
