//! Entries by name, in many small maps: a change clones and swaps the one that has the name.
//!
//! With 20,000 names that is a map of about 80, so that a change costs microseconds however many apps
//! there are. Each map is swapped as a whole: who reads one name sees it as it was or as it is, and none
//! that was there before and after is missed. Readers take no lock; writers take turns (the table's).

use super::Entry;
use arc_swap::ArcSwap;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

/// How many maps: a power of two that keeps each small with 100,000 names.
const PARTS: usize = 256;

type Part = HashMap<Arc<str>, Arc<Entry>>;

/// Entries by name.
pub(super) struct Names {
    parts: Box<[ArcSwap<Part>]>,
    /// Says which part has a name; the parts have hashers of their own.
    hasher: RandomState,
}

impl Default for Names {
    fn default() -> Self {
        Self {
            parts: (0..PARTS).map(|_| ArcSwap::default()).collect(),
            hasher: RandomState::new(),
        }
    }
}

impl Names {
    /// Whose name it is.
    pub(super) fn get(&self, name: &str) -> Option<Arc<Entry>> {
        self.part(name)?.load().get(name).cloned()
    }

    /// Gives a name to an entry; returns whose it was.
    pub(super) fn set(&self, name: Arc<str>, entry: &Arc<Entry>) -> Option<Arc<Entry>> {
        let part = self.part(&name)?;
        let mut names = Part::clone(&part.load());
        let before = names.insert(name, entry.clone());
        part.store(Arc::new(names));
        before
    }

    /// Takes a name from an entry, if it has it.
    pub(super) fn unset(&self, name: &str, entry: &Arc<Entry>) {
        let Some(part) = self.part(name) else {
            return;
        };
        let has = part.load();
        if has.get(name).is_some_and(|owner| Arc::ptr_eq(owner, entry)) {
            let mut names = Part::clone(&has);
            names.remove(name);
            part.store(Arc::new(names));
        }
    }

    /// Has these names and no others.
    pub(super) fn replace_all(&self, names: HashMap<Arc<str>, Arc<Entry>>) {
        let mut parts: Vec<Part> = self.parts.iter().map(|_| Part::new()).collect();
        for (name, entry) in names {
            if let Some(part) = parts.get_mut(self.place(&name)) {
                part.insert(name, entry);
            }
        }
        for (part, names) in self.parts.iter().zip(parts) {
            part.store(Arc::new(names));
        }
    }

    /// There always is one.
    fn part(&self, name: &str) -> Option<&ArcSwap<Part>> {
        self.parts.get(self.place(name))
    }

    fn place(&self, name: &str) -> usize {
        usize::try_from(self.hasher.hash_one(name)).unwrap_or(0) % PARTS
    }

    /// How many maps are not the ones that they were.
    #[cfg(test)]
    pub(super) fn changed_since(&self, before: &[Arc<Part>]) -> usize {
        let now = self.parts.iter().zip(before);
        now.filter(|(now, before)| !Arc::ptr_eq(&now.load(), before))
            .count()
    }

    #[cfg(test)]
    pub(super) fn snapshot(&self) -> Vec<Arc<Part>> {
        self.parts.iter().map(ArcSwap::load_full).collect()
    }
}
