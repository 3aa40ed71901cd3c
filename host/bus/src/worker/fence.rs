//! The highest revision of each app that this worker accepted, kept in a file: an old specification
//! that somebody writes back into Redis is refused, also after a restart.
//!
//! The file is a log: a line is added and synced before what it stands for is handed out, which costs
//! the same however many apps there are. Each line has a checksum, so that one that a crash cut short
//! counts for nothing. When the file is much longer than it needs to be it is written anew, beside,
//! and renamed. Apps that are gone stay in it (about 60 bytes each): forgotten, they could be brought
//! back by who kept their specification.
//!
//! The first lines also count the runs on this data directory.

use aws_lc_rs::digest;
use lodge_model::{AppId, Revision};
use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

const FILE: &str = "fence";
/// The word before the count of runs. No app has it for its ID: an upper-case letter.
const RUNS: &str = "Runs";
/// How many lines more than needed are borne.
const SPARE_LINES: usize = 4_096;

/// The file and what is in it.
pub(super) struct Fence {
    path: PathBuf,
    log: Option<File>,
    lines: usize,
    runs: u64,
    accepted: HashMap<AppId, Revision>,
}

impl Fence {
    /// Reads the file in `dir`, which is made if it is not there, and counts this run. What cannot be
    /// written now is tried again by [`record`](Self::record).
    pub(super) fn open(dir: &Path) -> Self {
        let mut fence = Self {
            path: dir.join(FILE),
            log: None,
            lines: 0,
            runs: 0,
            accepted: HashMap::new(),
        };
        if let Ok(text) = std::fs::read_to_string(&fence.path) {
            text.lines().for_each(|line| fence.take(line));
        }
        fence.runs = fence.runs.saturating_add(1);
        if let Err(error) = fence.write_anew() {
            tracing::error!(%error, path = %fence.path.display(), "cannot keep which revisions were accepted");
        }
        fence
    }

    /// How many runs there were on this data directory, with this one.
    pub(super) fn runs(&self) -> u64 {
        self.runs
    }

    /// The highest revision of an app that was accepted.
    pub(super) fn accepted(&self, app: &AppId) -> Option<Revision> {
        self.accepted.get(app).copied()
    }

    /// Whether a revision is at least as high as what was accepted before.
    pub(super) fn lets_pass(&self, app: &AppId, revision: Revision) -> bool {
        self.accepted.get(app).is_none_or(|kept| revision >= *kept)
    }

    /// Keeps accepted revisions. Blocks while the disk is written.
    ///
    /// # Errors
    /// They are not kept: what they stand for must not be run.
    pub(super) fn record(&mut self, accepted: &[(AppId, Revision)]) -> io::Result<()> {
        let higher: Vec<_> = accepted
            .iter()
            .filter(|(app, revision)| self.accepted.get(app) < Some(revision))
            .collect();
        if higher.is_empty() {
            return Ok(());
        }
        if self.log.is_none() || self.lines > self.accepted.len().saturating_mul(2) + SPARE_LINES {
            self.write_anew()?;
        }
        let text: String = higher
            .iter()
            .map(|(app, at)| revision_line(app, *at))
            .collect();
        let written = self.log.as_mut().map_or_else(
            || Err(io::Error::other("no file")),
            |log| {
                log.write_all(text.as_bytes())
                    .and_then(|()| log.sync_data())
            },
        );
        if let Err(error) = written {
            // It may hold half a line: the next attempt writes it anew.
            self.log = None;
            return Err(error);
        }
        self.lines = self.lines.saturating_add(higher.len());
        for (app, revision) in higher {
            self.accepted.insert(app.clone(), *revision);
        }
        Ok(())
    }

