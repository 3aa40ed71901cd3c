//! The version that the host tells is the one it is built with.

#[test]
fn the_version_is_the_workspaces() {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml");
    let text = std::fs::read_to_string(manifest).unwrap();
    let pinned = format!("wasmtime = {{ version = \"={}\"", crate::WASMTIME_VERSION);
    assert!(text.contains(&pinned), "{pinned}");
}
