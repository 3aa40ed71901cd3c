use super::*;
use crate::engine::compiling;

const EMPTY_COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";
const FLAVOR: Flavor = Flavor::Sync;

/// A cache with one compiled component in it.
fn cache() -> (tempfile::TempDir, Artifacts, Engine, Digest) {
    let folder = tempfile::tempdir().unwrap();
    let artifacts = Artifacts::open(&folder.path().join("cache")).unwrap();
    let engine = compiling(FLAVOR).unwrap();
    let digest = Digest::from_bytes(Sha256::digest(EMPTY_COMPONENT).into());
    let code = engine.precompile_component(EMPTY_COMPONENT).unwrap();
    fs::write(artifacts.part_path(digest, FLAVOR, &engine), code).unwrap();
    artifacts.adopt(digest, FLAVOR, &engine).unwrap();
    (folder, artifacts, engine, digest)
}

#[test]
fn what_was_adopted_loads_also_after_a_restart() {
    let (folder, artifacts, engine, digest) = cache();
    artifacts.load(&engine, digest, FLAVOR).unwrap();
    let reopened = Artifacts::open(&folder.path().join("cache")).unwrap();
    reopened.load(&engine, digest, FLAVOR).unwrap();
    artifacts.remove(digest).unwrap();
    assert!(matches!(
        reopened.load(&engine, digest, FLAVOR),
        Err(Refused::Missing)
    ));
}

#[test]
fn an_altered_or_shortened_file_is_refused() {
    let (_folder, artifacts, engine, digest) = cache();
    let path = artifacts.path(digest, FLAVOR, &engine);
    let whole = fs::read(&path).unwrap();
    let mut altered = whole.clone();
    altered[whole.len() / 2] ^= 1;
    for bytes in [altered.as_slice(), &whole[..whole.len() - 1], b""] {
        fs::write(&path, bytes).unwrap();
        assert!(matches!(
            artifacts.load(&engine, digest, FLAVOR),
            Err(Refused::Altered)
        ));
    }
    fs::write(&path, &whole).unwrap();
    artifacts.load(&engine, digest, FLAVOR).unwrap();
    fs::remove_file(path.with_extension("mac")).unwrap();
    assert!(matches!(
        artifacts.load(&engine, digest, FLAVOR),
        Err(Refused::Missing)
    ));
}

#[test]
fn another_hosts_file_and_another_components_file_are_refused() {
    let (_folder, artifacts, engine, digest) = cache();
    let (_other_folder, other, _, _) = cache();
    let (ours, theirs) = (
        artifacts.path(digest, FLAVOR, &engine),
        other.path(digest, FLAVOR, &engine),
    );
    fs::copy(&theirs, &ours).unwrap();
    fs::copy(theirs.with_extension("mac"), ours.with_extension("mac")).unwrap();
    assert!(matches!(
        artifacts.load(&engine, digest, FLAVOR),
        Err(Refused::Altered)
    ));

    let stranger = Digest::from_bytes([1; 32]);
    let target = other.path(stranger, FLAVOR, &engine);
    fs::copy(&theirs, &target).unwrap();
    fs::copy(theirs.with_extension("mac"), target.with_extension("mac")).unwrap();
    assert!(matches!(
        other.load(&engine, stranger, FLAVOR),
        Err(Refused::Altered)
    ));
}

#[test]
fn the_folder_and_the_key_are_the_users_alone() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, ..) = cache();
    let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(folder.path().join("cache")), 0o700);
    assert_eq!(mode(folder.path().join("cache").join(KEY_FILE)), 0o600);
}
