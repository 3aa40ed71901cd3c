//! The admin API: what administrators and their programs do, over HTTP.
//!
//! [`router`] has every endpoint and layer in one place; [`serve`] runs it on a listener. The
//! handlers only translate: what happens is the supervisor's, which this crate asks and never goes
//! around (it knows no runtime). Of the control database it uses users, sessions, API tokens,
//! idempotency keys and the audit log.
//!
//! What bounds it: connections, header and body sizes and times, password hashes at once, login
//! attempts, sessions and tokens a user, event streams. How it fails: [`problem`].

mod addresses;
mod api;
mod audit;
mod auth;
mod cluster;
mod extract;
mod health;
mod idempotency;
mod metrics;
mod openapi;
mod page;
mod problem;
mod router;
mod secret;
mod serve;
mod state;
#[cfg(test)]
mod tests;

pub use addresses::Addresses;
pub use auth::guard::LoginLimits;
pub use auth::root::{GeneratedPassword, RootError, ensure_root};
pub use cluster::VerifyRequest;
pub use metrics::WorkerFigures;
pub use problem::Problem;
pub use router::{openapi_document, router, worker_router};
pub use secret::NoRandomness;
pub use serve::{MAX_CONNECTIONS, serve};
pub use state::{Console, OpenError, Settings};
