//! Stops apps that do nothing but crash, and tries them again later.
//!
//! Each crash is bounded by itself; a loop of them is CPU spent on nothing and a log full of the same cause. Such an app is
//! failed, with the reason, for a delay that doubles each time until it answers somebody, up to ten seconds, since strangers
//! may be who makes it crash; an administrator who starts, restarts or changes it has it tried at once. Workers do the same for the apps they run.

use crate::cell::Cell;
use crate::supervisor::Supervisor;
use lodge_model::{CrashLoop, Goal, LogLevel, Status};
use std::time::Instant;

impl Supervisor {
    /// Looks at every app that runs in this process.
    pub(crate) fn stop_what_crashes(&self) {
        let now = Instant::now();
        for cell in self.index.all() {
            let found = cell.crashes.lock().look(&cell.meter, now);
            if let Some(found) = found {
                self.stop_crashing(&cell, &found);
            }
        }
    }

    fn stop_crashing(&self, cell: &Cell, found: &CrashLoop) {
        let mut state = cell.lock();
        if state.endpoint.is_none() || state.goal() != Goal::Running {
            return;
        }
        let delay = self
            .settings
            .patient_delay(found.loops)
            .min(CrashLoop::LONGEST);
        let text = format!("{found} (stopped, trying again in {delay:?})");
        state.failures = 1;
        state.endpoint = None;
        self.log(cell, LogLevel::Error, format!("stopped: {text}"));
        tracing::warn!(app = %cell.id, reason = text, "an app does nothing but crash");
        self.observe(cell, &mut state, Status::Failed, Some(text));
        self.publish(cell, &mut state);
        self.try_later(cell, &mut state, delay);
        let lane = state.lane();
        drop(state);
        // What it still has is taken down.
        self.queue.add(&cell.id, lane);
    }
}
