//! The supervisor's end of the link.

mod hearing;
pub(crate) mod peers;
mod session;

use crate::complaint::Complaint;
use crate::envelope::{Envelope, Kind, Post};
use crate::keys::Keys;
use crate::names::{MAX_COMMANDS, MESSAGE};
use crate::said::Look;
use crate::sealed;
use crate::settings::Settings;
use crate::stream;
use crate::wire::Wire;
use arc_swap::ArcSwapOption;
use async_trait::async_trait;
use lodge_model::{
    AppId, BootId, EnvironmentName, FromWorkers, LinkError, Report, Revision, Specification,
    SupervisorLink,
};
use parking_lot::Mutex;
use peers::Peers;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;

/// How much may wait to be taken before no more is read: Redis keeps the rest.
const INBOX: usize = 1_024;

/// The supervisor's end. Dropped, it is silent.
pub struct SupervisorEnd {
    office: Arc<Office>,
    inbox: tokio::sync::Mutex<mpsc::Receiver<FromWorkers>>,
    task: JoinHandle<()>,
}

/// What the end and its session share.
struct Office {
    settings: Settings,
    keys: Keys,
    post: Post,
    boot: BootId,
    term: AtomicI64,
    sequence: AtomicU64,
    url: Mutex<Option<String>>,
    local_address: Mutex<Option<IpAddr>>,
    peers: Mutex<Peers>,
    /// Set while connected.
    wire: ArcSwapOption<Wire>,
    announced: Notify,
    complaint: Complaint,
}

impl SupervisorEnd {
    /// Begins to connect, and goes on until dropped. `boot` is this run of the process, `term` its
    /// term, `address` where workers reach it (without a path), if that is known already.
    ///
    /// # Panics
    /// Outside a Tokio runtime.
    pub fn open(settings: Settings, boot: BootId, term: i64, address: Option<String>) -> Arc<Self> {
        let keys = Keys::new(&settings.key);
        let office = Arc::new(Office {
            post: Post::new(&keys),
            keys,
            settings,
            boot,
            term: AtomicI64::new(term),
            sequence: AtomicU64::new(0),
            url: Mutex::new(address),
            local_address: Mutex::default(),
            peers: Mutex::default(),
            wire: ArcSwapOption::empty(),
            announced: Notify::new(),
            complaint: Complaint::default(),
        });
        let (sender, inbox) = mpsc::channel(INBOX);
        let task = tokio::spawn(session::run(office.clone(), sender));
        Arc::new(Self {
            office,
            inbox: tokio::sync::Mutex::new(inbox),
            task,
        })
    }

    /// The address of the interface that faces Redis; `None` before the first connection.
    pub fn local_address(&self) -> Option<IpAddr> {
        *self.office.local_address.lock()
    }

    /// Says to all workers, now and as they come, where this supervisor is reached.
    pub fn announce(&self, url: impl Into<String>) {
        *self.office.url.lock() = Some(url.into());
        self.office.announced.notify_one();
    }

    /// Says to all workers that this supervisor took the lead, or which term it follows.
    pub fn set_term(&self, term: i64) {
        self.office.term.store(term, Relaxed);
        self.office.announced.notify_one();
    }
}

impl Drop for SupervisorEnd {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Office {
    fn wire(&self) -> Result<Arc<Wire>, LinkError> {
        self.wire
            .load_full()
            .ok_or_else(|| LinkError("Redis is away".to_owned()))
    }

    fn next_sequence(&self) -> u64 {
        self.sequence.fetch_add(1, Relaxed).saturating_add(1)
    }

    /// The genuine reports that are kept of an environment.
    async fn reports(
        &self,
        wire: &Wire,
        environment: &EnvironmentName,
    ) -> Result<Vec<Report>, LinkError> {
        let kept = wire.all(&self.keys.statuses(environment)).await?;
        let mut reports = Vec::with_capacity(kept.len());
        for (app, bytes) in kept {
            let message = self.post.read(environment.as_str(), &bytes);
            let Some((message, app)) = message.zip(app.parse::<AppId>().ok()) else {
                self.complaint.of_forgery("a report");
                continue;
            };
            reports.extend(self.peers.lock().kept_report(environment, &app, &message));
        }
        Ok(reports)
    }
}

#[async_trait]
impl SupervisorLink for SupervisorEnd {
    fn lead(&self, term: i64) {
        self.set_term(term);
    }

    async fn next(&self) -> FromWorkers {
        match self.inbox.lock().await.recv().await {
            Some(heard) => heard,
            // The session ended, which it does only with the process.
            None => std::future::pending().await,
        }
    }

    async fn publish(&self, specification: &Specification) -> Result<(), LinkError> {
        let office = &self.office;
        let wire = office.wire()?;
        let environment = &specification.environment;
        let sealed = sealed::seal(&office.keys, specification)?;
        let look = Look {
            app: specification.app.clone(),
            revision: specification.revision,
        };
        let sequence = office.next_sequence();
        let look = Envelope::new(Kind::Look, office.boot, sequence, &[], &look);
        let look = office.post.write(environment, &look);
        let commands = office.keys.commands(environment);
        let look = stream::add(&commands, MAX_COMMANDS, &[(MESSAGE, &look)]);
        let hash = office.keys.specifications(environment);
        let mut asked = redis::pipe();
        asked
            .hset(hash, specification.app.as_str(), sealed)
            .ignore();
        if wire.one_server {
            asked.atomic().add_command(look).ignore();
            return wire.cache(&asked).await;
        }
        wire.cache::<()>(&asked).await?;
        wire.streams(redis::pipe().add_command(look).ignore()).await
    }

    async fn forget(&self, environment: &EnvironmentName, app: &AppId) -> Result<(), LinkError> {
        let keys = &self.office.keys;
        let mut asked = redis::pipe();
        asked
            .hdel(keys.specifications(environment), app.as_str())
            .ignore()
            .hdel(keys.statuses(environment), app.as_str())
            .ignore();
        self.office.wire()?.cache(&asked).await
    }

    async fn published(
        &self,
        environment: &EnvironmentName,
    ) -> Result<HashMap<AppId, Revision>, LinkError> {
        let office = &self.office;
        let wire = office.wire()?;
        let kept = wire.all(&office.keys.specifications(environment)).await?;
        let mut found = HashMap::with_capacity(kept.len());
        for (app, bytes) in kept {
            let Ok(app) = app.parse::<AppId>() else {
                continue;
            };
            match sealed::open(&office.keys, environment, &app, &bytes) {
                Some(specification) => {
                    found.insert(app, specification.revision);
                }
                None => office.complaint.of_forgery("a specification"),
            }
        }
        Ok(found)
    }

    async fn reports(&self, environment: &EnvironmentName) -> Result<Vec<Report>, LinkError> {
        let wire = self.office.wire()?;
        self.office.reports(&wire, environment).await
    }

    async fn remove(&self, environment: &EnvironmentName) -> Result<(), LinkError> {
        let keys = &self.office.keys;
        let wire = self.office.wire()?;
        let mut asked = redis::pipe();
        asked
            .hdel(keys.workers(), environment.as_str())
            .ignore()
            .del(&[
                keys.specifications(environment),
                keys.statuses(environment),
                keys.holder(environment),
            ])
            .ignore();
        wire.cache::<()>(&asked).await?;
        let mut asked = redis::pipe();
        asked
            .del(&[keys.commands(environment), keys.dead(environment)])
            .ignore();
        wire.streams(&asked).await
    }
}
