//! Reads just enough of a statement to tell whether it is one, and which kind: quotes and comments
//! are passed over. What it lets through is still the engine's to judge.

use lodge_model::SqlError;

/// Checks that a text is one statement that a guest may send by itself.
///
/// # Errors
/// There are several, or it begins or ends a transaction.
pub(crate) fn check_single(sql: &str) -> Result<(), SqlError> {
    let mut words = Vec::new();
    let mut ended = false;
    for token in Tokens(sql) {
        match token {
            Token::End => ended = true,
            // A trigger's body has statements of its own.
            _ if ended && !is_trigger(&words) => {
                return Err(SqlError::Refused(
                    "one statement a call: this text has several; send them one by one, within a transaction if they \
                     belong together"
                        .into(),
                ));
            }
            Token::Word(word) if words.len() < 3 => words.push(word.to_ascii_uppercase()),
            Token::Word(_) | Token::Other => {}
        }
    }
    match words.first().map(String::as_str) {
        Some(
            word @ ("BEGIN" | "START" | "COMMIT" | "END" | "ROLLBACK" | "SAVEPOINT" | "RELEASE"
            | "ABORT"),
        ) => Err(SqlError::Refused(format!(
            "`{word}` is the host's to send: use `begin` of the data source, and `commit` or `rollback` of its transaction"
        ))),
        Some(_) => Ok(()),
        None => Err(SqlError::Refused("the statement is empty".into())),
    }
}

/// `CREATE [TEMP|TEMPORARY] TRIGGER`.
fn is_trigger(words: &[String]) -> bool {
    words.first().is_some_and(|word| word == "CREATE")
        && words.iter().skip(1).any(|word| word == "TRIGGER")
}

enum Token<'a> {
    Word(&'a str),
    End,
    Other,
}

struct Tokens<'a>(&'a str);

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            self.0 = self.0.trim_start();
            let rest = self.0;
            let first = rest.chars().next()?;
            if let Some(comment) = rest.strip_prefix("--") {
                self.0 = after(comment, "\n");
            } else if let Some(comment) = rest.strip_prefix("/*") {
                self.0 = after(comment, "*/");
            } else {
                return Some(self.token(first));
            }
        }
    }
}

impl<'a> Tokens<'a> {
    fn token(&mut self, first: char) -> Token<'a> {
        let rest = self.0;
        let closing = match first {
            '\'' | '"' | '`' => Some(first),
            '[' => Some(']'),
            _ => None,
        };
        if let Some(closing) = closing {
            // A doubled quote is a quote within: it ends one token and begins the next, which is as good.
            let inner = rest.get(1..).unwrap_or_default();
            self.0 = after(inner, closing.encode_utf8(&mut [0; 4]));
            return Token::Other;
        }
        let word = |c: char| c.is_alphanumeric() || c == '_';
        let length = rest.find(|c| !word(c)).unwrap_or(rest.len());
        if length > 0 {
            let (found, rest) = rest.split_at_checked(length).unwrap_or((rest, ""));
            self.0 = rest;
            return Token::Word(found);
        }
        self.0 = rest.get(first.len_utf8()..).unwrap_or_default();
        if first == ';' {
            Token::End
        } else {
            Token::Other
        }
    }
}

/// What follows `end`; nothing if it does not come.
fn after<'a>(text: &'a str, end: &str) -> &'a str {
    text.split_once(end).map_or("", |(_, rest)| rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_statement_is_one_whatever_its_quotes_hold() {
        for good in [
            "SELECT 1",
            "SELECT 1;",
            "SELECT ';', \"a;b\", [c;d], 'it''s;' -- ; more\n;",
            "/* ; */ SELECT 1; -- done;",
            "CREATE TRIGGER t AFTER INSERT ON a BEGIN DELETE FROM b; DELETE FROM c; END",
            "CREATE TEMP TRIGGER t AFTER INSERT ON a BEGIN DELETE FROM b; END;",
        ] {
            check_single(good).unwrap_or_else(|e| panic!("{good}: {e}"));
        }
    }

    #[test]
    fn several_statements_and_transactions_are_refused() {
        for bad in [
            "SELECT 1; SELECT 2",
            "SELECT 'a'; DROP TABLE b",
            "BEGIN",
            "  -- x\n commit",
            "ROLLBACK TO a",
            "savepoint a",
            "",
            " ; ",
        ] {
            assert!(
                matches!(check_single(bad), Err(SqlError::Refused(_))),
                "{bad}"
            );
        }
    }
}
