//! The one place where an error becomes an HTTP answer: RFC 9457 `application/problem+json`.
//!
//! Every 4xx and 5xx of this listener has this form, with a stable `code` for programs and, where
//! input was refused, the `field` and the remedy. A 5xx carries a `reference` that is in the log
//! beside its cause; the cause itself never leaves the process, since it may name files, servers
//! or statements.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use lodge_model::{Invalid, Rejection};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use utoipa::ToSchema;

/// The media type of every error.
pub(crate) const PROBLEM_JSON: &str = "application/problem+json";

/// What went wrong. Small, since it is the error of nearly every function here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Problem(Box<Members>);

/// The members of a problem, as RFC 9457 has them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Problem)]
pub struct Members {
    /// Always `about:blank`: `code` is what tells problems apart.
    #[serde(rename = "type")]
    pub kind: Cow<'static, str>,
    /// The status in words.
    pub title: Cow<'static, str>,
    /// The HTTP status.
    pub status: u16,
    /// What is wrong and what to do about it, for people.
    pub detail: String,
    /// Stable, for programs.
    pub code: Cow<'static, str>,
    /// The field that was refused, with dots for nesting: `limits.memory_bytes`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// What to search the host's log for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Of a refused component: the interfaces it imports that Lodge does not offer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unknown_imports: Vec<String>,
    /// After how many seconds trying again makes sense; also sent as `Retry-After`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
}

impl Problem {
    /// A problem with a status, a stable code and what to do about it.
    pub fn new(
        status: StatusCode,
        code: impl Into<Cow<'static, str>>,
        detail: impl Into<String>,
    ) -> Self {
        Self(Box::new(Members {
            kind: Cow::Borrowed("about:blank"),
            title: Cow::Borrowed(status.canonical_reason().unwrap_or("Error")),
            status: status.as_u16(),
            detail: detail.into(),
            code: code.into(),
            field: None,
            reference: None,
            unknown_imports: Vec::new(),
            retry_after: None,
        }))
    }

    /// The same, about one field of the input.
    #[must_use]
    pub fn about(mut self, field: impl Into<String>) -> Self {
        self.0.field = Some(field.into());
        self
    }

    /// The same, with a time after which to try again, in seconds.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.0.retry_after = Some(seconds);
        self
    }

    /// 404 for a named thing that is not there.
    pub fn not_found(what: &str, id: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            format!("{what}_not_found"),
            format!("there is no {what} `{id}`"),
        )
    }

    /// 500. The cause is logged here, once, under a reference that the answer shows.
    pub fn internal(cause: &dyn std::fmt::Display) -> Self {
        let reference = crate::secret::reference();
        tracing::error!(reference, "an API request failed: {cause}");
        let mut problem = Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            format!("the host failed; its log has the cause under reference {reference}"),
        );
        problem.0.reference = Some(reference);
        problem
    }
}

impl std::ops::Deref for Problem {
    type Target = Members;

    fn deref(&self) -> &Members {
        &self.0
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            // RFC 9110, 11.6.1: a 401 names a scheme.
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<Invalid> for Problem {
    fn from(invalid: Invalid) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", invalid.message).about(invalid.field)
    }
}

impl From<Rejection> for Problem {
    fn from(rejection: Rejection) -> Self {
        let status = match rejection.code.as_str() {
            "too_large" => StatusCode::PAYLOAD_TOO_LARGE,
            "check_failed" => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::UNPROCESSABLE_ENTITY,
        };
        let mut problem = Self::new(status, rejection.code, rejection.message);
        problem.0.unknown_imports = rejection.unknown_imports;
        problem
    }
}

impl From<lodge_db::Error> for Problem {
    fn from(error: lodge_db::Error) -> Self {
        if !error.is_away() {
            return Self::internal(&error);
        }
        tracing::warn!(%error, "an API request failed: the control database is away");
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "control_database_away",
            "the control database does not answer: apps are served on, and nothing can be changed until it is back. \
             Ask again then; with the same Idempotency-Key nothing is done twice",
        )
        .retry_after(5)
    }
}
