//! Connections to Redis, and how it is noticed that one no longer carries anything.
//!
//! Two or three: one for everything that is answered at once (two, if the URLs are of two servers), one
//! for reading that waits. What is not answered within [`ANSWER`] counts as away, whatever the
//! connection believes: a frozen server and a cut network look the same and are noticed within 5 s.

use crate::settings::Settings;
use lodge_model::LinkError;
use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, ConnectionAddr, ErrorKind, FromRedisValue, Pipeline, RedisError,
    ServerErrorKind,
};
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(3);
/// How long one reading waits for something to come.
pub(crate) const WAIT: Duration = Duration::from_secs(2);
/// How long an answer to a waiting read may take in all.
const WAITED: Duration = Duration::from_millis(4_500);
/// How many fields of a hash are read at once …
const PART: usize = 256;
/// … and how often at most: whatever Redis answers, it ends.
pub(crate) const MAX_PARTS: usize = 100_000;
/// The pause before the second attempt to connect; each further one is twice as long …
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// … up to this.
const LAST_PAUSE: Duration = Duration::from_secs(2);
/// How long a connection lasts that was none of a row of failures.
const STEADY: Duration = Duration::from_secs(5);

/// Where to read on, and fields with their values.
pub(crate) type Part = (u64, HashMap<String, Vec<u8>>);

/// The connections of one end, from one time that it connected.
#[derive(Clone)]
pub(crate) struct Wire {
    cache: MultiplexedConnection,
    streams: MultiplexedConnection,
    reader: MultiplexedConnection,
    /// Whether `cache` and `streams` are one.
    pub(crate) one_server: bool,
    broken: Arc<Notify>,
}

impl Wire {
    /// Connects to both servers.
    pub(crate) async fn connect(settings: &Settings) -> Result<Self, LinkError> {
        let one_server = settings.one_server();
        let streams = connect(settings, &settings.command_url, ANSWER).await?;
        let cache = if one_server {
            streams.clone()
        } else {
            connect(settings, &settings.supervisor_url, ANSWER).await?
        };
        Ok(Self {
            cache,
            streams,
            reader: connect(settings, &settings.command_url, WAITED).await?,
            one_server,
            broken: Arc::new(Notify::new()),
        })
    }

    /// Asks where registrations, specifications and reports are.
    pub(crate) async fn cache<T: FromRedisValue>(&self, asked: &Pipeline) -> Result<T, LinkError> {
        self.heed(asked.query_async(&mut self.cache.clone()).await)
    }

    /// Asks where the streams are.
    pub(crate) async fn streams<T: FromRedisValue>(
        &self,
        asked: &Pipeline,
    ) -> Result<T, LinkError> {
        self.heed(asked.query_async(&mut self.streams.clone()).await)
    }

    /// Reads streams, waiting for what comes. For one caller.
    pub(crate) async fn read<T: FromRedisValue>(&self, asked: &redis::Cmd) -> Result<T, LinkError> {
        self.heed(asked.query_async(&mut self.reader.clone()).await)
    }

    /// Reads some of a hash that is kept, so that no answer is so long that it counts as away and Redis
    /// answers others meanwhile. Begins at 0; the cursor that comes back is the next, 0 at the end. A field
    /// may come twice.
    pub(crate) async fn scan(&self, hash: &str, cursor: u64) -> Result<Part, LinkError> {
        let mut asked = redis::pipe();
        asked.cmd("HSCAN").arg(hash).arg(cursor);
        asked.arg("COUNT").arg(PART);
        let (part,): (Part,) = self.cache(&asked).await?;
        Ok(part)
    }

    /// Reads all of a hash, part by part.
    pub(crate) async fn all(&self, hash: &str) -> Result<HashMap<String, Vec<u8>>, LinkError> {
        let mut all = HashMap::new();
        let mut cursor = 0;
        for _ in 0..MAX_PARTS {
            let (next, part) = self.scan(hash, cursor).await?;
            all.extend(part);
            cursor = next;
            if cursor == 0 {
                return Ok(all);
            }
        }
        Err(LinkError("Redis finds no end of what it has".to_owned()))
    }

