//! Outgoing `wasi:http`, of both worlds, through the app's way out.
//!
//! Bodies stream both ways and are never collected. What is under way goes with the store that began
//! it. The host's waiting is a pending poll of the guest: no turn of the gate is held meanwhile.

use http::HeaderName;
use http_body_util::BodyExt;
use lodge_model::{
    BodyError, CallDepth, Capabilities, OWN_FIELDS, OutboundError, OutboundOptions, RequestBody,
};
use std::sync::{Arc, LazyLock};
use tokio_util::task::AbortOnDropHandle;
use wasmtime_wasi_http::{
    DEFAULT_FORBIDDEN_HEADERS, Error as HttpError, ForbiddenHeaderFilter, RequestOptions, WasiBody,
    WasiHttpHooks,
};

/// Bytes of one write to an outgoing body.
pub(crate) const BODY_CHUNK_BYTES: usize = 64 << 10;

/// Lodge's answers where WASI HTTP asks its host.
pub(crate) struct Hooks {
    pub(crate) capabilities: Arc<Capabilities>,
    /// Of the request at work; of the deepest of several.
    pub(crate) depth: CallDepth,
}

/// Shared, since Wasmtime asks for it once a request.
static FORBIDDEN: LazyLock<ForbiddenHeaderFilter> = LazyLock::new(|| Arc::new(is_forbidden));

/// What no guest may say, in a head or in trailers: what is the connection's, and what is the host's own.
fn is_forbidden(name: &HeaderName) -> bool {
    DEFAULT_FORBIDDEN_HEADERS.contains(name) || name.as_str().starts_with(OWN_FIELDS)
}

type BoxFuture<T> = Box<dyn Future<Output = T> + Send>;
type Answer = (http::Response<WasiBody>, BoxFuture<Result<(), HttpError>>);

impl WasiHttpHooks for Hooks {
    fn is_forbidden_header(&mut self, name: &HeaderName) -> bool {
        is_forbidden(name)
    }

    fn forbidden_header_filter(&mut self) -> ForbiddenHeaderFilter {
        FORBIDDEN.clone()
    }

    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        _done: BoxFuture<Result<(), HttpError>>,
    ) -> BoxFuture<Result<Answer, HttpError>> {
        let outbound = self.capabilities.outbound.clone();
        let options = OutboundOptions {
            connect_timeout: options.as_ref().and_then(|o| o.connect_timeout),
            first_byte_timeout: options.as_ref().and_then(|o| o.first_byte_timeout),
            between_bytes_timeout: options.as_ref().and_then(|o| o.between_bytes_timeout),
            depth: self.depth,
        };
        let given_up = |error: HttpError| BodyError::Connection(format!("{error:?}"));
        let request = request.map(|body| RequestBody::new(body.map_err(given_up)));
        Box::new(async move {
            // Apart from this guest's own poll, which would poll the guest of an app that is called: Wasmtime panics
            // where one instance's event loop begins within another's. Dropped with what waits for it.
            let sent = tokio::spawn(async move { outbound.send(request, options).await });
            let response = match AbortOnDropHandle::new(sent).await {
                Ok(answered) => answered.map_err(to_http)?,
                Err(_) => return Err(HttpError::InternalError(Some("the call was ended".into()))),
            };
            let response = response.map(|body| body.map_err(broken_off).boxed_unsync());
            let ended: BoxFuture<Result<(), HttpError>> = Box::new(std::future::ready(Ok(())));
            Ok((response, ended))
        })
    }

    fn p2_outgoing_body_chunk_size(&mut self) -> usize {
        BODY_CHUNK_BYTES
    }

    fn p3_outgoing_body_chunk_size(&mut self) -> usize {
        BODY_CHUNK_BYTES
    }
}

/// What a guest sees of an answer's body that broke off.
fn broken_off(error: BodyError) -> HttpError {
    match error {
        BodyError::TooLarge => HttpError::HttpResponseBodySize(None),
        BodyError::Connection(_) => HttpError::ConnectionTerminated,
        // One of our own apps, which failed while it answered.
        BodyError::Failed(_) => HttpError::HttpResponseIncomplete,
    }
}

/// The nearest of `wasi:http`'s error codes; the app's log has the text.
fn to_http(error: OutboundError) -> HttpError {
    match error {
        OutboundError::Denied(_) => HttpError::HttpRequestDenied,
        OutboundError::NameNotFound(text) => HttpError::DnsError {
            rcode: Some(text),
            info_code: None,
        },
        OutboundError::Refused(_) => HttpError::ConnectionRefused,
        OutboundError::TimedOut(_) => HttpError::HttpResponseTimeout,
        OutboundError::Protocol(_) => HttpError::HttpProtocolError,
        OutboundError::Tls(_) => HttpError::TlsProtocolError,
        OutboundError::Malformed(_) => HttpError::HttpRequestUriInvalid,
        OutboundError::LimitExceeded(text) | OutboundError::Host(text) => {
            HttpError::InternalError(Some(text))
        }
    }
}
