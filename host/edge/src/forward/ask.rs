//! Questions to a worker itself.

use super::attempt::{Attempt, attempt, framed};
use super::worker::{Lease, Worker};
use crate::respond::FAILURE;
use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::uri::PathAndQuery;
use http::{Request, Response, Uri};
use http_body_util::{BodyExt as _, Full};
use lodge_model::{LinkError, RequestBody, RequestId, ResponseBody};
use std::sync::Arc;

/// Asks a worker. Its answer may go on as long as it likes: a log that is followed is silent for hours.
pub(super) async fn ask(
    worker: Arc<Worker>,
    id: RequestId,
    request: Request<Bytes>,
) -> Result<Response<ResponseBody>, LinkError> {
    let environment = worker.environment.clone();
    let unreachable = |reason| {
        LinkError(format!(
            "the worker {environment} cannot be reached: {reason}"
        ))
    };
    let (request, body) = prepared(request);
    let lease = Lease::new(worker.clone());
    match attempt(lease, id, None, Some(&body), request).await {
        Attempt::Answered(answered) => {
            let response = answered.streamed(id, None).await;
            match response.headers().get(FAILURE) {
                Some(code) => {
                    let code = code.to_str().unwrap_or("?");
                    Err(LinkError(format!(
                        "the worker {environment} refused: {code}"
                    )))
                }
                None => Ok(response),
            }
        }
        Attempt::Away(_, reason) => {
            worker.is_away();
            Err(unreachable(reason))
        }
        Attempt::Silent(_, reason) | Attempt::Failed(_, reason) => Err(unreachable(reason)),
    }
}

/// The request as it is sent, and its body once more.
fn prepared(request: Request<Bytes>) -> (Request<RequestBody>, Bytes) {
    let (mut head, body) = request.into_parts();
    let target = head.uri.path_and_query().cloned();
    head.uri = Uri::from(target.unwrap_or_else(|| PathAndQuery::from_static("/")));
    head.headers
        .entry(header::HOST)
        .or_insert(HeaderValue::from_static("lodge"));
    let whole = Full::new(body.clone()).map_err(|never| match never {});
    let request = Request::from_parts(head, RequestBody::new(whole));
    (framed(request), body)
}
