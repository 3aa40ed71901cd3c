//! Time and texts in the shapes that reports need.

use std::time::{SystemTime, UNIX_EPOCH};

/// Bytes of a cause at most: a guest may have written it.
const MESSAGE_BYTES: usize = 4 * 1024;

/// Now, in milliseconds since 1970.
pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX))
}

/// A cause, no longer than it may be.
pub(crate) fn brief(text: &str) -> String {
    let end = text.floor_char_boundary(MESSAGE_BYTES);
    let cut = if end < text.len() { " …" } else { "" };
    format!("{}{cut}", text.get(..end).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_cut_between_characters() {
        let fits = "x".repeat(MESSAGE_BYTES);
        assert_eq!(brief(&fits), fits);
        let cut = brief(&format!("x{}", "ü".repeat(MESSAGE_BYTES)));
        assert!(cut.len() <= MESSAGE_BYTES + " …".len() && cut.ends_with("ü …"));
    }
}
