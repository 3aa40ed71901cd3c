//! Test guests, as `cargo xtask guests` builds them.

use std::path::PathBuf;

/// The folder that cargo builds into: the test itself is in it.
pub(crate) fn target_dir() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    // target/debug/deps/test-0123
    test.ancestors().nth(3).unwrap().to_owned()
}

/// One guest's component, by its name in tests/guests or apps.
///
/// # Panics
/// It is not built.
pub fn guest(name: &str) -> Vec<u8> {
    let path = target_dir().join("guests").join(format!("{name}.wasm"));
    std::fs::read(&path).unwrap_or_else(|error| {
        panic!(
            "{}: {error}: run `cargo xtask guests --all`",
            path.display()
        )
    })
}

/// Every guest that is built.
pub fn guest_names() -> Vec<String> {
    let folder = target_dir().join("guests");
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
