//! One environment's part in an app: what it is to know, what it was told, what it says.

use super::Condition;
use crate::clock::now_ms;
use lodge_model::{DataPolicy, EnvironmentName, Goal, Observed, Report, Revision, Status, Tally};
use std::time::Instant;

/// One environment's part.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) environment: EnvironmentName,
    /// What is shown.
    pub(crate) observed: Observed,
    /// What it was told last by this process.
    pub(super) told: Option<Told>,
    /// What it said last, in its present run.
    pub(super) report: Option<Report>,
    /// When it was last heard of, or its process was found to be another.
    pub(super) heard: Option<Instant>,
    /// True: the app is placed here no more and has to leave.
    pub(crate) leaving: bool,
    /// What the app held there by the last figures.
    pub(crate) held: Tally,
}

/// What an environment is to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) generation: i64,
    pub(crate) goal: Goal,
    pub(crate) restart_before: i64,
    /// See [`State::regrants`](crate::cell::State).
    pub(crate) regrants: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) wanted: Wanted,
    pub(super) revision: Revision,
    pub(super) begun: Instant,
}

impl Place {
    pub(super) fn new(environment: EnvironmentName) -> Self {
        Self {
            observed: Observed {
                environment: environment.clone(),
                status: Status::Unknown,
                since: now_ms(),
                version: None,
                message: None,
            },
            environment,
            told: None,
            report: None,
            heard: None,
            leaving: false,
            held: Tally::default(),
        }
    }

    /// Whether it has done what it was told last, as far as it could.
    pub(super) fn settled(&self) -> bool {
        let (Some(told), Some(report)) = (&self.told, &self.report) else {
            return false;
        };
        report.revision >= told.revision && is_settled(told.wanted.goal, report)
    }

    pub(super) fn serves(&self) -> bool {
        let report = self.report.as_ref();
        report.is_some_and(|report| report.observed.status == Status::Running)
    }

    pub(super) fn is_told(&self, wanted: &Wanted) -> bool {
        self.told.is_some_and(|told| told.wanted == *wanted)
    }

    pub(super) fn is_gone(&self) -> bool {
        self.settled()
            && matches!(self.told, Some(told) if matches!(told.wanted.goal, Goal::Gone(_)))
    }
}

fn is_settled(goal: Goal, report: &Report) -> bool {
    let status = report.observed.status;
    match goal {
        Goal::Running => matches!(status, Status::Running | Status::Failed),
        Goal::Waiting => matches!(status, Status::Waiting | Status::Running | Status::Failed),
        Goal::Stopped => status == Status::Stopped,
        Goal::Gone(_) => report.gone,
    }
}

/// What one environment is to know: the app's goal, unless the app leaves it or it is being emptied.
/// A deleted app's data go with the last of its environments.
pub(super) fn place_wanted(place: &Place, app: Wanted, condition: Condition, last: bool) -> Wanted {
    let goal = match app.goal {
        Goal::Gone(_) if !last => Goal::Gone(DataPolicy::Keep),
        Goal::Gone(data) => Goal::Gone(data),
        _ if place.leaving => Goal::Gone(DataPolicy::Keep),
        Goal::Running | Goal::Waiting if condition.draining => Goal::Stopped,
        goal => goal,
    };
    Wanted { goal, ..app }
}
