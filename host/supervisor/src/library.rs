//! The component library: uploaded components, immutable, known by their SHA-256.
//!
//! A component is three things: a row in the control database, a file
//! `components/<digest>.wasm`, and a compiled form in the runtime's cache. The row is the truth. It
//! is inserted after the file is in place and removed before the file goes, so that a crash leaves
//! at worst a file without a row, which the next start removes; the compiled form can be made again
//! at any time.
//!
//! What bounds it: the size of one upload, uploads at once, the silence of a sender; compiles at
//! once are the runtime's to bound. How it fails: a refused upload leaves nothing behind; a
//! component that does not compile stays listed as `failed` with the reason.

mod compile;
pub(crate) mod files;
mod store;
mod upload;

use crate::clock::now_ms;
use crate::input::ComponentChoice;
use crate::live::LiveEvent;
use crate::supervisor::Supervisor;
use crate::{Actor, Error, Listing, Page};
use lodge_db::components::ComponentRow;
use lodge_db::events::NewEvent;
use lodge_model::{Component, ComponentStatus, Digest, Invalid};
use lodge_store::ComponentStore;
use parking_lot::{Mutex, RwLock};
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use store::Shelf;
pub use upload::NewComponent;

/// Which components a list shows. What is absent restricts nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComponentFilter {
    /// Part of the name or version, or the beginning of the digest.
    pub search: Option<String>,
    /// Exactly this name.
    pub name: Option<String>,
    /// How far it is.
    pub status: Option<ComponentStatus>,
}

impl ComponentFilter {
    fn takes(&self, component: &Component) -> bool {
        self.name
            .as_ref()
            .is_none_or(|name| *name == component.name)
            && self.status.is_none_or(|status| status == component.status)
            && self.search.as_ref().is_none_or(|text| {
                component.name.contains(text)
                    || component.version.contains(text)
                    || component.digest.to_hex().starts_with(text)
            })
    }
}

/// The components in memory.
pub(crate) struct Library {
    rows: RwLock<HashMap<Digest, ComponentRow>>,
    /// What is being compiled, so that it is not twice, and what ends it.
    compiling: Mutex<HashMap<Digest, CancellationToken>>,
    uploads: Semaphore,
    /// The store that workers read, if there is one.
    pub(crate) shelf: Option<Shelf>,
    data_dir: PathBuf,
}

impl Library {
    pub(crate) fn new(
        data_dir: &Path,
        uploads: usize,
        store: Option<Arc<ComponentStore>>,
        rows: Vec<ComponentRow>,
    ) -> Self {
        let rows = rows
            .into_iter()
            .map(|row| (row.component.digest, row))
            .collect();
        Self {
            rows: RwLock::new(rows),
            compiling: Mutex::default(),
            uploads: Semaphore::new(uploads),
            shelf: store.map(Shelf::new),
            data_dir: data_dir.to_owned(),
        }
    }

    /// Takes the control database's word for all of them.
    pub(crate) fn load(&self, rows: Vec<ComponentRow>) {
        let rows = rows.into_iter().map(|row| (row.component.digest, row));
        *self.rows.write() = rows.collect();
    }

    /// One component.
    pub(crate) fn get(&self, digest: &Digest) -> Option<ComponentRow> {
        self.rows.read().get(digest).cloned()
    }

    /// Every component, newest first.
    pub(crate) fn newest_first(&self) -> Vec<Component> {
        let mut all: Vec<_> = self
            .rows
            .read()
            .values()
            .map(|row| row.component.clone())
            .collect();
        all.sort_by_key(|component| Reverse((component.created_at, component.digest)));
        all
    }

    /// The component that is listed under a name and version.
    fn named(&self, name: &str, version: &str) -> Option<Component> {
        let rows = self.rows.read();
        let mut found = rows.values().map(|row| &row.component);
        found
            .find(|c| c.name == name && c.version == version)
            .cloned()
    }

    /// Where a component's bytes are.
    pub(crate) fn path(&self, digest: &Digest) -> PathBuf {
        files::components(&self.data_dir).join(format!("{digest}.wasm"))
    }

    /// The component that an app asks for.
    pub(crate) fn choose(&self, choice: &ComponentChoice) -> Result<Component, Error> {
        let component = match (&choice.digest, &choice.name) {
            (Some(digest), _) => self.by_digest(digest)?,
            (None, Some(name)) => self.by_name(name, choice.version.as_deref())?,
            (None, None) => {
                return Err(Invalid::new(
                    "component",
                    "say which: {\"name\": …}, {\"name\": …, \"version\": …} or {\"digest\": …}",
                )
                .into());
            }
        };
        let agrees = |asked: &Option<String>, has: &str| asked.as_ref().is_none_or(|a| a == has);
        if !agrees(&choice.name, &component.name) || !agrees(&choice.version, &component.version) {
            return Err(Invalid::new(
                "component",
                format!(
                    "the digest is that of {} {}: send the digest alone, or its own name and version",
                    component.name, component.version
                ),
            )
            .into());
        }
        Ok(component)
    }

