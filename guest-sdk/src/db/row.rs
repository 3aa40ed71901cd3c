//! Rows, and what they become.

use super::{Error, FromValue, Value};
use std::sync::Arc;

/// One row of a result.
pub struct Row {
    columns: Arc<[String]>,
    values: Vec<Value>,
}

/// What a row becomes: derive it for a structure whose fields are named like the columns (or say
/// `#[row("column")]`), or use a tuple, by position.
pub trait FromRow: Sized {
    /// # Errors
    /// [`Error::Row`]: a column is missing, or is something else.
    fn from_row(row: &Row) -> Result<Self, Error>;
}

impl Row {
    pub(crate) fn new(columns: Arc<[String]>, values: Vec<Value>) -> Self {
        Self { columns, values }
    }

    /// The value of a column. Names are compared without regard to case, as engines differ in it.
    ///
    /// # Errors
    /// [`Error::Row`]: there is no such column, or it is something else.
    pub fn get<T: FromValue>(&self, column: &str) -> Result<T, Error> {
        let index = self
            .columns
            .iter()
            .position(|name| name.eq_ignore_ascii_case(column))
            .ok_or_else(|| Error::Row(format!("the result has no column `{column}`")))?;
        self.at(index)
    }

    /// The value of a column by its place, from 0.
    ///
    /// # Errors
    /// [`Error::Row`]: there are fewer columns, or it is something else.
    pub fn at<T: FromValue>(&self, index: usize) -> Result<T, Error> {
        let value = self.values.get(index).cloned().ok_or_else(|| {
            Error::Row(format!(
                "the result has {} columns, and number {} is wanted",
                self.values.len(),
                index + 1
            ))
        })?;
        T::from_value(value).map_err(|why| {
            let name = self.columns.get(index).map_or("?", String::as_str);
            Error::Row(format!("column `{name}`: {why}"))
        })
    }
}

macro_rules! tuples {
    ($(($($type:ident $index:tt),*))*) => {$(
        impl<$($type: FromValue),*> FromRow for ($($type,)*) {
            fn from_row(row: &Row) -> Result<Self, Error> {
                Ok(($(row.at::<$type>($index)?,)*))
            }
        }
    )*};
}
tuples! {
    (A 0)
    (A 0, B 1)
    (A 0, B 1, C 2)
    (A 0, B 1, C 2, D 3)
    (A 0, B 1, C 2, D 3, E 4)
    (A 0, B 1, C 2, D 3, E 4, F 5)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7)
}
