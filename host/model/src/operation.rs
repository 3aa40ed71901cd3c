//! One lifecycle request, to be followed.

use crate::{AppId, OperationId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OperationKind {
    /// Run, whatever the start mode.
    Start,
    /// Stop, and stay stopped.
    Stop,
    /// Stop and start.
    Restart,
    /// Bring changed settings into force.
    Update,
    /// Sign with a new key.
    RotateKey,
    /// Remove the app.
    Delete,
}

/// What becomes of a deleted app's data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DataPolicy {
    /// It stays where it is.
    Keep,
    /// It goes with the app.
    Drop,
}

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OperationStatus {
    /// Under way.
    Running,
    /// Done.
    Succeeded,
    /// Ended without it; `error` says why.
    Failed,
    /// A later operation on the app took its place.
    Superseded,
}

/// One lifecycle request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Operation {
    /// Its ID.
    #[schema(value_type = String)]
    pub id: OperationId,
    /// What was asked for.
    pub kind: OperationKind,
    /// Of which app.
    #[schema(value_type = String)]
    pub app: AppId,
    /// How far it is.
    pub status: OperationStatus,
    /// What it is doing now, for people.
    pub progress: Option<String>,
    /// Why it failed.
    pub error: Option<String>,
    /// Who asked.
    pub actor: String,
    /// When, in milliseconds since 1970.
    pub created_at: i64,
    /// When it ended, in milliseconds since 1970.
    pub finished_at: Option<i64>,
}
