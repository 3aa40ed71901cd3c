//! What a worker was told to look at, handed out, and was done with.
//!
//! A command is acknowledged when its app was brought to its revision or a higher one, whether it was
//! that command or another thing that led there. Apps do not wait for one another: what is wanted of
//! one has its own tries and pauses, and handing out waits for nothing to be done.

use lodge_model::{AppId, Revision};
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// How often a specification is looked for before the command is put aside …
const TRIES: u32 = 5;
/// … with this pause after the first time, and twice as long after each further one.
const PAUSE: Duration = Duration::from_millis(200);

/// A specification that is looked for.
struct Wanted {
    revision: Revision,
    tries: u32,
    due: Instant,
}

/// A command that could not be carried out.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PutAside {
    pub(super) revision: Revision,
    /// Its entries in the stream.
    pub(super) entries: Vec<String>,
}

/// The state of all apps' commands.
#[derive(Default)]
pub(super) struct Commands {
    /// What this process was told.
    handed: HashMap<AppId, Revision>,
    /// What it acted upon.
    acted: HashMap<AppId, Revision>,
    /// Commands of this connection that are not acted upon.
    open: HashMap<AppId, Vec<(Revision, String)>>,
    wanted: HashMap<AppId, Wanted>,
}

impl Commands {
    /// A connection begins: all that is not acknowledged will be read again.
    pub(super) fn begin(&mut self) {
        self.open.clear();
        self.wanted.clear();
    }

    /// Takes a command; gives its entry back if it can be acknowledged at once.
    pub(super) fn ordered(
        &mut self,
        app: AppId,
        revision: Revision,
        entry: String,
    ) -> Option<String> {
        if self.acted.get(&app) >= Some(&revision) {
            return Some(entry);
        }
        let open = self.open.entry(app.clone()).or_default();
        open.push((revision, entry));
        if self.handed.get(&app) < Some(&revision) {
            self.want(app, revision);
        }
        None
    }

    /// Looks for an app's specification from now on.
    pub(super) fn want(&mut self, app: AppId, revision: Revision) {
        let due = Instant::now();
        let wanted = self.wanted.entry(app).or_insert(Wanted {
            revision,
            tries: 0,
            due,
        });
        if wanted.revision < revision {
            *wanted = Wanted {
                revision,
                tries: 0,
                due,
            };
        }
    }

    /// Whether this process was not told of it yet.
    pub(super) fn is_news(&self, app: &AppId, revision: Revision) -> bool {
        self.handed.get(app) < Some(&revision)
    }

    /// The revision that is looked for, if any.
    pub(super) fn wanted(&self, app: &AppId) -> Option<Revision> {
        self.wanted.get(app).map(|wanted| wanted.revision)
    }

    /// Apps to look for now, `most` at most.
    pub(super) fn due(&self, most: usize) -> Vec<AppId> {
        let now = Instant::now();
        let due = self.wanted.iter().filter(|(_, wanted)| wanted.due <= now);
        due.take(most).map(|(app, _)| app.clone()).collect()
    }

    /// When something is to be looked for next.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.wanted.values().map(|wanted| wanted.due).min()
    }

    /// The process was told.
    pub(super) fn handed_out(&mut self, app: &AppId, revision: Revision) {
        let handed = self.handed.entry(app.clone()).or_insert(revision);
        *handed = revision.max(*handed);
        if self.wanted(app).is_some_and(|wanted| wanted <= revision) {
            self.wanted.remove(app);
        }
    }

    /// What is wanted of an app was not found; gives back what is put aside after the last try.
    pub(super) fn missed(&mut self, app: &AppId) -> Option<PutAside> {
        let wanted = self.wanted.get_mut(app)?;
        wanted.tries = wanted.tries.saturating_add(1);
        if wanted.tries < TRIES {
            let pause = PAUSE.saturating_mul(1 << wanted.tries.saturating_sub(1));
            wanted.due = Instant::now() + pause;
            return None;
        }
        let revision = wanted.revision;
        let entries = self.give_up(app);
        Some(PutAside { revision, entries })
    }

    /// Looks for an app's specification no more; gives back the commands that nothing will come of.
    pub(super) fn give_up(&mut self, app: &AppId) -> Vec<String> {
        self.wanted.remove(app);
        let handed = self.handed.get(app).copied();
        // Commands up to what was handed out are still being acted upon.
        let (acting, lost): (Vec<_>, Vec<_>) = self
            .open
            .remove(app)
            .unwrap_or_default()
            .into_iter()
            .partition(|(revision, _)| Some(*revision) <= handed);
        if !acting.is_empty() {
            self.open.insert(app.clone(), acting);
        }
        lost.into_iter().map(|(_, entry)| entry).collect()
    }

    /// The app was brought to a revision; gives back the entries to acknowledge.
    pub(super) fn done(&mut self, app: &AppId, revision: Revision) -> Vec<String> {
        let acted = self.acted.entry(app.clone()).or_insert(revision);
        *acted = revision.max(*acted);
        let Some(open) = self.open.get_mut(app) else {
            return Vec::new();
        };
        let ended = open.extract_if(.., |(own, _)| *own <= revision);
        let entries = ended.map(|(_, entry)| entry).collect();
        if open.is_empty() {
            self.open.remove(app);
        }
        entries
    }
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
    fn what_is_done_acknowledges_all_up_to_it() {
        let app: AppId = "shop".parse().unwrap();
        let mut commands = Commands::default();
        for generation in 1..=3 {
            let entry = format!("{generation}-0");
            assert_eq!(commands.ordered(app.clone(), at(generation), entry), None);
        }
        assert_eq!(commands.due(9).as_slice(), std::slice::from_ref(&app));
        commands.handed_out(&app, at(3));
        assert!(commands.due(9).is_empty());
        assert_eq!(commands.done(&app, at(2)), ["1-0", "2-0"]);
        assert_eq!(commands.done(&app, at(3)), ["3-0"]);
        let late = commands.ordered(app.clone(), at(3), "4-0".to_owned());
        assert_eq!(late, Some("4-0".to_owned()));
    }

    #[test]
    fn what_is_not_found_is_put_aside_after_the_last_try() {
        let app: AppId = "shop".parse().unwrap();
        let mut commands = Commands::default();
        commands.ordered(app.clone(), at(1), "1-0".to_owned());
        commands.handed_out(&app, at(1));
        commands.ordered(app.clone(), at(2), "2-0".to_owned());
        for _ in 1..TRIES {
            assert_eq!(commands.missed(&app), None);
            assert!(commands.next_due().is_some());
        }
        let aside = commands.missed(&app).unwrap();
        assert_eq!(aside.entries, ["2-0"]);
        assert_eq!(commands.next_due(), None);
        assert_eq!(commands.done(&app, at(1)), ["1-0"]);
    }
}
