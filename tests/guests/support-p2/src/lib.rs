//! What WASI 0.2 test guests share.

pub use support::*;
pub use wasip2;
pub use wasip2::exports::http::incoming_handler::Guest;
pub use wasip2::http::types::{
    Fields, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam,
};

use wasip2::clocks::monotonic_clock;
use wasip2::io::streams::OutputStream;

pub fn target(request: &IncomingRequest) -> Target {
    Target::new(request.path_with_query())
}

/// An answer whose head has been sent and whose body is being written.
pub struct Sending {
    pub body: OutgoingBody,
    pub stream: OutputStream,
}

/// Sends the head of an answer.
pub fn begin(out: ResponseOutparam, status: u16, headers: &[(&str, &str)]) -> Sending {
    let response = head(status, headers);
    let body = response.body().unwrap();
    ResponseOutparam::set(out, Ok(response));
    let stream = body.write().unwrap();
    Sending { body, stream }
}

impl Sending {
    /// False once nobody reads the answer any more.
    pub fn write(&self, bytes: &[u8]) -> bool {
        // 4096 bytes is the most that one blocking-write-and-flush may carry.
        bytes
            .chunks(4096)
            .all(|chunk| self.stream.blocking_write_and_flush(chunk).is_ok())
    }

    pub fn end(self, trailers: Option<Fields>) {
        drop(self.stream);
        _ = OutgoingBody::finish(self.body, trailers);
    }
}

/// A whole answer at once.
pub fn answer(out: ResponseOutparam, status: u16, headers: &[(&str, &str)], body: &[u8]) {
    let sending = begin(out, status, headers);
    sending.write(body);
    sending.end(None);
}

/// A plain-text answer with status 200.
pub fn text(out: ResponseOutparam, body: &str) {
    answer(out, 200, &[("content-type", "text/plain")], body.as_bytes());
}

/// The head of an answer, not sent yet.
pub fn head(status: u16, headers: &[(&str, &str)]) -> OutgoingResponse {
    let headers: Vec<_> = headers
        .iter()
        .map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()))
        .collect();
    let response = OutgoingResponse::new(Fields::from_list(&headers).unwrap());
    response.set_status_code(status).unwrap();
    response
}

pub fn sleep_ms(ms: u64) {
    monotonic_clock::subscribe_duration(ms * 1_000_000).block();
}

pub fn burn_ms(ms: u64) -> u64 {
    burn(ms, monotonic_clock::now)
}
