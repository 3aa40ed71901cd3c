//! Test guests, as `cargo xtask guests` builds them.

use std::path::{Path, PathBuf};

/// Where `cargo xtask guests` puts them: in the repository, whatever folder cargo builds into.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/guests")
}

/// Guests in WebAssembly's text form: what no compiler writes.
fn texts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../guests/wat")
}

/// One guest's component, by its name in tests/guests or apps.
///
/// # Panics
/// It is not built.
pub fn guest(name: &str) -> Vec<u8> {
    let text = texts().join(format!("{name}.wat"));
    if text.is_file() {
        return wat::parse_file(&text).unwrap_or_else(|error| panic!("{error}"));
    }
    let path = folder().join(format!("{name}.wasm"));
    std::fs::read(&path).unwrap_or_else(|error| {
        panic!(
            "{}: {error}: run `cargo xtask guests --all`",
            path.display()
        )
    })
}

/// Every guest that is built.
pub fn guest_names() -> Vec<String> {
    let folder = folder();
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| {
        panic!(
            "{}: {error}: run `cargo xtask guests --all`",
            folder.display()
        )
    });
    let names = entries.flatten().filter_map(|entry| {
        Some(
            entry
                .file_name()
                .to_str()?
                .strip_suffix(".wasm")?
                .to_owned(),
        )
    });
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}
