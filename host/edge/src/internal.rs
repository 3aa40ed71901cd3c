//! Calls from one app to another, in process: they pass the called app's admission as a visitor's
//! request does, and start it if it waits for its first visit. Whether the caller may call is decided
//! before (its grants, the depth of calls).

use crate::Edge;
use crate::admission::Turn;
use crate::dispatch::admitted;
use crate::ids;
use crate::resolve::Target;
use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt as _, Limited};
use lodge_model::{
    AppId, BodyError, CallDepth, Failure, FailureKind, InternalCalls, Outcome, RequestBody,
    ResponseBody,
};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

/// The calls' host names end so.
const DOMAIN: &str = "lodge.internal";

#[async_trait::async_trait]
impl InternalCalls for Edge {
    async fn call(
        &self,
        from: &AppId,
        to: &AppId,
        depth: CallDepth,
        request: Request<RequestBody>,
    ) -> Result<Response<ResponseBody>, Failure> {
        let entry = self.routes.by_name(to.as_str());
        let entry = entry.ok_or(FailureKind::AppNotFound)?;
        let target = Target {
            state: entry.state(),
            entry,
            prefix: None,
        };
        let id = ids::next();
        tracing::debug!(%id, %from, %to, depth = depth.0, "one app calls another");
        let limit = target.state.limits.request_body_bytes;
        let arrived = Instant::now();
        let admitted = if request.body().size_hint().lower() > limit {
            Err(FailureKind::BodyTooLarge)
        } else {
            admitted(self, id, &target).await
        };
        let (endpoint, turn) = admitted.inspect_err(|kind| {
            target.state.meter.record(Outcome::Failed(*kind));
            target.state.meter.took(arrived.elapsed());
        })?;
        let mut exchange = Exchange {
            turn,
            recorded: false,
        };
        let answered = endpoint
            .call(id, for_callee(request, from, to, depth, limit)?)
            .await;
        target.state.meter.took(arrived.elapsed());
        match answered {
            Ok(response) => {
                let status = response.status();
                exchange.turn.begin_answer();
                Ok(response.map(|body| {
                    ResponseBody::new(Served {
                        body,
                        status,
                        exchange,
                    })
                }))
            }
            Err(failure) => {
                exchange.record(Outcome::Failed(failure.kind));
                Err(failure)
            }
        }
    }
}

/// The request as the called app sees it.
fn for_callee(
    mut request: Request<RequestBody>,
    from: &AppId,
    to: &AppId,
    depth: CallDepth,
    limit: u64,
) -> Result<Request<RequestBody>, Failure> {
    let host = HeaderValue::try_from(format!("{}.{DOMAIN}", to.host_label()))
        .map_err(|_| FailureKind::BadRequest)?;
    let caller = HeaderValue::try_from(format!("{}.{DOMAIN}", from.host_label()))
        .map_err(|_| FailureKind::BadRequest)?;
    let path = request.uri().path_and_query().cloned();
    *request.uri_mut() = path.map_or_else(|| http::Uri::from_static("/"), http::Uri::from);
    let headers = request.headers_mut();
    headers.insert(http::header::HOST, host.clone());
    headers.insert("x-forwarded-host", host);
    headers.insert("x-forwarded-for", caller);
    headers.insert("x-forwarded-proto", HeaderValue::from_static("http"));
    headers.remove("x-forwarded-prefix");
    headers.remove("forwarded");
    request.extensions_mut().insert(depth);
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    Ok(request.map(|body| {
        let limited = Limited::new(body, limit);
        RequestBody::new(
            limited.map_err(|error| match error.downcast::<BodyError>() {
                Ok(error) => *error,
                Err(_) => BodyError::TooLarge,
            }),
        )
    }))
}

/// An admitted call; says once how it went. Dropped without a word, its caller gave it up.
struct Exchange {
    turn: Turn,
    recorded: bool,
}

impl Exchange {
    fn record(&mut self, outcome: Outcome) {
        if !std::mem::replace(&mut self.recorded, true) {
            self.turn.state().meter.record(outcome);
        }
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.record(Outcome::Cancelled);
    }
}

/// The answer's body: it holds the turn.
struct Served {
    body: ResponseBody,
    status: StatusCode,
    exchange: Exchange,
}

impl Body for Served {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        let outcome = match &frame {
            Some(Ok(_)) if !self.body.is_end_stream() => None,
            Some(Ok(_)) | None => Some(Outcome::Answered(self.status)),
            Some(Err(BodyError::Failed(failure))) => Some(Outcome::Failed(failure.kind)),
            Some(Err(_)) => Some(Outcome::Cancelled),
        };
        if let Some(outcome) = outcome {
            self.exchange.record(outcome);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        if self.body.is_end_stream() {
            self.exchange.record(Outcome::Answered(self.status));
        }
    }
}
