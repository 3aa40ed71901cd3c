//! The edge against real sockets, with apps that are closures.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "in a test, a panic is how a failure is told"
)]

mod access;
mod bodies;
mod connections;
mod forward;
mod http2;
mod internal;
mod phases;
mod support;
