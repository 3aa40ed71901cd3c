//! What WASI 0.3 test guests share.

pub use support::*;
pub use wasip3;
pub use wasip3::exports::http::handler::Guest;
pub use wasip3::http::types::{ErrorCode, Fields, Request, Response};
pub use wasip3::spawn_local;

use wasip3::clocks::monotonic_clock;
use wasip3::wit_bindgen::{FutureWriter, StreamWriter};
use wasip3::{wit_future, wit_stream};

pub type Answer = Result<Response, ErrorCode>;
pub type Trailers = Result<Option<Fields>, ErrorCode>;

pub fn target(request: &Request) -> Target {
    Target::new(request.get_path_with_query())
}

/// The writing ends of an answer's body.
pub struct Sending {
    pub stream: StreamWriter<u8>,
    pub trailers: FutureWriter<Trailers>,
}

/// An answer whose body is written while it is being sent.
pub fn begin(status: u16, headers: &[(&str, &str)]) -> (Response, Sending) {
    let (stream, contents) = wit_stream::new();
    let (trailers, trailers_read) = wit_future::new(|| Ok(None));
    let (response, _sent) = Response::new(fields(headers), Some(contents), trailers_read);
    response.set_status_code(status).unwrap();
    (response, Sending { stream, trailers })
}

impl Sending {
    /// False once nobody reads the answer any more.
    pub async fn write(&mut self, bytes: Vec<u8>) -> bool {
        self.stream.write_all(bytes).await.is_empty()
    }

    pub async fn end(self, trailers: Trailers) {
        drop(self.stream);
        _ = self.trailers.write(trailers).await;
    }
}

/// A whole answer at once.
pub fn answer(status: u16, headers: &[(&str, &str)], body: impl Into<Vec<u8>>) -> Answer {
    let (response, mut sending) = begin(status, headers);
    let body = body.into();
    spawn_local(async move {
        sending.write(body).await;
        sending.end(Ok(None)).await;
    });
    Ok(response)
}

/// A plain-text answer with status 200.
pub fn text(body: impl Into<Vec<u8>>) -> Answer {
    answer(200, &[("content-type", "text/plain")], body)
}

/// The head of an answer without a body.
pub fn head(status: u16, headers: &[(&str, &str)]) -> Answer {
    let (_, trailers) = wit_future::new(|| Ok(None));
    let (response, _sent) = Response::new(fields(headers), None, trailers);
    response.set_status_code(status).unwrap();
    Ok(response)
}

fn fields(headers: &[(&str, &str)]) -> Fields {
    let headers: Vec<_> = headers
        .iter()
        .map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()))
        .collect();
    Fields::from_list(&headers).unwrap()
}

pub async fn sleep_ms(ms: u64) {
    monotonic_clock::wait_for(ms * 1_000_000).await;
}

pub fn burn_ms(ms: u64) -> u64 {
    burn(ms, monotonic_clock::now)
}
