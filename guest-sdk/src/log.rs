//! Lines of the app's log, with a level and fields. What is printed goes there too, without them; a printed line that
//! is a JSON object has them, too.
//!
//! ```
//! let (ticket, user) = (7, "ada");
//! lodge_sdk::log::event(lodge_sdk::log::Level::Info, "ticket closed", &[("ticket", &ticket), ("user", &user)]);
//! lodge_sdk::log::warn("the disk is nearly full");
//! ```

use crate::sys;
use serde_json::{Map, Value};
use std::fmt::Display;

/// How much a line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
}

/// A line with fields, which the host keeps apart from the message: it is sent as a JSON object, the message under
/// `message`, a name that no field can have. Of more than 64 fields or 8 KiB a line is kept as that text, cut.
pub fn event(level: Level, message: &str, fields: &[(&str, &dyn Display)]) {
    let mut line = Map::new();
    for (name, value) in fields {
        line.insert((*name).to_owned(), value.to_string().into());
    }
    line.insert("message".to_owned(), message.into());
    sys::log(level, &Value::Object(line).to_string());
}

macro_rules! levels {
    ($($name:ident $level:ident)*) => {$(
        /// A line of this level.
        pub fn $name(message: &str) {
            sys::log(Level::$level, message);
        }
    )*};
}
levels! { trace Trace debug Debug info Info warn Warn error Error }

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn fields_are_sent_beside_the_message() {
        event(
            Level::Info,
            "closed",
            &[("ticket", &7), ("title", &"a \"b\"")],
        );
        let line = r#"{"message":"closed","ticket":"7","title":"a \"b\""}"#;
        assert_eq!(testing::logs(), [(Level::Info, line.to_owned())]);
    }
}
