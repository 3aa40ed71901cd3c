//! A message that is a JSON object: its text, its level, and the rest as fields.
//!
//! Fields are kept as the compact JSON that they are, so that a line costs its bytes and no more, however
//! its values nest. What bounds them: [`LOG_LINE_BYTES`] with the text, [`LOG_FIELDS`], and [`DEPTH`], since
//! what a guest nests is read again by others. An object beyond one of these is no failure: nothing of it
//! is lost, its line stays the text that it was.

use super::LogLevel;
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value};
use std::fmt::{self, Display, Formatter};

/// The longest line, in bytes: its text and its fields.
pub const LOG_LINE_BYTES: usize = 8 * 1024;

/// The most fields of a line.
pub const LOG_FIELDS: usize = 64;

/// How deep values may nest.
const DEPTH: usize = 16;

/// Where an object has its text; the first that is one counts.
const TEXTS: [&str; 2] = ["message", "msg"];

/// The fields of a line: a JSON object. Shown, they are `name=value`, in the order of their names.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LogFields(Box<RawValue>);

/// A message that was an object, taken apart.
pub(super) struct Structured {
    pub(super) message: String,
    pub(super) level: Option<LogLevel>,
    pub(super) fields: Option<LogFields>,
}

impl Structured {
    /// `levels`: whether the object says how grave the line is; else its `level` is a field like others.
    pub(super) fn of(message: &str, levels: bool) -> Option<Self> {
        // Most lines are not even looked at twice.
        if !message.trim_start().starts_with('{') || message.len() > LOG_LINE_BYTES {
            return None;
        }
        let mut object: Map<String, Value> = serde_json::from_str(message).ok()?;
        if object.is_empty() || object.len() > LOG_FIELDS || !object.values().all(|v| fits(v, 1)) {
            return None;
        }
        let text = TEXTS.iter().find_map(|name| take_text(&mut object, name));
        let level = match object.get("level") {
            Some(Value::String(word)) if levels => level_of(word),
            _ => None,
        };
        if level.is_some() {
            object.remove("level");
        }
        let message = text.unwrap_or_default();
        let fields = match object.is_empty() {
            true => None,
            false => Some(LogFields(to_raw_value(&object).ok()?)),
        };
        // Numbers may be longer than they were written.
        let bytes = message.len() + fields.as_ref().map_or(0, LogFields::bytes);
        (bytes <= LOG_LINE_BYTES).then_some(Self {
            message,
            level,
            fields,
        })
    }
}

impl LogFields {
    /// What they take, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.0.get().len()
    }
}

impl PartialEq for LogFields {
    fn eq(&self, other: &Self) -> bool {
        self.0.get() == other.0.get()
    }
}

impl Eq for LogFields {}

impl Display for LogFields {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let object: Map<String, Value> = serde_json::from_str(self.0.get()).unwrap_or_default();
        for (at, (name, value)) in object.iter().enumerate() {
            let space = if at == 0 { "" } else { " " };
            match value {
                Value::String(text) => write!(f, "{space}{}={}", word(name), word(text))?,
                other => write!(f, "{space}{}={other}", word(name))?,
            }
        }
        Ok(())
    }
}

/// A text as it is if nobody could take it for something else, in quotes if not.
fn word(text: &str) -> String {
    let odd = |c: char| c.is_whitespace() || c.is_control() || c == '"' || c == '=';
    match text.is_empty() || text.contains(odd) {
        true => Value::from(text).to_string(),
        false => text.to_owned(),
    }
}

fn take_text(object: &mut Map<String, Value>, name: &str) -> Option<String> {
    match object.remove(name)? {
        Value::String(text) => Some(text),
        other => {
            object.insert(name.to_owned(), other);
            None
        }
    }
}

/// Whether a value that is so deep within others nests no deeper than it may.
fn fits(value: &Value, depth: usize) -> bool {
    depth <= DEPTH
        && match value {
            Value::Array(values) => values.iter().all(|value| fits(value, depth + 1)),
            Value::Object(values) => values.values().all(|value| fits(value, depth + 1)),
            _ => true,
        }
}

