//! Entries by name, in many small maps: a change clones and swaps the one that has the name.
//!
//! With 20,000 names that is a map of about 80, so that a change costs microseconds however many apps
//! there are. Each map is swapped as a whole: who reads one name sees it as it was or as it is, and none
//! that was there before and after is missed. Readers take no lock; writers take turns (the table's).

use super::Entry;
use arc_swap::ArcSwap;
use std::collections::HashMap;
use std::sync::Arc;

/// How many maps: a power of two that keeps each small with 100,000 names.
const PARTS: usize = 256;

type Part = HashMap<Arc<str>, Arc<Entry>>;

/// Entries by name.
pub(super) struct Names {
    parts: Box<[ArcSwap<Part>]>,
}

impl Default for Names {
    fn default() -> Self {
        Self {
            parts: (0..PARTS).map(|_| ArcSwap::default()).collect(),
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
            if let Some(part) = parts.get_mut(place(&name)) {
                part.insert(name, entry);
            }
        }
        for (part, names) in self.parts.iter().zip(parts) {
            part.store(Arc::new(names));
        }
    }

    /// There always is one.
    fn part(&self, name: &str) -> Option<&ArcSwap<Part>> {
        self.parts.get(place(name))
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

/// Which part has a name, by FNV-1a: names are their administrators' choice, and the maps themselves hash with a
/// secret, so whoever made names meet in one part would only slow changes of it down.
fn place(name: &str) -> usize {
    let hash = name.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    // The high half is the better mixed one.
    (hash >> 16) as usize % PARTS
}
