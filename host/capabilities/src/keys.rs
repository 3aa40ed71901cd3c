//! The host's own key, from which every key for secrets at rest comes.
//!
//! It is 32 random bytes in `host.key` of the data directory, made at the first start for the
//! owner's eyes only, or comes from the variable `LODGE_SECRET_KEY`. Nothing is encrypted with it
//! itself: each purpose (`config`, `jwt`, …) has a key of its own, derived by HKDF-SHA-256
//! (RFC 5869), so that what was sealed for one purpose never opens for another.
//!
//! Sealed text is `lodge1:` and the base64url of nonce, ciphertext and tag of AES-256-GCM. The
//! associated data bind it to its place (an app's ID and a field's name, for one): moved elsewhere,
//! it does not open. Nonces are random: about four billion texts a purpose stay far from a
//! collision.
//!
//! How it fails: a missing or changed key makes sealed text unreadable, and says so. A file of the
//! wrong size stops the start; it is never overwritten.

use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use aws_lc_rs::{hmac, rand};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::ffi::OsString;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// The file in the data directory.
const FILE_NAME: &str = "host.key";

/// The variable that replaces the file.
pub const KEY_VARIABLE: &str = "LODGE_SECRET_KEY";

const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 12;
const PREFIX: &str = "lodge1:";

/// Separates this use of a key from any other.
const SALT: &[u8] = b"lodge host key v1";

/// Why there is no host key.
#[derive(Debug, thiserror::Error)]
pub enum HostKeyError {
    /// The variable is too short.
    #[error(
        "LODGE_SECRET_KEY has fewer than {KEY_BYTES} bytes: make one with `openssl rand -hex 32`"
    )]
    TooShort,
    /// The file is not a key.
    #[error(
        "{path} does not hold a key of {KEY_BYTES} bytes: restore it from a backup (without the \
         right key, stored secrets cannot be read)"
    )]
    Damaged {
        /// Which file.
        path: PathBuf,
    },
    /// The file cannot be read or made.
    #[error("the host's key {path} cannot be read or made: {source}")]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The machine gives no random bytes.
    #[error("the system gives no random bytes")]
    Random,
}

/// Why a sealed text does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// It was not sealed by this version of Lodge.
    #[error("the stored secret is not of a form that this version of Lodge reads")]
    Malformed,
    /// Another key, another place, or changed.
    #[error(
        "the stored secret does not open: it was changed, moved, or sealed with another host key \
         (host.key or LODGE_SECRET_KEY)"
    )]
    DoesNotOpen,
    /// The machine gives no random bytes.
    #[error("the secret cannot be sealed: the system gives no random bytes")]
    Random,
}

/// The host's key. Debug shows nothing of it.
pub struct HostKey(hmac::Key);

impl fmt::Debug for HostKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HostKey(…)")
    }
}

impl HostKey {
    /// The key of `LODGE_SECRET_KEY`, if that is set, or of the file in `data_dir`, which is made if
    /// it is not there.
    ///
    /// # Errors
    /// There is none, and none can be made.
    pub fn open(data_dir: &Path) -> Result<Self, HostKeyError> {
        Self::choose(std::env::var_os(KEY_VARIABLE), data_dir)
    }

    fn choose(variable: Option<OsString>, data_dir: &Path) -> Result<Self, HostKeyError> {
        match variable.filter(|key| !key.is_empty()) {
            Some(key) => Self::from_secret(key.as_bytes()),
            None => Self::from_file(&data_dir.join(FILE_NAME)),
        }
    }

