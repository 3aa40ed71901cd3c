//! Lines of the app's log, with a level. What is printed goes there too, without one.
//!
//! ```
//! let (ticket, user) = (7, "ada");
//! lodge_sdk::log::event(lodge_sdk::log::Level::Info, "ticket closed", &[("ticket", &ticket), ("user", &user)]);
//! lodge_sdk::log::warn("the disk is nearly full");
//! ```

use crate::sys;
use std::fmt::{Display, Write as _};

/// How much a line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
}

/// A line with fields, as `message field=value`.
pub fn event(level: Level, message: &str, fields: &[(&str, &dyn Display)]) {
    let mut line = message.to_owned();
    for (name, value) in fields {
        let value = value.to_string();
        // Writing to a string cannot fail.
        let _ = match value.contains([' ', '"', '=']) {
            true => write!(line, " {name}={value:?}"),
            false => write!(line, " {name}={value}"),
        };
    }
    sys::log(level, &line);
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
    fn fields_follow_the_message() {
        event(Level::Info, "closed", &[("ticket", &7), ("title", &"a b")]);
        assert_eq!(
            testing::logs(),
            [(Level::Info, "closed ticket=7 title=\"a b\"".to_owned())]
        );
    }
}
