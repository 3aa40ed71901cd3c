//! The words of SQL: values, rows and errors. The same as `wit/sql.wit`, where they are explained.

/// A value in a statement or a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Null,
    Boolean(bool),
    Int(i64),
    Float(f64),
    Decimal(String),
    Text(String),
    Bytes(Vec<u8>),
    Date(String),
    Time(String),
    Timestamp(String),
    Uuid(String),
    Json(String),
    Array(Vec<Element>),
}

/// An element of an array: never [`Value::Array`], since SQL's arrays have no arrays within.
pub type Element = Value;

/// As many values as there are columns.
pub type Row = Vec<Value>;

/// A result's column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// As the statement names it.
    pub name: String,
    /// The engine's name of its type; may be empty.
    pub type_name: String,
}

/// A whole result.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rows {
    /// Its columns.
    pub columns: Vec<Column>,
    /// Its rows.
    pub rows: Vec<Row>,
}

/// What a statement did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ExecuteOutcome {
    /// Rows that it added, changed or removed.
    pub rows_affected: u64,
    /// The key of the last row it added, where the engine tells it.
    pub last_insert_id: Option<i64>,
}

/// How strictly a transaction is kept from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Isolation {
    #[default]
    EngineDefault,
    ReadCommitted,
    RepeatableRead,
    Serializable,
}

/// What the database itself said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseError {
    /// SQLSTATE, or SQLite's extended result code.
    pub code: String,
    /// Its text.
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

/// A broken constraint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConstraintError {
    /// Which promise.
    pub kind: Constraint,
    /// What the database said.
    pub error: DatabaseError,
    /// The constraint's name, where the engine tells it.
    pub name: Option<String>,
}

/// Why a statement failed, for the guest. The same cases as `wit/sql.wit`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SqlError {
    /// The app has no data source of this name.
    #[error("no data source is named `{0}`")]
    NoSuchSource(String),
    /// The app may not do this.
    #[error("{0}")]
    Refused(String),
    /// A limit of the app's was met; the text names it.
    #[error("{0}")]
    LimitExceeded(String),
    /// The statement took too long and was cancelled.
    #[error("{0}")]
    TimedOut(String),
    /// The database cannot be reached now.
    #[error("{0}")]
    Unavailable(String),
    /// Rolled back for another's sake: do it again.
    #[error("{}: {}", .0.code, .0.message)]
    Conflict(DatabaseError),
    /// A constraint would have been broken.
    #[error("{}: {}", .0.error.code, .0.error.message)]
    Constraint(ConstraintError),
    /// A parameter does not fit.
    #[error("{0}")]
    BadParameter(String),
    /// The transaction has ended.
    #[error("the transaction has ended")]
    Closed,
    /// Anything else that the database said.
    #[error("{}: {}", .0.code, .0.message)]
    Database(DatabaseError),
}
