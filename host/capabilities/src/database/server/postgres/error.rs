//! What PostgreSQL's errors mean to a guest, by SQLSTATE
//! (<https://www.postgresql.org/docs/current/errcodes-appendix.html>).

use lodge_model::{Constraint, ConstraintError, DatabaseError, SqlError};
use sqlx::postgres::PgDatabaseError;

/// A connection could not be made.
pub(super) fn connecting(failure: sqlx::Error) -> SqlError {
    match of(failure) {
        SqlError::Database(said) | SqlError::Conflict(said) => match said.code.as_str() {
            // A password or a name that is not taken: trying again gives the same.
            "28P01" | "28000" | "3D000" => SqlError::Refused(format!(
                "the database server refuses the login: {} ({})",
                said.message, said.code
            )),
            _ => SqlError::Unavailable(format!(
                "the database server does not take the connection: {} {}",
                said.code, said.message
            )),
        },
        other => other,
    }
}

/// A statement failed.
pub(super) fn of(failure: sqlx::Error) -> SqlError {
    let database = match failure {
        sqlx::Error::Database(database) => database,
        other => return driver(&other),
    };
    let Ok(said) = database.try_downcast::<PgDatabaseError>() else {
        return driver(&sqlx::Error::Protocol("an error of another engine".into()));
    };
    let name = said.constraint().map(str::to_owned);
    let error = DatabaseError {
        code: PgDatabaseError::code(&said).to_owned(),
        message: PgDatabaseError::message(&said).to_owned(),
    };
    let constraint = |kind, error| SqlError::Constraint(ConstraintError { kind, error, name });
    match error.code.as_str() {
        "23505" => constraint(Constraint::Unique, error),
        "23503" => constraint(Constraint::ForeignKey, error),
        "23502" => constraint(Constraint::NotNull, error),
        "23514" => constraint(Constraint::Check, error),
        code if code.starts_with("23") => constraint(Constraint::Other, error),
        "40001" | "40P01" => SqlError::Conflict(error),
        "57014" | "25P03" => SqlError::TimedOut(error.message),
        "42501" | "25006" => SqlError::Refused(format!("{} ({})", error.message, error.code)),
        code if code.starts_with("08") || code.starts_with("57P") || code == "53300" => {
            SqlError::Unavailable(format!(
                "the database server is not there now: {} ({})",
                error.message, error.code
            ))
        }
        _ => SqlError::Database(error),
    }
}

/// The driver's own errors, the same for every server.
pub(crate) fn driver(failure: &sqlx::Error) -> SqlError {
    match failure {
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) => {
            SqlError::Unavailable(format!(
                "the connection to the database server broke: {failure}"
            ))
        }
        sqlx::Error::Encode(e) => SqlError::BadParameter(e.to_string()),
        other => SqlError::Database(DatabaseError {
            code: String::new(),
            message: other.to_string(),
        }),
    }
}
