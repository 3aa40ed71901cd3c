//! The app's configuration, as its administrator set it.
//!
//! ```
//! let greeting = lodge_sdk::config::get("GREETING").unwrap_or_else(|| "Hello".into());
//! let page: usize = lodge_sdk::config::parse("PAGE_SIZE").unwrap_or(20);
//! ```

use crate::sys;
use std::str::FromStr;

/// The value of a key, if it is set.
pub fn get(key: &str) -> Option<String> {
    sys::config(key)
}

/// The value of a key as something else, if it is set. What cannot be read is told in the app's log, and taken as not
/// set.
pub fn parse<T: FromStr>(key: &str) -> Option<T> {
    let text = get(key)?;
    let parsed = text.parse().ok();
    if parsed.is_none() {
        // Not the value: it may be a secret.
        crate::log::warn(&format!(
            "the configuration `{key}` cannot be read, and is not used"
        ));
    }
    parsed
}

/// Everything that is set.
pub fn all() -> Vec<(String, String)> {
    sys::all_config()
}
