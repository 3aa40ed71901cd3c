//! One run of one worker, as all ways to it share it: its connections, how busy it is, and whether it was
//! there lately.
//!
//! A request takes a turn, then an idle connection (the one used last), or makes one. There are never more
//! connections than turns: a new one is made only while none is idle. Idle ones are given up by a task that
//! exists only while there are some.

use super::ForwardSettings;
use super::link::Link;
use super::wire::Socket;
use http::{Uri, uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use lodge_model::{EnvironmentName, Signing, Target, with_causes};
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, LazyLock, Weak};
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower::ServiceExt as _;

/// Between two looks at idle connections.
const LOOK: Duration = Duration::from_secs(5);

/// What times are counted from.
static BEGIN: LazyLock<Instant> = LazyLock::new(Instant::now);

pub(super) struct Worker {
    pub(super) environment: EnvironmentName,
    pub(super) signing: Arc<Signing>,
    pub(super) settings: Arc<ForwardSettings>,
    /// Where it is; or why it has no place.
    place: Result<Uri, String>,
    turns: Arc<Semaphore>,
    idle: Mutex<VecDeque<Box<Link>>>,
    /// True while a task looks after idle connections.
    tended: AtomicBool,
    in_flight: AtomicUsize,
    /// Until when it is passed over, in milliseconds since [`BEGIN`].
    down_until: AtomicU64,
}

impl Worker {
    pub(super) fn new(
        target: &Target,
        signing: Arc<Signing>,
        settings: Arc<ForwardSettings>,
    ) -> Arc<Self> {
        let place = place(&target.url);
        if let Err(reason) = &place {
            tracing::error!(environment = %target.environment, url = target.url, reason, "a worker's address is none");
        }
        Arc::new(Self {
            environment: target.environment.clone(),
            signing,
            place,
            turns: Arc::new(Semaphore::new(settings.connections)),
            settings,
            idle: Mutex::default(),
            tended: AtomicBool::new(false),
            in_flight: AtomicUsize::new(0),
            down_until: AtomicU64::new(0),
        })
    }

    /// Requests that have or wait for a connection.
    pub(super) fn in_flight(&self) -> usize {
        self.in_flight.load(Relaxed)
    }

    /// Whether it could not be reached a short while ago.
    pub(super) fn is_down(&self) -> bool {
        self.down_until.load(Relaxed) > now()
    }

    /// It cannot be reached: others are asked for some seconds. True if that is news.
    pub(super) fn is_away(&self) -> bool {
        let now = now();
        let until = now + millis(self.settings.passed_over);
        self.down_until.swap(until, Relaxed) <= now
    }

    /// It answers.
    pub(super) fn is_there(&self) {
        if self.down_until.load(Relaxed) != 0 {
            self.down_until.store(0, Relaxed);
        }
    }

    /// Takes a connection that nobody has.
    pub(super) fn take_idle(&self) -> Option<Box<Link>> {
        let mut idle = self.idle.lock();
        let link = idle.pop_back()?;
        if link.idle_since.elapsed() < self.settings.idle_timeout {
            return Some(link);
        }
        // The one used last is too old, so all are.
        idle.clear();
        None
    }

    /// Gives up every connection that nobody has: the worker ended one of them.
    pub(super) fn forget_idle(&self) {
        self.idle.lock().clear();
    }

    /// Makes a connection.
    ///
    /// # Errors
    /// Why there is none, for the log.
    pub(super) async fn connect(&self) -> Result<Box<Link>, String> {
        let place = self.place.clone()?;
        let socket = tokio::time::timeout(self.settings.connect_timeout, dial(place));
        let socket = socket.await.map_err(|_| {
            let ms = self.settings.connect_timeout.as_millis();
            format!("no connection within {ms} ms")
        })??;
        let link = Link::new(socket)
            .await
            .map_err(|error| with_causes(&error))?;
        Ok(Box::new(link))
    }

    fn give_back(self: &Arc<Self>, mut link: Box<Link>) {
        link.idle_since = Instant::now();
        self.idle.lock().push_back(link);
        if !self.tended.swap(true, Relaxed) {
            tokio::spawn(tend(Arc::downgrade(self)));
        }
    }

