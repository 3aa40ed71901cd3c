//! How a supervisor reaches what runs on a worker.

use super::{BootId, LinkError};
use crate::{AppId, Endpoint, EnvironmentName, ResponseBody};
use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use std::sync::Arc;

/// A worker that requests can be sent to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Which environment.
    pub environment: EnvironmentName,
    /// Where: scheme, host and port, without a path.
    pub url: String,
    /// The run of its process: what is signed for it is signed for no other.
    pub boot: BootId,
}

/// Sends requests to workers; implemented by the edge, used by the supervisor.
#[async_trait]
pub trait Forwarding: Send + Sync + 'static {
    /// The way to an app that runs on these workers (one at least). Connections are shared by all
    /// endpoints, and each carries one request at a time.
    fn endpoint(&self, app: &AppId, targets: Vec<Target>) -> Arc<dyn Endpoint>;

    /// Asks a worker itself: what its [`Control`] answers.
    ///
    /// # Errors
    /// It does not answer.
    async fn ask(
        &self,
        target: &Target,
        request: Request<Bytes>,
    ) -> Result<Response<ResponseBody>, LinkError>;
}

/// Answers what a supervisor asks a worker itself (logs, for one); implemented by the worker, called
/// by its edge for requests that are signed for this run of it and for nobody else.
#[async_trait]
pub trait Control: Send + Sync + 'static {
    /// Answers; a path that is none gets 404.
    async fn answer(&self, request: Request<Bytes>) -> Response<ResponseBody>;
}
