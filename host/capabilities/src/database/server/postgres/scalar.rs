//! The types that have an exact form on both sides, each with its way there and back.
//!
//! Dates and times are read as the numbers that they are on the wire: PostgreSQL knows days that the
//! driver's types do not, and `infinity`.

use crate::database::temporal;
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use lodge_model::Value;
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::{
    PgArgumentBuffer, PgHasArrayType, PgTypeInfo, PgValueFormat, PgValueRef, Postgres,
};
use sqlx::types::Uuid;
use sqlx::{Decode, Encode, Type};

/// A type between the server's and the guest's.
pub(super) trait Scalar: Sized {
    /// From what a guest gave.
    fn from_value(value: Value) -> Result<Self, String>;
    /// To what a guest gets.
    fn into_value(self) -> Value;
}

pub(super) fn unfit<T>(value: &Value, wanted: &str) -> Result<T, String> {
    let given = match value {
        Value::Null => "null",
        Value::Boolean(_) => "a boolean",
        Value::Int(_) => "an int",
        Value::Float(_) => "a float",
        Value::Decimal(_) => "a decimal",
        Value::Text(_) => "a text",
        Value::Bytes(_) => "bytes",
        Value::Date(_) => "a date",
        Value::Time(_) => "a time",
        Value::Timestamp(_) => "a timestamp",
        Value::Uuid(_) => "a uuid",
        Value::Json(_) => "JSON",
        Value::Array(_) => "an array",
    };
    Err(format!(
        "is {given}, and the statement wants {wanted} here: pass that, or cast, as in `$1::text`"
    ))
}

impl Scalar for bool {
    fn from_value(value: Value) -> Result<Self, String> {
        match value {
            Value::Boolean(value) => Ok(value),
            other => unfit(&other, "a boolean"),
        }
    }

    fn into_value(self) -> Value {
        Value::Boolean(self)
    }
}

macro_rules! integers {
    ($($type:ty),*) => {$(
        impl Scalar for $type {
            fn from_value(value: Value) -> Result<Self, String> {
                match value {
                    Value::Int(value) => Self::try_from(value).map_err(|_| {
                        format!("{value} is too large for the {} that the statement wants: cast, as in `$1::int8`", stringify!($type))
                    }),
                    other => unfit(&other, "an integer"),
                }
            }

            fn into_value(self) -> Value {
                Value::Int(self.into())
            }
        }
    )*};
}
integers!(i16, i32, i64);

impl Scalar for f64 {
    #[expect(clippy::cast_precision_loss, reason = "the statement wants a float")]
    fn from_value(value: Value) -> Result<Self, String> {
        match value {
            Value::Float(value) => Ok(value),
            Value::Int(value) => Ok(value as Self),
            Value::Decimal(text) => text.parse().map_err(|_| "is no number".to_owned()),
            other => unfit(&other, "a float"),
        }
    }

    fn into_value(self) -> Value {
        Value::Float(self)
    }
}

impl Scalar for f32 {
    #[expect(clippy::cast_possible_truncation, reason = "the column is that narrow")]
    fn from_value(value: Value) -> Result<Self, String> {
        f64::from_value(value).map(|value| value as Self)
    }

    fn into_value(self) -> Value {
        Value::Float(self.into())
    }
}

impl Scalar for String {
    fn from_value(value: Value) -> Result<Self, String> {
        match value {
            Value::Text(text)
            | Value::Decimal(text)
            | Value::Date(text)
            | Value::Time(text)
            | Value::Timestamp(text)
            | Value::Uuid(text)
            | Value::Json(text) => Ok(text),
            Value::Int(value) => Ok(value.to_string()),
            Value::Float(value) => Ok(value.to_string()),
            Value::Boolean(value) => Ok(value.to_string()),
            other => unfit(&other, "a text"),
        }
    }

    fn into_value(self) -> Value {
        Value::Text(self)
    }
}

impl Scalar for Vec<u8> {
    fn from_value(value: Value) -> Result<Self, String> {
        match value {
            Value::Bytes(bytes) => Ok(bytes),
            other => unfit(&other, "bytes"),
        }
    }

    fn into_value(self) -> Value {
        Value::Bytes(self)
    }
}

impl Scalar for Uuid {
    fn from_value(value: Value) -> Result<Self, String> {
        match value {
            Value::Uuid(text) | Value::Text(text) => Self::parse_str(&text)
                .map_err(|_| format!("`{}` is no UUID", temporal::short(&text))),
            other => unfit(&other, "a UUID"),
        }
    }

    fn into_value(self) -> Value {
        Value::Uuid(self.to_string())
    }
}

