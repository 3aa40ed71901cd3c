//! Outgoing HTTP: the host's own client, on behalf of apps.
//!
//! The way of a call: is its target granted → does the app have a place for another call → is its
//! head in order → a connection from the app's own pool, or a new one → the response, streamed. A new
//! connection looks its name up once, drops every address that is not public (unless granted as an
//! address, or in a network that the operator opened), and connects to one that is left. Lodge's own
//! listeners, Redis and databases are refused whatever was granted. Redirects are not followed: the
//! guest does, and each is a call of its own. Calls to `{app}.lodge.internal` stay in this process.
//!
//! A pool belongs to one app and its connections to one scheme, host and port, so no call gets a
//! connection that was checked for another's.
//!
//! What bounds it: an app has `outbound_concurrency` calls at once and [`WAITING`] that wait, each
//! [`WAIT_CAP`] at most; bodies have [`BODY_BYTES`] each way, heads [`head::HEAD_BYTES`]; a call's head
//! and, with [`connect::CONNECTION_BYTES`], an open connection are charged to the app's memory; an app
//! keeps [`IDLE`] connections idle for [`IDLE_FOR`] and has [`APP_LOOKUPS`] lookups at once, the
//! process has [`Settings::connections`] and [`resolve::LOOKUPS`] in all. A client is made at an app's
//! first call. Each step has a timeout.
//!
//! How it fails: with an [`OutboundError`] for the guest; what was refused is in the app's log with
//! the reason, ten lines in ten seconds at most.

mod address;
mod body;
mod charge;
mod connect;
mod errors;
mod head;
mod policy;
mod refusals;
mod resolve;
mod service;
mod target;

pub use resolve::{Resolver, SystemResolver};
pub use service::{OutboundService, Settings};

use async_trait::async_trait;
use body::{Bounds, Received, Sent};
use charge::{Held, Reserved};
use connect::{Connector, Dial};
use http::header::{HOST, HeaderValue};
use http::request::Parts;
use http::{Request, Response};
use http_body::Body;
use http_body_util::BodyExt;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::capture_connection;
use lodge_model::{
    Account, AppId, BodyError, CallDepth, INTERNAL_DOMAIN, Outbound, OutboundError,
    OutboundOptions, RequestBody, ResponseBody,
};
use parking_lot::Mutex;
use policy::Policy;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;
use target::{Place, Target};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// A body, each way, in bytes. Bodies are streamed: this bounds traffic, not memory.
pub const BODY_BYTES: u64 = 256 * 1024 * 1024;

/// How many apps may call one another in a row.
pub const MAX_DEPTH: u8 = 8;

/// Calls of one app that wait for a place.
pub const WAITING: usize = 256;

/// What a call holds beside its head and its connection, in bytes, roughly.
const CALL_BYTES: u64 = 2 * 1024;

/// Lookups of names by one app at once. With [`resolve::LOOKUPS`] in all, a few apps whose names'
/// servers are silent hold nobody else up.
const APP_LOOKUPS: usize = 4;

/// The longest wait for a place.
const WAIT_CAP: Duration = Duration::from_secs(5);

/// The longest that a connection may take to stand, whatever a guest asks for.
const CONNECT_CAP: Duration = Duration::from_secs(60);

/// The longest of the other timeouts.
const TIMEOUT_CAP: Duration = Duration::from_secs(3_600);

/// Idle connections of one app, and for how long.
const IDLE: usize = 16;
const IDLE_FOR: Duration = Duration::from_secs(30);

type HttpClient = Client<Connector, Sent>;

/// One app's way out.
struct AppOutbound {
    app: AppId,
    policy: Arc<Policy>,
    account: Arc<dyn Account>,
    concurrency: usize,
    places: Arc<Semaphore>,
    waiting: AtomicUsize,
    /// The app's `request_timeout_ms`.
    patience: Duration,
    client: Mutex<Option<HttpClient>>,
    lookups: Arc<Semaphore>,
    /// Open connections, idle ones included.
    open: Arc<AtomicUsize>,
}

