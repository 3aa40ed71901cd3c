//! Values between MySQL or MariaDB and the model. Dates and times are read as they are on the wire:
//! these servers know some, such as `0000-00-00`, that the driver's types do not.

use crate::database::temporal;
use lodge_model::{Column, DatabaseError, Row, SqlError, Value};
use sqlx::error::BoxDynError;
use sqlx::mysql::{MySql, MySqlArguments, MySqlColumn, MySqlRow, MySqlTypeInfo, MySqlValueRef};
use sqlx::types::BigDecimal;
use sqlx::{
    Arguments as _, Column as _, Decode, Encode, Row as _, Type, TypeInfo as _, ValueRef as _,
};

/// Encodes values; the server makes them what the statement wants.
///
/// # Errors
/// [`SqlError::BadParameter`].
pub(super) fn arguments(values: Vec<Value>) -> Result<MySqlArguments, SqlError> {
    let mut arguments = MySqlArguments::default();
    for (index, value) in values.into_iter().enumerate() {
        add(&mut arguments, value)
            .map_err(|why| SqlError::BadParameter(format!("parameter {}: {why}", index + 1)))?;
    }
    Ok(arguments)
}

fn add(arguments: &mut MySqlArguments, value: Value) -> Result<(), String> {
    match value {
        Value::Null => put(arguments, None::<String>),
        Value::Boolean(value) => put(arguments, value),
        Value::Int(value) => put(arguments, value),
        Value::Float(value) => put(arguments, value),
        Value::Bytes(bytes) => put(arguments, bytes),
        Value::Text(text) | Value::Uuid(text) | Value::Json(text) => put(arguments, text),
        Value::Decimal(text) => match text.parse::<BigDecimal>() {
            Ok(number) => put(arguments, number),
            Err(_) => Err(format!("`{}` is no number", temporal::short(&text))),
        },
        Value::Date(text) => put(arguments, temporal::parse_date(&text)?),
        Value::Time(text) => put(arguments, temporal::parse_time(&text)?),
        Value::Timestamp(text) => put(arguments, temporal::parse_local(&text)?),
        Value::Array(_) => Err("MySQL and MariaDB have no arrays: pass JSON".into()),
    }
}

fn put<T>(arguments: &mut MySqlArguments, value: T) -> Result<(), String>
where
    T: for<'q> Encode<'q, MySql> + Type<MySql>,
{
    arguments.add(value).map_err(|e| e.to_string())
}

pub(super) fn columns(columns: &[MySqlColumn]) -> Vec<Column> {
    let column = |column: &MySqlColumn| Column {
        name: column.name().to_owned(),
        type_name: column.type_info().name().to_owned(),
    };
    columns.iter().map(column).collect()
}

/// A row as a guest gets it.
///
/// # Errors
/// A value that cannot be read: of which column.
pub(super) fn row(row: &MySqlRow) -> Result<Row, SqlError> {
    let mut values = Vec::with_capacity(row.len());
    for (index, column) in row.columns().iter().enumerate() {
        let raw = row.try_get_raw(index).map_err(super::error::of)?;
        let value = read(raw, column.type_info()).map_err(|e| {
            SqlError::Database(DatabaseError {
                code: String::new(),
                message: format!("column {}: {e}", column.name()),
            })
        })?;
        values.push(value);
    }
    Ok(values)
}

