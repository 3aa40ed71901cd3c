//! What is said of apps: to the supervisor, to the request path and in the apps' logs.

use crate::agent::Agent;
use crate::cell::{Cell, State};
use crate::clock::{brief, now_ms};
use lodge_model::{LogLevel, LogLine, LogSource, Report, Revision, Status};

impl Agent {
    /// Notes what is seen of an app while acting on a revision, and says it if it is news.
    pub(crate) fn observe(
        &self,
        cell: &Cell,
        state: &mut State,
        revision: Revision,
        status: Status,
        message: Option<String>,
    ) {
        let message = message.as_deref().map(brief);
        let observed = &mut state.observed;
        if observed.status != status {
            observed.since = now_ms();
        }
        observed.status = status;
        observed.message = message;
        observed.version = match status {
            Status::Starting | Status::Running | Status::Stopping => {
                Some(state.spec.component.version.clone())
            }
            _ => None,
        };
        let report = Report {
            app: cell.id.clone(),
            observed: observed.clone(),
            revision,
            gone: false,
        };
        if state.told.as_ref() != Some(&report) {
            state.told = Some(report.clone());
            self.link.report(report);
        }
    }

    /// Says again what was last said.
    pub(crate) fn tell_again(&self, state: &State) {
        if let Some(report) = &state.told {
            self.link.report(report.clone());
        }
    }

    /// Tells the request path and whoever waits what visitors meet now.
    pub(crate) fn publish(&self, cell: &Cell, state: &mut State) {
        self.routes.set_phase(&cell.id, state.phase());
        state.answer_visitors();
    }

    pub(crate) fn log(&self, cell: &Cell, level: LogLevel, message: String) {
        let line = LogLine {
            time: now_ms(),
            level,
            source: LogSource::Host,
            message,
            fields: None,
            request: None,
        };
        self.logs.write(&cell.id, line);
    }
}
