use super::*;
use std::os::unix::fs::PermissionsExt;

fn key() -> HostKey {
    HostKey::from_secret(&[7; 32]).unwrap()
}

#[test]
fn the_file_is_made_once_for_its_owner_only() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE_NAME);
    let first = HostKey::from_file(&path).unwrap();
    let metadata = std::fs::metadata(&path).unwrap();
    assert_eq!(
        (metadata.len(), metadata.permissions().mode() & 0o777),
        (32, 0o600)
    );
    let second = HostKey::from_file(&path).unwrap();
    assert_eq!(first.derive("config"), second.derive("config"));
    let files = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(files, 1, "no draft is left");
}

#[test]
fn many_at_once_agree_on_one_key() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE_NAME);
    let keys: Vec<_> = std::thread::scope(|scope| {
        let open = || scope.spawn(|| HostKey::from_file(&path).unwrap().derive("x"));
        let threads: Vec<_> = (0..8).map(|_| open()).collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    assert!(keys.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn a_damaged_file_is_told_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE_NAME);
    for bytes in [0, 31, 33] {
        std::fs::write(&path, vec![1; bytes]).unwrap();
        let refused = HostKey::from_file(&path);
        assert!(
            matches!(refused, Err(HostKeyError::Damaged { .. })),
            "{bytes}"
        );
        assert_eq!(std::fs::read(&path).unwrap().len(), bytes);
    }
    assert!(matches!(
        HostKey::from_secret(&[1; 31]),
        Err(HostKeyError::TooShort)
    ));
}

#[test]
fn each_purpose_has_a_key_of_its_own() {
    assert_ne!(key().derive("config"), key().derive("jwt"));
    assert_eq!(key().derive("config"), key().derive("config"));
    assert_eq!(format!("{:?}", key()), "HostKey(…)");
}

#[test]
fn what_was_sealed_opens_in_its_place_and_nowhere_else() {
    let key = key();
    let sealed = key.seal("config", "häßlich", "shop/SMTP").unwrap();
    assert!(sealed.starts_with("lodge1:") && !sealed.contains("lich"));
    assert_eq!(
        key.open_sealed("config", &sealed, "shop/SMTP").unwrap(),
        "häßlich"
    );
    assert_ne!(sealed, key.seal("config", "häßlich", "shop/SMTP").unwrap());
    let other = HostKey::from_secret(&[8; 32]).unwrap();
    for refused in [
        key.open_sealed("jwt", &sealed, "shop/SMTP"),
        key.open_sealed("config", &sealed, "blog/SMTP"),
        other.open_sealed("config", &sealed, "shop/SMTP"),
    ] {
        assert_eq!(refused, Err(SealError::DoesNotOpen));
    }
}

#[test]
fn no_changed_bit_goes_unnoticed() {
    let key = key();
    let sealed = key.seal("config", "s", "a").unwrap();
    let bytes = URL_SAFE_NO_PAD.decode(&sealed[PREFIX.len()..]).unwrap();
    for position in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[position] ^= 1;
        let changed = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(changed));
        let opened = key.open_sealed("config", &changed, "a");
        assert_eq!(opened, Err(SealError::DoesNotOpen), "byte {position}");
    }
    for malformed in ["", "s", "lodge1:", "lodge1:AAAA", "lodge2:AAAA", "lodge1:&"] {
        assert_eq!(
            key.open_sealed("config", malformed, "a"),
            Err(SealError::Malformed)
        );
    }
}

#[test]
fn the_variable_replaces_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let open = |variable: &str| HostKey::choose(Some(variable.into()), folder.path());
    let key = open(&"k".repeat(32)).unwrap();
    assert_eq!(
        key.derive("x"),
        HostKey::from_secret(&[b'k'; 32]).unwrap().derive("x")
    );
    assert!(matches!(open("short"), Err(HostKeyError::TooShort)));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    open("").unwrap();
    assert!(
        folder.path().join(FILE_NAME).exists(),
        "an empty one is none"
    );
}
