//! An S3 server of a test's own: its own folder and port, gone with it.
//!
//! It is s3rver: a real HTTP server that speaks S3's API and knows one user. (It looks at who signed a
//! request, and not whether the signature of version 4 is right.) It comes from the npm
//! registry, in the versions of `tests/harness/s3/package-lock.json`, once: the first test that needs it
//! installs it below `target/` (some seconds), the others wait for that.

use crate::server::{Server, Start, free_port};
use anyhow::{Context, Result, bail};
use std::fs::File;
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

const NOT_INSTALLED: &str = "the S3 server of the tests cannot be installed (s3rver, from the npm registry): \
    it needs Node.js with npm, and once the network";
const BUCKET: &str = "components";
/// The only user that it knows, and their key.
const USER: &str = "S3RVER";

/// A running server with one bucket. Dropped, it is killed and its files go.
#[derive(Debug)]
pub struct S3 {
    dir: TempDir,
    program: PathBuf,
    port: u16,
    server: Server,
}

impl S3 {
    /// Starts a server with an empty bucket on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// It cannot be installed, or does not start (the error has its log).
    pub fn start() -> Result<Self> {
        let mut this = Self {
            dir: tempfile::Builder::new().prefix("lodge-s3-").tempdir()?,
            program: installed().context(NOT_INSTALLED)?,
            port: free_port()?,
            server: Server::default(),
        };
        this.launch()?;
        Ok(this)
    }

    /// The bucket's URL with a prefix.
    pub fn url(&self, prefix: &str) -> String {
        format!("s3://{BUCKET}/{prefix}")
    }

    /// The variables that lead there.
    pub fn variables(&self) -> Vec<(String, String)> {
        [
            ("AWS_ENDPOINT", format!("http://127.0.0.1:{}", self.port)),
            ("AWS_ACCESS_KEY_ID", USER.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", USER.to_owned()),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_ALLOW_HTTP", "true".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec()
    }

    /// Ends the server at once, as a crash would. What it has stays on disk.
    pub fn kill(&mut self) {
        self.server.kill();
    }

    /// Starts a killed server again on the same port with what it had.
    ///
    /// # Errors
    /// It does not start again.
    pub fn restart(&mut self) -> Result<()> {
        self.kill();
        self.launch()
    }

    fn launch(&mut self) -> Result<()> {
        let start = Start {
            name: "the S3 server",
            dir: self.dir.path(),
            port: self.port,
            not_installed: NOT_INSTALLED,
        };
        let mut command = Command::new("node");
        command
            .arg(&self.program)
            .arg("--directory")
            .arg(self.dir.path().join("data"))
            .args(["--address", "127.0.0.1", "--port", &self.port.to_string()])
            .args(["--no-vhost-buckets", "--configure-bucket", BUCKET]);
        let address = (Ipv4Addr::LOCALHOST, self.port);
        let answers = || TcpStream::connect(address).is_ok();
        self.server.launch(&start, &mut command, answers)
    }
}

/// The server's program, installed if it is not.
fn installed() -> Result<PathBuf> {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let wanted = std::fs::read(crate_folder.join("s3/package-lock.json"))?;
    let folder = crate_folder.join("../../target/s3");
    std::fs::create_dir_all(&folder)?;
    // One test installs, whatever process it is in.
    let lock = File::create(folder.join("lock"))?;
    lock.lock()?;
    let program = folder.join("node_modules/s3rver/bin/s3rver.js");
    // Written last: what is there is whole and of these versions.
    let mark = folder.join("installed");
    if std::fs::read(&mark).is_ok_and(|found| found == wanted) && program.is_file() {
        return Ok(program);
    }
    for name in ["package.json", "package-lock.json"] {
        std::fs::copy(crate_folder.join("s3").join(name), folder.join(name))?;
    }
    let npm = Command::new("npm")
        .args([
            "ci",
            "--no-audit",
            "--no-fund",
            "--ignore-scripts",
            "--silent",
        ])
        .current_dir(&folder)
        .stdin(Stdio::null())
        .output()?;
    if !npm.status.success() {
        bail!(
            "npm ci ended with {}: {}",
            npm.status,
            String::from_utf8_lossy(&npm.stderr)
        );
    }
    std::fs::write(&mark, wanted)?;
    Ok(program)
}
