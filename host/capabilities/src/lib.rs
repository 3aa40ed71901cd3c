//! What the host gives to apps, one module a capability.

mod keys;
mod log;
pub mod outbound;
pub mod provider;
pub mod tokens;

pub use keys::{HostKey, HostKeyError, KEY_VARIABLE, SealError};
pub use log::{AppLogs, OpenError};
pub use provider::HostProvider;
