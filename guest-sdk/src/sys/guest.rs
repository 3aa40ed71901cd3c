//! The host's interfaces. What an application does not use is not among its component's imports.

mod bindings {
    wit_bindgen::generate!({
        path: "../wit",
        inline: "
            package lodge:sdk;
            world sdk {
                import lodge:host/database-async@0.1.0;
                import lodge:host/jwt@0.1.0;
                import wasi:config/store@0.2.0-rc.1;
                import wasi:keyvalue/store@0.2.0-draft2;
                import wasi:keyvalue/atomics@0.2.0-draft2;
                import wasi:logging/logging@0.1.0-draft;
            }
        ",
        world: "lodge:sdk/sdk",
        generate_all,
    });
}

pub mod migrations {
    wit_bindgen::generate!({
        path: "../wit",
        inline: "
            package lodge:sdk-migrations;
            world migrations {
                export lodge:host/migrations@0.1.0;
            }
        ",
        world: "lodge:sdk-migrations/migrations",
        pub_export_macro: true,
        export_macro_name: "export_migrations",
        default_bindings_module: "lodge_sdk::__private::migrations",
        generate_all,
    });
}

use bindings::lodge::host::{database_async as sql, jwt, sql as words};
use bindings::wasi::{config::store, keyvalue, logging::logging};

use crate::db::{Constraint, Engine, Error, Isolation, Outcome, Rows, SqlError, Value};
use crate::{client, jwt as tokens, kv, log};

pub(crate) struct Source(sql::DataSource);
pub(crate) struct Transaction(sql::Transaction);

/// Rows as they come.
pub(crate) struct Reading {
    rows: wit_bindgen::StreamReader<Vec<words::Value>>,
    ended: Option<wit_bindgen::FutureReader<Result<(), words::Error>>>,
}

impl Source {
    pub(crate) async fn open(name: &str) -> Result<Self, Error> {
        Ok(Self(sql::DataSource::open(name.to_owned()).await?))
    }

    pub(crate) fn engine(&self) -> Engine {
        match self.0.engine() {
            words::Engine::Sqlite => Engine::Sqlite,
            words::Engine::Postgres => Engine::Postgres,
            words::Engine::Mysql => Engine::Mysql,
            words::Engine::Mariadb => Engine::Mariadb,
        }
    }

    pub(crate) async fn query(&self, sql: String, values: Vec<Value>) -> Result<Rows, Error> {
        Ok(self.0.query(sql, all(values)).await?.into())
    }

    pub(crate) async fn execute(&self, sql: String, values: Vec<Value>) -> Result<Outcome, Error> {
        Ok(self.0.execute(sql, all(values)).await?.into())
    }

    pub(crate) async fn read(
        &self,
        sql: String,
        values: Vec<Value>,
    ) -> Result<(Vec<String>, Reading), Error> {
        let (columns, rows, ended) = self.0.read(sql, all(values)).await?;
        let columns = columns.into_iter().map(|column| column.name).collect();
        let ended = Some(ended);
        Ok((columns, Reading { rows, ended }))
    }

    pub(crate) async fn begin(
        &self,
        read_only: bool,
        isolation: Isolation,
    ) -> Result<Transaction, Error> {
        let access = match read_only {
            true => words::Access::ReadOnly,
            false => words::Access::ReadWrite,
        };
        let isolation = match isolation {
            Isolation::EngineDefault => words::Isolation::EngineDefault,
            Isolation::ReadCommitted => words::Isolation::ReadCommitted,
            Isolation::RepeatableRead => words::Isolation::RepeatableRead,
            Isolation::Serializable => words::Isolation::Serializable,
        };
        Ok(Transaction(self.0.begin(access, isolation).await?))
    }
}

impl Transaction {
    pub(crate) async fn query(&self, sql: String, values: Vec<Value>) -> Result<Rows, Error> {
        Ok(self.0.query(sql, all(values)).await?.into())
    }

    pub(crate) async fn execute(&self, sql: String, values: Vec<Value>) -> Result<Outcome, Error> {
        Ok(self.0.execute(sql, all(values)).await?.into())
    }

    pub(crate) async fn commit(&self) -> Result<(), Error> {
        Ok(self.0.commit().await?)
    }

    pub(crate) async fn rollback(&self) -> Result<(), Error> {
        Ok(self.0.rollback().await?)
    }
}

impl Reading {
    pub(crate) async fn next(&mut self) -> Option<Result<Vec<Value>, Error>> {
        if let Some(row) = self.rows.next().await {
            return Some(Ok(row.into_iter().map(Value::from).collect()));
        }
        match self.ended.take()?.await {
            Ok(()) => None,
            Err(error) => Some(Err(error.into())),
        }
    }
}

fn all(values: Vec<Value>) -> Vec<words::Value> {
    values.into_iter().map(words::Value::from).collect()
}