    /// Where a script is run: as [`cache`](Self::cache).
    pub(crate) async fn script<T: FromRedisValue>(
        &self,
        script: &redis::ScriptInvocation<'_>,
    ) -> Result<T, LinkError> {
        self.heed(script.invoke_async(&mut self.cache.clone()).await)
    }

    /// Ends when a connection is of no more use.
    pub(crate) async fn broken(&self) -> LinkError {
        self.broken.notified().await;
        LinkError("Redis went away, or refuses what it is asked".to_owned())
    }

    fn heed<T>(&self, answer: Result<T, RedisError>) -> Result<T, LinkError> {
        answer.map_err(|error| {
            if is_away(&error) {
                self.broken.notify_one();
            }
            explain(&error)
        })
    }
}

/// Pauses between attempts to connect.
#[derive(Default)]
pub(crate) struct Backoff {
    attempts: u32,
    connected: Option<Instant>,
}

impl Backoff {
    /// It works: if it does so for a while, the next pause is the shortest again.
    pub(crate) fn connected(&mut self) {
        self.connected = Some(Instant::now());
    }

    pub(crate) async fn pause(&mut self) {
        let lasted = self.connected.take().map(|at| at.elapsed());
        if lasted.is_some_and(|lasted| lasted > STEADY) {
            self.attempts = 0;
        }
        let pause = FIRST_PAUSE.saturating_mul(1 << self.attempts.min(10));
        self.attempts = self.attempts.saturating_add(1);
        tokio::time::sleep(pause.min(LAST_PAUSE)).await;
    }
}

/// The address of this machine's interface that faces the server: what the system would send from.
/// Nothing is sent, but that the server's name may have to be looked up.
pub(crate) async fn local_address(settings: &Settings) -> Option<IpAddr> {
    let found = facing(settings);
    tokio::time::timeout(settings.connect_timeout, found)
        .await
        .ok()?
}

async fn facing(settings: &Settings) -> Option<IpAddr> {
    let client = settings.client(&settings.supervisor_url).ok()?;
    let (host, port) = match client.get_connection_info().addr() {
        ConnectionAddr::Tcp(host, port) | ConnectionAddr::TcpTls { host, port, .. } => {
            (host.clone(), *port)
        }
        _ => return None,
    };
    for server in tokio::net::lookup_host((host, port)).await.ok()? {
        let any: SocketAddr = match server {
            SocketAddr::V4(_) => ([0; 4], 0).into(),
            SocketAddr::V6(_) => ([0; 16], 0).into(),
        };
        let socket = tokio::net::UdpSocket::bind(any).await.ok()?;
        if socket.connect(server).await.is_ok() {
            return socket.local_addr().ok().map(|address| address.ip());
        }
    }
    None
}

async fn connect(
    settings: &Settings,
    url: &str,
    answer: Duration,
) -> Result<MultiplexedConnection, LinkError> {
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(settings.connect_timeout))
        .set_response_timeout(Some(answer));
    // The library's error of a malformed URL may quote it.
    let client = settings
        .client(url)
        .map_err(|_| LinkError("the URL of Redis is malformed".to_owned()))?;
    client
        .get_multiplexed_async_connection_with_config(&config)
        .await
        .map_err(|error| explain(&error))
}

/// Whether it is of no use to go on with this connection.
fn is_away(error: &RedisError) -> bool {
    match error.kind() {
        ErrorKind::Server(kind) => matches!(
            kind,
            ServerErrorKind::BusyLoading | ServerErrorKind::ReadOnly | ServerErrorKind::MasterDown
        ),
        ErrorKind::Extension => false,
        _ => true,
    }
}

/// Says what happened without what was sent.
fn explain(error: &RedisError) -> LinkError {
    if error.is_timeout() {
        return LinkError("Redis does not answer in time".to_owned());
    }
    LinkError(format!("Redis: {error}"))
}
