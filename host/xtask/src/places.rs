//! Where things are: the repository, what is built, and what is kept between fresh clones.

use std::collections::hash_map::DefaultHasher;
use std::env;
use std::fs;
use std::hash::{Hash as _, Hasher as _};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

#[derive(Debug)]
pub(crate) struct Places {
    /// The repository.
    pub(crate) root: PathBuf,
    /// Cargo's target folder of the host's workspace.
    pub(crate) target: PathBuf,
    /// Cargo's target folder of the guests' workspace.
    pub(crate) guests_build: PathBuf,
    /// The built components, one file a guest: always in the repository, for tests to find.
    pub(crate) guests: PathBuf,
    /// Downloaded tools that a fresh clone need not download again.
    pub(crate) toolchain: PathBuf,
}

impl Places {
    /// `LODGE_CACHE_DIR`, where set, keeps the downloaded tools and the guests' build between clones.
    pub(crate) fn find() -> Result<Self> {
        let here = env::var_os("CARGO_MANIFEST_DIR").context("run this as `cargo xtask`")?;
        let root = Path::new(&here)
            .ancestors()
            .nth(2)
            .context("xtask is not in host/xtask")?;
        let target = env::var_os("CARGO_TARGET_DIR")
            .map_or_else(|| root.join("target"), |target| root.join(target));
        let cache = match env::var_os("LODGE_CACHE_DIR") {
            Some(cache) if !cache.is_empty() => root.join(cache),
            _ => root.join("target"),
        };
        Ok(Self {
            guests: root.join("target/guests"),
            guests_build: cache.join("guests-build"),
            toolchain: cache.join("toolchain"),
            target,
            root: root.to_owned(),
        })
    }

    /// The manifest of the workspace of all guests.
    pub(crate) fn guests_manifest(&self) -> PathBuf {
        self.root.join("tests/guests/Cargo.toml")
    }
}

/// Folders that tools make.
const MADE: [&str; 3] = ["node_modules", "__pycache__", "dist"];

/// A hash of the names and contents of a folder's files, what tools put there left out.
pub(crate) fn hash_folder(folder: &Path) -> Result<String> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default();
            match path.is_dir() {
                true if !MADE.iter().any(|made| name == *made) => folders.push(path),
                true => {}
                false => files.push(path),
            }
        }
    }
    files.sort();
    let mut hasher = DefaultHasher::new();
    for file in files {
        file.strip_prefix(folder)?.hash(&mut hasher);
        fs::read(&file)?.hash(&mut hasher);
    }
    Ok(format!("{:016x}", hasher.finish()))
}
