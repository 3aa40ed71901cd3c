//! Both ends of the link, over a real Redis.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests: to fail is to panic"
)]

mod capacity;
mod failures;
mod forgeries;
mod names;
mod roundtrip;
mod support;
mod tls;
