//! What the measuring tools share: loads, what processes use, and figures made of many measurements.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "measuring tools: what goes wrong ends them"
)]

pub mod figures;
pub mod load;
pub mod process;
