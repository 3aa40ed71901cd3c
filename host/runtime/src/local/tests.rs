//! The runtime with real guests of both worlds; what its host gives them is made up here, so that a
//! test sees what reaches it. The guests are those of `cargo xtask guests`.

mod bed;
mod bodies;
mod capabilities;
mod lifecycle;
mod migrations;
mod outbound;
mod provider;
mod version;
