//! Finds functions and their lengths in Rust source, by its brackets: comments, strings and characters are
//! blanked out first, so that what they hold is not taken for code.

/// One function with a body.
#[derive(Debug)]
pub(super) struct Function {
    pub(super) name: String,
    /// Where its `fn` stands, from 1.
    pub(super) line: usize,
    /// From there to its closing bracket.
    pub(super) lines: usize,
    /// Whether a comment right above it says why it is long.
    pub(super) has_reason: bool,
}

pub(super) fn functions(source: &str) -> Vec<Function> {
    let code = blank(source);
    let mut found = Vec::new();
    for (start, _) in code.match_indices("fn ") {
        let (before, rest) = code.split_at(start);
        let starts_word = !before.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let name: String = rest
            .chars()
            .skip(3)
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect();
        // `fn` in a type has no name; one in a trait may have no body.
        if !starts_word || name.is_empty() {
            continue;
        }
        if let Some(length) = body_end(rest) {
            let line = before.matches('\n').count() + 1;
            let body = rest.get(..length).unwrap_or(rest);
            let lines = body.matches('\n').count() + 1;
            found.push(Function {
                name,
                line,
                lines,
                has_reason: has_reason(source, line),
            });
        }
    }
    found
}

/// The length up to the end of the body's closing bracket.
fn body_end(code: &str) -> Option<usize> {
    let mut depth = 0usize;
    let mut in_body = false;
    for (place, c) in code.char_indices() {
        match c {
            // Before the body, round and square brackets hold arguments and types, `[u8; 4]` among them.
            '(' | '[' if !in_body => depth += 1,
            ')' | ']' if !in_body => depth = depth.checked_sub(1)?,
            ';' if !in_body && depth == 0 => return None,
            '{' => {
                in_body |= depth == 0;
                depth += 1;
            }
            '}' => {
                depth = depth.checked_sub(1)?;
                if in_body && depth == 0 {
                    return Some(place + 1);
                }
            }
            _ => {}
        }
    }
    None
}

/// Looks through the comments and attributes right above a line.
fn has_reason(source: &str, line: usize) -> bool {
    let above: Vec<_> = source.lines().take(line.saturating_sub(1)).collect();
    above
        .into_iter()
        .rev()
        .map(str::trim_start)
        .take_while(|line| line.starts_with("//") || line.starts_with('#'))
        .any(|line| line.starts_with("// long because:"))
}

/// The source with everything that is not code replaced by spaces; lines stay where they are.
fn blank(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let length = not_code(rest);
        let taken = length.max(first.len_utf8());
        let (piece, tail) = rest.split_at(taken.min(rest.len()));
        if length == 0 {
            out.push_str(piece);
        } else {
            out.extend(piece.chars().map(|c| if c == '\n' { c } else { ' ' }));
        }
        // A word is taken whole, so that the `r` at its end does not start a raw string.
        let word = tail
            .find(|c: char| !(c.is_alphanumeric() || c == '_'))
            .unwrap_or(tail.len());
        let word = if length == 0 && is_word(first) {
            word
        } else {
            0
        };
        out.push_str(tail.get(..word).unwrap_or_default());
        rest = tail.get(word..).unwrap_or_default();
    }
    out
}

fn is_word(c: char) -> bool {
    // A raw or byte string's prefix has been seen by `not_code` before a word is looked for.
    c.is_alphanumeric() || c == '_'
}

/// The length of the comment, string or character that the text starts with, or 0.
fn not_code(text: &str) -> usize {
    let raw = text.trim_start_matches(['b', 'c']).strip_prefix('r');
    let hashes = raw.map_or(0, |raw| raw.len() - raw.trim_start_matches('#').len());
    if text.starts_with("//") {
        text.find('\n').unwrap_or(text.len())
    } else if text.starts_with("/*") {
        block_comment(text)
    } else if raw.is_some_and(|raw| raw.trim_start_matches('#').starts_with('"')) {
        let start = text.find('"').map_or(text.len(), |quote| quote + 1);
        let end = format!("\"{}", "#".repeat(hashes));
        let body = text.get(start..).unwrap_or_default();
        body.find(&end)
            .map_or(text.len(), |place| start + place + end.len())
    } else if text.starts_with('"') || text.starts_with("b\"") || text.starts_with("c\"") {
        quoted(text, '"')
    } else if text.starts_with('\'') {
        character(text)
    } else {
        0
    }
}

fn block_comment(text: &str) -> usize {
    let mut depth = 0usize;
    let mut place = 0;
    while let Some(rest) = text.get(place..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with("/*") {
            depth += 1;
            place += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            place += 2;
            if depth == 0 {
                return place;
            }
        } else {
            place += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// The length of a string in quotes, with its escapes.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    let mut opened = false;
    for (place, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote && opened => return place + 1,
            c if c == quote => opened = true,
            _ => {}
        }
    }
    text.len()
}

/// The length of a character in quotes; 0 for a lifetime.
fn character(text: &str) -> usize {
    let mut chars = text.chars().skip(1);
    match (chars.next(), chars.next()) {
        (Some('\\'), _) => quoted(text, '\''),
        (Some(c), Some('\'')) => 2 + c.len_utf8(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_in_text_are_not_code() {
        let source = "/* } /* { */ */\nfn one<'a>(x: [u8; 2], y: &'a str) -> char {\n    let s = r#\"}\"#; // }\n    '}'\n}\n\
                      trait T { fn none(&self); }\n// long because: it says so\n#[test]\nfn two() {\n    \"}\\\"}\";\n}\n";
        let found = functions(source);
        let facts: Vec<_> = found
            .iter()
            .map(|f| (f.name.as_str(), f.line, f.lines, f.has_reason))
            .collect();
        assert_eq!(facts, [("one", 2, 4, false), ("two", 9, 3, true)]);
    }

    #[test]
    fn a_function_type_is_not_a_function() {
        assert!(functions("type F = fn (u8) -> u8;\nstruct S { f: fn(u8) }\n").is_empty());
    }
}
