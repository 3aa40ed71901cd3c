//! What the servers of tests have in common: a process on a port of its own, waited for until it answers.

use anyhow::{Context, Result, bail};
use std::fs::File;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a server may take until it answers.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// A server's process, or none. Dropped, it is killed.
#[derive(Debug, Default)]
pub(crate) struct Server(Option<Child>);

/// What is started.
pub(crate) struct Start<'a> {
    /// Its name, for people.
    pub(crate) name: &'a str,
    /// Where its `log` goes.
    pub(crate) dir: &'a Path,
    /// Where it listens.
    pub(crate) port: u16,
    /// What to say if it cannot be run.
    pub(crate) not_installed: &'a str,
}

impl Server {
    /// Runs `command` and waits until it `answers`.
    ///
    /// # Errors
    /// It cannot be run, or does not answer in time (the error has its log).
    pub(crate) fn launch(
        &mut self,
        start: &Start<'_>,
        command: &mut Command,
        answers: impl Fn() -> bool,
    ) -> Result<()> {
        let log = start.dir.join("log");
        let file = File::create(&log)?;
        let server = command
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .spawn()
            .with_context(|| start.not_installed.to_owned())?;
        let server = self.0.insert(server);
        let deadline = Instant::now() + START_TIMEOUT;
        while !answers() {
            let ended = matches!(server.try_wait(), Ok(Some(_)));
            if ended || Instant::now() > deadline {
                let log = std::fs::read_to_string(&log).unwrap_or_default();
                let Start { name, port, .. } = start;
                bail!("{name} does not answer on port {port}; its log: {log}");
            }
            wait_a_little();
        }
        Ok(())
    }

    /// Its process ID.
    pub(crate) fn id(&self) -> Option<u32> {
        self.0.as_ref().map(Child::id)
    }

    /// The process, to be ended by the caller.
    pub(crate) fn take(&mut self) -> Option<Child> {
        self.0.take()
    }

    /// Ends it at once (SIGKILL), as a crash would.
    pub(crate) fn kill(&mut self) {
        if let Some(mut server) = self.0.take() {
            let _ = server.kill();
            let _ = server.wait();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A port of 127.0.0.1 that nobody listens on.
///
/// # Errors
/// There is none.
pub fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}

pub(crate) fn wait_a_little() {
    std::thread::sleep(Duration::from_millis(50));
}
