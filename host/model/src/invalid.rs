//! A value that was refused, and what to do about it.

/// Input that breaks a rule: names the field and the remedy, so that an API answer, a CLI line and
/// a form can each show it where it belongs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, serde::Serialize)]
#[error("{field}: {message}")]
pub struct Invalid {
    /// The field as the API spells it, with dots for nesting: `limits.memory_bytes`.
    pub field: String,
    /// What is wrong and what would be right.
    pub message: String,
}

impl Invalid {
    /// An error about `field`; `message` says what is wrong and what would be right.
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            message: message.into(),
        }
    }
}
