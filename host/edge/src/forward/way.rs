//! The way to one app: an endpoint like any other, behind which are workers.

use super::attempt::{Answered, Attempt, attempt, framed};
use super::choose::{Choice, Seen, choose, sticky_cookie};
use super::wish::{OwnCookie, Wish};
use super::worker::{Lease, Worker};
use crate::body::NoBody;
use crate::respond::{FAILURE, SIGNATURE_INVALID};
use futures::future::BoxFuture;
use http::header::{self, HeaderValue};
use http::{Request, Response, StatusCode};
use lodge_model::{AppId, Endpoint, Failure, FailureKind, RequestBody, RequestId, ResponseBody};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

/// Workers that a request may be sent to which, each in turn, leave it without an answer: one that ends
/// its worker must not end them all.
const SENT_TO: usize = 2;

/// The way to an app's workers.
pub(super) struct Way {
    app: AppId,
    /// The app's ID as a field's value.
    name: HeaderValue,
    workers: Vec<Arc<Worker>>,
    /// Whose turn it is among equals.
    pub(super) turn: AtomicUsize,
}

/// One request on its way.
struct Trip {
    way: Arc<Way>,
    id: RequestId,
    wish: Wish,
    order: Vec<usize>,
    /// How the visitor sees the app, if the answer is to carry a cookie.
    seen: Option<Seen>,
}

impl Way {
    pub(super) fn new(app: &AppId, workers: Vec<Arc<Worker>>) -> Self {
        Self {
            app: app.clone(),
            // An ID is letters, digits, `-` and `_`: always a valid header value.
            name: HeaderValue::try_from(app.as_str())
                .unwrap_or_else(|_| HeaderValue::from_static("-")),
            workers,
            turn: AtomicUsize::new(0),
        }
    }

    pub(super) fn workers(&self) -> &[Arc<Worker>] {
        &self.workers
    }

    /// The place in the list of the environment of this name.
    pub(super) fn place_of(&self, name: &str) -> Option<usize> {
        let is = |worker: &Arc<Worker>| worker.environment.as_str() == name;
        self.workers.iter().position(is)
    }

    async fn answer(
        self: Arc<Self>,
        id: RequestId,
        mut request: Request<RequestBody>,
    ) -> Result<Response<ResponseBody>, Failure> {
        let wish = request.extensions_mut().remove().unwrap_or_default();
        let (order, sticky) = match choose(&self, &wish, &request)? {
            Choice::Redirect { location, cookie } => return Ok(redirect(location, cookie)),
            Choice::Workers { order, sticky } => (order, sticky),
        };
        let trip = Trip {
            seen: sticky.then(|| Seen::of(request.headers())),
            way: self,
            id,
            wish,
            order,
        };
        let limit = trip.limit();
        match tokio::time::timeout(limit, trip.sent(framed(request))).await {
            Ok(answered) => answered,
            Err(_) => {
                tracing::warn!(%id, app = %trip.way.app, limit_ms = limit.as_millis(), "a worker's answer did not begin in time");
                Err(FailureKind::Deadline.into())
            }
        }
    }
}

impl Endpoint for Way {
    fn call(
        self: Arc<Self>,
        id: RequestId,
        request: Request<RequestBody>,
    ) -> BoxFuture<'static, Result<Response<ResponseBody>, Failure>> {
        Box::pin(self.answer(id, request))
    }
}

impl Trip {
    /// How long an answer may take to begin, and then be silent.
    fn limit(&self) -> Duration {
        let grace = self.way.workers.first().map(|w| w.settings.grace);
        self.wish.timeout.saturating_add(grace.unwrap_or_default())
    }

