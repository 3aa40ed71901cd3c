//! Files that become part of a component: `assets!` and `migrations!`.

use flate2::Compression;
use flate2::write::GzEncoder;
use proc_macro::{Literal, TokenStream, TokenTree};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// The engines' names, as the host gives them, and the ending of the files that are for them alone.
const ENGINES: [(&str, &str); 4] = [
    ("sqlite", "sqlite"),
    ("postgres", "postgres"),
    ("mysql", "mysql"),
    // Unless there is a file of its own.
    ("mariadb", "mysql"),
];

pub(crate) fn assets(input: TokenStream) -> Result<TokenStream, String> {
    let folder = folder(input)?;
    let mut files = Vec::new();
    collect(&folder, &folder, &mut files)?;
    files.sort();
    let mut code = "::lodge_sdk::assets::Assets::new(&[".to_owned();
    for (name, path) in files {
        let bytes = std::fs::read(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        let gzip = match compressed(&bytes) {
            Some(small) => format!(
                "::core::option::Option::Some({})",
                Literal::byte_string(&small)
            ),
            None => "::core::option::Option::None".to_owned(),
        };
        let _ = write!(
            code,
            "::lodge_sdk::assets::File {{ path: {name:?}, content_type: {:?}, etag: {:?}, \
             bytes: ::core::include_bytes!({path:?}), gzip: {gzip} }},",
            content_type(&name),
            etag(&bytes),
        );
    }
    code.push_str("])");
    code.parse()
        .map_err(|_| "made code that isn't Rust".to_owned())
}

pub(crate) fn migrations(input: TokenStream) -> Result<TokenStream, String> {
    let folder = folder(input)?;
    let mut files = Vec::new();
    collect(&folder, &folder, &mut files)?;
    files.sort();
    let mut arms = String::new();
    for (engine, ending) in ENGINES {
        let _ = write!(arms, "{engine:?} => ::std::vec![");
        for id in ids(&files) {
            let own = format!("{id}.{engine}.sql");
            let like = format!("{id}.{ending}.sql");
            let all = format!("{id}.sql");
            let file = [own, like, all]
                .iter()
                .find_map(|name| files.iter().find(|(found, _)| found == name));
            if let Some((_, path)) = file {
                let _ = write!(arms, "({id:?}, ::core::include_str!({path:?})),");
            }
        }
        arms.push_str("],");
    }
    let code = format!(
        "/// What the app's database must have had before the app serves, for one engine.
        pub mod migrations {{
            pub fn list(engine: &str) -> ::std::vec::Vec<(&'static str, &'static str)> {{
                match engine {{ {arms} _ => ::std::vec::Vec::new() }}
            }}
            #[cfg(target_arch = \"wasm32\")]
            const _: () = {{
                struct Exported;
                impl ::lodge_sdk::__private::migrations::exports::lodge::host::migrations::Guest for Exported {{
                    fn list_migrations(
                        engine: ::std::string::String,
                    ) -> ::std::vec::Vec<::lodge_sdk::__private::migrations::exports::lodge::host::migrations::Migration> {{
                        list(&engine)
                            .into_iter()
                            .map(|(id, sql)| ::lodge_sdk::__private::migrations::exports::lodge::host::migrations::Migration {{
                                id: id.into(),
                                sql: sql.into(),
                            }})
                            .collect()
                    }}
                }}
                ::lodge_sdk::__private::migrations::export_migrations!(Exported with_types_in ::lodge_sdk::__private::migrations);
            }};
        }}"
    );
    code.parse()
        .map_err(|_| "made code that isn't Rust".to_owned())
}

/// `0001_a` of `0001_a.sql` and `0001_a.mysql.sql`, each once.
fn ids(files: &[(String, PathBuf)]) -> Vec<String> {
    let mut ids: Vec<String> = files
        .iter()
        .filter_map(|(name, _)| name.strip_suffix(".sql"))
        .map(|name| match name.rsplit_once('.') {
            Some((id, ending)) if ENGINES.iter().any(|(engine, _)| *engine == ending) => {
                id.to_owned()
            }
            _ => name.to_owned(),
        })
        .collect();
    ids.sort();
    ids.dedup();
    ids
}

/// The folder that the macro's only argument names, in the crate that uses it.
fn folder(input: TokenStream) -> Result<PathBuf, String> {
    const EXPECTED: &str = "the name of a folder, in quotes: it is looked for beside Cargo.toml";
    let mut tokens = input.into_iter();
    let name = match (tokens.next(), tokens.next()) {
        (Some(TokenTree::Literal(name)), None) => name.to_string(),
        _ => return Err(EXPECTED.into()),
    };
    let name = name
        .strip_prefix('"')
        .and_then(|name| name.strip_suffix('"'));
    let root = std::env::var("CARGO_MANIFEST_DIR").map_err(|e| e.to_string())?;
    let folder = Path::new(&root).join(name.ok_or(EXPECTED)?);
    match folder.is_dir() {
        true => Ok(folder),
        false => Err(format!("there is no folder {}", folder.display())),
    }
}

/// The files below a folder, with their names in it; those that begin with a dot are left out.
fn collect(root: &Path, folder: &Path, files: &mut Vec<(String, PathBuf)>) -> Result<(), String> {
    let failed = |e: std::io::Error| format!("{}: {e}", folder.display());
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let hidden = path
            .file_name()
            .is_none_or(|name| name.to_string_lossy().starts_with('.'));
        if hidden {
            continue;
        }
        if path.is_dir() {
            collect(root, &path, files)?;
            continue;
        }
        let name = path.strip_prefix(root).map_err(|e| e.to_string())?;
        let name = name
            .to_str()
            .ok_or_else(|| format!("{} is no UTF-8", path.display()))?;
        files.push((name.replace('\\', "/"), path));
    }
    Ok(())
}

/// Compressed, if that is worth it.
fn compressed(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).ok()?;
    let small = encoder.finish().ok()?;
    (small.len() < bytes.len() / 10 * 9).then_some(small)
}

/// FNV-1a of 128 bits (<http://www.isthe.com/chongo/tech/comp/fnv/>): a file's contents, short.
fn etag(bytes: &[u8]) -> String {
    const BASIS: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    let hash = bytes.iter().fold(BASIS, |hash, byte| {
        (hash ^ u128::from(*byte)).wrapping_mul(PRIME)
    });
    format!("{hash:032x}")
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "txt" | "md" => "text/plain; charset=utf-8",
        "xml" => "application/xml",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "avif" => "image/avif",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "woff" => "font/woff",
        "pdf" => "application/pdf",
        "wasm" => "application/wasm",
        _ => "application/octet-stream",
    }
}
