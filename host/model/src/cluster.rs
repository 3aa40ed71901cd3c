//! Several environments: what a supervisor and its workers tell one another, and the ports through
//! which they do.
//!
//! What should be travels as a [`Specification`], one an app and environment, of which the one with the
//! highest [`Revision`] counts; what is travels back as a [`Report`]. Both can be lost, repeated and come
//! late without harm: who missed them reads the newest again. The carrier (Redis) is trusted with nothing:
//! the implementations of the ports encrypt, authenticate and refuse what is old.

mod forward;
mod key;
mod link;
mod signature;
mod worker;

pub use forward::{Control, Forwarding, Target};
pub use key::{BootId, ClusterKey};
pub use link::{FromWorkers, LinkError, SupervisorLink, ToWorker, WorkerLink};
pub use signature::{
    Claim, OWN_FIELDS, SIGNATURE_FIELD, SignatureError, Signed, Signer, Signing, Verifier,
};
pub use worker::{Capacity, Heartbeat, Load, Registration};

use crate::{
    AppId, ComponentRef, DataPolicy, EnvironmentName, Grant, Observed, OperationId, PathAccess,
    Tally, World,
};
use serde::{Deserialize, Serialize};

/// Which of two specifications of one app in one environment counts: the higher.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub struct Revision {
    /// The app's generation in the control database: one more with each change of what should be.
    pub generation: i64,
    /// The term of the supervisor that wrote it: one more each time a supervisor takes the lead. Fences
    /// off one that lost it.
    pub term: i64,
    /// Counts what changes without the app's row: a rotated key, another app's database, another try.
    pub step: u64,
}

/// Where an environment brings an app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Goal {
    /// Serve.
    Running,
    /// Serve from the first visit on.
    Waiting,
    /// Serve nobody.
    Stopped,
    /// Leave nothing behind but, if so asked, the data.
    Gone(DataPolicy),
}

/// All that an environment needs to know of one app. Holds secrets in the clear: whoever carries it
/// encrypts it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Specification {
    /// Which app.
    pub app: AppId,
    /// Where.
    pub environment: EnvironmentName,
    /// Which of several counts.
    pub revision: Revision,
    /// What should be.
    pub goal: Goal,
    /// A run that began for a generation before this one ends before the next begins: a restart.
    pub restart_before: i64,
    /// The operation that asked for it, for logs.
    pub operation: Option<OperationId>,
    /// What it runs.
    pub component: ComponentRef,
    /// The size of the component's bytes.
    pub component_size: u64,
    /// The world it speaks.
    pub world: World,
    /// Whether it needs the engine with the component model's async features.
    pub uses_async: bool,
    /// Host names of its own.
    pub domains: Vec<String>,
    /// What happens to `/apps/{id}/` at the environment's own address.
    pub path_access: PathAccess,
    /// What its capabilities are made from; its limits are the app's limits.
    pub grant: Grant,
}

/// What an environment says of one app. A later one replaces an earlier one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Which app.
    pub app: AppId,
    /// What is; `observed.environment` says where.
    pub observed: Observed,
    /// The newest specification that was acted upon when this was so.
    pub revision: Revision,
    /// True: nothing is left of it there (a goal of [`Goal::Gone`] was reached).
    pub gone: bool,
}

/// What apps of one environment used since the figures before.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figures {
    /// By app; those of which nothing happened are left out.
    pub apps: Vec<(AppId, Tally)>,
}
