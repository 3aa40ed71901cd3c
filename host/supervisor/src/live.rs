//! What happens, as it happens: for the console's live view and the command line's progress bars.
//!
//! A listener that lags behind misses events rather than holding anyone up; it then reads the
//! lists again. Nothing durable hangs on them.

use crate::environments::EnvironmentInfo;
use lodge_model::{AppId, Component, Digest, EnvironmentName, Observed, Operation};
use serde::Serialize;
use tokio::sync::broadcast;
use utoipa::ToSchema;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum LiveEvent {
    /// A component was uploaded, or its compile went on.
    Component {
        /// As it is now.
        component: Component,
    },
    /// A component was removed.
    ComponentRemoved {
        /// Which.
        #[schema(value_type = String)]
        digest: Digest,
    },
    /// An app was created or changed: its settings or its desired state.
    AppChanged {
        /// Which.
        #[schema(value_type = String)]
        app: AppId,
    },
    /// An app is gone.
    AppRemoved {
        /// Which.
        #[schema(value_type = String)]
        app: AppId,
    },
    /// An environment reported something new of an app.
    Observed {
        /// Of which.
        #[schema(value_type = String)]
        app: AppId,
        /// What.
        observed: Observed,
    },
    /// An environment joined, reported or changed.
    Environment {
        /// As it is now.
        environment: EnvironmentInfo,
    },
    /// An environment was forgotten.
    EnvironmentRemoved {
        /// Which.
        #[schema(value_type = String)]
        environment: EnvironmentName,
    },
    /// An operation began or ended.
    Operation {
        /// As it is now.
        operation: Operation,
    },
}

/// Tells every listener; nobody listening is fine.
#[derive(Debug, Clone)]
pub(crate) struct Live(broadcast::Sender<LiveEvent>);

impl Live {
    pub(crate) fn new(backlog: usize) -> Self {
        Self(broadcast::channel(backlog).0)
    }

    pub(crate) fn tell(&self, event: LiveEvent) {
        // An error only says that nobody listens.
        let _ = self.0.send(event);
    }

    /// Whether anybody would hear it.
    pub(crate) fn has_listeners(&self) -> bool {
        self.0.receiver_count() > 0
    }

    pub(crate) fn subscribe(&self) -> broadcast::Receiver<LiveEvent> {
        self.0.subscribe()
    }
}
