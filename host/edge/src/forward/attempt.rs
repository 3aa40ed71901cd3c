//! One request at one worker: signed, sent, and sent again where nothing is lost by it.
//!
//! A worker that ends takes its kept connections with it. A request that may be sent twice is then sent
//! again. One that may not (it has a body, or is no GET, HEAD or OPTIONS) is written to a kept connection
//! only if, at that moment, nothing has come from the worker that ends it ([`super::wire`]): else it goes
//! by a new connection, and if there is none, to another worker.
//!
//! Where the line is: at its first byte. From there on nobody can tell what the worker did with it, and
//! when the connection ends before an answer begins, it is lost (`BadGateway`). So it goes to those that
//! the worker had, and to those written after its death and before word of it came: a machine that is
//! gone sends none, and the system closes a killed process's sockets only after it has freed its memory.

use super::download::Download;
use super::link::{Exchanged, Link};
use super::worker::Lease;
use crate::body::NoBody;
use http::{HeaderValue, Method, Request, Response, header};
use http_body::Body as _;
use hyper::body::Incoming;
use lodge_model::{Claim, FailureKind, RequestBody, RequestId, ResponseBody};
use std::task::Poll;
use std::time::Duration;

/// The most fields that a worker's edge takes (hyper's default).
const MOST_FIELDS: usize = 100;

/// How a request fared at a worker.
pub(super) enum Attempt {
    /// An answer began.
    Answered(Answered),
    /// The worker did nothing with the request: here it is again, for another.
    Away(Request<RequestBody>, String),
    /// No byte of an answer came, and the request may be sent again.
    Silent(Request<RequestBody>, String),
    /// The request is lost.
    Failed(FailureKind, String),
}

/// An answer that began.
pub(super) struct Answered {
    pub(super) response: Response<Incoming>,
    /// The connection by which it comes.
    pub(super) link: Box<Link>,
    pub(super) lease: Lease,
    /// The request once more, if it can be sent again.
    pub(super) again: Option<Request<RequestBody>>,
}

impl Answered {
    /// The answer with a body that drives its connection. `silence`: how long it may stand still.
    pub(super) async fn streamed(
        self,
        id: RequestId,
        silence: Option<Duration>,
    ) -> Response<ResponseBody> {
        let (head, incoming) = self.response.into_parts();
        let mut parts = Some((incoming, self.link, self.lease));
        let body = std::future::poll_fn(|cx| match parts.take() {
            Some((incoming, link, lease)) => {
                Poll::Ready(Download::begin(incoming, link, lease, silence, id, cx))
            }
            None => Poll::Pending,
        });
        Response::from_parts(head, body.await)
    }
}

/// Sends a request: by a connection that is there, or else by a new one.
pub(super) async fn attempt(
    mut lease: Lease,
    id: RequestId,
    app: Option<&HeaderValue>,
    covered: Option<&[u8]>,
    mut request: Request<RequestBody>,
) -> Attempt {
    if !lease.wait().await {
        let reason = "every connection to the worker is taken".into();
        return Attempt::Failed(FailureKind::HostBusy, reason);
    }
    let worker = lease.worker.clone();
    let mut link = worker.take_idle();
    loop {
        let pooled = link.is_some();
        let mut ready = match link.take() {
            Some(link) => link,
            // Seldom, so in a box: each request's future is smaller by it.
            None => match Box::pin(worker.connect()).await {
                Ok(link) => link,
                Err(reason) => return Attempt::Away(request, reason),
            },
        };
        let claim = Claim {
            app,
            id: Some(id),
            body: covered,
        };
        let (method, uri) = (request.method().clone(), request.uri().clone());
        worker
            .signing
            .sign(&method, &uri, request.headers_mut(), &claim);
        // hyper may add one that says how long the body is.
        if request.headers().len() >= MOST_FIELDS {
            let reason = "with those of the host its fields are too many".into();
            return Attempt::Failed(FailureKind::HeaderTooLarge, reason);
        }
        let again = copy(&request);
        if pooled && again.is_none() {
            ready.look_first();
        }
        match ready.exchange(request).await {
            Exchanged::Answered(response) => {
                return Attempt::Answered(Answered {
                    response,
                    link: ready,
                    lease,
                    again,
                });
            }
            Exchanged::Unsent(unsent, _) if pooled => request = unsent,
            Exchanged::Unsent(unsent, reason) => return Attempt::Away(unsent, reason),
            Exchanged::Broken(end) if end.by_visitor => {
                return Attempt::Failed(FailureKind::BadRequest, end.reason);
            }
            Exchanged::Broken(end) => match again.filter(|_| !end.heard) {
                Some(again) if pooled => request = again,
                Some(again) => return Attempt::Silent(again, end.reason),
                None => return Attempt::Failed(FailureKind::BadGateway, end.reason),
            },
        }
        // The worker ended a connection that nobody used; it may have ended the others with it.
        worker.forget_idle();
    }
}

/// A request that can be sent twice without harm (RFC 9110 section 9.2.1): safe, and without a body.
fn copy(request: &Request<RequestBody>) -> Option<Request<RequestBody>> {
    let safe = matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS
    );
    if !safe || !request.body().is_end_stream() {
        return None;
    }
    let mut copy = Request::new(RequestBody::new(NoBody));
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.headers_mut() = request.headers().clone();
    Some(copy)
}

/// Gives a request the form in which it travels to a worker: HTTP/1.1, with a body whose end can be told.
pub(super) fn framed(mut request: Request<RequestBody>) -> Request<RequestBody> {
    *request.version_mut() = http::Version::HTTP_11;
    let body = request.body();
    if !body.is_end_stream() && body.size_hint().exact().is_none() {
        let headers = request.headers_mut();
        headers.remove(header::CONTENT_LENGTH);
        let chunked = HeaderValue::from_static("chunked");
        headers.insert(header::TRANSFER_ENCODING, chunked);
    }
    request
}