/// A call's timeouts.
struct Timeouts {
    connect: Duration,
    first_byte: Duration,
    silence: Duration,
}

#[async_trait]
impl Outbound for AppOutbound {
    async fn send(
        &self,
        request: Request<RequestBody>,
        options: OutboundOptions,
    ) -> Result<Response<ResponseBody>, OutboundError> {
        let sent = self.checked_send(request, options).await;
        if let Err(OutboundError::LimitExceeded(limit)) = &sent {
            let tell = || format!("an outgoing call was refused: {limit}");
            self.policy.refusals.tell(tell);
        }
        sent
    }
}

impl AppOutbound {
    async fn checked_send(
        &self,
        request: Request<RequestBody>,
        options: OutboundOptions,
    ) -> Result<Response<ResponseBody>, OutboundError> {
        let target = Target::of(request.uri())?;
        self.policy.check_target(&target)?;
        let (mut head, body) = request.into_parts();
        let head_bytes = head::clean_request(&mut head, body.size_hint().exact())?;
        let timeouts = self.timeouts(&options);
        let held = self.hold(head_bytes).await?;
        let response = match &target.place {
            Place::App(app) => {
                let call = self.call_app(app, options.depth, head, body);
                first_byte(timeouts.first_byte, &target, call).await?
            }
            Place::Name(_) | Place::Address(_) => {
                self.call_out(&target, &timeouts, head, body).await?
            }
        };
        self.finish(response, held, timeouts.silence)
    }

    /// The memory of a call's head, and its place among the app's calls.
    async fn hold(&self, head_bytes: usize) -> Result<Held, OutboundError> {
        let bytes = head_bytes as u64 + CALL_BYTES;
        let memory = Reserved::take(&self.account, bytes).ok_or_else(|| {
            OutboundError::LimitExceeded(
                "the app's memory (memory_bytes) has no room for another outgoing call".into(),
            )
        })?;
        Ok(Held {
            _place: self.place().await?,
            _memory: memory,
        })
    }

    /// A place among the app's calls; a bounded number waits for one, for a bounded time.
    async fn place(&self) -> Result<OwnedSemaphorePermit, OutboundError> {
        if let Ok(place) = self.places.clone().try_acquire_owned() {
            return Ok(place);
        }
        let full = || {
            OutboundError::LimitExceeded(format!(
                "{} outgoing calls at once are the most (outbound_concurrency)",
                self.concurrency
            ))
        };
        let waiter = Waiter::enter(&self.waiting);
        if self.concurrency == 0 || waiter.before >= WAITING {
            return Err(full());
        }
        let acquired = timeout(WAIT_CAP, self.places.clone().acquire_owned()).await;
        acquired.ok().and_then(Result::ok).ok_or_else(full)
    }

    async fn call_out(
        &self,
        target: &Target,
        timeouts: &Timeouts,
        head: Parts,
        body: RequestBody,
    ) -> Result<Response<ResponseBody>, OutboundError> {
        let client = self.client()?;
        let mut request = Request::from_parts(head, Sent::new(body, BODY_BYTES));
        let mut captured = capture_connection(&mut request);
        let mut sending = client.request(request);
        let connected = async {
            tokio::select! {
                biased;
                response = &mut sending => Some(response),
                _ = captured.wait_for_connection_metadata() => None,
            }
        };
        let early = timeout(timeouts.connect, connected).await.map_err(|_| {
            OutboundError::TimedOut(format!("no connection to {target} stood in time"))
        })?;
        let response = match early {
            Some(response) => response.map_err(|error| errors::of_client(&error, target)),
            None => {
                let rest = async {
                    let response = sending.await;
                    response.map_err(|error| errors::of_client(&error, target))
                };
                first_byte(timeouts.first_byte, target, rest).await
            }
        }?;
        if response.status() == http::StatusCode::SWITCHING_PROTOCOLS {
            let text = format!("{target} switched protocols, and was not asked to");
            return Err(OutboundError::Protocol(text));
        }
        Ok(response.map(|body| {
            let broken = |error: hyper::Error| BodyError::Connection(error.to_string());
            body.map_err(broken).boxed_unsync()
        }))
    }