macro_rules! same_variants {
    ($theirs:ident: $($variant:ident),*) => {
        impl From<Value> for words::$theirs {
            fn from(value: Value) -> Self {
                match value {
                    Value::Null => Self::Null,
                    $(Value::$variant(value) => Self::$variant(value),)*
                    Value::Array(elements) => array::$theirs(elements),
                }
            }
        }
    };
}
same_variants!(Value: Boolean, Int, Float, Decimal, Text, Bytes, Date, Time, Timestamp, Uuid, Json);
same_variants!(Element: Boolean, Int, Float, Decimal, Text, Bytes, Date, Time, Timestamp, Uuid, Json);

/// An array holds elements, and an element no array.
#[allow(non_snake_case)]
mod array {
    use super::{Value, words};

    pub(super) fn Value(elements: Vec<Value>) -> words::Value {
        words::Value::Array(elements.into_iter().map(words::Element::from).collect())
    }

    pub(super) fn Element(_: Vec<Value>) -> words::Element {
        words::Element::Null
    }
}

impl From<words::Value> for Value {
    fn from(value: words::Value) -> Self {
        use words::Value as V;
        match value {
            V::Null => Self::Null,
            V::Boolean(value) => Self::Boolean(value),
            V::Int(value) => Self::Int(value),
            V::Float(value) => Self::Float(value),
            V::Decimal(text) => Self::Decimal(text),
            V::Text(text) => Self::Text(text),
            V::Bytes(bytes) => Self::Bytes(bytes),
            V::Date(text) => Self::Date(text),
            V::Time(text) => Self::Time(text),
            V::Timestamp(text) => Self::Timestamp(text),
            V::Uuid(text) => Self::Uuid(text),
            V::Json(text) => Self::Json(text),
            V::Array(elements) => Self::Array(elements.into_iter().map(Self::from).collect()),
        }
    }
}

impl From<words::Element> for Value {
    fn from(element: words::Element) -> Self {
        use words::Element as E;
        match element {
            E::Null => Self::Null,
            E::Boolean(value) => Self::Boolean(value),
            E::Int(value) => Self::Int(value),
            E::Float(value) => Self::Float(value),
            E::Decimal(text) => Self::Decimal(text),
            E::Text(text) => Self::Text(text),
            E::Bytes(bytes) => Self::Bytes(bytes),
            E::Date(text) => Self::Date(text),
            E::Time(text) => Self::Time(text),
            E::Timestamp(text) => Self::Timestamp(text),
            E::Uuid(text) => Self::Uuid(text),
            E::Json(text) => Self::Json(text),
        }
    }
}

impl From<words::Rows> for Rows {
    fn from(rows: words::Rows) -> Self {
        let row = |row: Vec<words::Value>| row.into_iter().map(Value::from).collect();
        Self {
            columns: rows.columns.into_iter().map(|column| column.name).collect(),
            rows: rows.rows.into_iter().map(row).collect(),
        }
    }
}

impl From<words::Outcome> for Outcome {
    fn from(outcome: words::Outcome) -> Self {
        Self {
            rows_affected: outcome.rows_affected,
            last_insert_id: outcome.last_insert_id,
        }
    }
}

impl From<words::Error> for Error {
    fn from(error: words::Error) -> Self {
        use words::Error as E;
        let said = |said: words::SqlError| SqlError {
            code: said.code,
            message: said.message,
        };
        match error {
            E::NoSuchSource(name) => Self::NoSuchSource(name),
            E::Refused(why) => Self::Refused(why),
            E::LimitExceeded(why) => Self::LimitExceeded(why),
            E::TimedOut(why) => Self::TimedOut(why),
            E::Unavailable(why) => Self::Unavailable(why),
            E::Conflict(error) => Self::Conflict(said(error)),
            E::BadParameter(why) => Self::BadParameter(why),
            E::Closed => Self::Closed,
            E::Database(error) => Self::Database(said(error)),
            E::Constraint(broken) => Self::Constraint {
                kind: match broken.kind {
                    words::ConstraintKind::Unique => Constraint::Unique,
                    words::ConstraintKind::ForeignKey => Constraint::ForeignKey,
                    words::ConstraintKind::NotNull => Constraint::NotNull,
                    words::ConstraintKind::Check => Constraint::Check,
                    words::ConstraintKind::Other => Constraint::Other,
                },
                name: broken.name,
                said: SqlError {
                    code: broken.code,
                    message: broken.message,
                },
            },
        }
    }
}

pub(crate) fn sign(claims: &str, options: &tokens::Options) -> Result<String, tokens::Error> {
    let options = jwt::SignOptions {
        expires_in: options.expires_in,
        not_before_in: options.not_before_in,
        issuer: options.issuer.clone(),
        audience: options.audience.clone(),
        subject: options.subject.clone(),
    };
    Ok(jwt::sign(claims, &options)?)
}

