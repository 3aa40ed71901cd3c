//! `?` for every engine: PostgreSQL has `$1`, `$2` instead.

use super::Engine;

/// Puts numbered parameters in for `?`; quotes and comments are passed over, and `??` is `?`.
pub(super) fn translate(sql: &str, engine: Engine) -> String {
    if engine != Engine::Postgres {
        return sql.to_owned();
    }
    let mut out = String::with_capacity(sql.len() + 8);
    let mut number = 0;
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '\'' | '"' => quoted(rest, first),
            '-' if rest.starts_with("--") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |at| at + 2),
            '$' => dollars(rest),
            '?' if rest.starts_with("??") => {
                out.push('?');
                rest = &rest[2..];
                continue;
            }
            '?' => {
                number += 1;
                out.push_str(&format!("${number}"));
                rest = &rest[1..];
                continue;
            }
            other => other.len_utf8(),
        };
        out.push_str(&rest[..length]);
        rest = &rest[length..];
    }
    out
}

/// The length of a quoted text; a doubled quote ends one and begins the next.
fn quoted(text: &str, quote: char) -> usize {
    text[1..].find(quote).map_or(text.len(), |at| at + 2)
}

/// The length of `$tag$ … $tag$`, or of the `$` alone.
fn dollars(text: &str) -> usize {
    let Some(end) = text[1..].find('$') else {
        return 1;
    };
    let tag = &text[..end + 2];
    let name = &tag[1..tag.len() - 1];
    if !name.chars().all(|c| c.is_alphanumeric() || c == '_') {
        return 1;
    }
    text[tag.len()..]
        .find(tag)
        .map_or(1, |at| tag.len() + at + tag.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_numbered_for_postgresql() {
        for (sql, there) in [
            ("SELECT ? + ?", "SELECT $1 + $2"),
            (
                "SELECT '?', \"?\", ? -- ?\n, ?",
                "SELECT '?', \"?\", $1 -- ?\n, $2",
            ),
            ("SELECT 'it''s ?', ?", "SELECT 'it''s ?', $1"),
            ("SELECT /* ? */ a ?? ?", "SELECT /* ? */ a ? $1"),
            ("SELECT $$?$$, $x$ ? $x$, ?", "SELECT $$?$$, $x$ ? $x$, $1"),
            ("SELECT $1, '☃'", "SELECT $1, '☃'"),
            ("SELECT '", "SELECT '"),
        ] {
            assert_eq!(translate(sql, Engine::Postgres), there);
            assert_eq!(translate(sql, Engine::Mariadb), sql);
        }
    }
}
