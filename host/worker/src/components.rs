//! Components' bytes: fetched by digest from the component store, if there is one, or else from the
//! supervisor; verified, kept.
//!
//! `{digest}.wasm` is whole and was verified before it got that name, and again before its first use
//! by this process. `{digest}.part` is what came of it so far: a download that broke off goes on where
//! it ended. One download a digest at a time, shared by all who wait for it; it goes on, with a pause
//! that doubles while nothing comes, for as long as anyone waits, and ends with the last of them.
//!
//! What bounds it: [`FetchSettings::downloads`] at once, the size that the specification says, a time
//! for the answer's head and for each silence. How it fails: a store or a supervisor that is away or not
//! known yet is a trouble ([`Components::troubles`]) and waited for; bytes that are not the component's are
//! removed, and refused.

mod attempt;
mod fetch;
mod part;
mod source;
mod store;
mod supervisor;

use bytes::Bytes;
use fetch::Fetching;
use futures::FutureExt;
use futures::future::{BoxFuture, Shared, WeakShared};
use http_body_util::Empty;
use lodge_model::{BootId, ComponentRef, Digest};
use lodge_store::{Client, ComponentStore};
use parking_lot::Mutex;
use std::collections::{HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, watch};
use tokio::task::spawn_blocking;
use tokio::time::Instant;

/// Signs requests to the supervisor.
pub trait SignRequest: Send + Sync + 'static {
    /// Adds what shows the supervisor's run `receiver` who asks. Method, target and `host` are final.
    fn sign(&self, request: &mut http::Request<()>, receiver: BootId);
}

/// Where components may come from beside the supervisor, and what bounds downloads. The defaults are those of the product; tests shorten them.
#[derive(Debug, Clone)]
pub struct FetchSettings {
    /// Asked first, if there is one.
    pub store: Option<Arc<ComponentStore>>,
    /// Downloads at once.
    pub downloads: usize,
    /// The longest wait for a connection.
    pub connect: Duration,
    /// The longest wait for an answer's head.
    pub head: Duration,
    /// The longest silence within a body.
    pub silence: Duration,
    /// The pause after a try of which nothing came; it doubles.
    pub first_retry: Duration,
    /// The longest such pause.
    pub longest_retry: Duration,
}

impl Default for FetchSettings {
    fn default() -> Self {
        Self {
            store: None,
            downloads: 4,
            connect: Duration::from_secs(5),
            head: Duration::from_secs(10),
            silence: Duration::from_secs(15),
            first_retry: Duration::from_millis(250),
            longest_retry: Duration::from_secs(15),
        }
    }
}

/// Why a component is not here. For administrators; holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// The supervisor has none of this digest.
    #[error("the supervisor does not have it (status {0})")]
    Missing(u16),
    /// More bytes than the specification says.
    #[error("it has more than the {0} bytes that it should have; what came was removed")]
    TooLarge(u64),
    /// The bytes are others.
    #[error("what came is something else (SHA-256 {found}), and was removed")]
    WrongBytes {
        /// What they are.
        found: Digest,
    },
    /// The disk.
    #[error("{path}: {reason}")]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A bug ended the work.
    #[error("the work on its file ended in the middle")]
    Broken,
    /// Connections cannot be made at all.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
}

impl FetchError {
    fn file(path: &Path) -> impl Fn(io::Error) -> Self {
        let path = path.to_owned();
        move |error| Self::File {
            path: path.clone(),
            reason: error.to_string(),
        }
    }
}

/// Where the supervisor is.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Address {
    url: String,
    boot: BootId,
}

type Fetch = BoxFuture<'static, Result<PathBuf, FetchError>>;

/// The components of this worker.
pub struct Components {
    folder: PathBuf,
    settings: FetchSettings,
    signer: Arc<dyn SignRequest>,
    client: Client<Empty<Bytes>>,
    supervisor: watch::Sender<Option<Address>>,
    troubles: watch::Sender<HashMap<Digest, String>>,
    /// Those whose bytes were verified by this process.
    verified: Mutex<HashSet<Digest>>,
    under_way: Mutex<HashMap<Digest, WeakShared<Fetch>>>,
    /// When the store gave nothing last, and why.
    store_away: Mutex<Option<(Instant, String)>>,
    places: Semaphore,
}

