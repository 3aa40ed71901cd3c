//! Exact numbers, as the server writes them: with all their digits, also those after the last that
//! counts (`12.50`), and with `NaN` and `Infinity`.

use super::scalar::{Scalar, unfit};
use crate::database::temporal;
use lodge_model::Value;
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::{
    PgArgumentBuffer, PgHasArrayType, PgTypeInfo, PgValueFormat, PgValueRef, Postgres,
};
use sqlx::types::BigDecimal;
use sqlx::{Decode, Encode, Type};
use std::fmt::Write as _;

/// A number as text.
pub(super) struct Numeric(String);

impl Scalar for Numeric {
    fn from_value(value: Value) -> Result<Self, String> {
        match value {
            Value::Decimal(text) | Value::Text(text) => Ok(Self(text)),
            Value::Int(value) => Ok(Self(value.to_string())),
            Value::Float(value) => Ok(Self(value.to_string())),
            other => unfit(&other, "a decimal"),
        }
    }

    fn into_value(self) -> Value {
        Value::Decimal(self.0)
    }
}

impl Type<Postgres> for Numeric {
    fn type_info() -> PgTypeInfo {
        <BigDecimal as Type<Postgres>>::type_info()
    }
}

impl PgHasArrayType for Numeric {
    fn array_type_info() -> PgTypeInfo {
        <BigDecimal as PgHasArrayType>::array_type_info()
    }
}

impl Encode<'_, Postgres> for Numeric {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        let number: BigDecimal = self
            .0
            .parse()
            .map_err(|_| format!("`{}` is no number", temporal::short(&self.0)))?;
        <BigDecimal as Encode<Postgres>>::encode(number, buffer)
    }
}

impl Decode<'_, Postgres> for Numeric {
    fn decode(value: PgValueRef<'_>) -> Result<Self, BoxDynError> {
        match value.format() {
            PgValueFormat::Binary => read(value.as_bytes()?)
                .map(Self)
                .ok_or_else(|| "a number of an unknown form".into()),
            PgValueFormat::Text => Ok(Self(value.as_str()?.to_owned())),
        }
    }
}

/// Four numbers of 16 bits (how many digits, the first one's weight, the sign, the places after the
/// point) and digits to the base of 10,000 (`numeric_send` of PostgreSQL's `numeric.c`).
fn read(bytes: &[u8]) -> Option<String> {
    let mut words = bytes
        .chunks_exact(2)
        .filter_map(|pair| <[u8; 2]>::try_from(pair).ok());
    let mut word = || words.next();
    let count = u16::from_be_bytes(word()?);
    let weight = i32::from(i16::from_be_bytes(word()?));
    let sign = u16::from_be_bytes(word()?);
    let places = usize::from(u16::from_be_bytes(word()?));
    let digits: Vec<u16> = words.map(u16::from_be_bytes).collect();
    if digits.len() != usize::from(count) {
        return None;
    }
    let mut text = String::new();
    match sign {
        0x0000 => {}
        0x4000 => text.push('-'),
        0xC000 => return Some("NaN".into()),
        0xD000 => return Some("Infinity".into()),
        0xF000 => return Some("-Infinity".into()),
        _ => return None,
    }
    let digit = |position: i32| {
        let index = usize::try_from(weight - position).ok();
        index
            .and_then(|index| digits.get(index).copied())
            .unwrap_or(0)
    };
    // Writing to a string cannot fail.
    let _ = write!(text, "{}", digit(weight.max(0)));
    for position in (0..weight.max(0)).rev() {
        let _ = write!(text, "{:04}", digit(position));
    }
    if places > 0 {
        let mut after = String::new();
        let mut position = -1;
        while after.len() < places {
            let _ = write!(after, "{:04}", digit(position));
            position -= 1;
        }
        after.truncate(places);
        text.push('.');
        text.push_str(&after);
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_the_server_writes_them() {
        for (words, text) in [
            (vec![0, 0, 0, 0], "0"),
            (vec![0, 0, 0, 2], "0.00"),
            (vec![2, 0, 0, 2, 12, 5000], "12.50"),
            (vec![1, -1, 0x4000, 4, 25], "-0.0025"),
            (vec![1, -2, 0, 6, 1200], "0.000012"),
            (vec![1, 1, 0, 0, 7], "70000"),
            (vec![2, 1, 0, 1, 1, 2], "10002.0"),
        ] {
            let bytes: Vec<u8> = words
                .into_iter()
                .flat_map(|word: i16| word.to_be_bytes())
                .collect();
            assert_eq!(read(&bytes).as_deref(), Some(text));
        }
        assert_eq!(read(&[0, 1, 0, 0, 0, 0, 0, 0]), None);
    }
}
