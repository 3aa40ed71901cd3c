//! The agent with a scripted link, a simulated runtime, and everything else as it is: files, seals,
//! logs, and components from a real HTTP server.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "a test that fails should end where it failed, and nothing of it is exported"
)]

mod activation;
mod bed;
mod components;
mod control;
mod failures;
mod link;
mod order;
mod pulse;
mod removal;
mod restart;
mod runtime;
mod server;
mod specs;
mod store;