/// The words that loggers use.
fn level_of(word: &str) -> Option<LogLevel> {
    Some(match word.to_ascii_lowercase().as_str() {
        "trace" | "debug" => LogLevel::Debug,
        "info" => LogLevel::Info,
        "warn" | "warning" => LogLevel::Warn,
        "error" | "critical" | "fatal" => LogLevel::Error,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{LogFilter, LogLine, LogSource};

    fn line(source: LogSource, message: &str) -> LogLine {
        let line = LogLine {
            time: 1,
            level: LogLevel::Info,
            source,
            message: message.into(),
            fields: None,
            request: None,
        };
        line.structured()
    }

    #[test]
    fn an_object_is_a_text_and_fields() {
        let said = r#" {"msg":"closed","ticket":7,"by":"Ada L","tags":["a",{"b":null}],"level":"warning"} "#;
        let said = line(LogSource::Stdout, said);
        assert_eq!(
            (said.message.as_str(), said.level),
            ("closed", LogLevel::Warn)
        );
        let shown = r#"closed by="Ada L" tags=["a",{"b":null}] ticket=7"#;
        assert_eq!(said.text(), shown);
        let json = serde_json::to_value(&said).unwrap();
        assert_eq!(json["fields"]["tags"][1]["b"], Value::Null);
        assert_eq!(serde_json::from_value::<LogLine>(json).unwrap(), said);
        // The call has said how grave it is.
        let said = line(
            LogSource::App,
            r#"{"message":"m","msg":"n","level":"error"}"#,
        );
        assert_eq!(said.level, LogLevel::Info);
        assert_eq!(said.text(), "m level=error msg=n");
        let without = line(LogSource::Stderr, r#"{"a=b":"","message":5,"level":30}"#);
        assert_eq!(without.text(), r#""a=b"="" level=30 message=5"#);
    }

    #[test]
    fn what_is_none_or_too_much_stays_the_text_that_it_was() {
        let many = |n: usize| {
            let pairs: Map<_, _> = (0..n).map(|n| (n.to_string(), n.into())).collect();
            Value::Object(pairs).to_string()
        };
        let deep = |n: usize| format!("{{\"a\":{}{}}}", "[".repeat(n), "]".repeat(n));
        let long = format!("{{\"a\":\"{}\"}}", "x".repeat(LOG_LINE_BYTES));
        let grows = format!("{{\"a\":[{}1]}}", "1e15,".repeat(1_000));
        for kept in [many(LOG_FIELDS), deep(DEPTH)] {
            assert!(line(LogSource::App, &kept).fields.is_some(), "{kept}");
        }
        let not = ["{}", "[1]", "{a}", "{\"a\":1} b", "text"].map(String::from);
        let too_much = [
            many(LOG_FIELDS + 1),
            deep(DEPTH + 1),
            deep(500),
            long,
            grows,
        ];
        for text in not.into_iter().chain(too_much) {
            let said = line(LogSource::App, &text);
            assert_eq!((said.message, said.fields), (text, None));
        }
        let host = line(LogSource::Host, r#"{"a":1}"#);
        assert_eq!(host.fields, None, "the host's own lines are texts");
    }

    #[test]
    fn a_search_finds_what_is_shown() {
        let said = line(LogSource::App, r#"{"message":"closed","user":"Ada"}"#);
        for (text, found) in [
            ("CLOSED", true),
            ("user=ada", true),
            ("closed user", true),
            ("bob", false),
        ] {
            assert_eq!(
                LogFilter::default().with_text(text).matches(&said),
                found,
                "{text}"
            );
        }
    }

    #[test]
    fn lines_without_fields_are_read_and_written_as_before() {
        let old = r#"{"time":1,"level":"info","source":"app","message":"m"}"#;
        let read: LogLine = serde_json::from_str(old).unwrap();
        assert_eq!(read.fields, None);
        assert_eq!(serde_json::to_string(&read).unwrap(), old);
    }
}