pub(crate) fn verify(token: &str, expected: &tokens::Expected) -> Result<String, tokens::Error> {
    let expected = jwt::Expectations {
        issuer: expected.issuer.clone(),
        audience: expected.audience.clone(),
        leeway: expected.leeway,
    };
    Ok(jwt::verify(token, &expected)?)
}

impl From<jwt::Error> for tokens::Error {
    fn from(error: jwt::Error) -> Self {
        match error {
            jwt::Error::Malformed(why) => Self::Malformed(why),
            jwt::Error::BadSignature => Self::BadSignature,
            jwt::Error::Expired => Self::Expired,
            jwt::Error::NotYetValid => Self::NotYetValid,
            jwt::Error::Unexpected(why) => Self::Unexpected(why),
            jwt::Error::Unavailable(why) => Self::Unavailable(why),
        }
    }
}

pub(crate) fn config(key: &str) -> Option<String> {
    store::get(key).ok().flatten()
}

pub(crate) fn all_config() -> Vec<(String, String)> {
    store::get_all().unwrap_or_default()
}

pub(crate) struct Bucket(keyvalue::store::Bucket);

impl Bucket {
    pub(crate) fn open() -> Result<Self, kv::Error> {
        Ok(Self(keyvalue::store::open("")?))
    }

    pub(crate) fn get(&self, key: &str) -> Result<Option<Vec<u8>>, kv::Error> {
        Ok(self.0.get(key)?)
    }

    pub(crate) fn set(&self, key: &str, value: &[u8]) -> Result<(), kv::Error> {
        Ok(self.0.set(key, value)?)
    }

    pub(crate) fn delete(&self, key: &str) -> Result<(), kv::Error> {
        Ok(self.0.delete(key)?)
    }

    pub(crate) fn exists(&self, key: &str) -> Result<bool, kv::Error> {
        Ok(self.0.exists(key)?)
    }

    pub(crate) fn keys(&self) -> Result<Vec<String>, kv::Error> {
        let mut keys = Vec::new();
        let mut cursor = None;
        loop {
            let page = self.0.list_keys(cursor.as_deref())?;
            keys.extend(page.keys);
            cursor = page.cursor;
            if cursor.is_none() {
                return Ok(keys);
            }
        }
    }

    pub(crate) fn increment(&self, key: &str, by: i64) -> Result<i64, kv::Error> {
        Ok(keyvalue::atomics::increment(&self.0, key, by)?)
    }

    /// False: somebody else was faster.
    pub(crate) fn swap(
        &self,
        key: &str,
        change: impl FnOnce(Option<Vec<u8>>) -> Vec<u8>,
    ) -> Result<bool, kv::Error> {
        let (cas, now) = keyvalue::atomics::Cas::new_with_read(&self.0, key)?;
        match keyvalue::atomics::swap(cas, &change(now)) {
            Ok(()) => Ok(true),
            Err(keyvalue::atomics::CasError::CasFailed(_)) => Ok(false),
            Err(keyvalue::atomics::CasError::StoreError(error)) => Err(error.into()),
        }
    }
}

impl From<keyvalue::store::Error> for kv::Error {
    fn from(error: keyvalue::store::Error) -> Self {
        use keyvalue::store::Error as E;
        Self(match error {
            E::NoSuchStore => "there is no such store".into(),
            E::AccessDenied => "the app may not do this".into(),
            E::Other(why) => why,
        })
    }
}

pub(crate) fn log(level: log::Level, message: &str) {
    let level = match level {
        log::Level::Trace => logging::Level::Trace,
        log::Level::Debug => logging::Level::Debug,
        log::Level::Info => logging::Level::Info,
        log::Level::Warn => logging::Level::Warn,
        log::Level::Error => logging::Level::Error,
    };
    logging::log(level, "", message);
}

pub(crate) async fn send(
    request: crate::Request,
    timeouts: &client::Timeouts,
) -> Result<crate::Response, client::Error> {
    use wasip3::http::types::{ErrorCode, RequestOptions};
    use wasip3::http_compat::{
        RequestOptionsExtension, http_from_wasi_response, http_into_wasi_request,
    };
    let failed = |code: ErrorCode| client::Error(format!("{code:?}"));
    let options = RequestOptions::new();
    let nanos = |time: std::time::Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    // A host that does not know one of them has its own.
    let _ = options.set_connect_timeout(Some(nanos(timeouts.connect)));
    let _ = options.set_first_byte_timeout(Some(nanos(timeouts.first_byte)));
    let _ = options.set_between_bytes_timeout(Some(nanos(timeouts.between_bytes)));
    let mut request = request;
    request
        .extensions_mut()
        .insert(RequestOptionsExtension(options));
    let request = http_into_wasi_request(request).map_err(failed)?;
    let response = wasip3::http::client::send(request).await.map_err(failed)?;
    let response = http_from_wasi_response(response).map_err(failed)?;
    Ok(response.map(crate::Body::new))
}
