//! The admin listener: accepts connections within bounds and drains them at the end.
//!
//! HTTP/1.1 only: it is for one console and a few programs. At most [`MAX_CONNECTIONS`] are open;
//! a further one waits in the kernel's queue. A header must arrive within [`HEADER_TIMEOUT`], which
//! also ends idle connections. A connection is closed so that its last answer arrives ([`polite`]).
//! A failed accept (no descriptors left) waits and is tried again.

mod polite;

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use polite::{Polite, Unread, Watched};
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tower::ServiceExt as _;

/// Connections open at once.
pub const MAX_CONNECTIONS: usize = 512;
const HEADER_TIMEOUT: Duration = Duration::from_secs(75);
const MAX_HEADERS: usize = 100;
/// Header and buffer of one connection, in bytes.
const MAX_BUFFER: usize = 64 * 1024;
const ACCEPT_BACKOFF: Duration = Duration::from_millis(200);
/// How long requests under way may finish at the end.
const DRAIN: Duration = Duration::from_secs(10);

/// Serves until `shutdown` ends, then lets requests under way finish, 10 s at most. Call
/// [`Console::stop`](crate::Console::stop) first, so that event streams end too.
pub async fn serve(listener: TcpListener, router: Router, shutdown: impl Future<Output = ()>) {
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let connections = GracefulShutdown::new();
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            () = &mut shutdown => break,
            accepted = accept(&listener, &places) => accepted,
        };
        let Some((stream, peer, place)) = accepted else {
            break;
        };
        let connection = connections.watch(connect(stream, peer, router.clone()));
        tokio::spawn(async move {
            let _place = place;
            if let Err(error) = connection.await {
                tracing::debug!(%peer, "an admin connection ended early: {error}");
            }
        });
    }
    drop(listener);
    if tokio::time::timeout(DRAIN, connections.shutdown())
        .await
        .is_err()
    {
        tracing::warn!("admin requests were still under way after {DRAIN:?}: cut off");
    }
}

/// Takes a place, then a connection. None: the semaphore is closed, which nobody does.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> Option<(TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.ok()?;
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => return Some((stream, peer, place)),
            Err(error) => {
                tracing::warn!("cannot accept an admin connection: {error}; trying again");
                tokio::time::sleep(ACCEPT_BACKOFF).await;
            }
        }
    }
}

fn connect(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
) -> http1::Connection<
    TokioIo<Polite>,
    impl hyper::service::HttpService<
        Incoming,
        ResBody = axum::body::Body,
        Error = std::convert::Infallible,
        Future: Send,
    > + use<>,
> {
    // Without it, a small answer may wait for the client's delayed acknowledgement.
    let _ = stream.set_nodelay(true);
    let unread = Unread::default();
    let socket = Polite::new(stream, unread.clone());
    let service = hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
        let mut request: Request =
            request.map(|body| axum::body::Body::new(Watched::new(body, unread.clone())));
        request.extensions_mut().insert(ConnectInfo(peer));
        router.clone().oneshot(request)
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_BUFFER)
        .serve_connection(TokioIo::new(socket), service)
}