fn read(raw: MySqlValueRef<'_>, info: &MySqlTypeInfo) -> Result<Value, BoxDynError> {
    if raw.is_null() {
        return Ok(Value::Null);
    }
    Ok(match info.name() {
        "NULL" => Value::Null,
        "BOOLEAN" => Value::Boolean(<i64 as Decode<MySql>>::decode(raw)? != 0),
        "TINYINT" | "SMALLINT" | "MEDIUMINT" | "INT" | "BIGINT" => {
            Value::Int(<i64 as Decode<MySql>>::decode(raw)?)
        }
        "TINYINT UNSIGNED" | "SMALLINT UNSIGNED" | "MEDIUMINT UNSIGNED" | "INT UNSIGNED"
        | "BIGINT UNSIGNED" | "YEAR" => unsigned(<u64 as Decode<MySql>>::decode(raw)?),
        "BIT" => {
            let bytes = <&[u8] as Decode<MySql>>::decode(raw)?;
            unsigned(
                bytes
                    .iter()
                    .fold(0, |sum, byte| (sum << 8) | u64::from(*byte)),
            )
        }
        "FLOAT" => Value::Float(<f32 as Decode<MySql>>::decode(raw)?.into()),
        "DOUBLE" => Value::Float(<f64 as Decode<MySql>>::decode(raw)?),
        "DECIMAL" => Value::Decimal(<String as Decode<MySql>>::decode(raw)?),
        "DATE" => Value::Date(date(wire(raw)?.0)?),
        "TIME" => Value::Time(time(wire(raw)?.0)?),
        "DATETIME" => Value::Timestamp(point(wire(raw)?.0)?),
        // Sessions of the host's are in UTC.
        "TIMESTAMP" => Value::Timestamp(point(wire(raw)?.0)? + "Z"),
        "JSON" => Value::Json(<String as Decode<MySql>>::decode(raw)?),
        _ if <str as Type<MySql>>::compatible(info) || info.name() == "SET" => {
            Value::Text(<String as Decode<MySql>>::decode(raw)?)
        }
        _ => Value::Bytes(<Vec<u8> as Decode<MySql>>::decode(raw)?),
    })
}

fn unsigned(value: u64) -> Value {
    i64::try_from(value).map_or_else(|_| Value::Decimal(value.to_string()), Value::Int)
}

/// A date or time of the binary protocol, without its length
/// (<https://mariadb.com/kb/en/resultset-row/#binary-resultset-row>).
struct Wire<'a>(&'a [u8]);

fn wire(raw: MySqlValueRef<'_>) -> Result<Wire<'_>, BoxDynError> {
    let bytes = <&[u8] as Decode<MySql>>::decode(raw)?;
    match bytes.split_first() {
        Some((length, rest)) if usize::from(*length) == rest.len() => Ok(Wire(rest)),
        _ => Err("a date or time of an unknown form".into()),
    }
}

fn date(bytes: &[u8]) -> Result<String, BoxDynError> {
    match bytes {
        [] => Ok("0000-00-00".into()),
        [low, high, month, day, ..] => {
            let year = u16::from_le_bytes([*low, *high]);
            Ok(format!("{year:04}-{month:02}-{day:02}"))
        }
        _ => Err("a date of an unknown form".into()),
    }
}

fn point(bytes: &[u8]) -> Result<String, BoxDynError> {
    let day = date(bytes)?;
    let clock = match bytes.get(4..) {
        None | Some([]) => clock(0, 0, 0, 0),
        Some([hour, minute, second]) => clock(u64::from(*hour), *minute, *second, 0),
        Some([hour, minute, second, a, b, c, d]) => {
            let micros = u32::from_le_bytes([*a, *b, *c, *d]);
            clock(u64::from(*hour), *minute, *second, micros)
        }
        Some(_) => return Err("a timestamp of an unknown form".into()),
    };
    Ok(format!("{day}T{clock}"))
}

fn time(bytes: &[u8]) -> Result<String, BoxDynError> {
    let (negative, days, rest) = match bytes {
        [] => return Ok(clock(0, 0, 0, 0)),
        [negative, a, b, c, d, rest @ ..] => {
            (*negative != 0, u32::from_le_bytes([*a, *b, *c, *d]), rest)
        }
        _ => return Err("a time of an unknown form".into()),
    };
    let (hour, minute, second, micros) = match rest {
        [hour, minute, second] => (*hour, *minute, *second, 0),
        [hour, minute, second, a, b, c, d] => (
            *hour,
            *minute,
            *second,
            u32::from_le_bytes([*a, *b, *c, *d]),
        ),
        _ => return Err("a time of an unknown form".into()),
    };
    // Up to 838 hours: it is a span as well.
    let hours = u64::from(days) * 24 + u64::from(hour);
    let sign = if negative { "-" } else { "" };
    Ok(format!("{sign}{}", clock(hours, minute, second, micros)))
}

fn clock(hours: u64, minutes: u8, seconds: u8, micros: u32) -> String {
    match micros {
        0 => format!("{hours:02}:{minutes:02}:{seconds:02}"),
        micros if micros % 1000 == 0 => {
            format!("{hours:02}:{minutes:02}:{seconds:02}.{:03}", micros / 1000)
        }
        micros => format!("{hours:02}:{minutes:02}:{seconds:02}.{micros:06}"),
    }
}
