//! The port through which secrets are encrypted before they are kept. `db` seals and opens; who has
//! the key is wired by the binary.

/// What every sealed text begins with. A kept text without it was written before secrets were
/// sealed, and is in the clear.
pub const SEALED: &str = "lodge1:";

/// Why a secret could not be sealed or opened. Holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SealError(pub String);

/// Encrypts and authenticates texts with the host's key.
pub trait Sealer: Send + Sync + 'static {
    /// The sealed form of `plain`, beginning with [`SEALED`]. It opens only for the same `purpose`
    /// and with the same `bound_to`, so that one row's secret is of no use in another.
    ///
    /// # Errors
    /// The system gives no randomness.
    fn seal(&self, purpose: &str, plain: &str, bound_to: &str) -> Result<String, SealError>;

    /// What was sealed.
    ///
    /// # Errors
    /// It was sealed with another key, for something else, or was altered.
    fn open(&self, purpose: &str, sealed: &str, bound_to: &str) -> Result<String, SealError>;

    /// Where the key is from, for errors: a file's path or a variable's name.
    fn origin(&self) -> String {
        "`host.key` in the data directory, or LODGE_SECRET_KEY".to_owned()
    }
}
