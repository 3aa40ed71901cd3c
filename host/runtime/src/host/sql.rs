//! The words of SQL between a guest's types and the model's: moved, never copied.

use super::View;
use super::sync::lodge::host::sql as wit;
use lodge_model as model;

// So that a row is converted where it lies, without a new allocation.
const _: () = assert!(size_of::<wit::Value>() == size_of::<model::Value>());

impl wit::Host for View<'_> {}

/// Converts case by case between two enums whose cases have the same names.
macro_rules! by_case {
    ($from:path => $to:path, $value:expr, [$($case:ident),*], $($rest:tt)*) => {{
        use $from as From;
        use $to as To;
        match $value {
            From::Null => To::Null,
            $(From::$case(inner) => To::$case(inner),)*
            $($rest)*
        }
    }};
}

impl From<wit::Value> for model::Value {
    fn from(value: wit::Value) -> Self {
        by_case!(wit::Value => model::Value, value,
            [Boolean, Int, Float, Decimal, Text, Bytes, Date, Time, Timestamp, Uuid, Json],
            From::Array(elements) => To::Array(elements.into_iter().map(model::Value::from).collect()),
        )
    }
}

impl From<wit::Element> for model::Value {
    fn from(element: wit::Element) -> Self {
        by_case!(wit::Element => model::Value, element,
            [Boolean, Int, Float, Decimal, Text, Bytes, Date, Time, Timestamp, Uuid, Json],
        )
    }
}

impl From<model::Value> for wit::Value {
    fn from(value: model::Value) -> Self {
        by_case!(model::Value => wit::Value, value,
            [Boolean, Int, Float, Decimal, Text, Bytes, Date, Time, Timestamp, Uuid, Json],
            From::Array(elements) => To::Array(elements.into_iter().map(wit::Element::from).collect()),
        )
    }
}

impl From<model::Value> for wit::Element {
    fn from(value: model::Value) -> Self {
        by_case!(model::Value => wit::Element, value,
            [Boolean, Int, Float, Decimal, Text, Bytes, Date, Time, Timestamp, Uuid, Json],
            // Arrays have no arrays within.
            From::Array(_) => To::Null,
        )
    }
}

/// What the host holds of a statement, in bytes.
pub(super) fn size(text: &str, parameters: &[wit::Value]) -> u64 {
    use wit::{Element as E, Value as V};
    let bytes = |parameter: &wit::Value| match parameter {
        V::Null | V::Boolean(_) | V::Int(_) | V::Float(_) => 0,
        V::Bytes(bytes) => bytes.len(),
        V::Decimal(s) | V::Text(s) | V::Date(s) | V::Time(s) => s.len(),
        V::Timestamp(s) | V::Uuid(s) | V::Json(s) => s.len(),
        V::Array(elements) => elements
            .iter()
            .map(|element| {
                let bytes = match element {
                    E::Null | E::Boolean(_) | E::Int(_) | E::Float(_) => 0,
                    E::Bytes(bytes) => bytes.len(),
                    E::Decimal(s) | E::Text(s) | E::Date(s) | E::Time(s) => s.len(),
                    E::Timestamp(s) | E::Uuid(s) | E::Json(s) => s.len(),
                };
                bytes + size_of::<wit::Element>()
            })
            .sum(),
    };
    let parameters: usize = parameters
        .iter()
        .map(|parameter| bytes(parameter) + size_of::<wit::Value>())
        .sum();
    (text.len() + parameters) as u64
}

pub(super) fn parameters(values: Vec<wit::Value>) -> Vec<model::Value> {
    values.into_iter().map(model::Value::from).collect()
}

pub(super) fn row(row: model::Row) -> wit::Row {
    row.into_iter().map(wit::Value::from).collect()
}

pub(super) fn columns(columns: Vec<model::Column>) -> Vec<wit::Column> {
    let column = |column: model::Column| wit::Column {
        name: column.name,
        type_name: column.type_name,
    };
    columns.into_iter().map(column).collect()
}

pub(super) fn rows(rows: model::Rows) -> wit::Rows {
    wit::Rows {
        columns: columns(rows.columns),
        rows: rows.rows.into_iter().map(row).collect(),
    }
}

pub(super) fn outcome(outcome: model::ExecuteOutcome) -> wit::Outcome {
    wit::Outcome {
        rows_affected: outcome.rows_affected,
        last_insert_id: outcome.last_insert_id,
    }
}

pub(super) fn engine(engine: model::DatabaseEngine) -> wit::Engine {
    match engine {
        model::DatabaseEngine::Sqlite => wit::Engine::Sqlite,
        model::DatabaseEngine::Postgres => wit::Engine::Postgres,
        model::DatabaseEngine::Mysql => wit::Engine::Mysql,
        model::DatabaseEngine::Mariadb => wit::Engine::Mariadb,
    }
}

pub(super) fn access(access: wit::Access) -> model::SourceAccess {
    match access {
        wit::Access::ReadWrite => model::SourceAccess::ReadWrite,
        wit::Access::ReadOnly => model::SourceAccess::ReadOnly,
    }
}

pub(super) fn isolation(isolation: wit::Isolation) -> model::Isolation {
    match isolation {
        wit::Isolation::EngineDefault => model::Isolation::EngineDefault,
        wit::Isolation::ReadCommitted => model::Isolation::ReadCommitted,
        wit::Isolation::RepeatableRead => model::Isolation::RepeatableRead,
        wit::Isolation::Serializable => model::Isolation::Serializable,
    }
}

impl From<model::DatabaseError> for wit::SqlError {
    fn from(error: model::DatabaseError) -> Self {
        Self {
            code: error.code,
            message: error.message,
        }
    }
}

impl From<model::SqlError> for wit::Error {
    fn from(error: model::SqlError) -> Self {
        use model::SqlError as E;
        match error {
            E::NoSuchSource(name) => Self::NoSuchSource(name),
            E::Refused(text) => Self::Refused(text),
            E::LimitExceeded(text) => Self::LimitExceeded(text),
            E::TimedOut(text) => Self::TimedOut(text),
            E::Unavailable(text) => Self::Unavailable(text),
            E::Conflict(error) => Self::Conflict(error.into()),
            E::Constraint(broken) => Self::Constraint(wit::ConstraintError {
                kind: match broken.kind {
                    model::Constraint::Unique => wit::ConstraintKind::Unique,
                    model::Constraint::ForeignKey => wit::ConstraintKind::ForeignKey,
                    model::Constraint::NotNull => wit::ConstraintKind::NotNull,
                    model::Constraint::Check => wit::ConstraintKind::Check,
                    model::Constraint::Other => wit::ConstraintKind::Other,
                },
                code: broken.error.code,
                message: broken.error.message,
                name: broken.name,
            }),
            E::BadParameter(text) => Self::BadParameter(text),
            E::Closed => Self::Closed,
            E::Database(error) => Self::Database(error.into()),
        }
    }
}
