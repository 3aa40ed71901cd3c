//! What a supervisor is told instead of an answer.

use super::json;
use http::{Response, StatusCode};
use lodge_model::{GrantError, Invalid, LogError, ResponseBody};
use serde::Serialize;

/// A status, a stable code, and what to do.
#[derive(Debug, Serialize)]
pub(super) struct Refusal {
    #[serde(skip)]
    status: StatusCode,
    code: &'static str,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
}

impl Refusal {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            field: None,
        }
    }

    pub(super) fn not_found(what: &str) -> Self {
        let message = format!("this worker has no such {what}");
        Self::new(StatusCode::NOT_FOUND, "not_found", message)
    }

    pub(super) fn invalid(field: &str, message: impl Into<String>) -> Self {
        Invalid::new(field, message).into()
    }

    pub(super) fn unavailable(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code, message)
    }

    pub(super) fn internal() -> Self {
        let message = "the worker failed: its log says why";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", message)
    }

    pub(super) fn answer(&self) -> Response<ResponseBody> {
        json(self.status, self)
    }
}

impl From<Invalid> for Refusal {
    fn from(invalid: Invalid) -> Self {
        let field = Some(invalid.field);
        Self {
            field,
            ..Self::new(StatusCode::BAD_REQUEST, "invalid", invalid.message)
        }
    }
}

impl From<GrantError> for Refusal {
    fn from(error: GrantError) -> Self {
        let code = match &error {
            GrantError::Refused(_) => "database_refused",
            GrantError::Unavailable(_) => "database_unavailable",
        };
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, error.to_string())
    }
}

impl From<LogError> for Refusal {
    fn from(error: LogError) -> Self {
        match error {
            LogError::Busy => Self::unavailable("logs_busy", error.to_string()),
            LogError::File(_) => {
                tracing::error!(%error, "a log that the supervisor asked for cannot be read");
                Self::internal()
            }
        }
    }
}