    /// Gives up connections that nobody had for long. True while some are left.
    fn expire(&self) -> bool {
        let mut idle = self.idle.lock();
        let limit = self.settings.idle_timeout;
        while idle
            .front()
            .is_some_and(|link| link.idle_since.elapsed() >= limit)
        {
            idle.pop_front();
        }
        !idle.is_empty()
    }
}

async fn tend(worker: Weak<Worker>) {
    loop {
        let Some(strong) = worker.upgrade() else {
            return;
        };
        let pause = LOOK.min(strong.settings.idle_timeout / 2);
        drop(strong);
        tokio::time::sleep(pause.max(Duration::from_millis(10))).await;
        let Some(strong) = worker.upgrade() else {
            return;
        };
        if !strong.expire() {
            strong.tended.store(false, Relaxed);
            // One may have come back in between.
            if strong.idle.lock().is_empty() || strong.tended.swap(true, Relaxed) {
                return;
            }
        }
    }
}

/// One request's claim to a connection: counted until dropped.
pub(super) struct Lease {
    pub(super) worker: Arc<Worker>,
    turn: Option<OwnedSemaphorePermit>,
}

impl Lease {
    /// Counts a request as the worker's.
    pub(super) fn new(worker: Arc<Worker>) -> Self {
        worker.in_flight.fetch_add(1, Relaxed);
        Self { worker, turn: None }
    }

    /// Waits for a turn, in the order in which requests came. False: none came in time.
    pub(super) async fn wait(&mut self) -> bool {
        let turns = self.worker.turns.clone();
        if let Ok(turn) = turns.clone().try_acquire_owned() {
            self.turn = Some(turn);
            return true;
        }
        let patience = self.worker.settings.queue_timeout;
        let turn = tokio::time::timeout(patience, turns.acquire_owned()).await;
        self.turn = turn.ok().and_then(Result::ok);
        self.turn.is_some()
    }

    /// Ends it, with a connection that can carry the next request.
    pub(super) fn give_back(self, link: Box<Link>) {
        self.worker.give_back(link);
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.worker.in_flight.fetch_sub(1, Relaxed);
    }
}

fn now() -> u64 {
    millis(BEGIN.elapsed())
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Scheme, host and port of an address.
fn place(url: &str) -> Result<Uri, String> {
    let parts = url.parse::<Uri>().map_err(|e| e.to_string())?.into_parts();
    let (Some(scheme), Some(authority)) = (parts.scheme, parts.authority) else {
        return Err("it must be http:// or https:// and a host".into());
    };
    if scheme != uri::Scheme::HTTP && scheme != uri::Scheme::HTTPS {
        return Err(format!("`{scheme}` is not http or https"));
    }
    let built = Uri::builder().scheme(scheme).authority(authority);
    built.path_and_query("/").build().map_err(|e| e.to_string())
}

/// Makes a connection to a place. The system's certificates are read when they are first needed.
async fn dial(place: Uri) -> Result<Socket, String> {
    static SOCKETS: LazyLock<HttpConnector> = LazyLock::new(sockets);
    static SECURE: LazyLock<Result<HttpsConnector<HttpConnector>, String>> = LazyLock::new(secure);
    if place.scheme() != Some(&uri::Scheme::HTTPS) {
        let socket = SOCKETS.clone().oneshot(place).await;
        return Ok(Socket::Http(socket.map_err(|error| with_causes(&error))?));
    }
    let secure = SECURE.clone()?;
    secure
        .oneshot(place)
        .await
        .map_err(|error| with_causes(&*error))
}

fn sockets() -> HttpConnector {
    let mut sockets = HttpConnector::new();
    sockets.set_nodelay(true);
    sockets.enforce_http(false);
    sockets
}

fn secure() -> Result<HttpsConnector<HttpConnector>, String> {
    let builder = HttpsConnectorBuilder::new()
        .with_provider_and_native_roots(rustls::crypto::ring::default_provider())
        .map_err(|error| format!("the system's certificates cannot be read: {error}"))?;
    Ok(builder
        .https_only()
        .enable_http1()
        .wrap_connector(sockets()))
}
