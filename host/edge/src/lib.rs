//! The request path: from a socket to an app and back.
//!
//! In reading order, which is also the order a request meets them:
//!
//! 1. [`listener`]: accepts connections within a bound, speaks HTTP/1.1 and HTTP/2, cuts off peers
//!    that stall, drains at shutdown.
//! 2. [`resolve`]: which app, from one load of a swapped table and one hash look-up.
//! 3. [`admission`]: a turn within the app's concurrency, or a bounded and timed place in its queue.
//! 4. [`dispatch`]: what the app is doing now decides: serve, start first, or refuse.
//! 5. [`respond`]: the app's answer made safe for the origin it is served on, or an error page.
//!
//! A call from one app to another ([`internal`]) enters at the third step. An app that runs elsewhere is
//! reached through [`forward`], an endpoint like any other; at the worker, what a supervisor signed comes
//! in by [`intake`] instead of the second step.
//!
//! It is built straight on hyper, without layers, boxed stacks, tasks or timers of a request's own:
//! the aim is to cost next to nothing beside bare hyper. The edge knows nothing of databases or
//! Wasmtime; it is told of apps through [`lodge_model::RouteSink`] and reaches them through
//! [`lodge_model::Endpoint`] and [`lodge_model::Activator`].

mod admission;
mod body;
mod cookies;
mod dispatch;
mod forward;
mod forwarded;
#[cfg(fuzzing)]
pub mod fuzzing;
mod headers;
mod ids;
mod intake;
mod internal;
mod listener;
mod resolve;
mod respond;
mod settings;

pub use forward::{Forward, ForwardSettings};
pub use intake::Intake;
pub use listener::{Drained, Edge};
pub use resolve::Routes;
pub use settings::Settings;
