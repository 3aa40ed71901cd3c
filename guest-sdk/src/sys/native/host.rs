//! The same functions as a host's interfaces, from the test's own world.

use super::{STATE, tokens};
use crate::db::{Engine, Error, Isolation, Outcome, Rows, Value};
use crate::{client, jwt, kv, log};

#[cfg(feature = "testing")]
use super::sql;

/// Without the feature there is no database.
#[cfg(not(feature = "testing"))]
mod sql {
    use super::{Error, Outcome, Rows, Value};

    fn none<T>() -> Result<T, Error> {
        Err(Error::Unavailable(
            "tests have a database with the feature `testing` of lodge-sdk".into(),
        ))
    }

    pub(super) fn query(_: &str, _: &[Value]) -> Result<Rows, Error> {
        none()
    }

    pub(super) fn execute(_: &str, _: &[Value]) -> Result<Outcome, Error> {
        none()
    }

    pub(super) fn script(_: &str) -> Result<(), Error> {
        none()
    }
}

pub(crate) struct Source;

/// Rolled back when dropped, unless it has ended.
pub(crate) struct Transaction(std::cell::Cell<bool>);

pub(crate) struct Reading(std::vec::IntoIter<Vec<Value>>);

impl Source {
    pub(crate) async fn open(name: &str) -> Result<Self, Error> {
        match name {
            "default" => Ok(Self),
            other => Err(Error::NoSuchSource(other.into())),
        }
    }

    pub(crate) fn engine(&self) -> Engine {
        Engine::Sqlite
    }

    pub(crate) async fn query(&self, sql: String, values: Vec<Value>) -> Result<Rows, Error> {
        sql::query(&sql, &values)
    }

    pub(crate) async fn execute(&self, sql: String, values: Vec<Value>) -> Result<Outcome, Error> {
        sql::execute(&sql, &values)
    }

    pub(crate) async fn read(
        &self,
        sql: String,
        values: Vec<Value>,
    ) -> Result<(Vec<String>, Reading), Error> {
        let rows = sql::query(&sql, &values)?;
        Ok((rows.columns, Reading(rows.rows.into_iter())))
    }

    pub(crate) async fn begin(&self, _: bool, _: Isolation) -> Result<Transaction, Error> {
        sql::script("BEGIN IMMEDIATE")?;
        Ok(Transaction(true.into()))
    }
}

impl Transaction {
    pub(crate) async fn query(&self, sql: String, values: Vec<Value>) -> Result<Rows, Error> {
        sql::query(&sql, &values)
    }

    pub(crate) async fn execute(&self, sql: String, values: Vec<Value>) -> Result<Outcome, Error> {
        sql::execute(&sql, &values)
    }

    pub(crate) async fn commit(&self) -> Result<(), Error> {
        self.0.set(false);
        sql::script("COMMIT")
    }

    pub(crate) async fn rollback(&self) -> Result<(), Error> {
        self.0.set(false);
        sql::script("ROLLBACK")
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if self.0.get() {
            // A test's database goes with the test.
            let _ = sql::script("ROLLBACK");
        }
    }
}

impl Reading {
    pub(crate) async fn next(&mut self) -> Option<Result<Vec<Value>, Error>> {
        self.0.next().map(Ok)
    }
}

pub(crate) fn sign(claims: &str, options: &jwt::Options) -> Result<String, jwt::Error> {
    tokens::sign(claims, options)
}

pub(crate) fn verify(token: &str, expected: &jwt::Expected) -> Result<String, jwt::Error> {
    tokens::verify(token, expected)
}

pub(crate) fn config(key: &str) -> Option<String> {
    STATE.with_borrow(|state| state.config.get(key).cloned())
}

pub(crate) fn all_config() -> Vec<(String, String)> {
    STATE.with_borrow(|state| state.config.clone().into_iter().collect())
}

pub(crate) struct Bucket;

impl Bucket {
    pub(crate) fn open() -> Result<Self, kv::Error> {
        Ok(Self)
    }

    pub(crate) fn get(&self, key: &str) -> Result<Option<Vec<u8>>, kv::Error> {
        Ok(STATE.with_borrow(|state| state.keys.get(key).cloned()))
    }

    pub(crate) fn set(&self, key: &str, value: &[u8]) -> Result<(), kv::Error> {
        STATE.with_borrow_mut(|state| state.keys.insert(key.into(), value.into()));
        Ok(())
    }

    pub(crate) fn delete(&self, key: &str) -> Result<(), kv::Error> {
        STATE.with_borrow_mut(|state| state.keys.remove(key));
        Ok(())
    }

    pub(crate) fn exists(&self, key: &str) -> Result<bool, kv::Error> {
        Ok(STATE.with_borrow(|state| state.keys.contains_key(key)))
    }

    pub(crate) fn keys(&self) -> Result<Vec<String>, kv::Error> {
        Ok(STATE.with_borrow(|state| state.keys.keys().cloned().collect()))
    }

    pub(crate) fn increment(&self, key: &str, by: i64) -> Result<i64, kv::Error> {
        let now = self.get(key)?.unwrap_or_else(|| b"0".to_vec());
        let now = std::str::from_utf8(&now)
            .ok()
            .and_then(|text| text.parse::<i64>().ok());
        let sum = now.and_then(|now| now.checked_add(by));
        let sum =
            sum.ok_or_else(|| kv::Error(format!("`{key}` is no number that can be added to")))?;
        self.set(key, sum.to_string().as_bytes())?;
        Ok(sum)
    }

    pub(crate) fn swap(
        &self,
        key: &str,
        change: impl FnOnce(Option<Vec<u8>>) -> Vec<u8>,
    ) -> Result<bool, kv::Error> {
        let changed = change(self.get(key)?);
        self.set(key, &changed)?;
        Ok(true)
    }
}

pub(crate) fn log(level: log::Level, message: &str) {
    STATE.with_borrow_mut(|state| state.lines.push((level, message.to_owned())));
}

pub(crate) async fn send(
    request: crate::Request,
    _: &client::Timeouts,
) -> Result<crate::Response, client::Error> {
    let answer = STATE.with_borrow(|state| state.answer.clone());
    match answer {
        Some(answer) => Ok(answer(request)),
        None => Err(client::Error(
            "no test answers outgoing requests: see `testing::answer_requests`".into(),
        )),
    }
}
