//! Why a command failed: one line that says what, where, and what to do.

use serde::Deserialize;
use serde_json::{Value, json};
use std::fmt;
use std::path::PathBuf;

/// What the API says of an error (RFC 9457), as far as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Problem {
    /// The HTTP status.
    pub(crate) status: u16,
    /// Stable, for programs.
    #[serde(default)]
    pub(crate) code: String,
    /// What is wrong and what to do.
    #[serde(default)]
    pub(crate) detail: String,
    /// Which field.
    #[serde(default)]
    pub(crate) field: Option<String>,
    /// Interfaces that a refused component needs and Lodge lacks.
    #[serde(default)]
    pub(crate) unknown_imports: Vec<String>,
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The API refused.
    #[error("{}", Shown(.0))]
    Api(Problem),
    /// The API was not reached.
    #[error(
        "cannot reach {url}: {reason}. Is `lodge serve` running there? LODGE_URL or --url names another place"
    )]
    Unreachable {
        /// The address that was tried.
        url: String,
        /// What the network said.
        reason: String,
    },
    /// Something answered that is not Lodge's API.
    #[error("{url} does not answer like Lodge's admin API ({reason}): check LODGE_URL or --url")]
    NotLodge {
        /// The address that was tried.
        url: String,
        /// What was odd.
        reason: String,
    },
    /// A file could not be used.
    #[error("cannot {act} {}: {source}", path.display())]
    File {
        /// What was tried.
        act: &'static str,
        /// On which file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The arguments make no sense together.
    #[error("{0}")]
    Usage(String),
    /// What was asked for was tried and did not work.
    #[error("{0}")]
    Failed(String),
}

impl Failure {
    /// An error about a file.
    pub(crate) fn file(
        act: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { act, path, source }
    }

    /// 2 for wrong usage, 1 for everything else.
    pub(crate) fn exit_code(&self) -> u8 {
        if matches!(self, Self::Usage(_)) { 2 } else { 1 }
    }

    /// The code of an API error.
    pub(crate) fn code(&self) -> Option<&str> {
        match self {
            Self::Api(problem) => Some(&problem.code),
            _ => None,
        }
    }

    /// The field that the API refused.
    pub(crate) fn field(&self) -> Option<&str> {
        match self {
            Self::Api(problem) => problem.field.as_deref(),
            _ => None,
        }
    }

    /// The failure for programs, on one line.
    pub(crate) fn to_json(&self) -> Value {
        match self {
            Self::Api(problem) => json!({
                "status": problem.status, "code": problem.code, "detail": problem.detail,
                "field": problem.field, "unknown_imports": problem.unknown_imports,
            }),
            other => json!({ "code": "cli", "detail": other.to_string() }),
        }
    }
}

/// A problem on one line.
struct Shown<'a>(&'a Problem);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Problem {
            status,
            code,
            detail,
            field,
            unknown_imports,
        } = self.0;
        if code == "unauthorized" {
            return f.write_str(
                "not logged in, or the login has ended: run `lodge login`, or set LODGE_TOKEN",
            );
        }
        // Most details name their field; the others get it in front.
        if let Some(field) = field
            && !detail.contains(field.as_str())
        {
            write!(f, "{field}: ")?;
        }
        match detail.is_empty() {
            true => write!(f, "the API answered {status}")?,
            false => f.write_str(detail)?,
        }
        let unnamed = unknown_imports
            .iter()
            .filter(|import| !detail.contains(import.as_str()));
        let unnamed: Vec<_> = unnamed.map(String::as_str).collect();
        if !unnamed.is_empty() {
            write!(f, " [{}]", unnamed.join(", "))?;
        }
        if code.is_empty() {
            Ok(())
        } else {
            write!(f, " ({code})")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(detail: &str, field: Option<&str>) -> Problem {
        Problem {
            status: 422,
            code: "invalid".into(),
            detail: detail.into(),
            field: field.map(str::to_owned),
            unknown_imports: Vec::new(),
        }
    }

    #[test]
    fn a_problem_is_one_line_with_field_and_remedy() {
        let api = |detail, field| Failure::Api(problem(detail, field)).to_string();
        assert_eq!(
            api("0 is out of range: 1 to 9", Some("limits.queue")),
            "limits.queue: 0 is out of range: 1 to 9 (invalid)"
        );
        assert_eq!(api("", None), "the API answered 422 (invalid)");
    }

    #[test]
    fn exit_codes() {
        assert_eq!(Failure::Usage(String::new()).exit_code(), 2);
        assert_eq!(Failure::Api(problem("", None)).exit_code(), 1);
    }
}
