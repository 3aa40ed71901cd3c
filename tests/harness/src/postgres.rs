//! A PostgreSQL server of a test's own: its own data directory, port and password, gone with it.
//!
//! It is the real thing, as installed on the machine. Durability is off, since nothing of it
//! outlives the test. PostgreSQL refuses to run as root, so that a test that runs as root starts it
//! as the user `postgres`.

use crate::server::{Server, Start, free_port, wait_a_little};
use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

const USER: &str = "lodge";
/// With characters that a URL must encode: whoever takes it apart by hand fails.
const PASSWORD: &str = "p@ss/w:rd%";
const PASSWORD_IN_URL: &str = "p%40ss%2Fw%3Ard%25";

/// The user that the server runs as, if the test runs as another that may not.
#[derive(Debug, Clone, Copy)]
struct Owner {
    uid: u32,
    gid: u32,
}

/// A running server. Dropped, it is killed and its files go.
#[derive(Debug)]
pub struct Postgres {
    bin: PathBuf,
    dir: TempDir,
    owner: Option<Owner>,
    port: u16,
    server: Server,
}

impl Postgres {
    /// Makes a data directory and starts a server on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// PostgreSQL is not installed (the error names the package), or does not start (the error has
    /// its log).
    pub fn start() -> Result<Self> {
        let bin = find_bin().context(
            "PostgreSQL's server is not installed: run `apt-get install postgresql` (Debian)",
        )?;
        let dir = tempfile::Builder::new()
            .prefix("lodge-postgres-")
            .tempdir()?;
        let owner = owner()?;
        let mut this = Self {
            bin,
            dir,
            owner,
            port: free_port()?,
            server: Server::default(),
        };
        this.init()?;
        this.launch()?;
        Ok(this)
    }

