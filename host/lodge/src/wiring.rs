//! Every constructor, in start order; and the same backwards for the stop.

mod cluster;
mod host;
mod parts;
mod worker;

use crate::config::{Config, Role};
use anyhow::Result;
use host::Host;
use worker::Worker;

/// A process that serves.
pub(crate) enum Process {
    /// With a control plane.
    Host(Box<Host>),
    /// For a supervisor.
    Worker(Box<Worker>),
}

/// Starts everything.
///
/// # Errors
/// What could not be started, and why.
pub(crate) async fn start(config: Config) -> Result<Process> {
    Ok(match config.role {
        Role::AllInOne | Role::Supervisor(_) => Process::Host(Box::new(host::start(config).await?)),
        Role::Worker(_) => Process::Worker(Box::new(worker::start(config).await?)),
    })
}

impl Process {
    /// Says where to go.
    ///
    /// # Errors
    /// The ready file cannot be written.
    pub(crate) fn announce(&self) -> Result<()> {
        match self {
            Self::Host(host) => host.announce(),
            Self::Worker(worker) => worker.announce(),
        }
    }

    /// Resolves with what happened and what to do, if the process cannot go on by itself.
    pub(crate) async fn failed(&self) -> String {
        match self {
            Self::Host(_) => std::future::pending().await,
            Self::Worker(worker) => worker.refused().await,
        }
    }

    /// Lets requests finish, stops the apps, writes what is left to write.
    pub(crate) async fn stop(self) {
        match self {
            Self::Host(host) => host.stop().await,
            Self::Worker(worker) => worker.stop().await,
        }
    }
}
