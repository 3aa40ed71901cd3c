//! The cache of compiled components on disk.
//!
//! A compiled form is machine code that this process will jump into, so only files that this host
//! wrote are ever mapped: each has a MAC beside it, made with a key of the data directory over the
//! component's digest, the engine's compatibility and the code. A file that is missing, cut short,
//! altered, or from another engine or host is refused, and the component compiled again.
//!
//! Files appear whole or not at all (written under a temporary name, synced, renamed) and are never
//! changed in place: a mapped file that is cut short would end the process. The folder belongs to
//! the user alone (0700).

use crate::engine::Flavor;
use hmac::{Hmac, KeyInit, Mac};
use lodge_model::Digest;
use sha2::{Digest as _, Sha256};
use std::fs::{self, File};
use std::hash::{Hash, Hasher};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use wasmtime::Engine;
use wasmtime::component::Component;

const KEY_FILE: &str = "cache.key";
/// Bytes read at once while a file is verified.
const CHUNK_BYTES: usize = 256 << 10;

type HmacSha256 = Hmac<Sha256>;

/// Why a compiled form is not used. The remedy is to compile again, but for [`Refused::Engine`].
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    #[error("it is not in the cache")]
    Missing,
    #[error("its file was altered, cut short or made by another host")]
    Altered,
    #[error("its file cannot be read: {0}")]
    Unreadable(#[from] io::Error),
    #[error("the engine refused it: {0:#}")]
    Engine(wasmtime::Error),
}

/// The cache.
pub(crate) struct Artifacts {
    folder: PathBuf,
    key: [u8; 32],
}

impl Artifacts {
    /// Opens the cache in `folder`, which is made if needed, as is its key.
    ///
    /// # Errors
    /// The folder or the key cannot be made or read.
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
        for entry in fs::read_dir(folder)?.flatten() {
            if entry.path().extension().is_some_and(|e| e == "part") {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(Self {
            folder: folder.to_owned(),
            key: key(&folder.join(KEY_FILE))?,
        })
    }

    /// Where a compile may put its output before [`adopt`](Self::adopt).
    pub(crate) fn part_path(&self, digest: Digest, flavor: Flavor, engine: &Engine) -> PathBuf {
        self.path(digest, flavor, engine).with_extension("part")
    }

    /// Takes a finished compile's output into the cache.
    ///
    /// # Errors
    /// The file cannot be read, synced or renamed.
    pub(crate) fn adopt(&self, digest: Digest, flavor: Flavor, engine: &Engine) -> io::Result<()> {
        let part = self.part_path(digest, flavor, engine);
        let target = self.path(digest, flavor, engine);
        let mut file = File::open(&part)?;
        let mac = self.mac(&mut file, digest, engine)?.finalize().into_bytes();
        file.sync_all()?;
        let mac_part = target.with_extension("mac.part");
        let mut mac_file = private(&mac_part)?;
        mac_file.write_all(&mac)?;
        mac_file.sync_all()?;
        // Between the two renames an old MAC stands beside a new file: refused, and compiled again.
        fs::rename(&part, &target)?;
        fs::rename(&mac_part, target.with_extension("mac"))?;
        File::open(&self.folder)?.sync_all()
    }

    /// Whether the cache holds an authentic compiled form.
    pub(crate) fn verify(
        &self,
        digest: Digest,
        flavor: Flavor,
        engine: &Engine,
    ) -> Result<(), Refused> {
        self.verified(digest, flavor, engine).map(drop)
    }

    /// Verifies and maps a compiled form.
    ///
    /// # Errors
    /// There is none, or it is not authentic.
    pub(crate) fn load(
        &self,
        engine: &Engine,
        digest: Digest,
        flavor: Flavor,
    ) -> Result<Component, Refused> {
        let path = self.verified(digest, flavor, engine)?;
        #[expect(
            unsafe_code,
            reason = "Wasmtime cannot check machine code; the MAC does"
        )]
        // SAFETY: the file was written by this host's compile child for this engine and not changed
        // since: its MAC was just checked. Nobody but this user can write to the folder, and we
        // replace files only by renaming.
        let component = unsafe { Component::deserialize_file(engine, path) };
        component.map_err(Refused::Engine)
    }

    /// Removes the compiled forms of a component, for every engine.
    pub(crate) fn remove(&self, digest: Digest) -> io::Result<()> {
        let prefix = digest.to_hex();
        for entry in fs::read_dir(&self.folder)?.flatten() {
            if entry.file_name().to_string_lossy().starts_with(&prefix) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    fn verified(
        &self,
        digest: Digest,
        flavor: Flavor,
        engine: &Engine,
    ) -> Result<PathBuf, Refused> {
        let path = self.path(digest, flavor, engine);
        let absent = |e: io::Error| match e.kind() {
            io::ErrorKind::NotFound => Refused::Missing,
            _ => Refused::Unreadable(e),
        };
        let mut file = File::open(&path).map_err(absent)?;
        let expected = fs::read(path.with_extension("mac")).map_err(absent)?;
        let mac = self.mac(&mut file, digest, engine)?;
        mac.verify_slice(&expected).map_err(|_| Refused::Altered)?;
        Ok(path)
    }

    fn path(&self, digest: Digest, flavor: Flavor, engine: &Engine) -> PathBuf {
        let flavor = match flavor {
            Flavor::Sync => "sync",
            Flavor::Async => "async",
        };
        let engine = compatibility(engine)
            .chunks(8)
            .next()
            .map(hex::encode)
            .unwrap_or_default();
        self.folder
            .join(format!("{}-{flavor}-{engine}.cwasm", digest.to_hex()))
    }

    fn mac(&self, file: &mut File, digest: Digest, engine: &Engine) -> io::Result<HmacSha256> {
        let mut mac = HmacSha256::new_from_slice(&self.key).map_err(io::Error::other)?;
        mac.update(digest.as_bytes());
        mac.update(&compatibility(engine));
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            let read = file.read(&mut chunk)?;
            match chunk.get(..read) {
                Some(bytes) if read > 0 => mac.update(bytes),
                _ => return Ok(mac),
            }
        }
    }
}

/// What a compiled form must match: Wasmtime's version and every setting that changes code.
fn compatibility(engine: &Engine) -> [u8; 32] {
    struct Sha(Sha256);
    impl Hasher for Sha {
        fn write(&mut self, bytes: &[u8]) {
            self.0.update(bytes);
        }
        fn finish(&self) -> u64 {
            0
        }
    }
    let mut hasher = Sha(Sha256::new());
    engine.precompile_compatibility_hash().hash(&mut hasher);
    hasher.0.finalize().into()
}

/// A file that only this user can read, new or emptied.
fn private(path: &Path) -> io::Result<File> {
    fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
}

/// The key of this cache, made at its first use.
fn key(path: &Path) -> io::Result<[u8; 32]> {
    if let Ok(bytes) = fs::read(path)
        && let Ok(key) = <[u8; 32]>::try_from(bytes)
    {
        return Ok(key);
    }
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(io::Error::other)?;
    let part = path.with_extension("part");
    let mut file = private(&part)?;
    file.write_all(&key)?;
    file.sync_all()?;
    fs::rename(&part, path)?;
    Ok(key)
}

#[cfg(test)]
#[path = "artifact/tests.rs"]
mod tests;
