//! The apps of this worker, by ID.

use crate::cell::{Cell, State};
use lodge_model::{AppId, Digest};
use parking_lot::RwLock;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Every app that this worker was told of and that is not gone.
#[derive(Default)]
pub(crate) struct Index(RwLock<HashMap<AppId, Arc<Cell>>>);

impl Index {
    pub(crate) fn get(&self, app: &AppId) -> Option<Arc<Cell>> {
        self.0.read().get(app).cloned()
    }

    pub(crate) fn insert(&self, cell: Arc<Cell>) {
        self.0.write().insert(cell.id.clone(), cell);
    }

    /// Removes this very cell if `check` lets it go, under the locks of both: whoever finds it in
    /// here afterwards finds what `check` saw.
    pub(crate) fn remove_if(
        &self,
        cell: &Arc<Cell>,
        check: impl FnOnce(&mut State) -> bool,
    ) -> bool {
        let mut cells = self.0.write();
        let goes = check(&mut cell.lock());
        if goes {
            cells.remove(&cell.id);
        }
        goes
    }

    pub(crate) fn all(&self) -> Vec<Arc<Cell>> {
        self.0.read().values().cloned().collect()
    }

    /// The components that apps name.
    pub(crate) fn components(&self) -> HashSet<Digest> {
        let cells = self.all();
        let digests = cells.iter().map(|cell| cell.lock().spec.component.digest);
        digests.collect()
    }
}