    async fn call_app(
        &self,
        app: &AppId,
        depth: CallDepth,
        mut head: Parts,
        body: RequestBody,
    ) -> Result<Response<ResponseBody>, OutboundError> {
        if depth.0 >= MAX_DEPTH {
            return Err(OutboundError::LimitExceeded(format!(
                "{MAX_DEPTH} calls from app to app in a row are the most"
            )));
        }
        let Some(calls) = self.policy.service.internal_calls() else {
            let text = "calls between apps are not possible here";
            return Err(OutboundError::Host(text.into()));
        };
        // The client adds it to calls that leave the process.
        let host = format!("{}.{INTERNAL_DOMAIN}", app.host_label());
        if let Ok(host) = HeaderValue::try_from(host) {
            head.headers.insert(HOST, host);
        }
        let body = Sent::new(body, BODY_BYTES).boxed_unsync();
        let request = Request::from_parts(head, body);
        calls
            .call(&self.app, app, CallDepth(depth.0 + 1), request)
            .await
            .map_err(|failure| errors::of_failure(failure, app))
    }

    /// The app's client. One that keeps too many idle connections is replaced: they close, and calls
    /// under way keep theirs.
    fn client(&self) -> Result<HttpClient, OutboundError> {
        let mut client = self.client.lock();
        if self.open.load(Relaxed) >= self.concurrency.saturating_add(IDLE) {
            *client = None;
        }
        if let Some(client) = &*client {
            return Ok(client.clone());
        }
        let made = self.policy.service.client(Dial {
            policy: self.policy.clone(),
            account: self.account.clone(),
            lookups: self.lookups.clone(),
            open: self.open.clone(),
        })?;
        *client = Some(made.clone());
        Ok(made)
    }

    fn timeouts(&self, options: &OutboundOptions) -> Timeouts {
        let or_default = |wanted: Option<Duration>, cap| wanted.unwrap_or(self.patience).min(cap);
        Timeouts {
            connect: or_default(options.connect_timeout, CONNECT_CAP),
            first_byte: or_default(options.first_byte_timeout, TIMEOUT_CAP),
            silence: or_default(options.between_bytes_timeout, TIMEOUT_CAP),
        }
    }

    fn finish(
        &self,
        response: Response<ResponseBody>,
        held: Held,
        silence: Duration,
    ) -> Result<Response<ResponseBody>, OutboundError> {
        let (mut head, body) = response.into_parts();
        head::clean_response(&mut head.headers)?;
        // What the client noted about its connection is not the guest's.
        head.extensions.clear();
        let bounds = Bounds {
            most: BODY_BYTES,
            silence,
        };
        let body = Received::new(body, held, bounds, self.policy.refusals.clone());
        Ok(Response::from_parts(head, body.boxed_unsync()))
    }
}

async fn first_byte<T>(
    patience: Duration,
    target: &Target,
    answer: impl Future<Output = Result<T, OutboundError>>,
) -> Result<T, OutboundError> {
    timeout(patience, answer).await.unwrap_or_else(|_| {
        let ms = patience.as_millis();
        let text = format!("{target} did not begin to answer within {ms} ms");
        Err(OutboundError::TimedOut(text))
    })
}

/// Counts one who waits, as long as it is there.
struct Waiter<'a> {
    waiting: &'a AtomicUsize,
    before: usize,
}

impl<'a> Waiter<'a> {
    fn enter(waiting: &'a AtomicUsize) -> Self {
        let before = waiting.fetch_add(1, Relaxed);
        Self { waiting, before }
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        self.waiting.fetch_sub(1, Relaxed);
    }
}
