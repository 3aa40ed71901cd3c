//! The newest specifications on disk, so that a worker that restarts while Redis and the supervisor
//! are away serves its apps again.
//!
//! One file an app, sealed with the worker's key and bound to environment and app: the folder holds
//! no secret in the clear, and a file moved to another app's name does not open. Files are written
//! whole, under another name, and renamed. What cannot be read is logged and left out: the supervisor
//! says it again.

use lodge_model::{AppId, EnvironmentName, SealError, Sealer, Specification};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::task::spawn_blocking;

/// What the sealed texts are for.
const PURPOSE: &str = "specification";
const SUFFIX: &str = ".sealed";

/// Why something cannot be kept or read. Holds no secret.
#[derive(Debug, thiserror::Error)]
pub enum DiskError {
    /// A file or folder.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The seal.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// What was sealed is not what it should be.
    #[error("it is not a specification of this app here")]
    Foreign,
    /// A bug ended the work.
    #[error("the work on a file ended in the middle")]
    Broken,
}

/// The folder.
pub(crate) struct Disk(Arc<Inner>);

struct Inner {
    folder: PathBuf,
    environment: EnvironmentName,
    sealer: Arc<dyn Sealer>,
}

impl Disk {
    /// Makes the folder if needed, for its owner only.
    pub(crate) fn open(
        folder: PathBuf,
        environment: EnvironmentName,
        sealer: Arc<dyn Sealer>,
    ) -> Result<Self, DiskError> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)
            .map_err(at(&folder))?;
        Ok(Self(Arc::new(Inner {
            folder,
            environment,
            sealer,
        })))
    }

    /// All that is kept and can be read.
    pub(crate) fn read_all(&self) -> Result<Vec<Specification>, DiskError> {
        let folder = &self.0.folder;
        let mut found = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(at(folder))? {
            let path = entry.map_err(at(folder))?.path();
            let name = path.file_name().and_then(|name| name.to_str());
            let Some(app) = name.and_then(|name| name.strip_suffix(SUFFIX)) else {
                // What a crash left half-written.
                let _ = std::fs::remove_file(&path);
                continue;
            };
            match self.0.read(&path, app) {
                Ok(spec) => found.push(spec),
                Err(error) => tracing::error!(app, %error, origin = self.0.sealer.origin(),
                    "what was kept of an app cannot be read: waiting for the supervisor to say it again"),
            }
        }
        Ok(found)
    }

    /// Keeps one, in the place of the one before.
    pub(crate) async fn keep(&self, spec: Arc<Specification>) -> Result<(), DiskError> {
        let inner = Arc::clone(&self.0);
        let kept = spawn_blocking(move || inner.write(&spec)).await;
        kept.unwrap_or(Err(DiskError::Broken))
    }

    /// Keeps nothing of the app any more.
    pub(crate) async fn forget(&self, app: &AppId) -> Result<(), DiskError> {
        let inner = Arc::clone(&self.0);
        let path = inner.path(app);
        let gone = spawn_blocking(move || {
            match std::fs::remove_file(&path) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(at(&path)(error)),
                _ => (),
            }
            inner.sync()
        });
        gone.await.unwrap_or(Err(DiskError::Broken))
    }
}

impl Inner {
    fn path(&self, app: &AppId) -> PathBuf {
        self.folder.join(format!("{app}{SUFFIX}"))
    }

    fn bound_to(&self, app: &str) -> String {
        // Neither name can hold a slash.
        format!("{}/{app}", self.environment)
    }

    fn read(&self, path: &Path, app: &str) -> Result<Specification, DiskError> {
        let sealed = std::fs::read_to_string(path).map_err(at(path))?;
        let plain = self.sealer.open(PURPOSE, &sealed, &self.bound_to(app))?;
        let spec: Specification = serde_json::from_str(&plain).map_err(|_| DiskError::Foreign)?;
        if spec.app.as_str() != app || spec.environment != self.environment {
            return Err(DiskError::Foreign);
        }
        Ok(spec)
    }

    fn write(&self, spec: &Specification) -> Result<(), DiskError> {
        let plain = serde_json::to_string(spec).map_err(|_| DiskError::Foreign)?;
        let bound_to = self.bound_to(spec.app.as_str());
        let sealed = self.sealer.seal(PURPOSE, &plain, &bound_to)?;
        let path = self.path(&spec.app);
        let temporary = self.folder.join(format!("{}.new", spec.app));
        let written = write_whole(&temporary, sealed.as_bytes())
            .map_err(at(&temporary))
            .and_then(|()| std::fs::rename(&temporary, &path).map_err(at(&path)));
        if written.is_err() {
            let _ = std::fs::remove_file(&temporary);
        }
        written?;
        self.sync()
    }

    /// Makes what happened in the folder last through a power cut.
    fn sync(&self) -> Result<(), DiskError> {
        let folder = File::open(&self.folder).map_err(at(&self.folder))?;
        folder.sync_all().map_err(at(&self.folder))
    }
}

fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn at(path: &Path) -> impl Fn(io::Error) -> DiskError {
    let path = path.to_owned();
    move |source| DiskError::File {
        path: path.clone(),
        source,
    }
}
