//! Outgoing HTTP: what an app may call, and calls between apps.

use crate::{AppId, Failure, RequestBody, ResponseBody};
use async_trait::async_trait;
use http::{Request, Response};
use std::time::Duration;

/// How many apps have called one another to get here; bounded, so that circles end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CallDepth(pub u8);

/// How long the steps of one call may take; none: the app's `request_timeout_ms`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OutboundOptions {
    /// Until the connection stands.
    pub connect_timeout: Option<Duration>,
    /// Until the response's head is there.
    pub first_byte_timeout: Option<Duration>,
    /// The longest silence within its body.
    pub between_bytes_timeout: Option<Duration>,
    /// Of the request that makes this call.
    pub depth: CallDepth,
}

/// Why a call failed. Texts are for the guest and the app's log. The cases are those of
/// `wasi:http`'s `error-code` that a guest can tell apart.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OutboundError {
    /// The app was not granted this host, or its address is not to be called.
    #[error("{0}")]
    Denied(String),
    /// The name has no address.
    #[error("{0}")]
    NameNotFound(String),
    /// Nobody answers there.
    #[error("{0}")]
    Refused(String),
    /// It took too long.
    #[error("{0}")]
    TimedOut(String),
    /// The other side broke off, or broke the protocol.
    #[error("{0}")]
    Protocol(String),
    /// TLS failed: the certificate, or the agreement.
    #[error("{0}")]
    Tls(String),
    /// A limit of the app's was met; the text names it.
    #[error("{0}")]
    LimitExceeded(String),
    /// The request cannot be sent: its URI or a header.
    #[error("{0}")]
    Malformed(String),
    /// A fault of the host's.
    #[error("{0}")]
    Host(String),
}

/// One app's way out.
#[async_trait]
pub trait Outbound: Send + Sync + 'static {
    /// Sends one request, whose URI is absolute. Dropping the future or the response's body ends it.
    ///
    /// # Errors
    /// Why no response began.
    async fn send(
        &self,
        request: Request<RequestBody>,
        options: OutboundOptions,
    ) -> Result<Response<ResponseBody>, OutboundError>;
}

/// The way from one app to another in this process, through the other's admission.
#[async_trait]
pub trait InternalCalls: Send + Sync + 'static {
    /// Calls `to` on behalf of `from`.
    ///
    /// # Errors
    /// Why there is no answer.
    async fn call(
        &self,
        from: &AppId,
        to: &AppId,
        depth: CallDepth,
        request: Request<RequestBody>,
    ) -> Result<Response<ResponseBody>, Failure>;
}
