//! Making connections: look the name up, check every address, connect to one that passed. One
//! lookup a connection, so that what was checked is what is connected to.

use super::charge::Reserved;
use super::policy::Policy;
use super::target::{Place, Target};
use super::{CONNECT_CAP, WAIT_CAP};
use futures::future::BoxFuture;
use http::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use lodge_model::{Account, OutboundError};
use std::fmt::Display;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tower::Service;

/// What a connection is charged to its app, in bytes: the buffers that hyper may fill.
pub(super) const CONNECTION_BYTES: u64 = 256 * 1024;

/// Addresses of a name that are tried.
const ADDRESSES: usize = 8;

/// How long one address may take while there are others.
const ATTEMPT: Duration = Duration::from_secs(4);

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// TCP or TLS, within [`CONNECT_CAP`]: the pool may finish a connection that its request no longer
/// waits for, so the request's own timeout does not bound it.
#[derive(Clone)]
pub(super) struct Connector(pub(super) HttpsConnector<Dial>);

impl Service<Uri> for Connector {
    type Response = MaybeHttpsStream<Stream>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Self::Response, BoxError>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connecting = self.0.call(uri);
        Box::pin(async move {
            timeout(CONNECT_CAP, connecting).await.unwrap_or_else(|_| {
                let text = "the connection did not stand in time".into();
                Err(OutboundError::TimedOut(text).into())
            })
        })
    }
}

/// Makes one app's TCP connections.
#[derive(Clone)]
pub(super) struct Dial {
    pub(super) policy: Arc<Policy>,
    pub(super) account: Arc<dyn Account>,
    /// The app's lookups, abandoned ones included.
    pub(super) lookups: Arc<Semaphore>,
    /// The app's open connections.
    pub(super) open: Arc<AtomicUsize>,
}

impl Service<Uri> for Dial {
    type Response = Stream;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Stream, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let dial = self.clone();
        Box::pin(async move { dial.connect(&uri).await.map_err(Into::into) })
    }
}

impl Dial {
    async fn connect(&self, uri: &Uri) -> Result<Stream, OutboundError> {
        let target = Target::of(uri)?;
        let addresses = self.resolve(&target).await?;
        let mut addresses = self.policy.permitted(&target, addresses)?;
        addresses.truncate(ADDRESSES);
        let open = self.hold().await?;
        let mut failed = None;
        for (index, address) in addresses.iter().enumerate() {
            let last = index + 1 == addresses.len();
            let patience = if last { CONNECT_CAP } else { ATTEMPT };
            match timeout(patience, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => {
                    // Only latency is lost without it.
                    let _ = stream.set_nodelay(true);
                    let io = TokioIo::new(stream);
                    return Ok(Stream { io, open });
                }
                Ok(Err(error)) => failed = Some(error.kind()),
                Err(_) => failed = Some(io::ErrorKind::TimedOut),
            }
        }
        Err(match failed {
            Some(io::ErrorKind::TimedOut) => {
                OutboundError::TimedOut(format!("{target} did not answer in time"))
            }
            Some(kind) => OutboundError::Refused(format!("{target} cannot be reached: {kind}")),
            None => OutboundError::NameNotFound(format!("{target} has no address")),
        })
    }

    async fn resolve(&self, target: &Target) -> Result<Vec<SocketAddr>, OutboundError> {
        match &target.place {
            Place::Address(address) => Ok(vec![SocketAddr::new(*address, target.port)]),
            Place::Name(name) => self.look_up(name.clone(), target.port).await,
            Place::App(_) => Err(OutboundError::Host(
                "a call between apps was about to leave the process".into(),
            )),
        }
    }

    /// The name's addresses. The lookup goes on if nobody waits for it any more, since the system's
    /// cannot be stopped: its place is free only then, so that an app cannot take all the process's
    /// lookups by giving them up.
    async fn look_up(&self, name: String, port: u16) -> Result<Vec<SocketAddr>, OutboundError> {
        let no_name = |why: &dyn Display| {
            OutboundError::NameNotFound(format!("the name cannot be resolved: {why}"))
        };
        let turn = self.lookups.clone().acquire_owned().await;
        let turn = turn.map_err(|error| no_name(&error))?;
        let resolver = self.policy.service.resolver.clone();
        let lookup = tokio::spawn(async move {
            let _turn = turn;
            timeout(CONNECT_CAP, resolver.resolve(&name, port)).await
        });
        match lookup.await {
            Ok(Ok(found)) => found.map_err(|error| no_name(&error)),
            Ok(Err(_)) => Err(OutboundError::TimedOut(
                "the name was not resolved in time".into(),
            )),
            Err(error) => Err(no_name(&error)),
        }
    }

    /// A place among the process's connections, and the memory of one.
    async fn hold(&self) -> Result<Open, OutboundError> {
        let connections = &self.policy.service.connections;
        let acquired = timeout(WAIT_CAP, connections.clone().acquire_owned()).await;
        let place = acquired.ok().and_then(Result::ok).ok_or_else(|| {
            OutboundError::LimitExceeded("the host has too many outgoing connections".into())
        })?;
        let scarce = connections.available_permits() < self.policy.service.scarce_below;
        let memory = Reserved::take(&self.account, CONNECTION_BYTES).ok_or_else(|| {
            OutboundError::LimitExceeded(
                "the app's memory (memory_bytes) has no room for another connection".into(),
            )
        })?;
        self.open.fetch_add(1, Relaxed);
        Ok(Open {
            count: self.open.clone(),
            scarce,
            _place: place,
            _memory: memory,
        })
    }
}

/// What one open connection holds, given back when it closes.
struct Open {
    count: Arc<AtomicUsize>,
    /// Connections were scarce in the process when this one was made: it is not kept idle.
    scarce: bool,
    _place: OwnedSemaphorePermit,
    _memory: Reserved,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.count.fetch_sub(1, Relaxed);
    }
}

/// A TCP connection to a checked address.
pub(super) struct Stream {
    io: TokioIo<TcpStream>,
    open: Open,
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        let connected = Connected::new();
        if self.open.scarce {
            connected.poison();
        }
        connected
    }
}

impl Read for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buffer)
    }
}

impl Write for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, slices)
    }
}
