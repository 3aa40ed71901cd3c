//! Takes a component in: received into a temporary file while it is hashed, inspected, named, put
//! in place, listed, and handed to the compiler.

use super::files;
use crate::clock::{now_ms, random};
use crate::index::unseen_conflict;
use crate::live::LiveEvent;
use crate::supervisor::Supervisor;
use crate::{Actor, Error};
use bytes::Bytes;
use futures::{Stream, StreamExt};
use lodge_db::components::ComponentRow;
use lodge_db::events::NewEvent;
use lodge_model::{Component, ComponentStatus, Digest, Inspection, Invalid, Rejection};
use sha2::{Digest as _, Sha256};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

/// What an upload says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewComponent {
    /// Its length in bytes, if declared: one that is too long is refused before it is sent.
    pub len: Option<u64>,
    /// The name to list it under; none: the one in its metadata.
    pub name: Option<String>,
    /// Its version; none: the one in its metadata.
    pub version: Option<String>,
}

/// Bytes received; dropped, the file goes unless it was moved.
struct Received {
    path: PathBuf,
    digest: Digest,
    size: u64,
}

/// Removes the temporary file, whatever happens.
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        // Gone if it was moved into place; a leftover is removed at the next start.
        let _ = std::fs::remove_file(&self.0);
    }
}

impl Supervisor {
    /// Takes a component in, and begins to compile it. Bytes that are there already are the same
    /// component: `false` beside it.
    ///
    /// # Errors
    /// [`Error::Rejected`]: it is no component that Lodge can run, or too large.
    /// [`Error::Invalid`]: it has no name or version. [`Error::Conflict`]: its name and version are
    /// another's, or its bytes are listed under another name. [`Error::Unavailable`]: too many
    /// uploads, or its sender fell silent.
    pub async fn upload<S>(
        self: &Arc<Self>,
        body: S,
        new: NewComponent,
        actor: &Actor,
    ) -> Result<(Component, bool), Error>
    where
        S: Stream<Item = io::Result<Bytes>> + Send,
    {
        self.check_open()?;
        for (field, text) in [("name", &new.name), ("version", &new.version)] {
            text.as_ref()
                .map_or(Ok(()), |text| Component::check_label(field, text))?;
        }
        if new.len.is_some_and(|len| len > self.settings.upload_bytes) {
            return Err(self.too_large());
        }
        let permit = timeout(self.settings.upload_wait, self.library.uploads.acquire()).await;
        let _permit = permit.map_err(|_| Error::Unavailable {
            code: "uploads_busy",
            message: format!(
                "{} uploads are under way, and none ended in time: try again later",
                self.settings.uploads
            ),
        })?;
        let name = hex::encode(random::<16>()?);
        let temporary = Temporary(files::uploads(&self.library.data_dir).join(name));
        let received = self.receive(body, temporary.0.clone()).await?;
        let (this, actor) = (Arc::clone(self), actor.clone());
        self.unbroken(async move {
            let _temporary = temporary;
            this.take_in(&received, &new, &actor).await
        })
        .await
    }

    /// Writes the body to `path`, hashing it on the way, until it lies safely on the disk.
    async fn receive<S>(&self, body: S, path: PathBuf) -> Result<Received, Error>
    where
        S: Stream<Item = io::Result<Bytes>> + Send,
    {
        let mut body = Box::pin(body);
        let mut options = tokio::fs::OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        let mut file = options
            .open(&path)
            .await
            .map_err(Error::file("create", &path))?;
        let mut hash = Sha256::new();
        let mut size = 0_u64;
        loop {
            let chunk = timeout(self.settings.upload_silence, body.next())
                .await
                .map_err(|_| {
                    interrupted(format!(
                        "no byte came for {:?}",
                        self.settings.upload_silence
                    ))
                })?;
            let Some(chunk) = chunk else { break };
            let chunk = chunk.map_err(|e| interrupted(e.to_string()))?;
            size = size.saturating_add(chunk.len() as u64);
            if size > self.settings.upload_bytes {
                return Err(self.too_large());
            }
            hash.update(&chunk);
            file.write_all(&chunk)
                .await
                .map_err(Error::file("write", &path))?;
        }
        file.flush().await.map_err(Error::file("write", &path))?;
        file.sync_all().await.map_err(Error::file("sync", &path))?;
        Ok(Received {
            path,
            digest: Digest::from_bytes(hash.finalize().into()),
            size,
        })
    }

