//! Values, and the types of Rust that they are.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// A value that goes into a statement or comes out of a row. What has no exact machine type is text in
/// its standard form.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Null,
    Boolean(bool),
    Int(i64),
    Float(f64),
    /// An exact number, such as `12.50`.
    Decimal(String),
    Text(String),
    Bytes(Vec<u8>),
    /// `2026-11-21`.
    Date(String),
    /// `13:45:00.25`.
    Time(String),
    /// `2026-11-21T13:45:00Z`; without `Z` where the column knows no offset.
    Timestamp(String),
    /// Lower case, with hyphens.
    Uuid(String),
    /// A JSON document.
    Json(String),
    /// PostgreSQL only.
    Array(Vec<Value>),
}

/// What a value may become.
pub trait FromValue: Sized {
    /// # Errors
    /// It is something else; the text says what.
    fn from_value(value: Value) -> Result<Self, String>;
}

/// A column that holds JSON, or a parameter that is to be JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Json<T>(pub T);

impl Value {
    fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean(_) => "a boolean",
            Self::Int(_) => "an int",
            Self::Float(_) => "a float",
            Self::Decimal(_) => "a decimal",
            Self::Text(_) => "a text",
            Self::Bytes(_) => "bytes",
            Self::Date(_) => "a date",
            Self::Time(_) => "a time",
            Self::Timestamp(_) => "a timestamp",
            Self::Uuid(_) => "a uuid",
            Self::Json(_) => "JSON",
            Self::Array(_) => "an array",
        }
    }
}

fn other<T>(value: &Value, wanted: &str) -> Result<T, String> {
    Err(format!("is {}, not {wanted}", value.kind()))
}

impl FromValue for Value {
    fn from_value(value: Value) -> Result<Self, String> {
        Ok(value)
    }
}

impl FromValue for bool {
    fn from_value(value: Value) -> Result<Self, String> {
        match value {
            Value::Boolean(value) => Ok(value),
            // SQLite has no other, unless the column is declared as one.
            Value::Int(value @ (0 | 1)) => Ok(value == 1),
            value => other(&value, "a boolean"),
        }
    }
}

impl FromValue for i64 {
    fn from_value(value: Value) -> Result<Self, String> {
        match value {
            Value::Int(value) => Ok(value),
            Value::Boolean(value) => Ok(value.into()),
            // What `SUM` gives on some engines.
            Value::Decimal(text) => text.parse().map_err(|_| format!("is {text}, no int")),
            value => other(&value, "an int"),
        }
    }
}

macro_rules! narrower {
    ($($type:ty),*) => {$(
        impl FromValue for $type {
            fn from_value(value: Value) -> Result<Self, String> {
                let wide = i64::from_value(value)?;
                Self::try_from(wide).map_err(|_| format!("is {wide}, too large for {}", stringify!($type)))
            }
        }
    )*};
}
narrower!(i8, i16, i32, u8, u16, u32, u64, usize);

impl FromValue for f64 {
    fn from_value(value: Value) -> Result<Self, String> {
        match value {
            Value::Float(value) => Ok(value),
            Value::Int(value) => Ok(value as f64),
            Value::Decimal(text) => text.parse().map_err(|_| format!("is {text}, no float")),
            value => other(&value, "a float"),
        }
    }
}

impl FromValue for String {
    fn from_value(value: Value) -> Result<Self, String> {
        match value {
            Value::Text(text)
            | Value::Decimal(text)
            | Value::Date(text)
            | Value::Time(text)
            | Value::Timestamp(text)
            | Value::Uuid(text)
            | Value::Json(text) => Ok(text),
            value => other(&value, "a text"),
        }
    }
}

impl FromValue for Vec<u8> {
    fn from_value(value: Value) -> Result<Self, String> {
        match value {
            Value::Bytes(bytes) => Ok(bytes),
            value => other(&value, "bytes"),
        }
    }
}

impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: Value) -> Result<Self, String> {
        match value {
            Value::Null => Ok(None),
            value => T::from_value(value).map(Some),
        }
    }
}

impl<T: DeserializeOwned> FromValue for Json<T> {
    fn from_value(value: Value) -> Result<Self, String> {
        match value {
            Value::Json(text) | Value::Text(text) => serde_json::from_str(&text)
                .map(Self)
                .map_err(|e| format!("is other JSON than expected: {e}")),
            value => other(&value, "JSON"),
        }
    }
}

macro_rules! into_value {
    ($($from:ty => |$name:ident| $value:expr;)*) => {$(
        impl From<$from> for Value {
            fn from($name: $from) -> Self {
                $value
            }
        }
    )*};
}
into_value! {
    bool => |value| Self::Boolean(value);
    i8 => |value| Self::Int(value.into());
    i16 => |value| Self::Int(value.into());
    i32 => |value| Self::Int(value.into());
    i64 => |value| Self::Int(value);
    u8 => |value| Self::Int(value.into());
    u16 => |value| Self::Int(value.into());
    u32 => |value| Self::Int(value.into());
    u64 => |value| i64::try_from(value).map_or_else(|_| Self::Decimal(value.to_string()), Self::Int);
    usize => |value| Self::from(value as u64);
    f64 => |value| Self::Float(value);
    &str => |value| Self::Text(value.to_owned());
    String => |value| Self::Text(value);
    &String => |value| Self::Text(value.clone());
    Vec<u8> => |value| Self::Bytes(value);
    &[u8] => |value| Self::Bytes(value.to_vec());
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl<T: Serialize> From<Json<T>> for Value {
    /// What cannot be JSON (a map whose keys are no texts) is null.
    fn from(json: Json<T>) -> Self {
        serde_json::to_string(&json.0).map_or(Self::Null, Self::Json)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_become_what_they_fit() {
        assert_eq!(bool::from_value(Value::Int(1)), Ok(true));
        assert_eq!(i64::from_value(Value::Decimal("3".into())), Ok(3));
        assert_eq!(
            u8::from_value(Value::Int(256)),
            Err("is 256, too large for u8".into())
        );
        assert_eq!(Option::<String>::from_value(Value::Null), Ok(None));
        assert_eq!(
            String::from_value(Value::Int(1)),
            Err("is an int, not a text".into())
        );
        assert_eq!(
            Json::<Vec<u8>>::from_value(Value::Json("[1]".into())),
            Ok(Json(vec![1]))
        );
        assert_eq!(Value::from(Json([1])), Value::Json("[1]".into()));
        assert_eq!(Value::from(None::<i64>), Value::Null);
        assert_eq!(Value::from(u64::MAX), Value::Decimal(u64::MAX.to_string()));
    }
}
