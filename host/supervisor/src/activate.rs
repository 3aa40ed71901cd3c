//! The first visit: joins or begins the start of an app, and waits for it.
//!
//! Between the visit and the endpoint stands nothing but the start itself: no query, no write, no
//! list. Visitors of one app share one start; one that goes away does not stop it.

use crate::cell::Outcome;
use crate::clock::now_ms;
use crate::queue::Lane;
use crate::supervisor::Supervisor;
use futures::future::BoxFuture;
use lodge_model::{
    Activator, AppId, Endpoint, Failure, FailureKind, Goal, LogLevel, LogLine, LogSource, Phase,
    RequestId,
};
use std::sync::Arc;
use tokio::sync::watch;

/// What a visit finds.
enum Found {
    Already(Outcome),
    Starting(watch::Receiver<Option<Outcome>>),
}

impl Activator for Supervisor {
    fn key_set(&self, app: &AppId) -> Option<String> {
        self.jwt(app).ok().map(|info| info.jwks.to_string())
    }

    fn activate(
        &self,
        app: &AppId,
        id: RequestId,
    ) -> BoxFuture<'static, Result<Arc<dyn Endpoint>, Failure>> {
        let found = self.find_or_start(app);
        let (logs, app) = (Arc::clone(&self.logs), app.clone());
        Box::pin(async move {
            let outcome = match found {
                Found::Already(outcome) => outcome,
                Found::Starting(mut watch) => match watch.wait_for(Option::is_some).await {
                    Ok(outcome) => outcome.clone().unwrap_or(Err(FailureKind::Internal.into())),
                    // The app went while it was waited for.
                    Err(_) => Err(FailureKind::AppNotFound.into()),
                },
            };
            if let Err(failure) = outcome.as_ref()
                && failure.kind != FailureKind::AppNotFound
            {
                logs.write(&app, refused(id, *failure));
            }
            outcome
        })
    }
}

impl Supervisor {
    fn find_or_start(&self, app: &AppId) -> Found {
        let Some(cell) = self.index.get(app) else {
            return Found::Already(Err(FailureKind::AppNotFound.into()));
        };
        if self.stop.is_cancelled() {
            return Found::Already(Err(FailureKind::HostBusy.into()));
        }
        let mut state = cell.lock();
        match state.phase() {
            Phase::Running(endpoint) => Found::Already(Ok(endpoint)),
            Phase::Stopped => Found::Already(Err(FailureKind::AppStopped.into())),
            Phase::Failed => Found::Already(Err(FailureKind::AppFailed.into())),
            Phase::Waiting => {
                let watch = state.join();
                if state.goal() == Goal::Waiting {
                    state.activated = true;
                }
                drop(state);
                // Also if it is queued already: this moves it past what nobody waits for.
                self.queue.add(app, Lane::Urgent);
                Found::Starting(watch)
            }
        }
    }
}

fn refused(id: RequestId, failure: Failure) -> LogLine {
    LogLine {
        time: now_ms(),
        level: LogLevel::Warn,
        source: LogSource::Host,
        message: format!("a visit was refused: {failure}; the cause is in the lines before"),
        fields: None,
        request: Some(id.to_string()),
    }
}
