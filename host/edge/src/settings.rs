//! What the edge is told once, at the start.

use crate::Intake;
use lodge_model::TrustedProxies;
use std::sync::Arc;
use std::time::Duration;

/// The edge's settings.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Apps answer at `{id}.` before this name, beside `{id}.localhost`. Lower case, no port.
    pub apps_domain: Option<String>,
    /// Peers whose `forwarded` and `x-forwarded-*` headers are believed.
    pub trusted_proxies: Arc<TrustedProxies>,
    /// Connections held at once. Beyond it new ones wait in the kernel's backlog.
    pub max_connections: usize,
    /// Size of one request's head, in bytes. (Its fields are at most 100, hyper's default, to which
    /// hyper gives a faster path than to any number that is set.)
    pub max_head_bytes: usize,
    /// How long a request's head may take to arrive.
    pub head_timeout: Duration,
    /// How long a connection may lie idle between requests.
    pub idle_timeout: Duration,
    /// How long a body may stand still because the peer neither sends nor reads.
    pub stall_timeout: Duration,
    /// How long a first visit waits for its app to start.
    pub start_timeout: Duration,
    /// On a supervisor: apps may run elsewhere, so requests tell their endpoints what [`crate::Forward`]
    /// needs (the time limit, which environment the visitor chose).
    pub forwards: bool,
    /// On a worker: takes in what its supervisor signed.
    pub intake: Option<Intake>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            apps_domain: None,
            trusted_proxies: Arc::default(),
            max_connections: 16 * 1024,
            max_head_bytes: 64 * 1024,
            head_timeout: Duration::from_secs(15),
            idle_timeout: Duration::from_secs(75),
            stall_timeout: Duration::from_secs(30),
            start_timeout: Duration::from_secs(30),
            forwards: false,
            intake: None,
        }
    }
}