    /// A key from a secret that an administrator keeps, at least 32 bytes.
    ///
    /// # Errors
    /// [`HostKeyError::TooShort`].
    pub fn from_secret(secret: &[u8]) -> Result<Self, HostKeyError> {
        if secret.len() < KEY_BYTES {
            return Err(HostKeyError::TooShort);
        }
        // HKDF's extract.
        let extracted = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SALT), secret);
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, extracted.as_ref())))
    }

    fn from_file(path: &Path) -> Result<Self, HostKeyError> {
        let failed = |source| HostKeyError::File {
            path: path.to_owned(),
            source,
        };
        match read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => make(path)?,
            Err(error) => return Err(failed(error)),
            Ok(_) => {}
        }
        // Read back even if it was made now: another process may have been faster.
        let key = read(path).map_err(failed)?;
        if key.len() != KEY_BYTES {
            return Err(HostKeyError::Damaged {
                path: path.to_owned(),
            });
        }
        Self::from_secret(&key)
    }

    /// A key of 32 bytes for one purpose.
    #[must_use]
    pub fn derive(&self, purpose: &str) -> [u8; KEY_BYTES] {
        // HKDF's expand, of which the first block is as long as a key.
        let mut context = hmac::Context::with_key(&self.0);
        context.update(purpose.as_bytes());
        context.update(&[1]);
        let mut key = [0; KEY_BYTES];
        key.copy_from_slice(context.sign().as_ref());
        key
    }

    /// Encrypts `plaintext` for one purpose and one place.
    ///
    /// # Errors
    /// [`SealError::Random`].
    pub fn seal(
        &self,
        purpose: &str,
        plaintext: &str,
        associated_data: &str,
    ) -> Result<String, SealError> {
        let key = self.cipher(purpose).map_err(|_| SealError::Random)?;
        let mut text = plaintext.as_bytes().to_vec();
        let nonce = key
            .seal_in_place_append_tag(Aad::from(associated_data.as_bytes()), &mut text)
            .map_err(|_| SealError::Random)?;
        let mut sealed = nonce.as_ref().to_vec();
        sealed.extend_from_slice(&text);
        Ok(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(sealed)))
    }

    /// Decrypts what [`seal`](Self::seal) made with the same purpose and associated data.
    ///
    /// # Errors
    /// [`SealError::Malformed`], [`SealError::DoesNotOpen`].
    pub fn open_sealed(
        &self,
        purpose: &str,
        sealed: &str,
        associated_data: &str,
    ) -> Result<String, SealError> {
        let encoded = sealed.strip_prefix(PREFIX).ok_or(SealError::Malformed)?;
        let bytes = URL_SAFE_NO_PAD.decode(encoded);
        let bytes = bytes.map_err(|_| SealError::Malformed)?;
        let (nonce, text) = bytes
            .split_at_checked(NONCE_BYTES)
            .ok_or(SealError::Malformed)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealError::Malformed)?;
        let mut text = text.to_vec();
        let key = self.cipher(purpose)?;
        let opened = key
            .open_in_place(nonce, Aad::from(associated_data.as_bytes()), &mut text)
            .map_err(|_| SealError::DoesNotOpen)?;
        String::from_utf8(opened.to_vec()).map_err(|_| SealError::DoesNotOpen)
    }

    fn cipher(&self, purpose: &str) -> Result<RandomizedNonceKey, SealError> {
        RandomizedNonceKey::new(&AES_256_GCM, &self.derive(purpose))
            .map_err(|_| SealError::DoesNotOpen)
    }
}

/// The file's bytes, a few more than a key at most.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut key = Vec::with_capacity(KEY_BYTES + 1);
    let limit = KEY_BYTES as u64 + 1;
    File::open(path)?.take(limit).read_to_end(&mut key)?;
    Ok(key)
}

/// Writes a new key beside `path` and links it into place, which fails if a file is there: whole or
/// not at all, and never over another's.
fn make(path: &Path) -> Result<(), HostKeyError> {
    let mut key = [0; KEY_BYTES];
    rand::fill(&mut key).map_err(|_| HostKeyError::Random)?;
    let mut suffix = [0; 8];
    rand::fill(&mut suffix).map_err(|_| HostKeyError::Random)?;
    let draft = path.with_extension(format!("key-{}", hex::encode(suffix)));
    let linked = write(&draft, &key).and_then(|()| match std::fs::hard_link(&draft, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        linked => linked,
    });
    let removed = match std::fs::remove_file(&draft) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    };
    let synced = linked.and(removed).and_then(|()| sync_folder(path));
    synced.map_err(|source| HostKeyError::File {
        path: path.to_owned(),
        source,
    })
}

fn write(path: &Path, key: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(key)?;
    file.sync_all()
}

fn sync_folder(path: &Path) -> io::Result<()> {
    path.parent()
        .map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

#[cfg(test)]
mod tests;
