//! The way of one connection's bytes: from the driver over a socket pair of this process to the server.
//!
//! ```text
//! driver (sqlx, TLS) ── Unix socket ── relay: counts what comes back ── TCP ── server
//! ```
//!
//! It knows no protocol, so that TLS stays between the driver and the server, and it serves every
//! engine. The address was resolved here, once: the driver cannot be led elsewhere. The socket lies in
//! a folder that only this user may enter, takes one connection, and is gone before a byte flows.
//!
//! How it fails: when either side closes, so does the other. The [`Gauge`] knows if the relay did it.

use super::address::Address;
use super::gauge::Gauge;
use crate::charged::Charged;
use lodge_model::{Account, DatabaseEngine};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixListener, UnixStream};

/// Bytes that are moved at once.
const CHUNK: usize = 32 << 10;
/// How long the driver may take until it connects.
const ACCEPT: Duration = Duration::from_secs(5);

/// A relay that waits for its driver. Dropped, its folder goes.
pub(super) struct Door(TempDir);

impl Door {
    /// The folder of the socket.
    pub(super) fn folder(&self) -> &Path {
        self.0.path()
    }
}

/// The socket's name within its folder: PostgreSQL's driver makes it from the port.
pub(super) fn socket_name(address: &Address) -> String {
    match address.engine {
        DatabaseEngine::Postgres => format!(".s.PGSQL.{}", address.port),
        _ => "socket".to_owned(),
    }
}

/// Connects to the server, and opens the door for one driver.
///
/// # Errors
/// The server is not reached; the text says why.
pub(super) async fn open(
    address: &Address,
    gauge: Arc<Gauge>,
    account: Arc<dyn Account>,
) -> Result<Door, String> {
    let server = dial(address).await?;
    let failed = |e: io::Error| format!("no way to it can be made on this machine: {e}");
    let folder = tempfile::Builder::new()
        .prefix("lodge-")
        .tempdir()
        .map_err(failed)?;
    let listener = UnixListener::bind(folder.path().join(socket_name(address))).map_err(failed)?;
    let work = async move {
        // A driver that never comes, or a side that is gone: nothing is left to be done.
        if let Ok(Ok((driver, _))) = tokio::time::timeout(ACCEPT, listener.accept()).await {
            drop(listener);
            let _ = pump(server, driver, &gauge).await;
        }
    };
    tokio::spawn(Charged::new(account, work));
    Ok(Door(folder))
}

/// Whether nobody is there any more, where the server was: then all its sessions have ended.
pub(super) async fn is_gone(address: &Address) -> bool {
    let place = (address.host.as_str(), address.port);
    let answer = tokio::time::timeout(ACCEPT, TcpStream::connect(place)).await;
    matches!(answer, Ok(Err(e)) if e.kind() == io::ErrorKind::ConnectionRefused)
}

async fn dial(address: &Address) -> Result<TcpStream, String> {
    let place = address.server();
    let resolved = tokio::net::lookup_host((address.host.as_str(), address.port)).await;
    let resolved = resolved.map_err(|e| format!("{place}: the host is not found: {e}"))?;
    let mut last = None;
    for address in resolved {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                // Without it a small message may wait for 40 ms.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Err(e) => last = Some(e),
        }
    }
    Err(match last {
        Some(e) => format!("{place}: {e}"),
        None => format!("{place}: the host has no address"),
    })
}

async fn pump(server: TcpStream, driver: UnixStream, gauge: &Gauge) -> io::Result<()> {
    let (mut from_server, mut to_server) = server.into_split();
    let (mut from_driver, mut to_driver) = driver.into_split();
    let up = tokio::io::copy(&mut from_driver, &mut to_server);
    let down = async {
        let mut chunk = vec![0; CHUNK];
        loop {
            let read = from_server.read(&mut chunk).await?;
            let bytes = chunk.get(..read).unwrap_or_default();
            if bytes.is_empty() || !gauge.take(read) {
                return io::Result::Ok(());
            }
            to_driver.write_all(bytes).await?;
        }
    };
    tokio::select! {
        ended = up => ended.map(drop),
        ended = down => ended,
    }
}
