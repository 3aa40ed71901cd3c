//! Amounts of memory as people write them: `64MiB`, `8g`, or a number of bytes.

use serde::Deserialize;
use serde::de::{Deserializer, Error};
use std::str::FromStr;

/// So many bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size(pub(crate) u64);

/// What was written is no size.
#[derive(Debug, thiserror::Error)]
#[error("it is not a number of bytes or a size such as 64MiB or 8GiB")]
pub(crate) struct NoSize;

impl FromStr for Size {
    type Err = NoSize;

    fn from_str(text: &str) -> Result<Self, NoSize> {
        let digits = text
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(text.len());
        let (number, unit) = text.split_at_checked(digits).ok_or(NoSize)?;
        let factor = match unit.trim().to_ascii_lowercase().as_str() {
            "" | "b" => 1,
            "kib" | "k" => 1 << 10,
            "mib" | "m" => 1 << 20,
            "gib" | "g" => 1 << 30,
            _ => return Err(NoSize),
        };
        let number = number.parse::<u64>().map_err(|_| NoSize)?;
        number.checked_mul(factor).map(Self).ok_or(NoSize)
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_with_and_without_a_unit() {
        let size = |text: &str| text.parse::<Size>().ok().map(|size| size.0);
        assert_eq!(size("5"), Some(5));
        assert_eq!(size("64MiB"), Some(64 << 20));
        assert_eq!(size("2 g"), Some(2 << 30));
        for bad in ["", "many", "1TB", "-1", "1.5GiB", "99999999999999999999GiB"] {
            assert_eq!(size(bad), None, "{bad}");
        }
    }
}
