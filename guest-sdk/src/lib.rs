//! Write applications for Lodge in Rust.
//!
//! One attribute makes a crate of type `cdylib` a WebAssembly component of the world
//! [`wasi:http/service`](https://github.com/WebAssembly/wasi-http) (WASI 0.3). It has two forms.
//!
//! A function from request to response:
//!
//! ```
//! use lodge_sdk::{Request, Response};
//!
//! #[lodge_sdk::http]
//! async fn handle(request: Request) -> Result<Response, lodge_sdk::Error> {
//!     let greeting = format!("You asked for {}\n", request.uri().path());
//!     Ok(Response::new(greeting.into()))
//! }
//! ```
//!
//! or a function that makes a [`tower` service](tower_service::Service), such as an `axum::Router`
//! (axum without its default features: a guest has no server of its own):
//!
//! ```ignore
//! #[lodge_sdk::http]
//! fn app() -> axum::Router {
//!     axum::Router::new().route("/", axum::routing::get(async || "Hello"))
//! }
//! ```
//!
//! Build with `cargo build --release --target wasm32-wasip2`; a handler is an ordinary function and can
//! be tested natively.
//!
//! What the host gives an app has a module each: [`db`], [`jwt`], [`client`] (outgoing HTTP), [`config`], [`kv`], [`log`];
//! beside them [`assets`] (static files in the component), [`migrations!`] and [`testing`] (native tests without a
//! host). A component imports only what its code uses.
//!
//! # What an application can rely on
//!
//! - Bodies stream both ways: a response body is any [`http_body::Body`] ([`Body::from_stream`] for
//!   streams), sent as it is made; a request's body is read as it arrives.
//! - An instance serves many requests, some of them at once, on one thread: state in a `thread_local!`
//!   or in the service lives as long as the instance, which may end after any request.
//! - An error becomes a 500 without its cause, and its cause becomes a line in the app's log (stderr).
//!   A panic ends the instance: every request it was serving fails.
//! - What should happen after the answer goes into [`spawn`].

// The macros name the crate by its name, here too.
extern crate self as lodge_sdk;

pub mod assets;
mod body;
pub mod client;
pub mod config;
pub mod db;
pub mod jwt;
pub mod kv;
pub mod log;
mod response;
mod serve;
mod sys;
#[cfg(not(target_arch = "wasm32"))]
pub mod testing;
pub mod time;

pub use body::Body;
pub use lodge_sdk_macros::{http, migrations};
pub use response::IntoResponse;

/// The types of HTTP messages.
pub use ::http;
pub use ::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
pub use bytes::Bytes;

/// Any error, as handlers and bodies return it.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// Goes on with something after the answer, within the bounds that the host has for that. In native tests it runs
/// when the answer is there.
pub fn spawn(work: impl Future<Output = ()> + 'static) {
    #[cfg(target_arch = "wasm32")]
    wasip3::spawn_local(work);
    #[cfg(not(target_arch = "wasm32"))]
    sys::native::spawn(work);
}

/// A request as a handler gets it.
pub type Request<B = Body> = http::Request<B>;

/// A response as a handler gives it.
pub type Response<B = Body> = http::Response<B>;

/// For the code that the attribute makes; not part of the interface.
#[doc(hidden)]
pub mod __private {
    pub use crate::serve::{App, WasiRequest, WasiResult, handle};
    pub use wasip3::exports::http::handler::Guest;
    pub use wasip3::http::service::export;

    #[cfg(target_arch = "wasm32")]
    pub use crate::sys::guest::migrations;
}
