//! No guest without a test. (The behaviours of `hostile-p2` and `hostile-p3` have their own rule: one that the tests
//! lack does not build.)

use std::fs;
use std::path::{Path, PathBuf};

/// The repository's root.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every file of Rust below a folder, as one text.
fn sources(folder: &Path) -> String {
    let mut text = String::new();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            text += &sources(&path);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text += &fs::read_to_string(&path).unwrap();
        }
    }
    text
}

/// The guests' names: folders and texts.
fn names() -> Vec<String> {
    let guests = root().join("tests/guests");
    let of = |folder: PathBuf| fs::read_dir(folder).unwrap().flatten();
    let all = of(guests.clone()).chain(of(guests.join("wat")));
    let names = all.filter_map(|entry| entry.file_name().into_string().ok());
    let names = names.map(|name| name.trim_end_matches(".wat").to_owned());
    names
        .filter(|name| name.ends_with("-p2") || name.ends_with("-p3"))
        .filter(|name| !name.starts_with("support"))
        .collect()
}

#[test]
fn every_guest_has_a_test() {
    let places = [
        "tests/integration/tests",
        "tests/bench/src",
        "host/runtime",
        "host/capabilities",
        "host/xtask/src",
    ];
    let tests: String = places.map(|place| sources(&root().join(place))).concat();
    let names = names();
    assert!(names.len() > 30, "{names:?}");
    let untested = names.iter().filter(|name| {
        // Some tests name both worlds' guests by what they have in common.
        let common = name.trim_end_matches("-p2").trim_end_matches("-p3");
        let quoted = [
            format!("\"{name}\""),
            format!("\"{common}\""),
            format!("\"{common}-{{world}}\""),
        ];
        !quoted.iter().any(|quoted| tests.contains(quoted))
    });
    let untested: Vec<_> = untested.collect();
    assert!(untested.is_empty(), "no test names {untested:?}");
}
