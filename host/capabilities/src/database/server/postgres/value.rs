//! Values between PostgreSQL and the model, by the type that the server names.

use super::numeric::Numeric;
use super::scalar::{Days, Instant, Local, Scalar, TimeOfDay};
use lodge_model::{Column, DatabaseError, Row, SqlError, Value};
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::{
    PgArgumentBuffer, PgArguments, PgColumn, PgHasArrayType, PgRow, PgStatement, PgTypeInfo,
    PgTypeKind, PgValueRef, Postgres,
};
use sqlx::types::Uuid;
use sqlx::{
    Arguments as _, Column as _, Decode, Encode, Row as _, Statement as _, Type, TypeInfo as _,
    ValueRef as _,
};

/// Calls `$act::<T>(…)` with the type of this name; `$other` for a name that has none.
macro_rules! by_name {
    ($name:expr, $act:ident($($argument:expr),*), $other:expr) => {
        match $name {
            "BOOL" => $act::<bool>($($argument),*),
            "INT2" => $act::<i16>($($argument),*),
            "INT4" => $act::<i32>($($argument),*),
            "INT8" => $act::<i64>($($argument),*),
            "FLOAT4" => $act::<f32>($($argument),*),
            "FLOAT8" => $act::<f64>($($argument),*),
            "NUMERIC" => $act::<Numeric>($($argument),*),
            "TEXT" | "VARCHAR" | "CHAR" | "NAME" | "UNKNOWN" | "citext" | "\"CHAR\"" => $act::<String>($($argument),*),
            "BYTEA" => $act::<Vec<u8>>($($argument),*),
            "UUID" => $act::<Uuid>($($argument),*),
            "DATE" => $act::<Days>($($argument),*),
            "TIME" => $act::<TimeOfDay>($($argument),*),
            "TIMESTAMP" => $act::<Local>($($argument),*),
            "TIMESTAMPTZ" => $act::<Instant>($($argument),*),
            _ => $other,
        }
    };
}

/// Encodes values as the types that the server wants.
///
/// # Errors
/// [`SqlError::BadParameter`]: which, and what is wanted.
pub(super) fn arguments(types: &[PgTypeInfo], values: Vec<Value>) -> Result<PgArguments, SqlError> {
    if types.len() != values.len() {
        return Err(SqlError::BadParameter(format!(
            "the statement has {} parameters, and {} were given",
            types.len(),
            values.len()
        )));
    }
    let mut arguments = PgArguments::default();
    for (index, (wanted, value)) in types.iter().zip(values).enumerate() {
        add(&mut arguments, wanted, value)
            .map_err(|why| SqlError::BadParameter(format!("parameter {}: {why}", index + 1)))?;
    }
    Ok(arguments)
}

fn add(arguments: &mut PgArguments, wanted: &PgTypeInfo, value: Value) -> Result<(), String> {
    if value == Value::Null {
        return add_encoded(arguments, None::<String>);
    }
    match wanted.kind() {
        PgTypeKind::Domain(base) => return add(arguments, base, value),
        PgTypeKind::Enum(_) => return add_encoded(arguments, String::from_value(value)?),
        _ => {}
    }
    let name = wanted.name();
    if matches!(name, "JSON" | "JSONB") {
        let text = match value {
            Value::Json(text) | Value::Text(text) => text,
            other => String::from_value(other)?,
        };
        return add_encoded(
            arguments,
            JsonText {
                text,
                binary: name == "JSONB",
            },
        );
    }
    if let (Some(element), Value::Array(elements)) = (name.strip_suffix("[]"), &value) {
        let elements = elements.clone();
        return by_name!(element, add_array(arguments, elements), Err(unknown(name)));
    }
    by_name!(name, add_scalar(arguments, value), Err(unknown(name)))
}

fn unknown(name: &str) -> String {
    format!(
        "the statement wants the type {name} here, which has no form of its own: pass text and cast it, as in \
         `$1::text::{}`",
        name.to_ascii_lowercase()
    )
}

fn add_scalar<T>(arguments: &mut PgArguments, value: Value) -> Result<(), String>
where
    T: Scalar + for<'q> Encode<'q, Postgres> + Type<Postgres>,
{
    add_encoded(arguments, T::from_value(value)?)
}

fn add_array<T>(arguments: &mut PgArguments, elements: Vec<Value>) -> Result<(), String>
where
    T: Scalar + for<'q> Encode<'q, Postgres> + Type<Postgres> + PgHasArrayType + 'static,
{
    let elements: Result<Vec<Option<T>>, String> = elements
        .into_iter()
        .map(|element| match element {
            Value::Null => Ok(None),
            element => T::from_value(element).map(Some),
        })
        .collect();
    add_encoded(arguments, elements?)
}

fn add_encoded<T>(arguments: &mut PgArguments, value: T) -> Result<(), String>
where
    T: for<'q> Encode<'q, Postgres> + Type<Postgres>,
{
    arguments.add(value).map_err(|e| e.to_string())
}

