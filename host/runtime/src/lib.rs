//! All of Wasmtime: compiles components, keeps the compiled forms, and runs apps' requests in
//! instances that cannot hurt each other.
//!
//! In the order a request meets it: [`app`] (an app that runs) → [`slots`] and [`memory`] (is there
//! room) → [`oneshot`] for WASI 0.2 or [`shared`] for WASI 0.3 (whose instance, how long) →
//! [`metered`] (each poll passes the app's lane of the [`gate`] and is charged) → the guest, whose
//! imports are in [`linker`] (Lodge's own in [`host`]) and whose state is [`guest`].
//!
//! In the order a component meets it: [`inspect`] and [`compile`] (in child processes, [`child`]) →
//! [`artifact`] (the cache) → [`program`] (mapped, shared by the apps of one component).
//!
//! What must hold:
//! - No guest is polled outside its app's lane, and none longer than an epoch (1 ms).
//! - Every byte that a guest can make the host hold is charged to its app's budget or bounded by a
//!   fixed limit in [`guest`].
//! - A trap, a panic or a limit ends the instances it happened in, and nothing else.

mod account;
mod app;
mod artifact;
mod body;
pub mod child;
mod compile;
mod cpu_clock;
mod engine;
mod gate;
mod guest;
mod holdings;
mod host;
mod inspect;
mod linker;
mod local;
mod memory;
mod metered;
mod migrate;
mod oneshot;
mod program;
mod report;
mod shared;
mod slice;
mod slots;
mod stdio;
mod ticker;

pub use local::{LocalRuntime, RuntimeError, Settings, WASMTIME_VERSION, memory_mappings};
pub use slice::serve_in_short_slices;
