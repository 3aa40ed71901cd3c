//! `#[derive(FromRow)]`, straight from the tokens.

use proc_macro::{Delimiter, TokenStream, TokenTree};
use std::fmt::Write as _;

const EXPECTED: &str = "FromRow is for structures with named fields, without generics";

pub(crate) fn from_row(input: TokenStream) -> Result<TokenStream, String> {
    let mut tokens = input.into_iter();
    let is_struct = tokens
        .any(|token| matches!(&token, TokenTree::Ident(word) if word.to_string() == "struct"));
    let name = match tokens.next() {
        Some(TokenTree::Ident(name)) if is_struct => name,
        _ => return Err(EXPECTED.into()),
    };
    let fields = match tokens.next() {
        Some(TokenTree::Group(fields)) if fields.delimiter() == Delimiter::Brace => fields,
        _ => return Err(EXPECTED.into()),
    };
    let mut inits = String::new();
    for (field, column) in read_fields(fields.stream())? {
        let _ = write!(inits, "{field}: row.get({column:?})?,");
    }
    let code = format!(
        "impl ::lodge_sdk::db::FromRow for {name} {{
            fn from_row(row: &::lodge_sdk::db::Row) -> ::core::result::Result<Self, ::lodge_sdk::db::Error> {{
                ::core::result::Result::Ok(Self {{ {inits} }})
            }}
        }}"
    );
    code.parse()
        .map_err(|_| "made code that isn't Rust".to_owned())
}

/// Each field and its column: its own name, or that of `#[row("…")]`.
fn read_fields(stream: TokenStream) -> Result<Vec<(String, String)>, String> {
    let mut fields = Vec::new();
    let mut tokens = stream.into_iter().peekable();
    let mut column = None;
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Punct(mark) if mark.as_char() == '#' => {
                if let Some(TokenTree::Group(attribute)) = tokens.next() {
                    column = column_of(attribute.stream())?.or(column);
                }
            }
            TokenTree::Ident(word) if word.to_string() == "pub" => {
                // `pub(crate)`
                if matches!(tokens.peek(), Some(TokenTree::Group(_))) {
                    tokens.next();
                }
            }
            TokenTree::Ident(field) => {
                let field = field.to_string();
                let own = field.trim_start_matches("r#").to_owned();
                fields.push((field, column.take().unwrap_or(own)));
                // The type, up to the comma that is not within `<…>`.
                let mut depth = 0;
                for token in tokens.by_ref() {
                    match token {
                        TokenTree::Punct(mark) if mark.as_char() == '<' => depth += 1,
                        TokenTree::Punct(mark) if mark.as_char() == '>' => depth -= 1,
                        TokenTree::Punct(mark) if mark.as_char() == ',' && depth == 0 => break,
                        _ => {}
                    }
                }
            }
            _ => return Err(EXPECTED.into()),
        }
    }
    Ok(fields)
}

/// The name in `row("…")`; nothing for other attributes.
fn column_of(attribute: TokenStream) -> Result<Option<String>, String> {
    let mut tokens = attribute.into_iter();
    match tokens.next() {
        Some(TokenTree::Ident(word)) if word.to_string() == "row" => {}
        _ => return Ok(None),
    }
    let name = match tokens.next() {
        Some(TokenTree::Group(name)) => name.stream().to_string(),
        _ => String::new(),
    };
    let name = name
        .strip_prefix('"')
        .and_then(|name| name.strip_suffix('"'));
    match name {
        Some(name) => Ok(Some(name.to_owned())),
        None => Err("write #[row(\"column\")]".into()),
    }
}
