//! Waits for saves in a project's folder.
//!
//! The build's own output and hidden folders are left out: they would cause a build after every
//! build. So the folder itself is watched flat, and each of its other folders whole; a folder made
//! while this runs is taken up after the next change that is seen.

use crate::cli::failure::Failure;
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// Quiet that ends a burst: editors write a file in several steps.
const QUIET: Duration = Duration::from_millis(150);

/// Saves in one folder.
pub(crate) struct Changes {
    folder: PathBuf,
    events: Receiver<notify::Result<Event>>,
    _watcher: RecommendedWatcher,
}

impl Changes {
    /// Begins to watch.
    ///
    /// # Errors
    /// The system refuses, say since too many files are watched already.
    pub(crate) fn of(folder: &Path) -> Result<Self, Failure> {
        let (sender, events) = channel();
        let mut watcher = notify::recommended_watcher(sender).map_err(|e| failure(folder, &e))?;
        watcher
            .watch(folder, RecursiveMode::NonRecursive)
            .map_err(|e| failure(folder, &e))?;
        let entries = std::fs::read_dir(folder).map_err(Failure::file("read", folder))?;
        for path in entries.flatten().map(|entry| entry.path()) {
            if path.is_dir() && concerns(&path, folder) {
                watcher
                    .watch(&path, RecursiveMode::Recursive)
                    .map_err(|e| failure(&path, &e))?;
            }
        }
        Ok(Self {
            folder: folder.to_owned(),
            events,
            _watcher: watcher,
        })
    }

    /// Waits for a save and for the quiet after it. Gives the first path that changed.
    ///
    /// # Errors
    /// The watcher has ended.
    pub(crate) fn wait(&self) -> Result<PathBuf, Failure> {
        let ended =
            || Failure::Failed("the file watcher has ended: start `lodge dev` again".into());
        let changed = loop {
            let event = self.events.recv().map_err(|_| ended())?;
            if let Some(path) = event.ok().and_then(|event| self.save_in(event)) {
                break path;
            }
        };
        while self.events.recv_timeout(QUIET).is_ok() {}
        Ok(changed)
    }

    fn save_in(&self, event: Event) -> Option<PathBuf> {
        if matches!(event.kind, EventKind::Access(_)) {
            return None;
        }
        event
            .paths
            .into_iter()
            .find(|path| concerns(path, &self.folder))
    }
}

/// Whether a change of `path` may change the build of the project in `folder`.
fn concerns(path: &Path, folder: &Path) -> bool {
    let Ok(inside) = path.strip_prefix(folder) else {
        return false;
    };
    let mut names = inside
        .components()
        .map(|part| part.as_os_str().to_string_lossy());
    let Some(first) = names.next() else {
        return false;
    };
    let generated = matches!(first.as_ref(), "target" | "node_modules" | "Cargo.lock");
    let scratch =
        |name: &str| name.starts_with('.') || name.ends_with('~') || name.ends_with(".swp");
    !generated && !scratch(&first) && !names.any(|name| scratch(&name))
}

fn failure(path: &Path, error: &notify::Error) -> Failure {
    Failure::Failed(format!("cannot watch {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sources_concern_the_build() {
        let concerns = |path: &str| super::concerns(Path::new(path), Path::new("/p"));
        for yes in [
            "/p/src/lib.rs",
            "/p/Cargo.toml",
            "/p/wit/world.wit",
            "/p/assets/index.html",
        ] {
            assert!(concerns(yes), "{yes}");
        }
        for no in [
            "/p",
            "/p/target/x",
            "/p/.git/index",
            "/p/src/.lib.rs.swp",
            "/p/src/a~",
            "/q/src/lib.rs",
            "/p/Cargo.lock",
        ] {
            assert!(!concerns(no), "{no}");
        }
    }

    #[test]
    fn a_save_is_seen_and_a_build_is_not() {
        let temporary = tempfile::tempdir().unwrap();
        let folder = temporary.path().canonicalize().unwrap();
        for name in ["src", "target"] {
            std::fs::create_dir(folder.join(name)).unwrap();
        }
        let changes = Changes::of(&folder).unwrap();
        std::fs::write(folder.join("target/out.wasm"), "x").unwrap();
        std::fs::write(folder.join("src/lib.rs"), "x").unwrap();
        assert_eq!(changes.wait().unwrap(), folder.join("src/lib.rs"));
    }
}
