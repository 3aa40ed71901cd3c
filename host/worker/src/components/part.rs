//! A component's file while it is fetched.
//!
//! The file is locked by whoever writes it, to the last write: a download that was given up may have
//! one under way when the next begins. All that touches the disk happens on blocking threads, and what
//! a thread has it has wholly, so that a future that is dropped leaves no half of it behind.

use super::FetchError;
use lodge_model::Digest;
use sha2::{Digest as _, Sha256};
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use tokio::task::spawn_blocking;

/// Bytes that are hashed at a time.
const CHUNK: usize = 128 * 1024;

/// The beginning of a component, hashed.
pub(super) struct Part {
    path: PathBuf,
    file: File,
    hash: Sha256,
    len: u64,
}

impl Part {
    /// What came so far; one that is longer than `most` is begun anew. Waits for whoever has it.
    pub(super) async fn open(path: PathBuf, most: u64) -> Result<Self, FetchError> {
        blocking(move || {
            let file = lock(&path)?;
            let mut part = Self {
                path,
                file,
                hash: Sha256::new(),
                len: 0,
            };
            part.len = hash_all(&mut part.file, &mut part.hash, &part.path)?;
            if part.len > most {
                part.restart()?;
            }
            Ok(part)
        })
        .await
    }

    /// Bytes it has.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    pub(super) async fn write(mut self, bytes: Vec<u8>) -> Result<Self, FetchError> {
        if bytes.is_empty() {
            return Ok(self);
        }
        blocking(move || {
            self.hash.update(&bytes);
            let written = self.file.write_all(&bytes);
            written.map_err(FetchError::file(&self.path))?;
            self.len += bytes.len() as u64;
            Ok(self)
        })
        .await
    }

    /// Begins anew.
    pub(super) async fn clear(mut self) -> Result<Self, FetchError> {
        blocking(move || self.restart().map(|()| self)).await
    }

    pub(super) async fn remove(self) -> Result<(), FetchError> {
        blocking(move || remove_if_there(&self.path)).await
    }

    /// Moves it to `place` if it is what it should be, and otherwise removes it.
    pub(super) async fn finish(self, digest: Digest, place: PathBuf) -> Result<(), FetchError> {
        blocking(move || {
            let found = Digest::from_bytes(self.hash.finalize().into());
            if found != digest {
                remove_if_there(&self.path)?;
                return Err(FetchError::WrongBytes { found });
            }
            self.file.sync_all().map_err(FetchError::file(&self.path))?;
            std::fs::rename(&self.path, &place).map_err(FetchError::file(&place))?;
            let folder = place.parent().unwrap_or(Path::new("."));
            let synced = File::open(folder).and_then(|folder| folder.sync_all());
            synced.map_err(FetchError::file(folder))
        })
        .await
    }

    fn restart(&mut self) -> Result<(), FetchError> {
        use std::io::Seek;
        let emptied = self.file.set_len(0).and_then(|()| self.file.rewind());
        emptied.map_err(FetchError::file(&self.path))?;
        self.hash = Sha256::new();
        self.len = 0;
        Ok(())
    }
}

/// The SHA-256 of a file; none: there is none.
pub(super) fn digest_of(path: &Path) -> Result<Option<Digest>, FetchError> {
    let mut file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        file => file.map_err(FetchError::file(path))?,
    };
    let mut hash = Sha256::new();
    hash_all(&mut file, &mut hash, path)?;
    Ok(Some(Digest::from_bytes(hash.finalize().into())))
}

pub(super) fn remove_if_there(path: &Path) -> Result<(), FetchError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(FetchError::file(path)(error)),
        _ => Ok(()),
    }
}

/// The file of that name, locked. The lock goes with the file.
fn lock(path: &Path) -> Result<File, FetchError> {
    loop {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).mode(0o600);
        let file = options.open(path).map_err(FetchError::file(path))?;
        file.lock().map_err(FetchError::file(path))?;
        let own = file.metadata().map_err(FetchError::file(path))?.ino();
        // Whoever had it may have moved or removed it meanwhile.
        if std::fs::metadata(path).is_ok_and(|there| there.ino() == own) {
            return Ok(file);
        }
    }
}

fn hash_all(file: &mut File, hash: &mut Sha256, path: &Path) -> Result<u64, FetchError> {
    let mut chunk = vec![0; CHUNK];
    let mut len = 0;
    loop {
        let read = match file.read(&mut chunk) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            read => read.map_err(FetchError::file(path))?,
        };
        if read == 0 {
            return Ok(len);
        }
        hash.update(chunk.get(..read).unwrap_or_default());
        len += read as u64;
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, FetchError> + Send + 'static,
) -> Result<T, FetchError> {
    spawn_blocking(work)
        .await
        .unwrap_or(Err(FetchError::Broken))
}
