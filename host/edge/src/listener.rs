//! Accepts connections and serves requests on them.
//!
//! A connection needs a permit *before* it is accepted, so that the number of open sockets has a
//! bound and a flood waits in the kernel's backlog instead of in our memory. Errors of `accept` are
//! survived: those of one connection at once, those of the process (no descriptors left) after a
//! pause. Each connection is one task; a panic in it ends that connection and no other.
//!
//! Nothing here has a timer of its own: once a second one [`sweep`] looks at every connection and
//! cuts off those whose peer takes too long.

mod connection;
mod stream;
mod streams;
mod sweep;

pub(crate) use connection::{Conn, InFlight};
pub(crate) use streams::{Awaits, note};

use crate::resolve::Routes;
use crate::{Settings, dispatch};
use connection::{Connections, Guarded};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use lodge_model::Activator;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use stream::Stream;
use streams::Streams;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

/// Between two looks at every connection.
const SWEEP: Duration = Duration::from_secs(1);

/// Streams at once on one HTTP/2 connection; each may be a request under way.
const MAX_STREAMS: u32 = 128;

/// How a shutdown went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drained {
    /// Connections that were still busy when time was up, and were cut off.
    pub cut_off: usize,
}

/// The request path, ready to serve.
pub struct Edge {
    pub(crate) settings: Settings,
    pub(crate) routes: Arc<Routes>,
    pub(crate) activator: Arc<dyn Activator>,
    pub(crate) apps_suffix: Option<String>,
    http: auto::Builder<Streams>,
    connections: Connections,
}

impl Edge {
    /// Puts the request path together: `routes` says where apps are, `activator` starts those that
    /// wait for their first visit.
    pub fn new(
        settings: Settings,
        routes: Arc<Routes>,
        activator: Arc<dyn Activator>,
    ) -> Arc<Self> {
        let apps_suffix = settings
            .apps_domain
            .as_ref()
            .map(|domain| format!(".{domain}"));
        Arc::new(Self {
            http: http_settings(&settings),
            connections: Connections::default(),
            settings,
            routes,
            activator,
            apps_suffix,
        })
    }

    /// Connections open now.
    pub fn connections(&self) -> usize {
        self.connections.len()
    }

    /// Serves `listener` until `shutdown`; then lets requests under way finish, for `grace` at
    /// most, and cuts off what remains.
    pub async fn serve(
        self: Arc<Self>,
        listener: TcpListener,
        shutdown: CancellationToken,
        grace: Duration,
    ) -> Drained {
        let slots = Arc::new(Semaphore::new(self.settings.max_connections));
        let _sweep = AbortOnDropHandle::new(tokio::spawn(sweep(self.clone(), slots.clone())));
        tokio::select! {
            () = self.clone().accept(&listener, &slots) => {}
            () = shutdown.cancelled() => {}
        }
        drop(listener);
        self.drain(&slots, grace).await
    }

    async fn accept(self: Arc<Self>, listener: &TcpListener, slots: &Arc<Semaphore>) {
        let mut pause = Pause::default();
        // `acquire_owned` fails only on a closed semaphore, and nobody closes this one.
        while let Ok(slot) = slots.clone().acquire_owned().await {
            match listener.accept().await {
                Ok((socket, peer)) => {
                    pause = Pause::default();
                    tokio::spawn(self.clone().converse(socket, peer, slot));
                }
                Err(error) if is_of_one_connection(&error) => {
                    tracing::debug!(%error, "a connection broke before it was accepted");
                }
                Err(error) => pause.after(&error).await,
            }
        }
    }

    /// One connection's whole life.
    async fn converse(
        self: Arc<Self>,
        socket: TcpStream,
        peer: SocketAddr,
        slot: OwnedSemaphorePermit,
    ) {
        // Answers are written whole: waiting to fill a segment only adds delay.
        if let Err(error) = socket.set_nodelay(true) {
            tracing::debug!(%peer, %error, "cannot set TCP_NODELAY");
        }
        let conn = Arc::new(Conn::new(self.clone(), peer));
        let key = self.connections.insert(conn.clone());
        let stream = Stream::new(socket, conn.clone());
        let service = service_fn({
            let conn = conn.clone();
            move |request| dispatch::handle(&conn, request)
        });
        let http = self.http.serve_connection(TokioIo::new(stream), service);
        if let Err(end) = Guarded::new(http, conn).await {
            tracing::debug!(%peer, %end, "a connection ended early");
        }
        self.connections.remove(key);
        drop(slot);
    }

    async fn drain(&self, slots: &Semaphore, grace: Duration) -> Drained {
        self.connections.finish_all();
        let all = u32::try_from(self.settings.max_connections).unwrap_or(u32::MAX);
        if tokio::time::timeout(grace, slots.acquire_many(all))
            .await
            .is_ok()
        {
            return Drained { cut_off: 0 };
        }
        let cut_off = self.connections.cut_all();
        // A cut connection ends at its next poll: this only waits for those polls.
        let _ = tokio::time::timeout(Duration::from_secs(1), slots.acquire_many(all)).await;
        Drained { cut_off }
    }
}

fn http_settings(settings: &Settings) -> auto::Builder<Streams> {
    let mut http = auto::Builder::new(Streams {
        stall_timeout: settings.stall_timeout,
    });
    http.http1()
        // The sweep bounds how long a head may take.
        .header_read_timeout(None)
        .max_buf_size(settings.max_head_bytes.max(8192));
    http.http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(u32::try_from(settings.max_head_bytes).unwrap_or(u32::MAX))
        // Finds peers that vanished without a word; HTTP/1.1 has the sweep for it.
        .keep_alive_interval(settings.stall_timeout)
        .keep_alive_timeout(settings.stall_timeout);
    http
}

async fn sweep(edge: Arc<Edge>, slots: Arc<Semaphore>) {
    let period = SWEEP
        .min(edge.settings.head_timeout / 4)
        .max(Duration::from_millis(10));
    let mut ticks = tokio::time::interval(period);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let crowded = slots.available_permits() == 0;
        edge.connections.sweep(&edge.settings, crowded);
    }
}

/// Errors that say something about the connection that was to be accepted, not about us.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
    )
}

/// Back-off after errors of `accept`: 10 ms, doubled up to a second.
#[derive(Default)]
struct Pause(u32);

impl Pause {
    async fn after(&mut self, error: &io::Error) {
        let wait = Duration::from_millis(10 << self.0.min(6)).min(Duration::from_secs(1));
        // Once, then with every doubling: a full log helps nobody who has no descriptors left.
        if self.0 < 7 {
            tracing::error!(
                %error,
                wait_ms = wait.as_millis(),
                "cannot accept connections; if descriptors ran out, raise the limit on open files (ulimit -n)"
            );
        }
        self.0 = self.0.saturating_add(1);
        tokio::time::sleep(wait).await;
    }
}
