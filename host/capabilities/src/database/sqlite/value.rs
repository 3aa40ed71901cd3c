//! Values between SQLite and the model. SQLite stores five classes; a column's declared type says
//! what a text or a number in it means.

use super::watch::Watch;
use lodge_model::{Column, Constraint, ConstraintError, DatabaseError, Row, SqlError, Value};
use sqlx::error::ErrorKind;
use sqlx::sqlite::{SqliteArguments, SqliteColumn, SqliteRow, SqliteValueRef};
use sqlx::{Arguments as _, Column as _, Decode, Row as _, Sqlite, TypeInfo as _, ValueRef as _};

pub(super) fn arguments(values: Vec<Value>) -> Result<SqliteArguments, SqlError> {
    let mut arguments = SqliteArguments::default();
    for (index, value) in values.into_iter().enumerate() {
        let added = match value {
            Value::Null => arguments.add(None::<i64>),
            Value::Boolean(value) => arguments.add(value),
            Value::Int(value) => arguments.add(value),
            Value::Float(value) => arguments.add(value),
            Value::Bytes(bytes) => arguments.add(bytes),
            Value::Decimal(text)
            | Value::Text(text)
            | Value::Date(text)
            | Value::Time(text)
            | Value::Timestamp(text)
            | Value::Uuid(text)
            | Value::Json(text) => arguments.add(text),
            Value::Array(_) => {
                return Err(SqlError::BadParameter(format!(
                    "parameter {}: SQLite has no arrays; pass JSON",
                    index + 1
                )));
            }
        };
        added.map_err(|e| SqlError::BadParameter(format!("parameter {}: {e}", index + 1)))?;
    }
    Ok(arguments)
}

pub(super) fn columns(columns: &[SqliteColumn]) -> Vec<Column> {
    columns.iter().map(column).collect()
}

fn column(column: &SqliteColumn) -> Column {
    let type_name = column.type_info().name();
    Column {
        name: column.name().to_owned(),
        type_name: if type_name == "NULL" { "" } else { type_name }.to_owned(),
    }
}

pub(super) fn row(row: &SqliteRow) -> Result<Row, SqlError> {
    let mut values = Vec::with_capacity(row.len());
    for (index, column) in row.columns().iter().enumerate() {
        let raw = row.try_get_raw(index).map_err(|e| error(e, None))?;
        let value = value(raw, column.type_info().name()).map_err(|e| {
            SqlError::Database(DatabaseError {
                code: String::new(),
                message: format!("column {}: {e}", column.name()),
            })
        })?;
        values.push(value);
    }
    Ok(values)
}

fn value(raw: SqliteValueRef<'_>, declared: &str) -> Result<Value, sqlx::error::BoxDynError> {
    if raw.is_null() {
        return Ok(Value::Null);
    }
    let stored = raw.type_info().into_owned();
    Ok(match (stored.name(), declared) {
        ("INTEGER" | "BOOLEAN", "BOOLEAN") => {
            Value::Boolean(<i64 as Decode<Sqlite>>::decode(raw)? != 0)
        }
        ("INTEGER" | "BOOLEAN", _) => Value::Int(<i64 as Decode<Sqlite>>::decode(raw)?),
        ("REAL", _) => Value::Float(<f64 as Decode<Sqlite>>::decode(raw)?),
        ("BLOB", _) => Value::Bytes(<Vec<u8> as Decode<Sqlite>>::decode(raw)?),
        (_, "DATE") => Value::Date(<String as Decode<Sqlite>>::decode(raw)?),
        (_, "TIME") => Value::Time(<String as Decode<Sqlite>>::decode(raw)?),
        (_, "DATETIME") => Value::Timestamp(<String as Decode<Sqlite>>::decode(raw)?),
        _ => Value::Text(<String as Decode<Sqlite>>::decode(raw)?),
    })
}

/// SQLite's primary result codes, <https://www.sqlite.org/rescode.html>.
mod code {
    pub(super) const BUSY: i32 = 5;
    pub(super) const LOCKED: i32 = 6;
    pub(super) const NO_MEMORY: i32 = 7;
    pub(super) const INTERRUPT: i32 = 9;
    pub(super) const FULL: i32 = 13;
    pub(super) const TOO_BIG: i32 = 18;
    pub(super) const AUTH: i32 = 23;
}

/// What became of a statement, for the guest. `watch` knows why it was ended or refused.
pub(super) fn error(error: sqlx::Error, watch: Option<&Watch>) -> SqlError {
    let refusal = watch.and_then(Watch::refusal);
    let database = match error {
        sqlx::Error::Database(database) => database,
        sqlx::Error::Io(e) => return SqlError::Unavailable(format!("the database file: {e}")),
        // sqlx has no error for a row without memory: its thread ends.
        sqlx::Error::WorkerCrashed if watch.is_some_and(Watch::is_poor) => return no_memory(),
        sqlx::Error::WorkerCrashed if watch.is_some_and(Watch::timed_out) => return timed_out(),
        sqlx::Error::WorkerCrashed => {
            return SqlError::Unavailable("the database's thread ended; try again".into());
        }
        other => {
            return SqlError::Database(DatabaseError {
                code: String::new(),
                message: other.to_string(),
            });
        }
    };
    let said = DatabaseError {
        code: database.code().unwrap_or_default().into_owned(),
        message: database.message().to_owned(),
    };
    let extended: i32 = said.code.parse().unwrap_or(0);
    if let Some(kind) = constraint(database.kind()) {
        return SqlError::Constraint(ConstraintError {
            kind,
            name: said
                .message
                .rsplit_once(": ")
                .map(|(_, name)| name.to_owned()),
            error: said,
        });
    }
    match (extended & 0xff, refusal) {
        (code::AUTH, refusal) => SqlError::Refused(refusal.unwrap_or(said.message)),
        (_, Some(refusal)) => SqlError::Refused(refusal),
        (code::INTERRUPT | code::NO_MEMORY, None) if watch.is_some_and(Watch::timed_out) => {
            timed_out()
        }
        (code::NO_MEMORY, None) => no_memory(),
        (code::FULL, None) if watch.is_some_and(Watch::timed_out) => timed_out(),
        (code::FULL, None) => SqlError::LimitExceeded(
            "the app's database, or what a statement sorts, has reached its size (limits.storage_bytes): remove \
             something, or ask for more"
                .into(),
        ),
        (code::TOO_BIG, None) => SqlError::LimitExceeded(
            "a value or the statement is larger than the app may have (limits.result_bytes; 1 MiB for a statement)"
                .into(),
        ),
        (code::BUSY | code::LOCKED, None) => SqlError::Conflict(said),
        _ => SqlError::Database(said),
    }
}

fn constraint(kind: ErrorKind) -> Option<Constraint> {
    match kind {
        ErrorKind::UniqueViolation => Some(Constraint::Unique),
        ErrorKind::ForeignKeyViolation => Some(Constraint::ForeignKey),
        ErrorKind::NotNullViolation => Some(Constraint::NotNull),
        ErrorKind::CheckViolation => Some(Constraint::Check),
        _ => None,
    }
}

pub(super) fn timed_out() -> SqlError {
    SqlError::TimedOut(
        "the statement ran longer than it may (limits.statement_timeout_ms), and was ended".into(),
    )
}

fn no_memory() -> SqlError {
    SqlError::LimitExceeded(
        "the app's memory has no room for what the statement needs (limits.memory_bytes, or the host's max_memory)".into(),
    )
}