    /// Makes an empty database and gives its URL.
    ///
    /// # Errors
    /// It exists, or the server is gone.
    pub fn create_database(&self, name: &str) -> Result<String> {
        let output = self
            .command("createdb")
            .args([
                "--host=127.0.0.1",
                "--username",
                USER,
                "--port",
                &self.port.to_string(),
                name,
            ])
            .env("PGPASSWORD", PASSWORD)
            .output()
            .context("cannot run createdb")?;
        if !output.status.success() {
            bail!(
                "createdb {name} failed: {}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
        Ok(self.url(name))
    }

    /// Runs statements as the server's superuser and gives what they return, rows by line, columns by `|`.
    ///
    /// # Errors
    /// One failed, or the server is gone.
    pub fn query(&self, database: &str, sql: &str) -> Result<String> {
        let output = self
            .command("psql")
            .args(["--host=127.0.0.1", "--username", USER, "--port"])
            .arg(self.port.to_string())
            .args(["--tuples-only", "--no-align", "--no-psqlrc"])
            .args(["--dbname", database, "--command", sql])
            .env("PGPASSWORD", PASSWORD)
            .output()
            .context("cannot run psql")?;
        if !output.status.success() {
            bail!("psql failed: {}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// The port of 127.0.0.1 that it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Makes a database with an owner who may do nothing else on the server, and gives the owner's URL to it.
    ///
    /// # Errors
    /// Either exists, or the server is gone.
    pub fn create_owned_database(&self, name: &str) -> Result<String> {
        self.create_database(name)?;
        let sql = format!(
            "CREATE ROLE {name} LOGIN PASSWORD '{name}'; ALTER DATABASE {name} OWNER TO {name}"
        );
        self.query("postgres", &sql)?;
        Ok(format!(
            "postgres://{name}:{name}@127.0.0.1:{}/{name}",
            self.port
        ))
    }

    /// The URL of a database.
    pub fn url(&self, database: &str) -> String {
        format!(
            "postgres://{USER}:{PASSWORD_IN_URL}@127.0.0.1:{}/{database}",
            self.port
        )
    }

    /// Ends the server at once, as a crash would.
    pub fn stop(&mut self) {
        if let Some(mut server) = self.server.take() {
            // SIGQUIT: with its children, and without waiting for anyone.
            if let Some(pid) = Pid::from_raw(server.id().cast_signed()) {
                let _ = kill_process(pid, Signal::QUIT);
            }
            let _ = server.wait();
        }
    }

    /// Kills the server and each of its children (SIGKILL), as a lost machine would, but for what was not written.
    pub fn kill(&mut self) {
        let all = self.processes();
        send(&all, Signal::KILL);
        if let Some(mut server) = self.server.take() {
            let _ = server.wait();
        }
        // A server does not start where one of another's children is left.
        while all.iter().any(|pid| is_alive(*pid)) {
            wait_a_little();
        }
    }

    /// Stops the server and its children where they are (SIGSTOP): connections stay open and nothing answers.
    pub fn pause(&self) {
        // The one that makes children first, so that all are found.
        send(&self.processes()[..1], Signal::STOP);
        send(&self.processes(), Signal::STOP);
    }

    /// Lets a stopped server go on (SIGCONT).
    pub fn resume(&self) {
        send(&self.processes(), Signal::CONT);
    }

    /// The server's process, then its children's.
    fn processes(&self) -> Vec<Pid> {
        let Some(id) = self.server.id() else {
            return Vec::new();
        };
        let path = format!("/proc/{id}/task/{id}/children");
        let children = std::fs::read_to_string(path).unwrap_or_default();
        let children = children.split_whitespace().flat_map(str::parse);
        let all = std::iter::once(id.cast_signed()).chain(children);
        all.filter_map(Pid::from_raw).collect()
    }

    /// Ends the server and starts it again on the same files and port.
    ///
    /// # Errors
    /// It does not start again.
    pub fn restart(&mut self) -> Result<()> {
        self.stop();
        self.launch()
    }

    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    fn init(&self) -> Result<()> {
        let password = self.dir.path().join("password");
        std::fs::write(&password, PASSWORD)?;
        if let Some(Owner { uid, gid }) = self.owner {
            chown(self.dir.path(), Some(uid), Some(gid))?;
            chown(&password, Some(uid), Some(gid))?;
        }
        let output = self
            .command("initdb")
            .args([
                "--no-sync",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C",
            ])
            .args(["--username", USER])
            .arg(format!("--pwfile={}", password.display()))
            .arg("--pgdata")
            .arg(self.data())
            .output()
            .context("cannot run initdb")?;
        if !output.status.success() {
            bail!("initdb failed: {}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(())
    }

    fn launch(&mut self) -> Result<()> {
        let start = Start {
            name: "PostgreSQL",
            dir: self.dir.path(),
            port: self.port,
            not_installed: "cannot run postgres",
        };
        let mut command = self.command("postgres");
        command
            .arg("-D")
            .arg(self.data())
            .args(["-p", &self.port.to_string(), "-h", "127.0.0.1", "-k", ""])
            .args(["-c", "fsync=off", "-c", "full_page_writes=off"]);
        let mut server = std::mem::take(&mut self.server);
        let launched = server.launch(&start, &mut command, || self.answers());
        self.server = server;
        launched
    }

    fn answers(&self) -> bool {
        let asked = self
            .command("pg_isready")
            .args([
                "--quiet",
                "--host=127.0.0.1",
                "--port",
                &self.port.to_string(),
            ])
            .status();
        asked.is_ok_and(|status| status.success())
    }

    /// A program of PostgreSQL's, run as its owner.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.bin.join(program));
        // A folder that the owner may enter, unlike the test's own.
        command.current_dir("/");
        if let Some(Owner { uid, gid }) = self.owner {
            command.uid(uid).gid(gid);
        }
        command
    }
}

fn send(processes: &[Pid], signal: Signal) {
    for pid in processes {
        let _ = kill_process(*pid, signal);
    }
}

/// Whether it runs: one that has ended and was not waited for does not.
fn is_alive(pid: Pid) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()));
    stat.is_ok_and(|stat| !stat.contains(") Z "))
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The newest installed version's programs: Debian keeps them off the PATH.
fn find_bin() -> Option<PathBuf> {
    let mut versions: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|e| Some((e.file_name().to_str()?.parse().ok()?, e.path().join("bin"))))
        .collect();
    versions.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let in_path = std::env::split_paths(&path);
    versions
        .into_iter()
        .rev()
        .map(|(_, bin)| bin)
        .chain(in_path)
        .find(|bin| has_server(bin))
}

fn has_server(bin: &Path) -> bool {
    ["postgres", "initdb", "createdb", "pg_isready"]
        .iter()
        .all(|name| bin.join(name).is_file())
}

/// Who must run the server: nobody else, unless the test runs as root.
fn owner() -> Result<Option<Owner>> {
    if !rustix::process::geteuid().is_root() {
        return Ok(None);
    }
    let users = std::fs::read_to_string("/etc/passwd")?;
    let line = users.lines().find(|line| line.starts_with("postgres:"));
    let mut fields = line.unwrap_or_default().split(':').skip(2);
    let mut number = || fields.next().and_then(|field| field.parse().ok());
    match (number(), number()) {
        (Some(uid), Some(gid)) => Ok(Some(Owner { uid, gid })),
        _ => bail!(
            "this test runs as root, PostgreSQL refuses that, and there is no user `postgres`: \
             run it as another user, or run `useradd --system postgres`"
        ),
    }
}
