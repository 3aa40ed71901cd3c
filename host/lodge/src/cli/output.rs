//! What is printed: tables for people, JSON for programs. Answers go to standard output, progress
//! and errors to standard error, so that either can be used alone.

use comfy_table::{ContentArrangement, Table, presets};
use serde_json::Value;
use std::io::{IsTerminal as _, Write as _};

/// Prints one line. A reader that went away (`lodge app list | head`) is no error.
pub(crate) fn line(text: impl std::fmt::Display) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// Prints a value as JSON: in full for people's eyes on a terminal, on one line for a program.
pub(crate) fn json(value: &Value) {
    if std::io::stdout().is_terminal() {
        line(format_args!("{value:#}"));
    } else {
        line(value);
    }
}

/// Prints a list as JSON, in the form in which the API gives lists.
pub(crate) fn json_list(items: Vec<Value>) {
    json(&serde_json::json!({ "items": items, "next_cursor": null }));
}

/// A table with a header; `empty` is said where there are no rows.
pub(crate) fn table(header: &[&str], rows: Vec<Vec<String>>, empty: &str) {
    if rows.is_empty() {
        eprintln!("{empty}");
        return;
    }
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_header(header.to_vec());
    if std::io::stdout().is_terminal() {
        table.set_content_arrangement(ContentArrangement::Dynamic);
    }
    for row in rows {
        table.add_row(
            row.into_iter()
                .map(|cell| printable(&cell))
                .collect::<Vec<_>>(),
        );
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    line(table.trim_fmt());
}

/// Names and values, one pair a line; pairs without a value are left out.
pub(crate) fn pairs(pairs: Vec<(&str, String)>) {
    let width = pairs.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    for (name, value) in pairs.into_iter().filter(|(_, value)| !value.is_empty()) {
        line(format_args!("{name:width$}  {}", printable(&value)));
    }
}

/// A text that may come from an app or a component: without control characters, which could
/// rewrite what the terminal shows.
pub(crate) fn printable(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_control() && c != '\n' {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect()
}

/// A number of bytes, for people.
pub(crate) fn bytes(count: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let (mut whole, mut rest, mut unit) = (count, 0, 0);
    while whole >= 1024 && unit + 1 < UNITS.len() {
        rest = whole % 1024 * 10 / 1024;
        whole /= 1024;
        unit += 1;
    }
    let name = UNITS.get(unit).copied().unwrap_or("B");
    if rest == 0 {
        format!("{whole} {name}")
    } else {
        format!("{whole}.{rest} {name}")
    }
}

/// A number of milliseconds, for people.
pub(crate) fn duration(milliseconds: u64) -> String {
    match milliseconds {
        0..1_000 => format!("{milliseconds} ms"),
        1_000..60_000 => format!("{}.{} s", milliseconds / 1_000, milliseconds % 1_000 / 100),
        _ => format!(
            "{} min {} s",
            milliseconds / 60_000,
            milliseconds % 60_000 / 1_000
        ),
    }
}

/// A moment in milliseconds since 1970, in UTC to the second.
pub(crate) fn time(milliseconds: i64) -> String {
    jiff::Timestamp::from_millisecond(milliseconds).map_or_else(
        |_| milliseconds.to_string(),
        |time| time.strftime("%Y-%m-%d %H:%M:%SZ").to_string(),
    )
}

/// The same to the millisecond, as logs have it.
pub(crate) fn exact_time(milliseconds: i64) -> String {
    jiff::Timestamp::from_millisecond(milliseconds)
        .map_or_else(|_| milliseconds.to_string(), |time| format!("{time:.3}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units() {
        assert_eq!(bytes(13), "13 B");
        assert_eq!(bytes(1024), "1 KiB");
        assert_eq!(bytes(1_600_000), "1.5 MiB");
        assert_eq!(bytes(u64::MAX), "16777215.9 TiB");
        assert_eq!(duration(812), "812 ms");
        assert_eq!(duration(1_950), "1.9 s");
        assert_eq!(duration(61_000), "1 min 1 s");
        assert_eq!(time(0), "1970-01-01 00:00:00Z");
        assert_eq!(exact_time(1), "1970-01-01T00:00:00.001Z");
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb"), "a\u{fffd}[2Jb");
    }
}
