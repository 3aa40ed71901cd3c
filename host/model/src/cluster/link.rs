//! The two ends of the link between a supervisor and its workers.

use super::{BootId, Figures, Heartbeat, Load, Registration, Report, Revision, Specification};
use crate::{AppId, EnvironmentName};
use async_trait::async_trait;
use std::collections::HashMap;

/// The carrier is away or refuses. Holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct LinkError(pub String);

/// What a supervisor hears. Each was authenticated, and is none that was said to an earlier run of this
/// process.
#[derive(Debug, Clone, PartialEq)]
pub enum FromWorkers {
    /// The carrier is there, at first or again: it may be empty, and anything may have been missed.
    Connected,
    /// The carrier is away.
    Disconnected {
        /// Why, for administrators.
        reason: String,
    },
    /// A worker has introduced itself and answered this process's challenge. Again with each run of
    /// either.
    Joined(Registration),
    /// A worker is alive.
    Beat(Heartbeat),
    /// A worker ended as it should.
    Left {
        /// Which.
        environment: EnvironmentName,
        /// Of which run.
        boot: BootId,
    },
    /// What is of an app.
    Report(Report),
    /// What apps used.
    Figures {
        /// Where.
        environment: EnvironmentName,
        /// How much.
        figures: Figures,
    },
    /// A worker that another one's name was claimed by: it was refused.
    Refused {
        /// The name.
        environment: EnvironmentName,
        /// What happened, for administrators.
        reason: String,
    },
    /// A command that could not be carried out however often it was tried, put aside.
    DeadLetter {
        /// Whose.
        environment: EnvironmentName,
        /// Of which app.
        app: AppId,
        /// Why, for administrators.
        reason: String,
    },
}

/// A supervisor's end.
#[async_trait]
pub trait SupervisorLink: Send + Sync + 'static {
    /// The next thing heard. For one caller. Never ends while the process lives.
    async fn next(&self) -> FromWorkers;

    /// Says that this process leads from now on, in this term: higher than those before.
    fn lead(&self, term: i64);

    /// Writes what should be, then tells the environment to look. Returns when the carrier has it.
    ///
    /// # Errors
    /// The carrier has it not, or may have it not: publish it again.
    async fn publish(&self, specification: &Specification) -> Result<(), LinkError>;

    /// Removes what was published and reported of an app that is gone from an environment.
    ///
    /// # Errors
    /// It may still be there.
    async fn forget(&self, environment: &EnvironmentName, app: &AppId) -> Result<(), LinkError>;

    /// What the carrier has of an environment's specifications, genuine ones only.
    ///
    /// # Errors
    /// It cannot be read.
    async fn published(
        &self,
        environment: &EnvironmentName,
    ) -> Result<HashMap<AppId, Revision>, LinkError>;

    /// The newest report of every app of an environment, from the run of it that joined last.
    ///
    /// # Errors
    /// They cannot be read.
    async fn reports(&self, environment: &EnvironmentName) -> Result<Vec<Report>, LinkError>;

    /// Removes everything of an environment.
    ///
    /// # Errors
    /// Some of it may still be there.
    async fn remove(&self, environment: &EnvironmentName) -> Result<(), LinkError>;
}

/// What a worker hears. Each was authenticated; nothing older than what was heard before.
#[derive(Debug, Clone, PartialEq)]
pub enum ToWorker {
    /// The carrier is there, at first or again.
    Connected,
    /// The carrier is away: go on with what is known.
    Disconnected {
        /// Why, for the log.
        reason: String,
    },
    /// What should be of an app. At least once; equal revisions are the same.
    Specification(Box<Specification>),
    /// Where the supervisor is reached now, for components.
    Supervisor {
        /// Its address, without a path.
        url: String,
        /// The run of its process.
        boot: BootId,
    },
    /// Another worker has this name: end.
    Refused {
        /// What happened and what to do.
        reason: String,
    },
}

/// A worker's end.
#[async_trait]
pub trait WorkerLink: Send + Sync + 'static {
    /// The next thing heard. For one caller. Never ends while the process lives.
    async fn next(&self) -> ToWorker;

    /// Acknowledges what was told of an app, up to a revision: it was acted upon, and reported.
    async fn done(&self, app: &AppId, revision: Revision);

    /// Says what is of an app. Kept and said again until the carrier has it; only the newest of an app
    /// counts.
    fn report(&self, report: Report);

    /// Says what apps used since the last time. What could not be said is added to the next.
    fn figures(&self, figures: Figures);

    /// Says that it is alive; once every [`Registration::heartbeat_ms`].
    fn beat(&self, load: Load);

    /// Says goodbye.
    async fn leave(&self);
}
