//! What went wrong with the store, in words of our own.

use object_store::Error;
use object_store::client::HttpError;
use std::path::{Path, PathBuf};

/// Why the store is of no use. For administrators; holds no credential.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// No such object, or no such bucket.
    #[error("it is not there")]
    Missing,
    /// The credentials are missing, wrong, or not allowed to do it.
    #[error("it refuses access{0}")]
    Refused(String),
    /// No connection, or no answer in time.
    #[error("it cannot be reached: {0}")]
    Away(String),
    /// It answered with something else.
    #[error("it answered {0}")]
    Answered(String),
    /// A file of ours.
    #[error("{path}: {reason}")]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

impl StoreError {
    pub(crate) fn file(path: &Path) -> impl Fn(std::io::Error) -> Self {
        let path = path.to_owned();
        move |error| Self::File {
            path: path.clone(),
            reason: error.to_string(),
        }
    }
}

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        let text = error.to_string();
        let code = code_in(&text).unwrap_or_default();
        let in_brackets = match code {
            "" => String::new(),
            code => format!(" ({code})"),
        };
        // A list's errors have no kind of their own.
        let status = match &error {
            Error::NotFound { .. } => Some(404),
            Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => Some(403),
            _ => status_in(&text),
        };
        match (status, connection(&error)) {
            (Some(404), _) => Self::Missing,
            (Some(401 | 403), _) => Self::Refused(in_brackets),
            (_, Some(reason)) => Self::Away(reason),
            (Some(status), None) => Self::Answered(format!("with status {status}{in_brackets}")),
            (None, None) => Self::Answered("what makes no sense for an S3 store".to_owned()),
        }
    }
}

/// What our own connection said, if it was that.
fn connection(error: &dyn std::error::Error) -> Option<String> {
    let mut next = error.source();
    while let Some(error) = next {
        if let Some(http) = error.downcast_ref::<HttpError>() {
            let reason = std::error::Error::source(http).map(ToString::to_string);
            return Some(reason.unwrap_or_else(|| "unknown".to_owned()));
        }
        next = error.source();
    }
    None
}

/// The status that the library's text names. Its type for that is not public.
fn status_in(text: &str) -> Option<u16> {
    let (_, rest) = text.split_once("status code: ")?;
    rest.get(..3)?.parse().ok()
}

/// The code of S3's answer, and nothing else of it: `<Code>NoSuchBucket</Code>`.
fn code_in(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("<Code>")?;
    let (code, _) = rest.split_once("</Code>")?;
    let plain = code.len() <= 64 && code.bytes().all(|b| b.is_ascii_alphanumeric());
    plain.then_some(code)
}