    fn by_digest(&self, digest: &str) -> Result<Component, Error> {
        let invalid = |message: String| Invalid::new("component.digest", message);
        let parsed: Digest = digest.parse().map_err(|e: Invalid| invalid(e.message))?;
        let row = self.get(&parsed);
        Ok(row
            .ok_or_else(|| invalid(format!("no component has it: upload it first ({digest})")))?
            .component)
    }

    fn by_name(&self, name: &str, version: Option<&str>) -> Result<Component, Error> {
        let versions: Vec<_> = self
            .newest_first()
            .into_iter()
            .filter(|c| c.name == name)
            .collect();
        let found = match version {
            Some(version) => versions.iter().find(|c| c.version == version),
            // A version that cannot run is no one's wish; if there is no other, its error says why.
            None => versions
                .iter()
                .find(|c| c.status != ComponentStatus::Failed)
                .or_else(|| versions.first()),
        };
        found.cloned().ok_or_else(|| {
            if versions.is_empty() {
                Invalid::new(
                    "component.name",
                    format!("no component is listed as `{name}`: upload it first"),
                )
            } else {
                let known: Vec<_> = versions
                    .iter()
                    .map(|c| c.version.as_str())
                    .take(10)
                    .collect();
                Invalid::new(
                    "component.version",
                    format!("`{name}` has no such version; it has {}", known.join(", ")),
                )
            }
            .into()
        })
    }
}

impl Supervisor {
    /// Components, newest first.
    ///
    /// # Errors
    /// The page makes no sense.
    pub fn components(
        &self,
        filter: &ComponentFilter,
        page: &Page,
    ) -> Result<Listing<Component>, Error> {
        let limit = page.limit()?;
        let cursor: Option<(i64, Digest)> = page.cursor.as_deref().map(read_cursor).transpose()?;
        let items = self
            .library
            .newest_first()
            .into_iter()
            .filter(|c| cursor.is_none_or(|cursor| (c.created_at, c.digest) < cursor))
            .filter(|c| filter.takes(c))
            .take(limit + 1)
            .collect();
        Ok(Listing::cut(items, limit, |c: &Component| {
            format!("{}.{}", c.created_at, c.digest)
        }))
    }

    /// One component.
    ///
    /// # Errors
    /// There is none.
    pub fn component(&self, digest: &Digest) -> Result<Component, Error> {
        let row = self.library.get(digest);
        row.map(|row| row.component)
            .ok_or_else(|| Error::not_found("component", digest))
    }

    /// Where the bytes of a listed component are.
    pub fn component_file(&self, digest: &Digest) -> Option<PathBuf> {
        self.library.get(digest)?;
        Some(self.library.path(digest))
    }

    /// Removes a component that no app uses, with its compiled form.
    ///
    /// # Errors
    /// There is none, an app uses it (the conflict names up to ten), or the database failed.
    pub async fn remove_component(
        self: &Arc<Self>,
        digest: Digest,
        actor: &Actor,
    ) -> Result<(), Error> {
        let (this, actor) = (Arc::clone(self), actor.clone());
        self.unbroken(async move { this.remove_unused(digest, &actor).await })
            .await
    }

    async fn remove_unused(&self, digest: Digest, actor: &Actor) -> Result<(), Error> {
        let _one = self.writes.lock().await;
        let component = self.component(&digest)?;
        let users: Vec<_> = self
            .index
            .users_of(&digest)
            .iter()
            .map(|c| c.id.to_string())
            .collect();
        if !users.is_empty() {
            return Err(in_use(&component, &users));
        }
        let subject = format!("{}@{}", component.name, component.version);
        let mut tx = self.begin().await?;
        lodge_db::components::delete(&mut tx, digest).await?;
        let event = NewEvent {
            subject: Some(&subject),
            ..actor.entry(now_ms(), "component.remove")
        };
        lodge_db::events::insert(&mut tx, &event).await?;
        tx.commit().await.map_err(lodge_db::Error::from)?;
        self.library.rows.write().remove(&digest);
        self.library.end_compile(digest);
        if let Some(shelf) = &self.library.shelf {
            shelf.removed(digest);
        }
        self.live.tell(LiveEvent::ComponentRemoved { digest });
        self.runtime.remove_compiled(digest).await;
        // Last: while the file is there, the next start would finish this.
        files::remove_if_there(&self.library.path(&digest)).await
    }
}

fn in_use(component: &Component, users: &[String]) -> Error {
    let shown = users.get(..10).unwrap_or(users).join(", ");
    let more = if users.len() > 10 {
        format!(" and {} more", users.len() - 10)
    } else {
        String::new()
    };
    Error::conflict(
        "component_in_use",
        format!(
            "{} {} is used by {shown}{more}: delete them or give them another component first",
            component.name, component.version
        ),
    )
}

fn read_cursor(text: &str) -> Result<(i64, Digest), Invalid> {
    text.split_once('.')
        .and_then(|(time, digest)| Some((time.parse().ok()?, digest.parse().ok()?)))
        .ok_or_else(|| {
            Invalid::new(
                "cursor",
                "is not one of this list's: pass `next_cursor` unchanged",
            )
        })
}