    async fn take_in(
        self: &Arc<Self>,
        received: &Received,
        new: &NewComponent,
        actor: &Actor,
    ) -> Result<(Component, bool), Error> {
        if let Some(known) = self.library.get(&received.digest) {
            return self.take_again(known, received, new).await;
        }
        let inspection = self.runtime.inspect(&received.path).await?;
        let row = describe(received, new, inspection)?;
        let _one = self.writes.lock().await;
        if let Some(known) = self.library.get(&received.digest) {
            return self.take_again(known, received, new).await;
        }
        let component = &row.component;
        if let Some(other) = self.library.named(&component.name, &component.version) {
            return Err(Error::conflict(
                "version_exists",
                format!(
                    "{} {} is listed with other bytes (digest {}): pass another version",
                    other.name, other.version, other.digest
                ),
            ));
        }
        self.put_in_place(received).await?;
        self.insert_component(&row, actor).await?;
        self.library
            .rows
            .write()
            .insert(received.digest, row.clone());
        if let Some(shelf) = &self.library.shelf {
            shelf.added();
        }
        self.live.tell(LiveEvent::Component {
            component: row.component.clone(),
        });
        self.compile(received.digest);
        Ok((row.component, true))
    }

    /// The same bytes once more: heals a file that is gone and a compile that failed.
    async fn take_again(
        self: &Arc<Self>,
        known: ComponentRow,
        received: &Received,
        new: &NewComponent,
    ) -> Result<(Component, bool), Error> {
        let component = known.component;
        let agrees = |asked: &Option<String>, has: &str| asked.as_ref().is_none_or(|a| a == has);
        if !agrees(&new.name, &component.name) || !agrees(&new.version, &component.version) {
            return Err(Error::conflict(
                "component_exists",
                format!(
                    "the same bytes are listed as {} {}: use that, or remove it first",
                    component.name, component.version
                ),
            ));
        }
        if !self.library.path(&component.digest).exists() {
            self.put_in_place(received).await?;
        }
        if component.status == ComponentStatus::Failed {
            self.compile(component.digest);
        }
        Ok((self.component(&component.digest)?, false))
    }

    async fn put_in_place(&self, received: &Received) -> Result<(), Error> {
        let path = self.library.path(&received.digest);
        tokio::fs::rename(&received.path, &path)
            .await
            .map_err(Error::file("rename", &path))?;
        files::sync_dir(&files::components(&self.library.data_dir)).await
    }

    async fn insert_component(&self, row: &ComponentRow, actor: &Actor) -> Result<(), Error> {
        let component = &row.component;
        let subject = format!("{}@{}", component.name, component.version);
        let digest = component.digest.to_hex();
        let mut tx = self.begin().await?;
        lodge_db::components::insert(&mut tx, row)
            .await
            .map_err(unseen_conflict)?;
        let event = NewEvent {
            subject: Some(&subject),
            message: Some(&digest),
            ..actor.entry(component.created_at, "component.upload")
        };
        lodge_db::events::insert(&mut tx, &event).await?;
        tx.commit().await.map_err(lodge_db::Error::from)?;
        Ok(())
    }

    fn too_large(&self) -> Error {
        Error::Rejected(Rejection {
            code: "too_large".into(),
            message: format!(
                "the file is larger than {} bytes, the most that a component may have: strip its \
                 debug information (wasm-tools strip) or build it optimized",
                self.settings.upload_bytes
            ),
            unknown_imports: Vec::new(),
        })
    }
}

/// What is to be listed; the names are those passed, or those in the metadata.
fn describe(
    received: &Received,
    new: &NewComponent,
    inspection: Inspection,
) -> Result<ComponentRow, Error> {
    let name = new.name.clone().or(inspection.name).ok_or_else(|| {
        Invalid::new(
            "name",
            "the component's metadata has no name: pass one (?name=…, --name …)",
        )
    })?;
    // Most tools write no version into what they build; the bytes themselves tell builds apart.
    let unversioned = || {
        format!(
            "sha-{}",
            received.digest.to_hex().get(..12).unwrap_or_default()
        )
    };
    let version = new
        .version
        .clone()
        .or(inspection.version)
        .unwrap_or_else(unversioned);
    Component::check_label("name", &name)?;
    Component::check_label("version", &version)?;
    Ok(ComponentRow {
        component: Component {
            digest: received.digest,
            name,
            version,
            size: received.size,
            world: inspection.world,
            imports: inspection.imports,
            exports: inspection.exports,
            metadata: inspection.metadata,
            status: ComponentStatus::Queued,
            error: None,
            compile_ms: None,
            created_at: now_ms(),
        },
        uses_async: inspection.uses_async,
    })
}

fn interrupted(why: String) -> Error {
    Error::Unavailable {
        code: "upload_interrupted",
        message: format!("the upload broke off ({why}); nothing was kept: send it again"),
    }
}
