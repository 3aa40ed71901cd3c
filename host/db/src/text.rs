//! Enums and JSON as TEXT columns.

use crate::Error;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::Row;
use sqlx::any::AnyRow;
use std::str::FromStr;

/// A value as the JSON text that [`json`] reads back.
pub(crate) fn to_json<T: Serialize>(value: &T) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|e| Error::Query(sqlx::Error::Encode(Box::new(e))))
}

/// An enum's name as the API spells it, without the quotes that JSON would add.
pub(crate) fn name_of<T: Serialize>(value: &T) -> Result<String, Error> {
    Ok(to_json(value)?.trim_matches('"').to_owned())
}

/// Free text as both dialects take it: PostgreSQL refuses NUL, and a guest's last words may hold
/// any character.
pub(crate) fn plain(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// A row while it is read: knows the table and the key, so that errors can name them.
pub(crate) struct Reader<'r> {
    table: &'static str,
    key: String,
    row: &'r AnyRow,
}

impl<'r> Reader<'r> {
    /// Begins to read a row whose key is in the column `key`.
    pub(crate) fn new(table: &'static str, key: &'static str, row: &'r AnyRow) -> Self {
        let key = row.try_get::<String, _>(key).unwrap_or_default();
        Self { table, key, row }
    }

    /// A column of a type that the database knows.
    pub(crate) fn get<T>(&self, column: &'static str) -> Result<T, Error>
    where
        T: for<'a> sqlx::Decode<'a, sqlx::Any> + sqlx::Type<sqlx::Any>,
    {
        self.row
            .try_get(column)
            .map_err(|e| self.unreadable(column, e))
    }

    /// A TEXT column that holds JSON.
    pub(crate) fn json<T: DeserializeOwned>(&self, column: &'static str) -> Result<T, Error> {
        let text: String = self.get(column)?;
        serde_json::from_str(&text).map_err(|e| {
            // The line's content may be secret: only say where it went wrong.
            self.unreadable(
                column,
                format!("not as expected at character {}", e.column()),
            )
        })
    }

    /// A TEXT column that holds an enum's name.
    pub(crate) fn name<T: DeserializeOwned>(&self, column: &'static str) -> Result<T, Error> {
        self.parse_name(column, self.get(column)?)
    }

    /// A TEXT column that holds an enum's name or nothing.
    pub(crate) fn optional_name<T: DeserializeOwned>(
        &self,
        column: &'static str,
    ) -> Result<Option<T>, Error> {
        let name: Option<String> = self.get(column)?;
        name.map(|name| self.parse_name(column, name)).transpose()
    }

    /// A TEXT column that holds an ID.
    pub(crate) fn id<T: FromStr<Err: std::fmt::Display>>(
        &self,
        column: &'static str,
    ) -> Result<T, Error> {
        let text: String = self.get(column)?;
        text.parse().map_err(|e| self.unreadable(column, e))
    }

    /// A BIGINT column that holds a count or a size.
    pub(crate) fn unsigned(&self, column: &'static str) -> Result<u64, Error> {
        let number: i64 = self.get(column)?;
        u64::try_from(number).map_err(|e| self.unreadable(column, e))
    }

    fn parse_name<T: DeserializeOwned>(
        &self,
        column: &'static str,
        name: String,
    ) -> Result<T, Error> {
        serde_json::from_value(serde_json::Value::String(name))
            .map_err(|e| self.unreadable(column, e))
    }

    fn unreadable(&self, column: &'static str, reason: impl std::fmt::Display) -> Error {
        Error::Unreadable {
            table: self.table,
            column,
            row: self.key.clone(),
            reason: reason.to_string(),
        }
    }
}
