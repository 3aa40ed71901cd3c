//! The macros of `lodge-sdk`. They read what they need straight from the tokens: a parser for all of Rust would
//! be most of a guest's build time.

mod files;
mod row;

use proc_macro::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};

/// Makes the function the application. See the documentation of `lodge-sdk` for its two forms.
#[proc_macro_attribute]
pub fn http(attribute: TokenStream, item: TokenStream) -> TokenStream {
    if !attribute.is_empty() {
        return error("this attribute takes no arguments", Span::call_site());
    }
    let signature = match Signature::read(item.clone()) {
        Ok(signature) => signature,
        Err((message, span)) => return error(message, span),
    };
    let mut out = item;
    out.extend(signature.export());
    out
}

/// The files of a folder beside `Cargo.toml`, as `lodge_sdk::assets::Assets`.
#[proc_macro]
pub fn assets(input: TokenStream) -> TokenStream {
    files::assets(input).unwrap_or_else(|why| error(&why, Span::call_site()))
}

/// Exports the migrations of a folder beside `Cargo.toml`: `0001_accounts.sql` for every engine, or
/// `0001_accounts.sqlite.sql`, `.postgres.sql`, `.mysql.sql` (for MariaDB too, unless there is `.mariadb.sql`).
/// Makes a module `migrations` with the function `list`.
#[proc_macro]
pub fn migrations(input: TokenStream) -> TokenStream {
    files::migrations(input).unwrap_or_else(|why| error(&why, Span::call_site()))
}

/// Reads a structure from a row: each field from the column of its name, or of `#[row("name")]`.
#[proc_macro_derive(FromRow, attributes(row))]
pub fn from_row(input: TokenStream) -> TokenStream {
    row::from_row(input).unwrap_or_else(|why| error(&why, Span::call_site()))
}

struct Signature {
    name: Ident,
    is_async: bool,
    arguments: Group,
}

impl Signature {
    fn read(item: TokenStream) -> Result<Self, (&'static str, Span)> {
        const EXPECTED: &str = "#[lodge_sdk::http] goes on `async fn handle(request: Request) -> …` or `fn app() -> …`";
        let mut tokens = item.into_iter();
        let mut is_async = false;
        let is_fn = tokens.any(|token| {
            let word = match token {
                TokenTree::Ident(word) => word.to_string(),
                _ => return false,
            };
            is_async |= word == "async";
            word == "fn"
        });
        let name = match tokens.next() {
            Some(TokenTree::Ident(name)) if is_fn => name,
            _ => return Err((EXPECTED, Span::call_site())),
        };
        match tokens.next() {
            Some(TokenTree::Group(arguments))
                if arguments.delimiter() == Delimiter::Parenthesis =>
            {
                Ok(Self {
                    name,
                    is_async,
                    arguments,
                })
            }
            _ => Err(("the application's function can't be generic", name.span())),
        }
    }

    fn export(&self) -> TokenStream {
        let name = &self.name;
        let call = match (self.arguments.stream().is_empty(), self.is_async) {
            (false, true) => format!("::lodge_sdk::__private::handle({name}, request).await"),
            // Built when the instance gets its first request; each request works on a clone.
            (true, false) => format!(
                "::std::thread_local! {{
                    static APP: ::lodge_sdk::__private::App = ::lodge_sdk::__private::App::new({name}());
                }}
                APP.with(::std::clone::Clone::clone).call(request).await"
            ),
            (false, false) => return error("a handler has to be an `async fn`", name.span()),
            (true, true) => {
                return error("a function that makes the service can't be `async`", name.span());
            }
        };
        let code = format!(
            "const _: () = {{
                struct Exported;
                impl ::lodge_sdk::__private::Guest for Exported {{
                    async fn handle(request: ::lodge_sdk::__private::WasiRequest)
                        -> ::lodge_sdk::__private::WasiResult
                    {{
                        {call}
                    }}
                }}
                ::lodge_sdk::__private::export!(Exported);
            }};"
        );
        code.parse()
            .unwrap_or_else(|_| error("lodge-sdk-macros made code that isn't Rust", name.span()))
    }
}

fn error(message: &str, span: Span) -> TokenStream {
    let code: TokenStream = format!("::core::compile_error!({message:?});")
        .parse()
        .unwrap_or_default();
    code.into_iter()
        .map(|mut token| {
            token.set_span(span);
            token
        })
        .collect()
}
