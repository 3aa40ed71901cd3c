//! What the control plane answers when it does not do what was asked.

use lodge_model::{GrantError, Invalid, LogError, Rejection};
use std::path::PathBuf;

/// Why a request to the control plane failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such thing.
    #[error("there is no {what} `{id}`")]
    NotFound {
        /// `app`, `component`, `environment` or `operation`.
        what: &'static str,
        /// What was asked for.
        id: String,
    },
    /// A field breaks a rule.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// It would contradict something that is there.
    #[error("{message}")]
    Conflict {
        /// Stable, for programs: `app_exists`, `host_label_taken`, `domain_taken`,
        /// `app_deleting`, `component_exists`, `version_exists`, `component_in_use`,
        /// `changed_meanwhile`, `database_in_use`, `shared_key`, `environment_in_use`,
        /// `environment_online`, `environment_local`, `no_mark`.
        code: &'static str,
        /// What it contradicts and what to do.
        message: String,
    },
    /// Bytes that are no component Lodge can run.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// A database that was tried cannot be used.
    #[error("{message}")]
    Database {
        /// Stable, for programs: `database_refused`, `database_unavailable`.
        code: &'static str,
        /// The field that it is about.
        field: &'static str,
        /// Why, and what to do; without the URL's password.
        message: String,
    },
    /// Not now; trying again may help.
    #[error("{message}")]
    Unavailable {
        /// Stable, for programs: `uploads_busy`, `upload_interrupted`, `tests_busy`, `logs_busy`,
        /// `database_unavailable`, `shutting_down`.
        code: &'static str,
        /// What is the matter and what to do.
        message: String,
    },
    /// The host's own fault. The text is for its log, not for callers.
    #[error(transparent)]
    Internal(#[from] Fault),
}

/// A fault of the host.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The control database did not do its part.
    #[error(transparent)]
    Database(#[from] lodge_db::Error),
    /// What an app had beside its row could not be removed.
    #[error("{0}")]
    Grant(#[from] GrantError),
    /// A file could not be read, written or removed.
    #[error("cannot {act} {path}: {source}", path = path.display())]
    File {
        /// What was tried: `create`, `write`, `rename` …
        act: &'static str,
        /// On which file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// An app's log could not be read.
    #[error(transparent)]
    Log(LogError),
    /// Another process works in the data directory.
    #[error(
        "another lodge is running in {path}: stop it, or choose another --data-dir",
        path = .0.display()
    )]
    Locked(PathBuf),
    /// Should not happen; says what did.
    #[error("{0}")]
    Bug(String),
}

impl From<lodge_db::Error> for Error {
    fn from(error: lodge_db::Error) -> Self {
        Self::Internal(error.into())
    }
}

impl Error {
    /// The stable code, for programs.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::NotFound { what: "app", .. } => "app_not_found",
            Self::NotFound {
                what: "component", ..
            } => "component_not_found",
            Self::NotFound {
                what: "environment",
                ..
            } => "environment_not_found",
            Self::NotFound {
                what: "operation", ..
            } => "operation_not_found",
            Self::NotFound { .. } => "not_found",
            Self::Invalid(_) => "invalid",
            Self::Conflict { code, .. }
            | Self::Database { code, .. }
            | Self::Unavailable { code, .. } => code,
            Self::Rejected(rejection) => &rejection.code,
            Self::Internal(_) => "internal",
        }
    }

    pub(crate) fn not_found(what: &'static str, id: impl std::fmt::Display) -> Self {
        Self::NotFound {
            what,
            id: id.to_string(),
        }
    }

    pub(crate) fn conflict(code: &'static str, message: impl Into<String>) -> Self {
        Self::Conflict {
            code,
            message: message.into(),
        }
    }

    pub(crate) fn file(
        act: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Internal(Fault::File { act, path, source })
    }
}
