//! Stops apps that do nothing but crash, and tries them again later, as the supervisor does with those of its own
//! process.

use crate::agent::Agent;
use crate::cell::Cell;
use lodge_model::{CrashLoop, LogLevel, Status};
use std::sync::Arc;

impl Agent {
    /// Looks at every app.
    pub(crate) fn stop_what_crashes(&self, cells: &[Arc<Cell>]) {
        let now = std::time::Instant::now();
        for cell in cells {
            let found = cell.crashes.lock().look(&cell.meter, now);
            if let Some(found) = found {
                self.stop_crashing(cell, &found);
            }
        }
    }

    fn stop_crashing(&self, cell: &Cell, found: &CrashLoop) {
        {
            let mut state = cell.lock();
            if !state.is_up() {
                return;
            }
            let delay = self
                .settings
                .patient_delay(found.loops)
                .min(CrashLoop::LONGEST);
            let text = format!("{found} (stopped, trying again in {delay:?})");
            state.failures = 1;
            state.run = None;
            state.retry_at = Some(tokio::time::Instant::now() + delay);
            self.log(cell, LogLevel::Error, format!("stopped: {text}"));
            tracing::warn!(app = %cell.id, reason = text, "an app does nothing but crash");
            let revision = state.spec.revision;
            self.observe(cell, &mut state, revision, Status::Failed, Some(text));
            self.publish(cell, &mut state);
        }
        // What it still has is taken down.
        cell.ring();
    }
}
