//! One request, from its head to the beginning of its answer.
//!
//! The order of the layers stands in [`handle`] and [`Call::begin`], top to bottom. Everything runs
//! in the connection's own task: a visitor who goes away drops the future, or the response's body,
//! and with it the guest's work, the turn and the place in the queue.
//!
//! The usual request waits for nothing before its app is called, so its future holds little more
//! than the app's; only one that waits (for a turn, for a first start) is put aside in a box.

mod exchange;
mod request;
mod signed;

pub(crate) use exchange::{Answer, Exchange};

use crate::Edge;
use crate::admission::{Place, Turn};
use crate::body::Overflow;
use crate::forward;
use crate::headers::Scan;
use crate::ids;
use crate::listener::{Conn, InFlight};
use crate::resolve::{Resolved, State, Target, host_of, resolve};
use crate::respond::{self, Origin, Reader};
use futures::future::BoxFuture;
use http::request::Parts;
use http::{Method, Request, Response, Version};
use hyper::body::{Body, Incoming};
use lodge_model::{Endpoint, Failure, FailureKind, Outcome, Phase, RequestId, ResponseBody};
use request::ForGuest;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll, ready};
use std::time::Instant;

/// Answers one request, whatever happens.
pub(crate) fn handle(conn: &Arc<Conn>, request: Request<Incoming>) -> Handling {
    let (head, body) = request.into_parts();
    if head.version == Version::HTTP_2 {
        conn.multiplexed.store(true, Relaxed);
    }
    let scan = Scan::of(&head.headers, conn.trusted);
    let visit = Visit {
        id: ids::next(),
        in_flight: InFlight::new(conn.clone()),
        head,
        body,
        reader: if scan.wants_html {
            Reader::Person
        } else {
            Reader::Program
        },
        scan,
    };
    if visit.scan.signed
        && let Some(intake) = &conn.edge.settings.intake
    {
        return signed::handle(intake, visit);
    }
    let resolved = host_of(&visit.head, &visit.scan, conn.trusted)
        .and_then(|host| resolve(&conn.edge, &visit.head, &visit.scan, host.as_ref()));
    let target = match resolved {
        Ok(Resolved::App(target)) => target,
        Ok(Resolved::Welcome) => return Handling::own(respond::welcome()),
        Ok(Resolved::KeySet(app)) => {
            return Handling::own(match conn.edge.activator.key_set(&app) {
                Some(keys) => respond::key_set(keys),
                None => visit.refused(FailureKind::AppNotFound),
            });
        }
        Ok(Resolved::Options) => return Handling::own(respond::options()),
        Ok(Resolved::Moved(location)) => return Handling::own(respond::moved(location)),
        Ok(Resolved::OwnHost(location)) => return Handling::own(respond::own_host(location)),
        Err(kind) => return Handling::own(visit.refused(kind)),
    };
    visit.enter(target)
}

/// A request that has not been handed to an app.
struct Visit {
    id: RequestId,
    in_flight: InFlight,
    head: Parts,
    body: Incoming,
    scan: Scan,
    /// Who reads why it failed.
    reader: Reader,
}

impl Visit {
    fn conn(&self) -> &Arc<Conn> {
        &self.in_flight.0
    }

    /// Brings the request to its app, at once or once it is admitted.
    fn enter(self, target: Target) -> Handling {
        let arrived = Instant::now();
        match admitted_at_once(&self, &target) {
            Some(Ok((endpoint, turn))) => self.call(target, endpoint, turn, arrived),
            Some(Err(kind)) => Handling::own(self.refused_by(&target, kind, arrived)),
            None => Handling::Waiting(Box::pin(async move {
                match admitted(&self.conn().edge, self.id, &target).await {
                    Ok((endpoint, turn)) => self.call(target, endpoint, turn, arrived).await,
                    Err(kind) => Ok(self.refused_by(&target, kind, arrived)),
                }
            })),
        }
    }

    /// Notes a body that nobody will read, so that the connection ends politely.
    fn leave_unread(&self) {
        if !self.body.is_end_stream() {
            self.conn().unread.store(true, Relaxed);
        }
    }

    /// The error page.
    fn refused(&self, kind: FailureKind) -> Response<Answer> {
        self.leave_unread();
        tracing::debug!(id = %self.id, code = kind.code(), peer = ?self.conn().peer, "a request was refused");
        respond::failure(kind, self.id, self.reader)
    }

    fn refused_by(&self, target: &Target, kind: FailureKind, arrived: Instant) -> Response<Answer> {
        let requests = self.reader.requests(&target.state.meter);
        requests.record(Outcome::Failed(kind));
        requests.took(arrived.elapsed());
        self.refused(kind)
    }

