//! What MySQL's and MariaDB's errors mean to a guest, by number
//! (<https://mariadb.com/kb/en/mariadb-error-code-reference/>).

use crate::database::server::postgres::driver_error;
use lodge_model::{Constraint, ConstraintError, DatabaseError, SqlError};
use sqlx::mysql::MySqlDatabaseError;

/// A connection could not be made.
pub(super) fn connecting(failure: sqlx::Error) -> SqlError {
    match of(failure) {
        SqlError::Refused(said) => {
            SqlError::Refused(format!("the database server refuses the login: {said}"))
        }
        SqlError::Database(said) | SqlError::Conflict(said) => SqlError::Unavailable(format!(
            "the database server does not take the connection: {} {}",
            said.code, said.message
        )),
        other => other,
    }
}

/// A statement failed.
pub(super) fn of(failure: sqlx::Error) -> SqlError {
    let database = match failure {
        sqlx::Error::Database(database) => database,
        other => return driver_error(&other),
    };
    let Ok(said) = database.try_downcast::<MySqlDatabaseError>() else {
        return driver_error(&sqlx::Error::Protocol("an error of another engine".into()));
    };
    let number = said.number();
    let error = DatabaseError {
        code: said.code().unwrap_or("HY000").to_owned(),
        message: format!("{} ({number})", said.message()),
    };
    let constraint = |kind, error: DatabaseError| {
        SqlError::Constraint(ConstraintError {
            name: name_in(&error.message),
            kind,
            error,
        })
    };
    match number {
        1062 | 1586 => constraint(Constraint::Unique, error),
        1216 | 1217 | 1451 | 1452 => constraint(Constraint::ForeignKey, error),
        1048 | 1364 => constraint(Constraint::NotNull, error),
        3819 | 4025 => constraint(Constraint::Check, error),
        1205 | 1213 => SqlError::Conflict(error),
        1317 | 1969 | 3024 => SqlError::TimedOut(error.message),
        1044 | 1045 | 1049 | 1142 | 1143 | 1227 | 1290 | 1370 | 1698 | 1792 | 1410 => {
            SqlError::Refused(error.message)
        }
        1040 | 1053 | 1077 | 1152 | 1203 | 1226 | 1927 | 3169 => SqlError::Unavailable(format!(
            "the database server is not there now: {}",
            error.message
        )),
        _ => SqlError::Database(error),
    }
}

/// `… CONSTRAINT `name` …` or `… for key 'name'`.
fn name_in(message: &str) -> Option<String> {
    for (before, quote) in [("CONSTRAINT `", '`'), ("for key '", '\'')] {
        if let Some((_, rest)) = message.split_once(before) {
            return rest.split(quote).next().map(str::to_owned);
        }
    }
    None
}
