//! What should be, and what is.

use crate::EnvironmentName;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What an administrator asked for. Written before anything acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Desired {
    /// Serve; with `on_first_visit`, from the first visit on.
    Running,
    /// Do not serve, whoever visits, until started.
    #[default]
    Stopped,
}

/// What an environment last reported of an app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Will start at its first visit.
    Waiting,
    /// Its component is being compiled or loaded, its database made ready.
    Preparing,
    /// A first instance is being tried.
    Starting,
    /// Serves.
    Running,
    /// Finishes what is under way.
    Stopping,
    /// Does not serve.
    Stopped,
    /// Could not start, or crashed too often; the cause is for the administrator.
    Failed,
    /// Its environment does not answer.
    Unknown,
}

impl Status {
    /// The name as the API spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Preparing => "preparing",
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }
}

/// One environment's report about one app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Observed {
    /// Where.
    #[schema(value_type = String)]
    pub environment: EnvironmentName,
    /// What.
    pub status: Status,
    /// Since when, in milliseconds since 1970.
    pub since: i64,
    /// The component version it runs, if any.
    pub version: Option<String>,
    /// Why, for the administrator: the cause of a failure, or what is waited for.
    pub message: Option<String>,
}
