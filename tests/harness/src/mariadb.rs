//! A MariaDB server of a test's own: its own data directory, port and password, gone with it.
//!
//! It is the real thing, as installed on the machine. Durability is off, since nothing of it outlives
//! the test.

use crate::server::{Server, Start, free_port};
use anyhow::{Context, Result, bail};
use std::io::Read as _;
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

const SHARE: &str = "/usr/share/mysql";
const NOT_INSTALLED: &str =
    "MariaDB's server is not installed: run `apt-get install mariadb-server-core` (Debian)";
const USER: &str = "lodge";
/// With characters that a URL must encode: whoever takes it apart by hand fails.
const PASSWORD: &str = "p@ss/w:rd%";
const PASSWORD_IN_URL: &str = "p%40ss%2Fw%3Ard%25";

/// A running server. Dropped, it is killed and its files go.
#[derive(Debug)]
pub struct Mariadb {
    dir: TempDir,
    port: u16,
    server: Server,
}

impl Mariadb {
    /// Makes a data directory and starts a server on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// MariaDB is not installed (the error names the package), or does not start (the error has its
    /// log).
    pub fn start() -> Result<Self> {
        let dir = tempfile::Builder::new()
            .prefix("lodge-mariadb-")
            .tempdir()?;
        let mut this = Self {
            dir,
            port: free_port()?,
            server: Server::default(),
        };
        this.init()?;
        this.launch()?;
        Ok(this)
    }

    /// The port of 127.0.0.1 that it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The URL of a database, or of none, for somebody who may do everything.
    pub fn url(&self, database: &str) -> String {
        format!(
            "mariadb://{USER}:{PASSWORD_IN_URL}@127.0.0.1:{}/{database}",
            self.port
        )
    }

    /// Ends the server at once, as a crash would.
    pub fn stop(&mut self) {
        self.server.kill();
    }

    /// Starts the server again on the same files and port.
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

    /// Makes the system's tables as `mariadb-install-db` does; that script needs more packages.
    fn init(&self) -> Result<()> {
        let mut tables =
            "CREATE DATABASE mysql;\nUSE mysql;\nSET @auth_root_socket = NULL;\n".to_owned();
        for file in [
            "mysql_system_tables.sql",
            "mysql_performance_tables.sql",
            "mysql_system_tables_data.sql",
        ] {
            tables += &std::fs::read_to_string(Path::new(SHARE).join(file))
                .with_context(|| format!("{NOT_INSTALLED} ({SHARE}/{file} is not there)"))?;
            tables.push('\n');
        }
        std::fs::create_dir(self.data())?;
        let input = self.dir.path().join("tables.sql");
        std::fs::write(&input, tables)?;
        let output = Command::new(program())
            .args(["--no-defaults", "--bootstrap"])
            .arg(format!("--user={}", user()))
            .arg(format!("--datadir={}", self.data().display()))
            // Not the one that all servers share: names there are made of process IDs.
            .arg(format!("--tmpdir={}", self.dir.path().display()))
            .stdin(std::fs::File::open(&input)?)
            .output()
            .context(NOT_INSTALLED)?;
        if !output.status.success() {
            bail!(
                "MariaDB's system tables cannot be made: {}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
        let first = format!(
            "CREATE USER IF NOT EXISTS '{USER}'@'%' IDENTIFIED BY '{PASSWORD}';\n\
             GRANT ALL PRIVILEGES ON *.* TO '{USER}'@'%' WITH GRANT OPTION;\n\
             DROP USER IF EXISTS ''@'localhost';\n"
        );
        Ok(std::fs::write(self.dir.path().join("first.sql"), first)?)
    }

    fn launch(&mut self) -> Result<()> {
        let start = Start {
            name: "MariaDB",
            dir: self.dir.path(),
            port: self.port,
            not_installed: "cannot run mariadbd",
        };
        let mut command = Command::new(program());
        command
            .arg("--no-defaults")
            .arg(format!("--user={}", user()))
            .arg(format!("--datadir={}", self.data().display()))
            .arg(format!("--tmpdir={}", self.dir.path().display()))
            .arg(format!(
                "--socket={}",
                self.dir.path().join("socket").display()
            ))
            .arg(format!(
                "--pid-file={}",
                self.dir.path().join("pid").display()
            ))
            .arg(format!(
                "--init-file={}",
                self.dir.path().join("first.sql").display()
            ))
            .arg(format!("--port={}", self.port))
            .args(["--bind-address=127.0.0.1", "--skip-name-resolve"])
            .args([
                "--innodb-flush-log-at-trx-commit=0",
                "--innodb-buffer-pool-size=32M",
            ]);
        let port = self.port;
        let answers = || answers(port);
        self.server.launch(&start, &mut command, answers)
    }
}

/// The server speaks first.
fn answers(port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) else {
        return false;
    };
    let _ = stream.set_read_timeout(Some(Duration::from_secs(1)));
    stream.read(&mut [0; 16]).is_ok_and(|read| read > 0)
}

/// MariaDB does not run as root unless it is told to.
fn user() -> String {
    if rustix::process::geteuid().is_root() {
        return "root".to_owned();
    }
    std::env::var("USER").unwrap_or_default()
}

/// On PATH, or where Debian has it, which is not on everybody's PATH.
fn program() -> &'static str {
    const DEBIAN: &str = "/usr/sbin/mariadbd";
    if Path::new(DEBIAN).is_file() {
        DEBIAN
    } else {
        "mariadbd"
    }
}
