//! Names to addresses, by the host.

use async_trait::async_trait;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Lookups at once in the whole process: each takes a thread until the system answers, even if
/// nobody waits any more.
pub(super) const LOOKUPS: usize = 128;

/// Looks names up. Every address that it gives is checked before it is used.
#[async_trait]
pub trait Resolver: Send + Sync + 'static {
    /// The addresses of `name`, with `port`, in the order in which to try them.
    ///
    /// # Errors
    /// The name has none, or nobody can be asked.
    async fn resolve(&self, name: &str, port: u16) -> io::Result<Vec<SocketAddr>>;
}

/// The system's resolver.
#[derive(Clone)]
pub struct SystemResolver(Arc<Semaphore>);

impl Default for SystemResolver {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(LOOKUPS)))
    }
}

#[async_trait]
impl Resolver for SystemResolver {
    async fn resolve(&self, name: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        let turn = self.0.clone().acquire_owned().await;
        let turn = turn.map_err(io::Error::other)?;
        let name = name.to_owned();
        let lookup = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            (name.as_str(), port)
                .to_socket_addrs()
                .map(Iterator::collect)
        });
        lookup.await.map_err(io::Error::other)?
    }
}
