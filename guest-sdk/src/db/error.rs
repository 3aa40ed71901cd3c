//! Why a statement failed.

use std::fmt;

/// What the database itself said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlError {
    /// SQLSTATE (PostgreSQL, MySQL, MariaDB), or SQLite's extended result code.
    pub code: String,
    pub message: String,
}

/// Which promise a row would have broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Constraint {
    Unique,
    ForeignKey,
    NotNull,
    Check,
    Other,
}

/// Why a statement failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// The app has no data source of this name.
    NoSuchSource(String),
    /// The app may not do this: it leaves its room, or the source is read-only.
    Refused(String),
    /// A limit of the app's was met; the text names it.
    LimitExceeded(String),
    /// The statement took too long and was cancelled.
    TimedOut(String),
    /// The database cannot be reached now; a later try may succeed.
    Unavailable(String),
    /// The transaction was rolled back for another's sake: do it again.
    Conflict(SqlError),
    /// A constraint would have been broken.
    Constraint {
        kind: Constraint,
        /// The constraint's name, where the engine tells it.
        name: Option<String>,
        said: SqlError,
    },
    /// A parameter does not fit.
    BadParameter(String),
    /// The transaction has ended.
    Closed,
    /// Anything else that the database said.
    Database(SqlError),
    /// There is no row.
    NoRow,
    /// A row is not what it was taken for: which column, and why.
    Row(String),
}

impl Error {
    /// Whether a row of this key is there already.
    pub fn is_duplicate(&self) -> bool {
        matches!(
            self,
            Self::Constraint {
                kind: Constraint::Unique,
                ..
            }
        )
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchSource(name) => write!(f, "no data source is named `{name}`"),
            Self::Refused(why)
            | Self::LimitExceeded(why)
            | Self::TimedOut(why)
            | Self::Unavailable(why)
            | Self::BadParameter(why)
            | Self::Row(why) => f.write_str(why),
            Self::Conflict(said) | Self::Database(said) | Self::Constraint { said, .. } => {
                write!(f, "{}: {}", said.code, said.message)
            }
            Self::Closed => f.write_str("the transaction has ended"),
            Self::NoRow => f.write_str("there is no such row"),
        }
    }
}

impl std::error::Error for Error {}
