//! One connection as the rest of the edge sees it, and the list of them all.

use super::sweep::Seen;
use crate::{Edge, Settings};
use futures::FutureExt;
use futures::task::AtomicWaker;
use http::HeaderValue;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Instant;

const GO_ON: u8 = 0;
const FINISH: u8 = 1;
const CUT: u8 = 2;

/// What is known of one connection: constants, counters that only its own task writes, and the
/// order it was given.
pub(crate) struct Conn {
    pub(crate) edge: Arc<Edge>,
    /// The peer's address, as it goes into `x-forwarded-for`.
    pub(crate) peer: HeaderValue,
    /// Whether the peer's forwarding headers are believed.
    pub(crate) trusted: bool,
    /// Bytes read from the socket.
    pub(super) read: AtomicU64,
    /// Bytes that the socket took.
    pub(super) written: AtomicU64,
    /// True while the socket takes no more.
    pub(super) write_blocked: AtomicBool,
    /// True once a request came by HTTP/2.
    pub(crate) multiplexed: AtomicBool,
    /// True once a request was answered before its body had been read to its end.
    pub(crate) unread: AtomicBool,
    /// True once a request came that a supervisor signed.
    pub(crate) trunk: AtomicBool,
    /// Requests begun.
    pub(super) requests: AtomicU64,
    /// Requests begun whose response has not been handed over to its end.
    pub(super) in_flight: AtomicU32,
    order: AtomicU8,
    waker: AtomicWaker,
}

impl Conn {
    pub(super) fn new(edge: Arc<Edge>, peer: SocketAddr) -> Self {
        let address = peer.ip().to_canonical();
        let text = HeaderValue::try_from(address.to_string());
        Self {
            trusted: edge.settings.trusted_proxies.trusts(address),
            edge,
            peer: text.unwrap_or_else(|_| HeaderValue::from_static("unknown")),
            read: AtomicU64::new(0),
            written: AtomicU64::new(0),
            write_blocked: AtomicBool::new(false),
            multiplexed: AtomicBool::new(false),
            unread: AtomicBool::new(false),
            trunk: AtomicBool::new(false),
            requests: AtomicU64::new(0),
            in_flight: AtomicU32::new(0),
            order: AtomicU8::new(GO_ON),
            waker: AtomicWaker::new(),
        }
    }

    /// Asks the connection to end after the requests under way.
    pub(super) fn finish(&self) {
        self.give(FINISH);
    }

    /// Ends the connection, whatever is under way.
    pub(super) fn cut(&self) {
        self.give(CUT);
    }

    fn give(&self, order: u8) {
        if self.order.fetch_max(order, Ordering::AcqRel) < order {
            self.waker.wake();
        }
    }
}

/// Counts one request as under way, until dropped.
pub(crate) struct InFlight(pub(crate) Arc<Conn>);

impl InFlight {
    pub(crate) fn new(conn: Arc<Conn>) -> Self {
        conn.requests.fetch_add(1, Ordering::Relaxed);
        conn.in_flight.fetch_add(1, Ordering::Relaxed);
        Self(conn)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Every open connection.
#[derive(Default)]
pub(super) struct Connections {
    list: Mutex<HashMap<u64, (Arc<Conn>, Seen)>>,
    next: AtomicU64,
}

impl Connections {
    pub(super) fn insert(&self, conn: Arc<Conn>) -> u64 {
        let key = self.next.fetch_add(1, Ordering::Relaxed);
        self.list
            .lock()
            .insert(key, (conn, Seen::new(Instant::now())));
        key
    }

    pub(super) fn remove(&self, key: u64) {
        self.list.lock().remove(&key);
    }

    pub(super) fn len(&self) -> usize {
        self.list.lock().len()
    }

    /// Looks at every connection once. `crowded`: new ones wait, so idle ones go sooner.
    pub(super) fn sweep(&self, settings: &Settings, crowded: bool) {
        let now = Instant::now();
        for (conn, seen) in self.list.lock().values_mut() {
            seen.look(conn, settings, crowded, now);
        }
    }

    pub(super) fn finish_all(&self) {
        for (conn, _) in self.list.lock().values() {
            conn.finish();
        }
    }

    /// Cuts every connection off; returns how many there were.
    pub(super) fn cut_all(&self) -> usize {
        let list = self.list.lock();
        for (conn, _) in list.values() {
            conn.cut();
        }
        list.len()
    }
}

/// Why a connection ended otherwise than by its peer's wish.
#[derive(Debug, thiserror::Error)]
pub(super) enum End {
    #[error("the peer took too long, or the host is shutting down")]
    Cut,
    #[error("a panic: this is a fault in Lodge")]
    Panic,
    #[error("{0}")]
    Protocol(Box<dyn std::error::Error + Send + Sync>),
}

/// A connection's future that heeds the orders given to it. The requests' futures and bodies live
/// inside, so dropping it cancels them.
pub(super) struct Guarded<F> {
    http: Pin<Box<F>>,
    conn: Arc<Conn>,
    /// The least order that was not heeded yet.
    heeding: u8,
}

/// A future that can be asked to end in good order.
pub(super) trait Finish:
    Future<Output = Result<(), Box<dyn std::error::Error + Send + Sync>>>
{
    fn finish(self: Pin<&mut Self>);
}

impl<I, S, B, E> Finish for hyper_util::server::conn::auto::Connection<'_, I, S, E>
where
    S: hyper::service::Service<http::Request<hyper::body::Incoming>, Response = http::Response<B>>,
    S::Future: 'static,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    B: http_body::Body + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    I: hyper::rt::Read + hyper::rt::Write + Unpin + 'static,
    E: hyper::rt::bounds::Http2ServerConnExec<S::Future, B>,
{
    fn finish(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

impl<F: Finish> Guarded<F> {
    pub(super) fn new(http: F, conn: Arc<Conn>) -> Self {
        Self {
            http: Box::pin(http),
            conn,
            heeding: GO_ON,
        }
    }
}

impl<F: Finish> Future for Guarded<F> {
    type Output = Result<(), End>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let order = this.conn.order.load(Ordering::Acquire);
        if order >= this.heeding {
            // An order takes the waker with it. Apart from that, a spawned task's waker never
            // changes: it is registered at the first poll and after each order.
            this.conn.waker.register(cx.waker());
            if order == FINISH {
                this.http.as_mut().finish();
            }
            this.heeding = order + 1;
        }
        // Read again: an order that came before the waker was there woke nobody.
        if this.conn.order.load(Ordering::Acquire) == CUT {
            return Poll::Ready(Err(End::Cut));
        }
        // Broken state behind a panic is dropped with the connection, never used again.
        let polled = AssertUnwindSafe(this.http.as_mut())
            .catch_unwind()
            .poll_unpin(cx);
        Poll::Ready(match ready!(polled) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(End::Protocol(error)),
            Err(_) => {
                tracing::error!(peer = ?this.conn.peer, "a panic ended a connection: this is a fault in Lodge, please report it");
                Err(End::Panic)
            }
        })
    }
}
