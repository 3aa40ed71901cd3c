//! Outgoing HTTP, to hosts that the administrator granted.
//!
//! ```
//! use lodge_sdk::client;
//!
//! async fn rate() -> Result<f64, client::Error> {
//!     #[derive(serde::Deserialize)]
//!     struct Answer { rate: f64 }
//!     let answer: Answer = client::get_json("https://rates.example.com/eur").await?;
//!     Ok(answer.rate)
//! }
//! ```

use crate::{Body, Request, Response, sys};
use http::{HeaderValue, Method, Uri, header};
use send_wrapper::SendWrapper;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;
use std::time::Duration;

/// The largest answer that the JSON helpers read, in bytes.
const MOST_JSON: usize = 4 << 20;

/// How long the parts of a request may take. The host has bounds of its own beside them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    pub connect: Duration,
    /// Until the answer's head.
    pub first_byte: Duration,
    /// Between two pieces of the answer's body.
    pub between_bytes: Duration,
}

impl Default for Timeouts {
    /// 10 s each.
    fn default() -> Self {
        let time = Duration::from_secs(10);
        Self {
            connect: time,
            first_byte: time,
            between_bytes: time,
        }
    }
}

/// Why there is no answer, or none that is of use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error(pub(crate) String);

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

/// Sends a request with the usual [`Timeouts`].
///
/// # Errors
/// The host was not granted, cannot be reached, or does not answer.
pub async fn send(request: Request) -> Result<Response, Error> {
    send_within(request, &Timeouts::default()).await
}

/// Sends a request.
///
/// # Errors
/// The host was not granted, cannot be reached, or does not answer in time.
pub async fn send_within(request: Request, timeouts: &Timeouts) -> Result<Response, Error> {
    SendWrapper::new(sys::send(request, timeouts)).await
}

/// The JSON at a URL.
///
/// # Errors
/// No answer, one that is not a success, or other JSON than expected.
pub async fn get_json<T: DeserializeOwned>(url: &str) -> Result<T, Error> {
    let mut request = request(Method::GET, url, Body::empty())?;
    let json = HeaderValue::from_static("application/json");
    request.headers_mut().insert(header::ACCEPT, json);
    read_json(send(request).await?).await
}

/// Posts JSON and gives the answer.
///
/// # Errors
/// No answer.
pub async fn post_json(
    url: &str,
    value: &impl Serialize,
    timeouts: &Timeouts,
) -> Result<Response, Error> {
    let text = serde_json::to_vec(value).map_err(|e| Error(format!("not JSON: {e}")))?;
    let mut request = request(Method::POST, url, text.into())?;
    let json = HeaderValue::from_static("application/json");
    request.headers_mut().insert(header::CONTENT_TYPE, json);
    send_within(request, timeouts).await
}

/// The JSON of an answer that is a success, 4 MiB at most.
///
/// # Errors
/// It is none, or other JSON than expected.
pub async fn read_json<T: DeserializeOwned>(response: Response) -> Result<T, Error> {
    if !response.status().is_success() {
        return Err(Error(format!("the answer is {}", response.status())));
    }
    let bytes = response.into_body().bytes(MOST_JSON).await;
    let bytes = bytes.map_err(|e| Error(format!("the answer broke off: {e}")))?;
    serde_json::from_slice(&bytes).map_err(|e| Error(format!("the answer is other JSON: {e}")))
}

fn request(method: Method, url: &str, body: Body) -> Result<Request, Error> {
    let uri: Uri = url
        .parse()
        .map_err(|_| Error(format!("`{url}` is no URL")))?;
    let mut request = Request::new(body);
    *request.method_mut() = method;
    *request.uri_mut() = uri;
    Ok(request)
}
