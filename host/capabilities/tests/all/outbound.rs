//! Outgoing HTTP against real servers, on addresses of this machine.

mod addresses;
mod apps;
mod limits;
mod parts;
mod server;
mod tls;
mod wire;

pub(crate) use parts::{TestAccount, grant};
