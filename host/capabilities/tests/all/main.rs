//! Tests of the capabilities with real parts: servers, sockets, keys.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "in a test, a panic is how a failure is told"
)]

mod databases;
mod outbound;
mod provider;
mod tokens;