    /// Tries the workers in order, until one answers.
    async fn sent(
        &self,
        mut request: Request<RequestBody>,
    ) -> Result<Response<ResponseBody>, Failure> {
        let mut failure = FailureKind::EnvironmentLost;
        let mut sent_to = 0;
        for worker in self.order.iter().filter_map(|i| self.way.workers.get(*i)) {
            let lease = Lease::new(worker.clone());
            match attempt(lease, self.id, Some(&self.way.name), None, request).await {
                Attempt::Answered(mut answered) => {
                    if !is_forged(&answered) {
                        worker.is_there();
                        return self.answered(answered).await;
                    }
                    let reason = "it was restarted, or its LODGE_CLUSTER_KEY is another";
                    self.log_away(worker, reason);
                    failure = FailureKind::EnvironmentLost;
                    // Refused, it had no effect; but what had a body is gone.
                    match answered.again.take() {
                        Some(again) => request = again,
                        None => break,
                    }
                }
                Attempt::Away(unsent, reason) => {
                    self.log_away(worker, &reason);
                    failure = FailureKind::EnvironmentLost;
                    request = unsent;
                }
                Attempt::Silent(again, reason) => {
                    self.log(worker, &reason, "a worker broke off without an answer");
                    sent_to += 1;
                    failure = FailureKind::BadGateway;
                    if sent_to == SENT_TO {
                        break;
                    }
                    request = again;
                }
                Attempt::Failed(kind, reason) => {
                    self.log_failed(worker, kind, &reason);
                    return Err(kind.into());
                }
            }
        }
        Err(failure.into())
    }

    /// Told when it is news: visits to a worker that is away may be many.
    fn log_away(&self, worker: &Worker, reason: &str) {
        let (id, environment) = (self.id, &worker.environment);
        if worker.is_away() {
            tracing::warn!(%id, app = %self.way.app, %environment, reason, "a worker is out of reach");
        } else {
            tracing::debug!(%id, %environment, reason, "a worker is still out of reach");
        }
    }

    /// What is the worker's doing is worth a warning; what is the visitor's, or a matter of numbers, is not.
    fn log_failed(&self, worker: &Worker, kind: FailureKind, reason: &str) {
        if kind == FailureKind::BadGateway {
            return self.log(worker, reason, "a worker broke off without an answer");
        }
        let (id, code) = (self.id, kind.code());
        tracing::debug!(%id, app = %self.way.app, code, reason, "a request was not sent on whole");
    }

    fn log(&self, worker: &Worker, reason: &str, what: &str) {
        let (id, app, environment) = (self.id, &self.way.app, &worker.environment);
        tracing::warn!(%id, %app, %environment, reason, "{what}");
    }

    /// What a worker answered: an app's answer, or why there is none.
    async fn answered(&self, answered: Answered) -> Result<Response<ResponseBody>, Failure> {
        let worker = answered.lease.worker.clone();
        let mut response = answered.streamed(self.id, Some(self.limit())).await;
        if let Some(code) = response.headers_mut().remove(FAILURE) {
            return Err(self.failure(&worker, &code).into());
        }
        let seen = self.seen.as_ref();
        if let Some(cookie) = seen.and_then(|seen| sticky_cookie(&self.wish, &worker, seen)) {
            response.extensions_mut().insert(OwnCookie(cookie));
        }
        Ok(response)
    }

    fn failure(&self, worker: &Worker, code: &HeaderValue) -> FailureKind {
        let (reason, kind) = match code.to_str().ok().and_then(FailureKind::from_code) {
            Some(FailureKind::AppNotFound) => {
                ("it does not know the app", FailureKind::EnvironmentLost)
            }
            Some(kind) => return kind,
            None => ("its code is unknown", FailureKind::BadGateway),
        };
        self.log(worker, reason, "a worker refused a request");
        kind
    }
}

/// Whether a worker takes the request for nobody's.
fn is_forged(answered: &Answered) -> bool {
    let code = answered.response.headers().get(FAILURE);
    code.is_some_and(|code| code == SIGNATURE_INVALID)
}

/// To the same address without the choice.
fn redirect(location: HeaderValue, cookie: HeaderValue) -> Response<ResponseBody> {
    let mut response = Response::new(ResponseBody::new(NoBody));
    *response.status_mut() = StatusCode::SEE_OTHER;
    response.headers_mut().insert(header::LOCATION, location);
    let no_store = HeaderValue::from_static("no-store");
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, no_store);
    response.extensions_mut().insert(OwnCookie(cookie));
    response
}
