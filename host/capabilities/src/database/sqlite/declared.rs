//! Columns declared `JSON`, `UUID` or `DECIMAL`: SQLite knows no such types and keeps texts and numbers in
//! them, which come back as what the column says. What does not read as such comes back as it is.

use super::lease::Lease;
use lodge_model::{Column, SqlError, Value};
use sqlx::sqlite::SqliteColumn;
use sqlx::{Column as _, ColumnOrigin, TypeInfo as _};

/// A type that only the declaration tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Declared {
    Json,
    Uuid,
    Decimal,
}

/// Which columns of a result have such a type.
pub(super) type Types = Vec<(usize, Declared)>;

/// A column of a result whose type sqlx does not know, and where it comes from.
pub(super) struct Unknown {
    index: usize,
    table: String,
    name: String,
}

impl Unknown {
    pub(super) fn of(columns: &[SqliteColumn]) -> Vec<Self> {
        let columns = columns.iter().enumerate();
        let unknown = columns.filter(|(_, column)| column.type_info().name() == "NULL");
        unknown
            .filter_map(|(index, column)| match column.origin() {
                ColumnOrigin::Table(origin) => Some(Self {
                    index,
                    table: origin.table.to_string(),
                    name: origin.name.to_string(),
                }),
                _ => None,
            })
            .collect()
    }
}

impl Declared {
    /// `DECIMAL(10, 2)` is a `DECIMAL`.
    fn of(declaration: &str) -> Option<Self> {
        let name = declaration.split('(').next()?.trim();
        match name.to_ascii_uppercase().as_str() {
            "JSON" => Some(Self::Json),
            "UUID" => Some(Self::Uuid),
            "DECIMAL" => Some(Self::Decimal),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Json => "JSON",
            Self::Uuid => "UUID",
            Self::Decimal => "DECIMAL",
        }
    }

    fn read(self, value: &mut Value) {
        *value = match (self, std::mem::replace(value, Value::Null)) {
            // What is a number keeps its text, which is the same in both.
            (Self::Json, Value::Int(number)) => Value::Json(number.to_string()),
            (Self::Json, Value::Float(number)) if number.is_finite() => {
                Value::Json(number.to_string())
            }
            (Self::Decimal, Value::Int(number)) => Value::Decimal(number.to_string()),
            (Self::Decimal, Value::Float(number)) if number.is_finite() => {
                Value::Decimal(number.to_string())
            }
            (Self::Json, Value::Text(text)) if is_json(&text) => Value::Json(text),
            (Self::Uuid, Value::Text(text)) if is_uuid(&text) => Value::Uuid(text),
            (Self::Decimal, Value::Text(text)) if is_decimal(&text) => Value::Decimal(text),
            (_, value) => value,
        };
    }
}

/// Gives a row's values the types of their columns.
pub(super) fn read(types: &[(usize, Declared)], row: &mut [Value]) {
    for (index, declared) in types {
        if let Some(value) = row.get_mut(*index) {
            declared.read(value);
        }
    }
}

impl Lease {
    /// Looks unknown types up in the schema, and names them in `columns`.
    pub(super) async fn declared(
        &mut self,
        unknown: Vec<Unknown>,
        columns: &mut [Column],
    ) -> Result<Types, SqlError> {
        let mut types = Vec::new();
        for Unknown { index, table, name } in unknown {
            let (schema, table) = match table.strip_prefix("temp.") {
                Some(table) => ("temp", table),
                None => ("main", table.as_str()),
            };
            let declaration = self.declaration(schema, table, &name).await?;
            if let Some(declared) = declaration.as_deref().and_then(Declared::of) {
                types.push((index, declared));
                if let Some(column) = columns.get_mut(index) {
                    column.type_name = declared.name().to_owned();
                }
            }
        }
        Ok(types)
    }
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

/// `67e55044-10b1-426f-9247-bb680e5fe0c8`.
fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(place, byte)| match place {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// `-12.50`.
fn is_decimal(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, part) = digits.split_once('.').unwrap_or((digits, "0"));
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    !whole.is_empty() && !part.is_empty() && all_digits(whole) && all_digits(part)
}
