//! What the host gives to apps, one module a capability.

mod keys;
mod log;
pub mod tokens;

pub use keys::{HostKey, HostKeyError, KEY_VARIABLE, SealError};
pub use log::{AppLogs, OpenError};
