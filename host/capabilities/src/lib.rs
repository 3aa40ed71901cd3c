//! What the host gives to apps, one module a capability.

mod log;

pub use log::{AppLogs, OpenError};
