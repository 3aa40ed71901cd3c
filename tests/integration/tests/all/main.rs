//! Lodge as its users meet it. Needs the program (`cargo build --bin lodge`) and the test guests
//! (`cargo xtask guests --all`); `cargo xtask test` sees to both.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "in a test, a panic is how a failure is told"
)]

mod capabilities;
mod cluster;
mod components;
mod console;
mod crash;
mod desk;
mod edge;
mod faults;
mod guests;
mod hostile;
mod isolation;
mod lifecycle;
mod limits;
mod many;
mod measure;
mod neighbour;
mod outages;
mod process;
mod samples;
mod servers;
mod smith;
mod stores;
mod tokens;
