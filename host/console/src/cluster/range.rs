//! Which bytes of a file a request asks for: one range, or all. RFC 9110, 14.2, lets a server leave a
//! `Range` aside that it does not understand, and several at once are such.

use http::{HeaderMap, header};

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// The whole.
    All,
    /// From the first byte to the last, both counted from 0 and part of it.
    Part {
        /// The first.
        first: u64,
        /// The last, within the file.
        last: u64,
    },
    /// What lies beyond its end.
    Nothing,
}

/// What is asked for of a file of `size` bytes whose `ETag` is `tag`.
pub(super) fn asked(headers: &HeaderMap, tag: &str, size: u64) -> Asked {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    // A range of another version would be mixed with this one.
    if text(header::IF_RANGE).is_some_and(|version| version != tag) {
        return Asked::All;
    }
    let range = text(header::RANGE).and_then(|range| range.strip_prefix("bytes="));
    range
        .and_then(|range| part(range, size))
        .unwrap_or(Asked::All)
}

/// `first-last`, `first-` or `-count`.
fn part(range: &str, size: u64) -> Option<Asked> {
    let (first, last) = range.trim().split_once('-')?;
    if first.is_empty() {
        let count: u64 = number(last)?;
        if count == 0 || size == 0 {
            return Some(Asked::Nothing);
        }
        return Some(Asked::Part {
            first: size.saturating_sub(count),
            last: size - 1,
        });
    }
    let first = number(first)?;
    let last = match last {
        "" => u64::MAX,
        last => number(last)?,
    };
    if last < first {
        return None;
    }
    if first >= size {
        return Some(Asked::Nothing);
    }
    Some(Asked::Part {
        first,
        last: last.min(size - 1),
    })
}

/// Digits alone: `parse` would take a sign too.
fn number(text: &str) -> Option<u64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn of(range: &str, version: Option<&'static str>) -> Asked {
        let mut headers = HeaderMap::new();
        headers.insert(header::RANGE, range.parse().unwrap());
        if let Some(version) = version {
            headers.insert(header::IF_RANGE, HeaderValue::from_static(version));
        }
        asked(&headers, "\"tag\"", 10)
    }

    #[test]
    fn ranges_are_those_of_the_standard() {
        let part = |first, last| Asked::Part { first, last };
        for (range, expected) in [
            ("bytes=0-4", part(0, 4)),
            ("bytes=4-", part(4, 9)),
            ("bytes=9-99", part(9, 9)),
            ("bytes=-3", part(7, 9)),
            ("bytes=-30", part(0, 9)),
            ("bytes=10-", Asked::Nothing),
            ("bytes=-0", Asked::Nothing),
            ("bytes=4-2", Asked::All),
            ("bytes=+1-2", Asked::All),
            ("bytes=0-1,3-4", Asked::All),
            ("bytes=-", Asked::All),
            ("bytes=99999999999999999999-", Asked::All),
            ("lines=1-2", Asked::All),
        ] {
            assert_eq!(of(range, None), expected, "{range}");
        }
    }

    #[test]
    fn a_range_of_another_version_is_the_whole() {
        assert_eq!(of("bytes=4-", Some("\"old\"")), Asked::All);
        assert_ne!(of("bytes=4-", Some("\"tag\"")), Asked::All);
    }
}
