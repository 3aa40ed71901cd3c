//! Entries of streams, as they are written and read.

use crate::names::{FROM, MESSAGE};
use redis::{Cmd, Value};

/// An entry that was read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) id: String,
    /// Whose it says it is; empty where it says nothing.
    pub(crate) from: String,
    /// The message; empty where there is none, as of an entry that was trimmed after it was handed out.
    pub(crate) message: Vec<u8>,
}

/// Adds an entry and lets old ones go: the stream keeps about `keep`.
pub(crate) fn add(stream: &str, keep: usize, fields: &[(&str, &[u8])]) -> Cmd {
    let mut asked = redis::cmd("XADD");
    asked.arg(stream).arg("MAXLEN").arg("~").arg(keep).arg("*");
    for (name, value) in fields {
        asked.arg(name).arg(value);
    }
    asked
}

/// The entries in the answer to a reading of one stream. What has another form is left out.
pub(crate) fn entries(answer: Value) -> Vec<Entry> {
    let streams = match answer {
        Value::Array(streams) => streams
            .into_iter()
            .filter_map(|stream| match stream {
                Value::Array(parts) => parts.into_iter().nth(1),
                _ => None,
            })
            .collect(),
        Value::Map(streams) => streams.into_iter().map(|(_, entries)| entries).collect(),
        _ => Vec::new(),
    };
    let listed = streams.into_iter().flat_map(list);
    listed.filter_map(|entry| read(list(entry))).collect()
}

/// The entries in the answer to a look at a range.
pub(crate) fn range(answer: Value) -> Vec<Entry> {
    list(answer)
        .into_iter()
        .filter_map(|entry| read(list(entry)))
        .collect()
}

/// Which of two entries is later; `None`: one is not an entry's ID.
pub(crate) fn is_before(one: &str, other: &str) -> Option<bool> {
    let read = |id: &str| -> Option<(u64, u64)> {
        let (time, number) = id.split_once('-')?;
        Some((time.parse().ok()?, number.parse().ok()?))
    };
    Some(read(one)? < read(other)?)
}

fn list(value: Value) -> Vec<Value> {
    match value {
        Value::Array(values) => values,
        _ => Vec::new(),
    }
}

fn read(parts: Vec<Value>) -> Option<Entry> {
    let mut parts = parts.into_iter();
    let Value::BulkString(id) = parts.next()? else {
        return None;
    };
    let mut entry = Entry {
        id: String::from_utf8(id).ok()?,
        from: String::new(),
        message: Vec::new(),
    };
    let mut fields = parts.next().map(list).unwrap_or_default().into_iter();
    while let (Some(Value::BulkString(name)), Some(Value::BulkString(value))) =
        (fields.next(), fields.next())
    {
        if name == MESSAGE.as_bytes() {
            entry.message = value;
        } else if name == FROM.as_bytes() {
            entry.from = String::from_utf8(value).unwrap_or_default();
        }
    }
    Some(entry)
}
