//! The port through which a request reaches whatever serves an app.

use crate::Failure;
use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use std::fmt;
use std::sync::Arc;

/// What broke a body off.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// The request's body passed `request_body_bytes`.
    #[error("the request's body is larger than the app allows")]
    TooLarge,
    /// The other side went away or broke the protocol.
    #[error("the connection broke: {0}")]
    Connection(String),
    /// What serves the app failed in the middle of the body; the reason is in the app's log.
    #[error("the app failed while answering")]
    Failed(Failure),
}

/// A request's body on its way to an app.
pub type RequestBody = UnsyncBoxBody<Bytes, BodyError>;

/// A response's body on its way to a visitor. Dropping it cancels what still produces it.
pub type ResponseBody = UnsyncBoxBody<Bytes, BodyError>;

/// One request's ID: in the app's log, and in the error page as the visitor's reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestId(pub u64);

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// Serves one app's requests: an app in this process, or the way to a worker that has it.
pub trait Endpoint: Send + Sync + 'static {
    /// Answers one admitted request. Dropping the future, or the body of its response, cancels the
    /// guest's work.
    ///
    /// # Errors
    /// Why no answer began. The cause is already in the app's log, under `id`.
    fn call(
        self: Arc<Self>,
        id: RequestId,
        request: Request<RequestBody>,
    ) -> BoxFuture<'static, Result<Response<ResponseBody>, Failure>>;
}
