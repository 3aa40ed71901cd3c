//! Dates and times as text, the way `wit/sql.wit` has them.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};

/// `2026-11-21`.
pub(crate) fn parse_date(text: &str) -> Result<NaiveDate, String> {
    NaiveDate::parse_from_str(text, "%Y-%m-%d")
        .map_err(|_| format!("`{}` is no date such as 2026-11-21", short(text)))
}

/// `13:45:00.25`; seconds may be left out.
pub(crate) fn parse_time(text: &str) -> Result<NaiveTime, String> {
    NaiveTime::parse_from_str(text, "%H:%M:%S%.f")
        .or_else(|_| NaiveTime::parse_from_str(text, "%H:%M"))
        .map_err(|_| format!("`{}` is no time such as 13:45:00", short(text)))
}

/// A point in time; without an offset it is taken as UTC.
pub(crate) fn parse_timestamp(text: &str) -> Result<DateTime<Utc>, String> {
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Ok(at.to_utc());
    }
    if let Ok(at) = DateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f%#z") {
        return Ok(at.to_utc());
    }
    parse_local(text).map(|local| local.and_utc())
}

/// A date and a time of no particular place; an offset is taken off.
pub(crate) fn parse_local(text: &str) -> Result<NaiveDateTime, String> {
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Ok(at.naive_utc());
    }
    ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"]
        .iter()
        .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
        .or_else(|| {
            parse_date(text)
                .ok()
                .map(|day| day.and_time(NaiveTime::MIN))
        })
        .ok_or_else(|| {
            format!(
                "`{}` is no timestamp such as 2026-11-21T13:45:00Z",
                short(text)
            )
        })
}

pub(crate) fn format_timestamp(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%S%.fZ").to_string()
}

pub(crate) fn format_local(at: NaiveDateTime) -> String {
    at.format("%Y-%m-%dT%H:%M:%S%.f").to_string()
}

/// Enough of a text to find it again.
pub(crate) fn short(text: &str) -> String {
    let mut shown: String = text.chars().take(40).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}
