//! Rows on their way to a guest: counted against `result_bytes`, and against the app's memory while
//! the host holds them.

use lodge_model::{Account, Row, SqlError, Value};

/// Memory is reserved in steps of this size, in bytes.
const STEP: u64 = 64 << 10;
/// What a value takes beside its text or bytes.
const VALUE_BYTES: u64 = size_of::<Value>() as u64;

/// Rows that the host holds for an app.
pub(crate) struct Collected<'a> {
    account: &'a dyn Account,
    limit: u64,
    rows: Vec<Row>,
    bytes: u64,
    reserved: u64,
}

impl<'a> Collected<'a> {
    pub(crate) fn new(account: &'a dyn Account, limit: u64) -> Self {
        Self {
            account,
            limit,
            rows: Vec::new(),
            bytes: 0,
            reserved: 0,
        }
    }

    pub(crate) fn push(&mut self, row: Row) -> Result<(), SqlError> {
        self.bytes += row.iter().map(size).sum::<u64>();
        if self.bytes > self.limit {
            return Err(SqlError::LimitExceeded(format!(
                "the result is larger than {} bytes (limits.result_bytes): ask for less, or read it row by row",
                self.limit
            )));
        }
        while self.reserved < self.bytes {
            if !self.account.try_reserve(STEP) {
                return Err(SqlError::LimitExceeded(
                    "the app's memory has no room for the result (limits.memory_bytes, or the host's max_memory)".into(),
                ));
            }
            self.reserved += STEP;
        }
        self.rows.push(row);
        Ok(())
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Hands the rows over: from now on they are the guest's.
    pub(crate) fn take(&mut self) -> Vec<Row> {
        self.bytes = 0;
        self.give_back();
        std::mem::take(&mut self.rows)
    }

    fn give_back(&mut self) {
        if self.reserved > 0 {
            self.account.release(self.reserved);
            self.reserved = 0;
        }
    }
}

impl Drop for Collected<'_> {
    fn drop(&mut self) {
        self.give_back();
    }
}

/// Bytes that a value takes in the host.
fn size(value: &Value) -> u64 {
    let inner = match value {
        Value::Null | Value::Boolean(_) | Value::Int(_) | Value::Float(_) => 0,
        Value::Bytes(bytes) => bytes.len() as u64,
        Value::Decimal(text)
        | Value::Text(text)
        | Value::Date(text)
        | Value::Time(text)
        | Value::Timestamp(text)
        | Value::Uuid(text)
        | Value::Json(text) => text.len() as u64,
        Value::Array(elements) => elements.iter().map(size).sum(),
    };
    VALUE_BYTES + inner
}
