//! From the host's request to the application's function and back.
//!
//! The answer's head is given to the host as soon as the handler returns; its body is sent by a task of
//! its own, at the speed at which the host takes it. If the client goes away, the body is dropped.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::rc::Rc;

use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use http_body::Body as HttpBody;
use tower_service::Service;
use wasip3::http::types::{self as wasi, ErrorCode};
use wasip3::http_compat::{BodyWriter, Error as SendError, http_from_wasi_request};
use wasip3::wit_future;

use crate::response::log_error;
use crate::{Body, Error, IntoResponse, Request, Response};

pub type WasiRequest = wasi::Request;
pub type WasiResult = Result<wasi::Response, ErrorCode>;

/// Answers one request with a handler function.
pub async fn handle<F, R>(handler: impl FnOnce(Request) -> F, request: WasiRequest) -> WasiResult
where
    F: Future<Output = R>,
    R: IntoResponse,
{
    let request = http_from_wasi_request(request)?.map(Body::new);
    send(handler(request).await.into_response())
}

type Answering = Pin<Box<dyn Future<Output = Response>>>;

/// A service, its type forgotten: what the attribute's second form keeps for an instance's lifetime.
#[derive(Clone)]
pub struct App(Rc<dyn Fn(Request) -> Answering>);

impl App {
    pub fn new<S, B>(service: S) -> Self
    where
        S: Service<Request, Response = http::Response<B>> + Clone + 'static,
        S::Error: Into<Error>,
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<Error>,
    {
        Self(Rc::new(move |request| {
            let mut service = service.clone();
            Box::pin(async move {
                let ready = poll_fn(|cx| service.poll_ready(cx)).await;
                match ready {
                    Ok(()) => service.call(request).await.into_response(),
                    Err(error) => Err::<Response, _>(error).into_response(),
                }
            })
        }))
    }

    pub async fn call(self, request: WasiRequest) -> WasiResult {
        handle(|request| (self.0)(request), request).await
    }
}

fn send(mut response: Response) -> WasiResult {
    add_length(&mut response);
    let (head, body) = response.into_parts();
    let headers = head
        .headers
        .try_into()
        .map_err(|error: wasi::HeaderError| {
            log_error("the answer has headers that can't be sent", &error);
            ErrorCode::InternalError(None)
        })?;
    let contents;
    let trailers;
    if body.is_end_stream() {
        contents = None;
        // Dropping the writing end is the answer "no trailers".
        trailers = wit_future::new(|| Ok(None)).1;
    } else {
        let (writer, stream, result) = BodyWriter::new();
        contents = Some(stream);
        trailers = result;
        wasip3::spawn_local(send_body(writer, body));
    }
    let (response, _sent) = wasi::Response::new(headers, contents, trailers);
    if response.set_status_code(head.status.as_u16()).is_err() {
        eprintln!("{} can't be an answer's status", head.status);
        return Err(ErrorCode::InternalError(None));
    }
    Ok(response)
}

async fn send_body(writer: BodyWriter, body: Body) {
    let mut body = pin!(body);
    match writer.send_http_body(&mut body).await {
        // A closed reader is a client that went away.
        Ok(_) | Err(SendError::ResultReaderClosed(_) | SendError::StreamReaderClosed { .. }) => {}
        Err(error) => log_error("the answer broke off", &error),
    }
}

/// A body of known length is announced with it, unless the status forbids a body (RFC 9110, 8.6).
fn add_length(response: &mut Response) {
    let status = response.status();
    let bodiless = status.is_informational()
        || status == StatusCode::NO_CONTENT
        || status == StatusCode::NOT_MODIFIED;
    if let Some(length) = response.body().size_hint().exact()
        && !bodiless
        && !response.headers().contains_key(header::TRANSFER_ENCODING)
    {
        let length = HeaderValue::from(length);
        response
            .headers_mut()
            .entry(header::CONTENT_LENGTH)
            .or_insert(length);
    }
}