/// A type that is a number on the wire.
macro_rules! numbers {
    ($($name:ident, $number:ty, $like:ty;)*) => {$(
        pub(super) struct $name($number);

        impl Type<Postgres> for $name {
            fn type_info() -> PgTypeInfo {
                <$like as Type<Postgres>>::type_info()
            }
        }

        impl PgHasArrayType for $name {
            fn array_type_info() -> PgTypeInfo {
                <$like as PgHasArrayType>::array_type_info()
            }
        }

        impl Encode<'_, Postgres> for $name {
            fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
                <$number as Encode<Postgres>>::encode(self.0, buffer)
            }
        }

        impl Decode<'_, Postgres> for $name {
            fn decode(value: PgValueRef<'_>) -> Result<Self, BoxDynError> {
                match value.format() {
                    PgValueFormat::Binary => {
                        let bytes = value.as_bytes()?.try_into()?;
                        Ok(Self(<$number>::from_be_bytes(bytes)))
                    }
                    PgValueFormat::Text => Err("a date or time in text form".into()),
                }
            }
        }
    )*};
}
numbers! {
    Days, i32, NaiveDate;
    TimeOfDay, i64, NaiveTime;
    Local, i64, NaiveDateTime;
    Instant, i64, DateTime<Utc>;
}

/// What PostgreSQL counts from.
const EPOCH: NaiveDateTime = match NaiveDate::from_ymd_opt(2000, 1, 1) {
    Some(day) => match day.and_hms_opt(0, 0, 0) {
        Some(epoch) => epoch,
        None => NaiveDateTime::MIN,
    },
    None => NaiveDateTime::MIN,
};

/// What is beyond all days, and what is beyond those that this host can name.
fn beyond(is_after: bool, is_infinite: bool) -> String {
    match (is_infinite, is_after) {
        (true, true) => "infinity",
        (true, false) => "-infinity",
        (false, true) => "+262142-12-31",
        (false, false) => "-262143-01-01",
    }
    .to_owned()
}

impl Scalar for Days {
    fn from_value(value: Value) -> Result<Self, String> {
        match value {
            Value::Date(text) | Value::Text(text) => {
                let days = temporal::parse_date(&text)? - EPOCH.date();
                i32::try_from(days.num_days())
                    .map(Self)
                    .map_err(|_| "is out of range".to_owned())
            }
            other => unfit(&other, "a date"),
        }
    }

    fn into_value(self) -> Value {
        let day = EPOCH
            .date()
            .checked_add_signed(TimeDelta::days(self.0.into()));
        let infinite = matches!(self.0, i32::MIN | i32::MAX);
        Value::Date(day.map_or_else(|| beyond(self.0 > 0, infinite), |day| day.to_string()))
    }
}

impl Scalar for TimeOfDay {
    fn from_value(value: Value) -> Result<Self, String> {
        match value {
            Value::Time(text) | Value::Text(text) => {
                let since = temporal::parse_time(&text)? - NaiveTime::MIN;
                Ok(Self(since.num_microseconds().unwrap_or(0)))
            }
            other => unfit(&other, "a time"),
        }
    }

    fn into_value(self) -> Value {
        let (time, days) = NaiveTime::MIN.overflowing_add_signed(TimeDelta::microseconds(self.0));
        Value::Time(match days {
            0 => time.format("%H:%M:%S%.f").to_string(),
            _ => "24:00:00".to_owned(),
        })
    }
}

fn micros(at: NaiveDateTime) -> Result<i64, String> {
    (at - EPOCH)
        .num_microseconds()
        .ok_or_else(|| "is out of range".to_owned())
}

fn point(micros: i64) -> Result<NaiveDateTime, String> {
    EPOCH
        .checked_add_signed(TimeDelta::microseconds(micros))
        .ok_or_else(|| beyond(micros > 0, matches!(micros, i64::MIN | i64::MAX)))
}

impl Scalar for Local {
    fn from_value(value: Value) -> Result<Self, String> {
        match value {
            Value::Timestamp(text) | Value::Text(text) => {
                micros(temporal::parse_local(&text)?).map(Self)
            }
            other => unfit(&other, "a timestamp"),
        }
    }

    fn into_value(self) -> Value {
        Value::Timestamp(point(self.0).map_or_else(|beyond| beyond, temporal::format_local))
    }
}

impl Scalar for Instant {
    fn from_value(value: Value) -> Result<Self, String> {
        match value {
            Value::Timestamp(text) | Value::Text(text) => {
                micros(temporal::parse_timestamp(&text)?.naive_utc()).map(Self)
            }
            other => unfit(&other, "a timestamp"),
        }
    }

    fn into_value(self) -> Value {
        let at = point(self.0).map(|at| at.and_utc());
        Value::Timestamp(at.map_or_else(|beyond| beyond, temporal::format_timestamp))
    }
}
