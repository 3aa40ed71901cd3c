//! What can go wrong with the control database.

use lodge_model::SealError;
use sqlx::error::ErrorKind;

/// Why the control database did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It cannot be reached, or is not what its URL says.
    #[error("cannot open the control database {target}: {reason}")]
    Open {
        /// Where, without user, password and parameters.
        target: String,
        /// Why, and what to do where that is known.
        reason: String,
    },
    /// A newer Lodge has written it.
    #[error(
        "the control database has schema version {found}, and this Lodge knows versions up to \
         {known}: start the newer Lodge that wrote it, or restore a backup made by this one"
    )]
    Newer {
        /// The version found.
        found: i64,
        /// The newest that this program knows.
        known: i64,
    },
    /// Another process acts on it.
    #[error(
        "another Lodge uses this control database: stop that one, or give this one a database of \
         its own (DATABASE_URL)"
    )]
    Claimed,
    /// A migration failed; nothing of it was kept.
    #[error("cannot bring the control database to schema version {version}: {source}")]
    Migration {
        /// The version that was to be reached.
        version: i64,
        /// Why not.
        source: sqlx::Error,
    },
    /// Another row already has this key.
    #[error("another row already has this key: {0}")]
    Taken(#[source] sqlx::Error),
    /// Another row still refers to the row, or the row refers to one that is not there.
    #[error("another row refers to this one, or the one it refers to is missing: {0}")]
    Referenced(#[source] sqlx::Error),
    /// A row holds something that this program cannot read.
    #[error(
        "the control database's table `{table}` holds an unreadable `{column}` in row `{row}`: {reason}"
    )]
    Unreadable {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The row's key.
        row: String,
        /// What was expected.
        reason: String,
    },
    /// A secret does not open with this host's key.
    #[error(
        "the control database's secrets were sealed with another key than this host's ({origin}), \
         or were altered: put back the `host.key` file, or the LODGE_SECRET_KEY, of the host that \
         wrote them; nothing was changed ({place}: {source})"
    )]
    WrongKey {
        /// Which secret.
        place: String,
        /// Where this host's key is from.
        origin: String,
        /// Why it does not open.
        source: SealError,
    },
    /// A secret could not be sealed, and was not written.
    #[error("cannot seal {place} for the control database: {source}")]
    Seal {
        /// Which secret.
        place: String,
        /// Why not.
        source: SealError,
    },
    /// The database could not run a query.
    #[error("the control database failed: {0}")]
    Query(#[source] sqlx::Error),
}

impl Error {
    /// True: the database does not answer, and the same may succeed when it does. Whether a change that
    /// was under way has happened is not known.
    #[must_use]
    pub fn is_away(&self) -> bool {
        let Self::Query(error) = self else {
            return false;
        };
        match error {
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => true,
            sqlx::Error::Database(error) => error.code().is_some_and(|code| ends(&code)),
            _ => false,
        }
    }
}

/// PostgreSQL's codes of a connection that ended, a server that stops or starts, and one that has no
/// connection left (PostgreSQL, Appendix A).
fn ends(code: &str) -> bool {
    code.starts_with("08") || matches!(code, "57P01" | "57P02" | "57P03" | "53300")
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        match error.as_database_error().map(|e| e.kind()) {
            Some(ErrorKind::UniqueViolation) => Self::Taken(error),
            Some(ErrorKind::ForeignKeyViolation) => Self::Referenced(error),
            _ => Self::Query(error),
        }
    }
}