    fn write_anew(&mut self) -> io::Result<()> {
        self.log = None;
        let dir = self.path.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(dir)?;
        let beside = self.path.with_extension("new");
        let mut text = line(&format!("{RUNS} {}", self.runs));
        for (app, revision) in &self.accepted {
            text.push_str(&revision_line(app, *revision));
        }
        let mut file = File::create(&beside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&beside, &self.path)?;
        File::open(dir)?.sync_all()?;
        self.log = Some(OpenOptions::new().append(true).open(&self.path)?);
        self.lines = self.accepted.len().saturating_add(1);
        Ok(())
    }

    /// Takes a line; one that is not whole counts for nothing.
    fn take(&mut self, text: &str) {
        let Some((content, sum)) = text.rsplit_once(' ') else {
            return;
        };
        if sum != checksum(content) {
            tracing::warn!(path = %self.path.display(), "a line is damaged and was ignored");
            return;
        }
        let words: Vec<&str> = content.split(' ').collect();
        match words.as_slice() {
            [RUNS, runs] => self.runs = runs.parse().unwrap_or(self.runs),
            [app, generation, term, step] => {
                let parsed = || {
                    let revision = Revision {
                        generation: generation.parse().ok()?,
                        term: term.parse().ok()?,
                        step: step.parse().ok()?,
                    };
                    Some((app.parse::<AppId>().ok()?, revision))
                };
                if let Some((app, revision)) = parsed() {
                    let kept = self.accepted.entry(app).or_insert(revision);
                    *kept = revision.max(*kept);
                }
            }
            _ => {}
        }
    }
}

fn revision_line(app: &AppId, revision: Revision) -> String {
    let Revision {
        generation,
        term,
        step,
    } = revision;
    line(&format!("{app} {generation} {term} {step}"))
}

fn line(content: &str) -> String {
    format!("{content} {}\n", checksum(content))
}

fn checksum(content: &str) -> String {
    let digest = digest::digest(&digest::SHA256, content.as_bytes());
    hex::encode(
        digest
            .as_ref()
            .first_chunk::<4>()
            .copied()
            .unwrap_or_default(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(generation: i64) -> Revision {
        Revision {
            generation,
            ..Revision::default()
        }
    }

    #[test]
    fn it_holds_over_restarts_and_a_torn_line() {
        let dir = tempfile::tempdir().unwrap();
        let app: AppId = "shop".parse().unwrap();
        let mut fence = Fence::open(dir.path());
        assert_eq!(fence.runs(), 1);
        fence.record(&[(app.clone(), at(3))]).unwrap();
        fence.record(&[(app.clone(), at(2))]).unwrap();
        drop(fence);
        let path = dir.path().join(FILE);
        let mut torn = std::fs::read_to_string(&path).unwrap();
        torn.push_str(revision_line(&app, at(9)).trim_end().split_at(9).0);
        std::fs::write(&path, torn).unwrap();
        let fence = Fence::open(dir.path());
        assert_eq!(fence.runs(), 2);
        assert!(!fence.lets_pass(&app, at(2)));
        assert!(fence.lets_pass(&app, at(3)));
        assert!(fence.lets_pass(&"other".parse().unwrap(), at(0)));
    }

    #[test]
    fn it_does_not_grow_with_changes() {
        let dir = tempfile::tempdir().unwrap();
        let app: AppId = "shop".parse().unwrap();
        let mut fence = Fence::open(dir.path());
        fence.lines = SPARE_LINES;
        for generation in 1..=20 {
            fence.record(&[(app.clone(), at(generation))]).unwrap();
        }
        assert!(fence.lines < 30, "{} lines", fence.lines);
        assert!(!Fence::open(dir.path()).lets_pass(&app, at(19)));
    }

    #[test]
    fn what_cannot_be_written_is_not_accepted() {
        let dir = tempfile::tempdir().unwrap();
        let blocked = dir.path().join("file");
        std::fs::write(&blocked, "").unwrap();
        let app: AppId = "shop".parse().unwrap();
        let mut fence = Fence::open(&blocked);
        assert!(fence.record(&[(app.clone(), at(1))]).is_err());
        assert!(fence.lets_pass(&app, at(0)));
    }
}
