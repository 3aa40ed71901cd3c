//! What the client's errors mean to a guest.

use super::target::Target;
use hyper_util::client::legacy;
use lodge_model::{AppId, BodyError, Failure, FailureKind, OutboundError};
use std::error::Error;
use std::io;

/// Why a call over the network failed.
pub(super) fn of_client(error: &legacy::Error, target: &Target) -> OutboundError {
    // Ours, from the connector.
    if let Some(ours) = find::<OutboundError>(error) {
        return ours.clone();
    }
    if let Some(body) = find::<BodyError>(error) {
        return match body {
            BodyError::TooLarge => OutboundError::LimitExceeded(format!(
                "the request's body has more than {} bytes",
                super::BODY_BYTES
            )),
            _ => OutboundError::Protocol("the request's body broke off".into()),
        };
    }
    if let Some(tls) = find::<rustls::Error>(error) {
        return OutboundError::Tls(format!("TLS with {target} failed: {tls}"));
    }
    if let Some(hyper) = find::<hyper::Error>(error) {
        if hyper.is_parse_too_large() {
            return super::head::too_large();
        }
        if hyper.is_timeout() {
            return OutboundError::TimedOut(format!("{target} did not answer in time"));
        }
        return OutboundError::Protocol(format!("{target} broke the protocol or off: {hyper}"));
    }
    if error.is_connect() {
        // The connector's own failures are above, so what is left is the handshake's.
        return OutboundError::Tls(format!("the handshake with {target} broke off"));
    }
    OutboundError::Protocol(format!("the call to {target} broke off"))
}

/// Why a call between apps failed.
pub(super) fn of_failure(failure: Failure, app: &AppId) -> OutboundError {
    let code = failure.kind.code();
    match failure.kind {
        FailureKind::AppNotFound => OutboundError::NameNotFound(format!("no app is named `{app}`")),
        FailureKind::AppStopped
        | FailureKind::AppFailed
        | FailureKind::AppStarting
        | FailureKind::QueueFull
        | FailureKind::QueueTimeout
        | FailureKind::Overloaded
        | FailureKind::HostBusy
        | FailureKind::EnvironmentLost
        | FailureKind::EnvironmentNotFound => {
            OutboundError::Refused(format!("the app `{app}` does not take the call: {code}"))
        }
        FailureKind::Deadline => {
            OutboundError::TimedOut(format!("the app `{app}` did not answer in time"))
        }
        FailureKind::BodyTooLarge | FailureKind::HeaderTooLarge => {
            OutboundError::LimitExceeded(format!("the app `{app}` refused the call: {code}"))
        }
        FailureKind::BadRequest => {
            OutboundError::Malformed(format!("the app `{app}` refused the call: {code}"))
        }
        FailureKind::Trap
        | FailureKind::OutOfMemory
        | FailureKind::NoResponse
        | FailureKind::Internal
        | FailureKind::CpuLimit
        | FailureKind::BadGateway => {
            OutboundError::Protocol(format!("the app `{app}` failed: {code}"))
        }
    }
}

/// The first error of a kind in a chain. `io::Error` hides what it wraps from `source`.
fn find<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        next = match error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref)
        {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}
