//! The command line as people and scripts meet it: the real program against a real host.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test: to fail is to panic, and its thread is its own to put to sleep"
)]

mod apps;
mod credentials;
mod dev;
mod failures;
mod guide;
mod migrations;
mod new;
mod support;