impl Components {
    /// Keeps components in `folder`, which is made if needed, for its owner only.
    ///
    /// # Errors
    /// It cannot be made, or no TLS be set up.
    pub fn open(
        folder: PathBuf,
        settings: FetchSettings,
        signer: Arc<dyn SignRequest>,
    ) -> Result<Arc<Self>, FetchError> {
        use std::os::unix::fs::DirBuilderExt;
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)
            .map_err(FetchError::file(&folder))?;
        Ok(Arc::new(Self {
            client: lodge_store::client(settings.connect, "a supervisor")
                .map_err(|error| FetchError::Tls(error.to_string()))?,
            places: Semaphore::new(settings.downloads.clamp(1, 1 << 10)),
            supervisor: watch::Sender::new(None),
            troubles: watch::Sender::default(),
            verified: Mutex::default(),
            under_way: Mutex::default(),
            store_away: Mutex::default(),
            folder,
            settings,
            signer,
        }))
    }

    /// Says where the supervisor is now.
    pub fn set_supervisor(&self, url: String, boot: BootId) {
        let address = Some(Address { url, boot });
        self.supervisor.send_if_modified(|known| {
            let is_news = *known != address;
            *known = address;
            is_news
        });
    }

    /// What is in the way of downloads that go on all the same, by digest, for administrators.
    pub fn troubles(&self) -> watch::Receiver<HashMap<Digest, String>> {
        self.troubles.subscribe()
    }

    /// Has a component's bytes here, `size` of them, and gives their file. Waits for as long as it
    /// takes.
    ///
    /// # Errors
    /// They cannot be had, or are not the component's.
    pub async fn ensure(
        self: &Arc<Self>,
        component: &ComponentRef,
        size: u64,
    ) -> Result<PathBuf, FetchError> {
        let digest = component.digest;
        if self.verified.lock().contains(&digest) {
            let path = self.path(&digest);
            // Somebody may have tidied up by hand.
            if tokio::fs::try_exists(&path).await.unwrap_or(false) {
                return Ok(path);
            }
        }
        self.shared(digest, size).await
    }

    /// The one piece of work for a digest, begun if there is none. It ends with those who wait for it.
    fn shared(self: &Arc<Self>, digest: Digest, size: u64) -> Shared<Fetch> {
        let mut under_way = self.under_way.lock();
        if let Some(fetch) = under_way.get(&digest).and_then(WeakShared::upgrade) {
            return fetch;
        }
        let this = Arc::clone(self);
        let fetch = async move {
            let _trouble = NoTrouble(&this, digest);
            let found = this.find_or_fetch(digest, size).await;
            this.under_way.lock().remove(&digest);
            found
        };
        let fetch = fetch.boxed().shared();
        if let Some(weak) = fetch.downgrade() {
            under_way.insert(digest, weak);
        }
        fetch
    }

    async fn find_or_fetch(&self, digest: Digest, size: u64) -> Result<PathBuf, FetchError> {
        let path = self.path(&digest);
        if !self.find(&path, digest).await? {
            let fetched = Fetching::new(self, digest, size).run().await;
            if let Err(error) = &fetched {
                tracing::error!(%digest, %error, "a component was refused");
            }
            fetched?;
        }
        self.verified.lock().insert(digest);
        Ok(path)
    }

    /// Whether the whole component lies there. Other bytes are removed.
    async fn find(&self, path: &Path, digest: Digest) -> Result<bool, FetchError> {
        let path = path.to_owned();
        let look = spawn_blocking(move || match part::digest_of(&path)? {
            None => Ok(false),
            Some(found) if found == digest => Ok(true),
            Some(_) => {
                tracing::error!(%digest, "a component's file was damaged: fetching it again");
                part::remove_if_there(&path).map(|()| false)
            }
        });
        look.await.unwrap_or(Err(FetchError::Broken))
    }

    /// Removes a component that nobody needs. One that is being fetched is left alone.
    pub async fn remove(&self, digest: &Digest) {
        if self.is_under_way(digest) {
            return;
        }
        self.verified.lock().remove(digest);
        let files = [self.path(digest), self.part(digest)];
        let removed = spawn_blocking(move || {
            files
                .iter()
                .try_for_each(|file| part::remove_if_there(file))
        });
        if let Err(error) = removed.await.unwrap_or(Err(FetchError::Broken)) {
            tracing::error!(%digest, %error, "cannot remove a component that no app uses");
        }
    }

    /// The components of which anything lies here.
    pub(crate) async fn stored(&self) -> HashSet<Digest> {
        let folder = self.folder.clone();
        let listed = spawn_blocking(move || {
            let entries = std::fs::read_dir(&folder).into_iter().flatten().flatten();
            let stems = entries.filter_map(|entry| {
                let path = entry.path();
                path.file_stem()?.to_str()?.parse().ok()
            });
            stems.collect()
        });
        listed.await.unwrap_or_default()
    }

    fn is_under_way(&self, digest: &Digest) -> bool {
        let under_way = self.under_way.lock();
        under_way
            .get(digest)
            .is_some_and(|fetch| fetch.upgrade().is_some())
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        self.folder.join(format!("{digest}.wasm"))
    }

    fn part(&self, digest: &Digest) -> PathBuf {
        self.folder.join(format!("{digest}.part"))
    }

    fn trouble(&self, digest: Digest, text: &str) {
        self.troubles.send_modify(|troubles| {
            troubles.insert(digest, text.to_owned());
        });
    }
}

/// Forgets the trouble with a download when that ends, however it does.
struct NoTrouble<'a>(&'a Components, Digest);

impl Drop for NoTrouble<'_> {
    fn drop(&mut self) {
        self.0
            .troubles
            .send_if_modified(|troubles| troubles.remove(&self.1).is_some());
    }
}
