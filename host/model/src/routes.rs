//! The ports between the lifecycle path, which knows what each app is doing, and the request path,
//! which must know it without asking.

use crate::{AppId, AppMeter, Endpoint, Failure, Limits, PathAccess, RequestId};
use futures::future::BoxFuture;
use std::fmt;
use std::sync::Arc;

/// What a request to an app meets.
#[derive(Clone)]
pub enum Phase {
    /// The first visit starts it: ask the [`Activator`]. Also while it is starting.
    Waiting,
    /// Serves.
    Running(Arc<dyn Endpoint>),
    /// Stopped by its administrator, or on the way there.
    Stopped,
    /// Could not start, or crashed too often. Visits wait for nothing.
    Failed,
}

impl fmt::Debug for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Waiting => "Waiting",
            Self::Running(_) => "Running",
            Self::Stopped => "Stopped",
            Self::Failed => "Failed",
        })
    }
}

/// All that the request path knows of one app.
#[derive(Debug, Clone)]
pub struct Route {
    /// Whose.
    pub app: AppId,
    /// Host names of its own, beside `{id}.localhost` and `{id}.$APPS_DOMAIN`.
    pub domains: Vec<String>,
    /// What happens to `/apps/{id}/`.
    pub path_access: PathAccess,
    /// Concurrency, queue, body size and time.
    pub limits: Limits,
    /// Where its requests are counted.
    pub meter: Arc<AppMeter>,
    /// What a request meets now.
    pub phase: Phase,
}

/// Takes routes; implemented by the edge, driven by the supervisor.
pub trait RouteSink: Send + Sync + 'static {
    /// Replaces the whole table at once (after a start of the process).
    fn replace_all(&self, routes: Vec<Route>);

    /// Adds a route or replaces the one of the same app. Requests under way keep the old one;
    /// its queue and permits carry over.
    fn upsert(&self, route: Route);

    /// Removes an app's route.
    fn remove(&self, app: &AppId);

    /// Changes what requests to an app meet, from the next request on. Nothing if there is no
    /// such route.
    fn set_phase(&self, app: &AppId, phase: Phase);
}

/// Starts apps at their first visit; implemented by the supervisor, called by the edge.
pub trait Activator: Send + Sync + 'static {
    /// Waits until the app runs. Concurrent calls start it once; a caller that goes away does not
    /// stop the start.
    ///
    /// # Errors
    /// The app is stopped, failed or gone. The cause is in the app's log, under `id`.
    fn activate(
        &self,
        app: &AppId,
        id: RequestId,
    ) -> BoxFuture<'static, Result<Arc<dyn Endpoint>, Failure>>;

    /// The public keys of an app's tokens, as a JSON Web Key Set (RFC 7517); none: there is no such
    /// app.
    fn key_set(&self, app: &AppId) -> Option<String>;
}
