//! The folders of the data directory that the control plane keeps.
//!
//! `components/` uploaded bytes by digest; `uploads/` what is being received, emptied at every
//! start; `apps/` one folder an app for what is its own; `lock` held by the process that works here.

use crate::{Error, Fault};
use lodge_model::{AppId, Digest};
use std::collections::HashSet;
use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

pub(crate) fn components(data_dir: &Path) -> PathBuf {
    data_dir.join("components")
}

pub(crate) fn uploads(data_dir: &Path) -> PathBuf {
    data_dir.join("uploads")
}

/// The folder of what is one app's own.
pub(crate) fn app(data_dir: &Path, id: &AppId) -> PathBuf {
    data_dir.join("apps").join(id.as_str())
}

/// Makes the folders, for their owner only, and takes the lock: two processes that both bring apps
/// where they should be would undo each other's work. The lock goes with the process.
pub(crate) fn prepare(data_dir: &Path) -> Result<File, Error> {
    use std::os::unix::fs::DirBuilderExt;
    for dir in [
        components(data_dir),
        uploads(data_dir),
        data_dir.join("apps"),
    ] {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&dir)
            .map_err(Error::file("create", &dir))?;
    }
    let path = data_dir.join("lock");
    let lock = File::create(&path).map_err(Error::file("create", &path))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(Fault::Locked(data_dir.to_owned()).into()),
        Err(TryLockError::Error(source)) => Err(Error::file("lock", &path)(source)),
    }
}

/// Removes what a crash left: unfinished uploads, and components that no row knows. Gives the
/// digests of the latter, whose compiled form may be left too.
pub(crate) fn sweep(data_dir: &Path, known: &HashSet<Digest>) -> Result<Vec<Digest>, Error> {
    for path in entries(&uploads(data_dir))? {
        std::fs::remove_file(&path).map_err(Error::file("remove", &path))?;
        tracing::info!(path = %path.display(), "removed an unfinished upload");
    }
    let mut removed = Vec::new();
    for path in entries(&components(data_dir))? {
        let digest = digest_in(&path);
        if digest.is_some_and(|digest| known.contains(&digest)) {
            continue;
        }
        std::fs::remove_file(&path).map_err(Error::file("remove", &path))?;
        tracing::info!(path = %path.display(), "removed a component that is not listed");
        removed.extend(digest);
    }
    Ok(removed)
}

/// Removes a file; that it is not there is fine.
pub(crate) async fn remove_if_there(path: &Path) -> Result<(), Error> {
    match tokio::fs::remove_file(path).await {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(Error::file("remove", path)(error))
        }
        _ => Ok(()),
    }
}

/// Removes a folder with all that is in it; that it is not there is fine.
pub(crate) async fn remove_dir_if_there(path: &Path) -> Result<(), Error> {
    match tokio::fs::remove_dir_all(path).await {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(Error::file("remove", path)(error))
        }
        _ => Ok(()),
    }
}

/// Makes a rename in `dir` last through a power cut.
pub(crate) async fn sync_dir(dir: &Path) -> Result<(), Error> {
    let file = tokio::fs::File::open(dir)
        .await
        .map_err(Error::file("open", dir))?;
    file.sync_all().await.map_err(Error::file("sync", dir))
}

fn entries(dir: &Path) -> Result<Vec<PathBuf>, Error> {
    std::fs::read_dir(dir)
        .and_then(|entries| entries.map(|entry| entry.map(|e| e.path())).collect())
        .map_err(Error::file("read", dir))
}

fn digest_in(path: &Path) -> Option<Digest> {
    path.file_name()?
        .to_str()?
        .strip_suffix(".wasm")?
        .parse()
        .ok()
}
