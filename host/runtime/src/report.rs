//! Says what ended a guest: to the administrator in the app's log, to the caller as a kind.

use crate::guest::Owner;
use crate::memory::Denied;
use crate::stdio::now_ms;
use lodge_model::{
    Failure, FailureKind, Limits, LogLevel, LogLine, LogSource, RequestId, StartError,
};
use wasmtime::{PoolConcurrencyLimitError, Trap};

/// Bytes of a cause (a trap's backtrace) that the log keeps.
const CAUSE_BYTES: usize = 4_000;

/// How a guest ended, if not well.
#[derive(Debug, Clone)]
pub(crate) struct Broken {
    pub(crate) kind: FailureKind,
    /// For the administrator.
    pub(crate) cause: String,
}

impl Broken {
    pub(crate) fn new(kind: FailureKind, cause: impl Into<String>) -> Self {
        Self {
            kind,
            cause: cause.into(),
        }
    }

    /// Reads a Wasmtime error. `denied`: the memory limit that the guest last met.
    pub(crate) fn from_guest(
        error: &wasmtime::Error,
        denied: Option<Denied>,
        limits: &Limits,
    ) -> Self {
        if error.is::<PoolConcurrencyLimitError>() {
            return Self::new(
                FailureKind::HostBusy,
                format!("the host's instance pool is full: {error:#}"),
            );
        }
        if let Some(denied) = denied {
            let kind = match denied {
                Denied::Host(_) => FailureKind::HostBusy,
                Denied::Instance | Denied::App => FailureKind::OutOfMemory,
            };
            return Self::new(kind, out_of_memory(denied, limits));
        }
        if let Some(exit) = error.downcast_ref::<wasmtime_wasi::I32Exit>() {
            return Self::new(
                FailureKind::NoResponse,
                format!("the guest exited with status {}", exit.0),
            );
        }
        let mut cause = match error.downcast_ref::<Trap>() {
            Some(Trap::StackOverflow) => {
                format!("the guest's stack overflowed (it recurses too deep)\n{error:?}")
            }
            _ => format!("the guest trapped\n{error:?}"),
        };
        let end = (0..=CAUSE_BYTES)
            .rev()
            .find(|at| cause.is_char_boundary(*at))
            .unwrap_or(0);
        cause.truncate(end.min(cause.len()));
        Self::new(FailureKind::Trap, cause)
    }

    /// The guest used more CPU than a request may.
    pub(crate) fn cpu_limit(limits: &Limits) -> Self {
        Self::new(
            FailureKind::CpuLimit,
            format!(
                "the guest used more than {} ms of CPU (limits.request_cpu_ms)",
                limits.request_cpu_ms
            ),
        )
    }

    /// The guest answered with a status that is not an answer's. Sent, `101` would hand the connection to whoever
    /// wrote the body, past the host and past every proxy in front of it.
    pub(crate) fn not_final(status: http::StatusCode) -> Self {
        Self::new(
            FailureKind::NoResponse,
            format!(
                "the guest answered with status {}, which ends no request",
                status.as_u16()
            ),
        )
    }

    /// No answer began in time.
    pub(crate) fn deadline(limits: &Limits) -> Self {
        Self::new(
            FailureKind::Deadline,
            format!(
                "no answer began within {} ms (limits.request_timeout_ms)",
                limits.request_timeout_ms
            ),
        )
    }

    /// The answer's body stood still.
    pub(crate) fn stalled(limits: &Limits) -> Self {
        Self::new(
            FailureKind::Deadline,
            format!(
                "nothing came of the answer for {} ms (limits.request_timeout_ms)",
                limits.request_timeout_ms
            ),
        )
    }

    /// The host's own code failed.
    pub(crate) fn panicked() -> Self {
        Self::new(
            FailureKind::Internal,
            "the host's code panicked while it ran the guest; see the host's log",
        )
    }

    /// The app was stopped while the guest ran.
    pub(crate) fn stopped() -> Self {
        Self::new(
            FailureKind::AppStopped,
            "the app was stopped before the request was done",
        )
    }

    /// Why an app did not start.
    pub(crate) fn at_start(self) -> StartError {
        match self.kind {
            FailureKind::HostBusy | FailureKind::Internal => StartError::Host(self.cause),
            _ => StartError::Component(self.cause),
        }
    }

    /// Writes the cause into the app's log.
    pub(crate) fn report(&self, owner: &Owner, id: RequestId) -> Failure {
        let message = format!("request failed ({}): {}", self.kind.code(), self.cause);
        write_host_line(owner, LogLevel::Error, message, Some(id));
        Failure::from(self.kind)
    }
}

/// Which limit a refused growth met, and what would help.
fn out_of_memory(denied: Denied, limits: &Limits) -> String {
    match denied {
        Denied::Instance => format!(
            "the guest asked for more memory than one instance may have ({} bytes, limits.instance_memory_bytes)",
            limits.instance_memory_bytes
        ),
        Denied::App => format!(
            "the guest asked for more memory than the app's instances may have together ({} bytes, \
             limits.memory_bytes)",
            limits.memory_bytes
        ),
        Denied::Host(limit) => format!(
            "the guest asked for memory when all apps of this host together had what they may have ({limit} bytes, \
             max_memory)"
        ),
    }
}

/// One line of the host's in an app's log.
pub(crate) fn write_host_line(
    owner: &Owner,
    level: LogLevel,
    message: String,
    id: Option<RequestId>,
) {
    owner.log.write(
        &owner.app,
        LogLine {
            time: now_ms(),
            level,
            source: LogSource::Host,
            message,
            fields: None,
            request: id.map(|id| id.to_string()),
        },
    );
}
