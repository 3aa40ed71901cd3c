//! A Redis server of a test's own: its own folder and port, gone with it.
//!
//! It is the real thing, as installed on the machine. It keeps what it has in a log that is not synced:
//! a killed server finds everything again ([`Redis::restart`]), a lost machine would not.

use crate::server::{Server, Start, free_port};
use anyhow::Result;
use rustix::process::{Pid, Signal, kill_process};
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

const NOT_INSTALLED: &str =
    "Redis's server is not installed: run `apt-get install redis-server` (Debian)";
/// With characters that a URL must encode: whoever takes it apart by hand fails.
const PASSWORD: &str = "p@ss/w:rd%";
const PASSWORD_IN_URL: &str = "p%40ss%2Fw%3Ard%25";

/// A running server. Dropped, it is killed and its files go.
#[derive(Debug)]
pub struct Redis {
    dir: TempDir,
    port: u16,
    tls: Option<Tls>,
    server: Server,
}

/// A further port that speaks TLS. The files are beside the server's own and stay when those go.
#[derive(Debug)]
struct Tls {
    files: TempDir,
    port: u16,
}

impl Redis {
    /// Starts an empty server on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// Redis is not installed (the error names the package), or does not start (the error has its log).
    pub fn start() -> Result<Self> {
        Self::start_with(None)
    }

    /// The same, on a further port with TLS, with this certificate and its key, both PEM.
    ///
    /// # Errors
    /// As [`start`](Self::start), or Redis was built without TLS.
    pub fn start_tls(certificate: &str, key: &str) -> Result<Self> {
        let files = tempfile::Builder::new().prefix("lodge-redis-").tempdir()?;
        std::fs::write(files.path().join("certificate"), certificate)?;
        std::fs::write(files.path().join("key"), key)?;
        let port = free_port()?;
        Self::start_with(Some(Tls { files, port }))
    }

    fn start_with(tls: Option<Tls>) -> Result<Self> {
        let dir = tempfile::Builder::new().prefix("lodge-redis-").tempdir()?;
        let mut this = Self {
            dir,
            port: free_port()?,
            tls,
            server: Server::default(),
        };
        this.launch()?;
        Ok(this)
    }

    /// Its URL with TLS, by that name of this machine, if it was started so.
    pub fn tls_url(&self, host: &str) -> Option<String> {
        let port = self.tls.as_ref()?.port;
        Some(format!("rediss://:{PASSWORD_IN_URL}@{host}:{port}/0"))
    }

    /// Its URL, with the password and database 0.
    pub fn url(&self) -> String {
        self.url_by(self.port)
    }

    /// Its URL for whoever reaches it by another port.
    pub fn url_by(&self, port: u16) -> String {
        format!("redis://:{PASSWORD_IN_URL}@127.0.0.1:{port}/0")
    }

    /// The port of 127.0.0.1 that it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Ends the server at once (SIGKILL), as a crash would. What it has stays on disk.
    pub fn kill(&mut self) {
        self.server.kill();
    }

    /// Kills the server and starts it again on the same port with what it had.
    ///
    /// # Errors
    /// It does not start again.
    pub fn restart(&mut self) -> Result<()> {
        self.kill();
        self.launch()
    }

    /// Kills the server and starts it again on the same port with nothing in it.
    ///
    /// # Errors
    /// It does not start again.
    pub fn restart_empty(&mut self) -> Result<()> {
        self.kill();
        for entry in std::fs::read_dir(self.dir.path())? {
            let path = entry?.path();
            if path.is_dir() {
                std::fs::remove_dir_all(path)?;
            } else {
                std::fs::remove_file(path)?;
            }
        }
        self.launch()
    }

    /// Stops the server where it is (SIGSTOP): connections stay open and nothing answers.
    pub fn pause(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets a stopped server go on (SIGCONT).
    pub fn resume(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        let id = self.server.id().map(u32::cast_signed);
        if let Some(pid) = id.and_then(Pid::from_raw) {
            let _ = kill_process(pid, signal);
        }
    }

    fn launch(&mut self) -> Result<()> {
        let start = Start {
            name: "Redis",
            dir: self.dir.path(),
            port: self.port,
            not_installed: NOT_INSTALLED,
        };
        let mut command = Command::new("redis-server");
        if let Some(Tls { files, port }) = &self.tls {
            let file = |name: &str| files.path().join(name);
            command.args(["--tls-port", &port.to_string(), "--tls-auth-clients", "no"]);
            command.arg("--tls-cert-file").arg(file("certificate"));
            command.arg("--tls-key-file").arg(file("key"));
        }
        command
            .args(["--bind", "127.0.0.1", "--port", &self.port.to_string()])
            .args(["--requirepass", PASSWORD])
            .args(["--save", "", "--appendonly", "yes", "--appendfsync", "no"])
            .arg("--dir")
            .arg(self.dir.path());
        let port = self.port;
        let answers = || answers(port);
        self.server.launch(&start, &mut command, answers)
    }
}

/// Whether it has loaded what it had and serves.
fn answers(port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) else {
        return false;
    };
    let _ = stream.set_read_timeout(Some(Duration::from_secs(1)));
    let _ = stream.write_all(format!("AUTH \"{PASSWORD}\"\r\nPING\r\n").as_bytes());
    let mut answer = Vec::new();
    let mut part = [0; 64];
    while let Ok(length @ 1..) = stream.read(&mut part) {
        answer.extend_from_slice(&part[..length]);
        if answer.ends_with(b"+PONG\r\n") {
            return true;
        }
    }
    false
}