/// A JSON document as its text, so that nothing of it changes on the way.
struct JsonText {
    text: String,
    /// `jsonb`, which has a version before the text.
    binary: bool,
}

impl Type<Postgres> for JsonText {
    fn type_info() -> PgTypeInfo {
        <sqlx::types::JsonValue as Type<Postgres>>::type_info()
    }
}

impl Encode<'_, Postgres> for JsonText {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        if self.binary {
            buffer.extend(&[1]);
        }
        buffer.extend(self.text.as_bytes());
        Ok(IsNull::No)
    }
}

/// Reads one value of a column.
type Read = for<'r> fn(PgValueRef<'r>) -> Result<Value, BoxDynError>;

/// How the values of a result's columns are read: found once, used for each row.
pub(super) struct Reader(Vec<Read>);

impl Reader {
    /// A column of a type that has no exact form fails when its first value comes.
    pub(super) fn of(columns: &[PgColumn]) -> Self {
        Self(
            columns
                .iter()
                .map(|column| read_of(column.type_info()))
                .collect(),
        )
    }

    /// A row as a guest gets it.
    ///
    /// # Errors
    /// A column of a type that has no exact form: which, and what to do.
    pub(super) fn row(&self, row: &PgRow) -> Result<Row, SqlError> {
        let mut values = Vec::with_capacity(self.0.len());
        for (index, read) in self.0.iter().enumerate() {
            let raw = row.try_get_raw(index).map_err(super::error::of)?;
            let value = if raw.is_null() {
                Value::Null
            } else {
                read(raw).map_err(|e| unread(row, index, &e))?
            };
            values.push(value);
        }
        Ok(values)
    }
}

fn unread(row: &PgRow, index: usize, why: &BoxDynError) -> SqlError {
    let name = row.columns().get(index).map_or("?", |column| column.name());
    SqlError::Database(DatabaseError {
        code: String::new(),
        message: format!("column {name}: {why}"),
    })
}

fn read_of(info: &PgTypeInfo) -> Read {
    match info.kind() {
        PgTypeKind::Domain(base) => return read_of(base),
        PgTypeKind::Enum(_) => return read_scalar::<String>,
        _ => {}
    }
    let name = info.name();
    match name {
        "JSON" => return read_json,
        "JSONB" => return read_jsonb,
        "VOID" => return |_| Ok(Value::Null),
        "OID" => return read_oid,
        _ => {}
    }
    if let Some(element) = name.strip_suffix("[]") {
        return by_name!(element, array_reader(), nameless);
    }
    by_name!(name, scalar_reader(), nameless)
}

fn scalar_reader<T: Scalar + for<'a> Decode<'a, Postgres>>() -> Read {
    read_scalar::<T>
}

fn array_reader<T: Scalar + for<'a> Decode<'a, Postgres> + Type<Postgres>>() -> Read {
    read_array::<T>
}

fn read_json(raw: PgValueRef<'_>) -> Result<Value, BoxDynError> {
    Ok(Value::Json(raw.as_str()?.to_owned()))
}

/// A version, then the text.
fn read_jsonb(raw: PgValueRef<'_>) -> Result<Value, BoxDynError> {
    let text = raw.as_str()?;
    Ok(Value::Json(text.get(1..).unwrap_or_default().to_owned()))
}

fn read_oid(raw: PgValueRef<'_>) -> Result<Value, BoxDynError> {
    let bytes: [u8; 4] = raw.as_bytes()?.try_into()?;
    Ok(Value::Int(u32::from_be_bytes(bytes).into()))
}

fn nameless(raw: PgValueRef<'_>) -> Result<Value, BoxDynError> {
    let info = raw.type_info();
    let name = info.name();
    Err(
        format!("the type {name} has no form of its own here: cast it, as in `column::text`")
            .into(),
    )
}

fn read_scalar<T: Scalar + for<'a> Decode<'a, Postgres>>(
    raw: PgValueRef<'_>,
) -> Result<Value, BoxDynError> {
    Ok(T::decode(raw)?.into_value())
}

fn read_array<T>(raw: PgValueRef<'_>) -> Result<Value, BoxDynError>
where
    T: Scalar + for<'a> Decode<'a, Postgres> + Type<Postgres>,
{
    let elements = <Vec<Option<T>> as Decode<Postgres>>::decode(raw)?;
    let elements = elements.into_iter();
    Ok(Value::Array(
        elements
            .map(|element| element.map_or(Value::Null, T::into_value))
            .collect(),
    ))
}

pub(super) fn columns(statement: &PgStatement) -> Vec<Column> {
    let column = |column: &PgColumn| Column {
        name: column.name().to_owned(),
        type_name: column.type_info().name().to_owned(),
    };
    statement.columns().iter().map(column).collect()
}