    /// Hands the request to its app.
    fn call(
        self,
        target: Target,
        endpoint: Arc<dyn Endpoint>,
        turn: Turn,
        arrived: Instant,
    ) -> Handling {
        let Self {
            id,
            in_flight,
            head,
            body,
            scan,
            reader,
        } = self;
        let is_head = head.method == Method::HEAD;
        let conn = in_flight.0.clone();
        let exchange = Exchange::new(id, turn, in_flight, arrived, reader);
        let limits = &target.state.limits;
        let prepared = match reader {
            Reader::Supervisor => Ok(request::as_signed(&conn, head, body, &scan, limits)),
            _ => request::for_guest(&conn, head, body, &scan, target.prefix, limits),
        };
        match prepared {
            Ok(ForGuest {
                request,
                overflow,
                origin,
            }) => {
                let future = endpoint.call(id, request);
                Handling::Calling(Call {
                    future,
                    overflow,
                    origin,
                    is_head,
                    exchange: Some(exchange),
                })
            }
            Err(kind) => Handling::own(exchange.failed(kind)),
        }
    }
}

/// The app's endpoint and the request's turn.
pub(crate) type Admitted = (Arc<dyn Endpoint>, Turn);

/// The usual way: the app runs and a turn is free. Nothing if there is something to wait for.
fn admitted_at_once(visit: &Visit, target: &Target) -> Option<Result<Admitted, FailureKind>> {
    if visit.body.size_hint().lower() > target.state.limits.request_body_bytes {
        return Some(Err(FailureKind::BodyTooLarge));
    }
    let endpoint = match running(&target.state) {
        Ok(endpoint) => endpoint?,
        Err(kind) => return Some(Err(kind)),
    };
    Some(Ok((endpoint, Turn::take(&target.entry, &target.state)?)))
}

/// The endpoint of an app that runs; nothing if it waits for its first visit.
fn running(state: &State) -> Result<Option<Arc<dyn Endpoint>>, FailureKind> {
    match &state.phase {
        Phase::Running(endpoint) => Ok(Some(endpoint.clone())),
        Phase::Waiting => Ok(None),
        Phase::Stopped => Err(FailureKind::AppStopped),
        Phase::Failed => Err(FailureKind::AppFailed),
    }
}

/// Waits until the app runs and the request has its turn.
///
/// # Errors
/// Why it has none.
pub(crate) async fn admitted(
    edge: &Edge,
    id: RequestId,
    target: &Target,
) -> Result<Admitted, FailureKind> {
    let entry = &target.entry;
    let mut state = target.state.clone();
    let mut turn = None;
    loop {
        let endpoint = match running(&state)? {
            Some(endpoint) => endpoint,
            None => activated(edge, id, target, &state).await?,
        };
        if let Some(turn) = turn.or_else(|| Turn::take(entry, &state)) {
            return Ok((endpoint, turn));
        }
        turn = Some(Turn::wait(entry, &state).await?);
        // Much may have changed while the request waited: the app may have been stopped.
        state = entry.state();
    }
}

/// Starts an app that waits for its first visit. As many requests are held as the app serves and
/// queues at once.
async fn activated(
    edge: &Edge,
    id: RequestId,
    target: &Target,
    state: &State,
) -> Result<Arc<dyn Endpoint>, FailureKind> {
    let places = state.limits.queue.saturating_add(state.limits.concurrency);
    let _place = Place::take(&state.meter.queued, places)?;
    let start = edge.activator.activate(&target.entry.app, id);
    match tokio::time::timeout(edge.settings.start_timeout, start).await {
        Ok(Ok(endpoint)) => Ok(endpoint),
        Ok(Err(Failure { kind })) => Err(kind),
        Err(_) => Err(FailureKind::AppStarting),
    }
}

/// A request's future, as hyper drives it.
pub(crate) enum Handling {
    /// The edge's own answer.
    Own(Option<Response<Answer>>),
    /// The app is at work.
    Calling(Call),
    /// The request waits before its app is called.
    Waiting(BoxFuture<'static, Result<Response<Answer>, Infallible>>),
}

impl Handling {
    fn own(response: Response<Answer>) -> Self {
        Self::Own(Some(response))
    }
}

impl Future for Handling {
    type Output = Result<Response<Answer>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.get_mut() {
            // A future is not polled again after its end; if it were, pending does no harm.
            Self::Own(response) => response
                .take()
                .map_or(Poll::Pending, |response| Poll::Ready(Ok(response))),
            Self::Calling(call) => call.poll(cx).map(Ok),
            Self::Waiting(waiting) => waiting.as_mut().poll(cx),
        }
    }
}

/// A request that its app is answering.
pub(crate) struct Call {
    future: BoxFuture<'static, Result<Response<ResponseBody>, Failure>>,
    /// Set when the request's body passes its limit.
    overflow: Option<Arc<Overflow>>,
    origin: Origin,
    is_head: bool,
    exchange: Option<Exchange>,
}

impl Call {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Response<Answer>> {
        let called = self.future.as_mut().poll(cx);
        // A body that passes its limit before an answer began is the answer: 413.
        let too_large = self
            .overflow
            .as_ref()
            .is_some_and(|overflow| overflow.poll(cx).is_ready());
        let called = if too_large {
            Err(FailureKind::BodyTooLarge.into())
        } else {
            ready!(called)
        };
        let Some(exchange) = self.exchange.take() else {
            return Poll::Pending;
        };
        Poll::Ready(match called {
            Ok(mut response) => {
                respond::sanitize(&mut response, &self.origin);
                forward::set_cookie(&mut response);
                exchange.answer(response, self.is_head)
            }
            Err(Failure { kind }) => exchange.failed(kind),
        })
    }
}
