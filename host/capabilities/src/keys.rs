//! The host's own key, and what is derived from it: apps' token secrets, role passwords, the key that
//! seals secrets at rest.
//!
//! 32 random bytes in `host.key` in the data directory (mode 0600), or `LODGE_SECRET_KEY`. Who loses it
//! loses what was sealed with it; who has it and the control database has everything. It is never
//! logged, and a purpose's key tells nothing of another's.

use aws_lc_rs::{hkdf, rand};
use std::fs::OpenOptions;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

const FILE: &str = "host.key";
const BYTES: usize = 32;
const SALT: &[u8] = b"lodge host key v1";

/// Why there is no host key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read or made.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// The file is not what this host wrote.
    #[error("{0}: has not 32 bytes; put back the file that belongs to this data directory")]
    Damaged(String),
    /// The given key is too short.
    #[error("LODGE_SECRET_KEY: needs at least 32 characters")]
    TooShort,
    /// The system gives no randomness.
    #[error("no randomness can be had from the system")]
    Randomness,
}

/// Length of what is derived.
struct Length;

impl hkdf::KeyType for Length {
    fn len(&self) -> usize {
        BYTES
    }
}

/// The host's key.
pub struct HostKey(hkdf::Prk);

impl HostKey {
    /// The key of this data directory, made at its first start.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn open(data_dir: &Path) -> Result<Self, KeyError> {
        let path = data_dir.join(FILE);
        let failed = |source| KeyError::File {
            path: path.display().to_string(),
            source,
        };
        let mut bytes = Vec::new();
        match OpenOptions::new().read(true).open(&path) {
            Ok(mut file) => {
                file.read_to_end(&mut bytes).map_err(failed)?;
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                bytes = vec![0; BYTES];
                rand::fill(&mut bytes).map_err(|_| KeyError::Randomness)?;
                write_whole(&path, &bytes).map_err(failed)?;
            }
            Err(e) => return Err(failed(e)),
        }
        if bytes.len() != BYTES {
            return Err(KeyError::Damaged(path.display().to_string()));
        }
        Ok(Self::of(&bytes))
    }

    /// A key given by the operator.
    ///
    /// # Errors
    /// [`KeyError::TooShort`].
    pub fn given(secret: &str) -> Result<Self, KeyError> {
        if secret.len() < BYTES {
            return Err(KeyError::TooShort);
        }
        Ok(Self::of(secret.as_bytes()))
    }

    fn of(secret: &[u8]) -> Self {
        Self(hkdf::Salt::new(hkdf::HKDF_SHA256, SALT).extract(secret))
    }

    /// The key for one purpose, such as `token/a_x`. The same for the same purpose, always.
    pub fn derive(&self, purpose: &str) -> [u8; BYTES] {
        let mut key = [0; BYTES];
        let info = [purpose.as_bytes()];
        // Both fail only for lengths beyond 255 hashes.
        if let Ok(okm) = self.0.expand(&info, Length)
            && okm.fill(&mut key).is_ok()
        {
            return key;
        }
        unreachable_key()
    }
}

#[expect(
    clippy::panic,
    reason = "a key of zeros would be worse than an end; 32 bytes are always within HKDF's bound"
)]
fn unreachable_key() -> [u8; BYTES] {
    panic!("HKDF refuses 32 bytes")
}

/// Written beside, synced, then renamed: there is a whole key or none.
fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let part = path.with_extension("key.part");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&part)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&part, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_stays_and_its_purposes_differ() {
        let folder = tempfile::tempdir().unwrap();
        let (one, again) = (
            HostKey::open(folder.path()).unwrap(),
            HostKey::open(folder.path()).unwrap(),
        );
        assert_eq!(one.derive("token/a"), again.derive("token/a"));
        assert_ne!(one.derive("token/a"), one.derive("token/b"));
        let other = tempfile::tempdir().unwrap();
        let other = HostKey::open(other.path()).unwrap();
        assert_ne!(one.derive("token/a"), other.derive("token/a"));
    }

    #[test]
    fn what_is_not_a_key_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE), b"short").unwrap();
        assert!(matches!(
            HostKey::open(folder.path()),
            Err(KeyError::Damaged(_))
        ));
        assert!(matches!(HostKey::given("short"), Err(KeyError::TooShort)));
    }
}
