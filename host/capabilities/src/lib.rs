//! What the host gives to apps, one module a capability.
//!
//! [`HostProvider`] puts an app's capabilities together when the app starts; the runtime hands them to
//! its guests. Each is bounded by the app's limits, and what the host does for an app is charged to it.

#[cfg(test)]
mod books;
mod charged;
pub mod database;
mod keys;
mod keyvalue;
mod log;
pub mod outbound;
mod provider;
pub mod tokens;

pub use keys::{HostKey, HostKeyError, SealError};
pub use log::{AppLogs, OpenError};
pub use provider::HostProvider;
