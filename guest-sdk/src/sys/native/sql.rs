//! A database of the test's: SQLite in memory.

use crate::db::{Constraint, Error, Outcome, Rows, SqlError, Value};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ToSql, ffi, params_from_iter};
use std::cell::RefCell;

thread_local! {
    static DATABASE: RefCell<Connection> = RefCell::new(open());
}

fn open() -> Connection {
    let connection = Connection::open_in_memory().expect("SQLite opens in memory");
    connection
        .pragma_update(None, "foreign_keys", true)
        .expect("SQLite has foreign keys");
    connection
}

pub(crate) fn script(sql: &str) -> Result<(), Error> {
    DATABASE.with_borrow(|database| database.execute_batch(sql).map_err(failed))
}

pub(crate) fn execute(sql: &str, values: &[Value]) -> Result<Outcome, Error> {
    let before = DATABASE.with_borrow(Connection::total_changes);
    query(sql, values)?;
    DATABASE.with_borrow(|database| {
        Ok(Outcome {
            rows_affected: database.total_changes() - before,
            last_insert_id: Some(database.last_insert_rowid()),
        })
    })
}

pub(crate) fn query(sql: &str, values: &[Value]) -> Result<Rows, Error> {
    DATABASE.with_borrow(|database| {
        let mut statement = database.prepare(sql).map_err(failed)?;
        let declared: Vec<_> = statement
            .columns()
            .iter()
            .map(|column| {
                let kind = column.decl_type().unwrap_or_default().to_ascii_uppercase();
                (column.name().to_owned(), kind)
            })
            .collect();
        let mut found = statement.query(params_from_iter(values)).map_err(failed)?;
        let mut rows = Vec::new();
        while let Some(row) = found.next().map_err(failed)? {
            let mut values = Vec::with_capacity(declared.len());
            for (index, (_, kind)) in declared.iter().enumerate() {
                values.push(read(row.get_ref(index).map_err(failed)?, kind));
            }
            rows.push(values);
        }
        let columns = declared.into_iter().map(|(name, _)| name).collect();
        Ok(Rows { columns, rows })
    })
}

/// As the host reads SQLite: by what is stored and what was declared.
fn read(value: ValueRef<'_>, declared: &str) -> Value {
    match (value, declared) {
        (ValueRef::Null, _) => Value::Null,
        (ValueRef::Integer(value), "BOOLEAN") => Value::Boolean(value != 0),
        (ValueRef::Integer(value), _) => Value::Int(value),
        (ValueRef::Real(value), _) => Value::Float(value),
        (ValueRef::Blob(bytes), _) => Value::Bytes(bytes.to_vec()),
        (ValueRef::Text(text), declared) => {
            let text = String::from_utf8_lossy(text).into_owned();
            match declared {
                "DATE" => Value::Date(text),
                "TIME" => Value::Time(text),
                "DATETIME" => Value::Timestamp(text),
                _ => Value::Text(text),
            }
        }
    }
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Null => rusqlite::types::Null.into(),
            Self::Boolean(value) => (*value).into(),
            Self::Int(value) => (*value).into(),
            Self::Float(value) => (*value).into(),
            Self::Bytes(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
            Self::Decimal(text)
            | Self::Text(text)
            | Self::Date(text)
            | Self::Time(text)
            | Self::Timestamp(text)
            | Self::Uuid(text)
            | Self::Json(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Self::Array(_) => {
                let why = Error::BadParameter("SQLite has no arrays: pass JSON".into());
                return Err(rusqlite::Error::ToSqlConversionFailure(why.into()));
            }
        })
    }
}

fn failed(error: rusqlite::Error) -> Error {
    let rusqlite::Error::SqliteFailure(code, message) = &error else {
        return Error::BadParameter(error.to_string());
    };
    let said = SqlError {
        code: code.extended_code.to_string(),
        message: message.clone().unwrap_or_else(|| error.to_string()),
    };
    let kind = match code.extended_code {
        ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY => Constraint::Unique,
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY => Constraint::ForeignKey,
        ffi::SQLITE_CONSTRAINT_NOTNULL => Constraint::NotNull,
        ffi::SQLITE_CONSTRAINT_CHECK => Constraint::Check,
        _ => return Error::Database(said),
    };
    let name = said.message.rsplit_once(": ");
    let name = name.map(|(_, name)| name.to_owned());
    Error::Constraint { kind, name, said }
}

#[cfg(test)]
mod tests {
    use crate::db::{Database, Error, params};
    use crate::testing::block_on;

    #[test]
    fn a_test_has_a_database() {
        block_on(async {
            let db = Database::open("default").await.unwrap();
            let table = "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT UNIQUE, done BOOLEAN)";
            db.execute(table, params![]).await.unwrap();
            let add = "INSERT INTO t (name, done) VALUES (?, ?)";
            let added = db.execute(add, params!["a", true]).await.unwrap();
            assert_eq!((added.rows_affected, added.last_insert_id), (1, Some(1)));
            let twice = db.execute(add, params!["a", false]).await;
            assert!(twice.unwrap_err().is_duplicate());
            let failed: Result<(), Error> = db
                .transaction(async |tx| {
                    tx.execute(add, params!["b", true]).await?;
                    Err(Error::NoRow)
                })
                .await;
            assert_eq!(failed, Err(Error::NoRow));
            let all = db.query("SELECT id, name, done FROM t", params![]);
            let all: Vec<(i64, String, Option<bool>)> = all.await.unwrap();
            assert_eq!(all, [(1, "a".to_owned(), Some(true))]);
        });
    }
}
