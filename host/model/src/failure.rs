//! Why a visitor did not get what they came for: the one list of it.

use serde::Serialize;

/// What went wrong with one request. The cause is the administrator's to know: visitors get a
/// status, a code and a reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// No app has this name.
    AppNotFound,
    /// The app was stopped by its administrator.
    AppStopped,
    /// The app could not start, or crashed too often.
    AppFailed,
    /// The app did not start within the time that a first visit waits.
    AppStarting,
    /// More requests wait than the app's queue holds.
    QueueFull,
    /// The request's turn did not come in time.
    QueueTimeout,
    /// More has come for longer than a request may wait: it would wait in vain.
    Overloaded,
    /// The host itself has no room for another instance.
    HostBusy,
    /// The guest trapped.
    Trap,
    /// The guest ran into its memory limit or the app's memory budget.
    OutOfMemory,
    /// The guest returned without an answer, or with an error for one.
    NoResponse,
    /// The host's own code failed.
    Internal,
    /// No answer began within `request_timeout_ms`.
    Deadline,
    /// The request used more than `request_cpu_ms`.
    CpuLimit,
    /// The request's body is larger than `request_body_bytes`.
    BodyTooLarge,
    /// The request's header is larger than the edge takes.
    HeaderTooLarge,
    /// The request is not one that can be served (no host, a malformed target).
    BadRequest,
    /// No worker that has the app can be reached.
    EnvironmentLost,
    /// The worker that was answering broke off, or answered what is no answer.
    BadGateway,
    /// The app is in no environment of the name that was asked for.
    EnvironmentNotFound,
}

impl FailureKind {
    /// All of them, in the order in which they are declared.
    pub const ALL: [Self; 20] = [
        Self::AppNotFound,
        Self::AppStopped,
        Self::AppFailed,
        Self::AppStarting,
        Self::QueueFull,
        Self::QueueTimeout,
        Self::Overloaded,
        Self::HostBusy,
        Self::Trap,
        Self::OutOfMemory,
        Self::NoResponse,
        Self::Internal,
        Self::Deadline,
        Self::CpuLimit,
        Self::BodyTooLarge,
        Self::HeaderTooLarge,
        Self::BadRequest,
        Self::EnvironmentLost,
        Self::BadGateway,
        Self::EnvironmentNotFound,
    ];

    /// The HTTP status a visitor gets.
    pub fn status(self) -> http::StatusCode {
        use http::StatusCode as S;
        match self {
            Self::AppNotFound | Self::EnvironmentNotFound => S::NOT_FOUND,
            Self::AppStopped
            | Self::AppFailed
            | Self::AppStarting
            | Self::QueueFull
            | Self::QueueTimeout
            | Self::Overloaded
            | Self::HostBusy
            | Self::EnvironmentLost => S::SERVICE_UNAVAILABLE,
            Self::Trap | Self::OutOfMemory | Self::NoResponse | Self::Internal => {
                S::INTERNAL_SERVER_ERROR
            }
            Self::Deadline | Self::CpuLimit => S::GATEWAY_TIMEOUT,
            Self::BodyTooLarge => S::PAYLOAD_TOO_LARGE,
            Self::HeaderTooLarge => S::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::BadRequest => S::BAD_REQUEST,
            Self::BadGateway => S::BAD_GATEWAY,
        }
    }

    /// The stable code, for programs.
    pub fn code(self) -> &'static str {
        match self {
            Self::AppNotFound => "app_not_found",
            Self::AppStopped => "app_stopped",
            Self::AppFailed => "app_failed",
            Self::AppStarting => "app_starting",
            Self::QueueFull => "queue_full",
            Self::QueueTimeout => "queue_timeout",
            Self::Overloaded => "overloaded",
            Self::HostBusy => "host_busy",
            Self::Trap => "app_trapped",
            Self::OutOfMemory => "app_out_of_memory",
            Self::NoResponse => "app_no_response",
            Self::Internal => "internal",
            Self::Deadline => "deadline_exceeded",
            Self::CpuLimit => "cpu_limit_exceeded",
            Self::BodyTooLarge => "body_too_large",
            Self::HeaderTooLarge => "header_too_large",
            Self::BadRequest => "bad_request",
            Self::EnvironmentLost => "environment_lost",
            Self::BadGateway => "bad_gateway",
            Self::EnvironmentNotFound => "environment_not_found",
        }
    }

    /// The kind that has a code; nothing if none has.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// After how many seconds trying again makes sense, where it does.
    pub fn retry_after(self) -> Option<u64> {
        match self {
            Self::AppStopped | Self::AppFailed => Some(30),
            Self::AppStarting | Self::EnvironmentLost => Some(5),
            Self::QueueFull | Self::QueueTimeout | Self::Overloaded | Self::HostBusy => Some(1),
            _ => None,
        }
    }
}

/// One request's failure. Whoever makes it has already logged the cause where it belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}", kind.code())]
pub struct Failure {
    /// What went wrong.
    pub kind: FailureKind,
}

impl From<FailureKind> for Failure {
    fn from(kind: FailureKind) -> Self {
        Self { kind }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_in_order() {
        for (index, kind) in FailureKind::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, index, "{kind:?}");
            assert_eq!(FailureKind::from_code(kind.code()), Some(kind));
        }
        // The last one declared: a new one belongs into ALL.
        let last = FailureKind::EnvironmentNotFound;
        assert_eq!(last as usize + 1, FailureKind::ALL.len());
        assert_eq!(FailureKind::from_code("none"), None);
    }
}
