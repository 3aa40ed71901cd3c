//! A user at a terminal.

use lodge_harness::{EMAIL, Host, PASSWORD};
use serde_json::Value;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// A user with a home of their own, before a host.
pub(crate) struct User {
    pub(crate) host: Host,
    pub(crate) home: TempDir,
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl User {
    pub(crate) fn new() -> Self {
        Self::before(Host::start())
    }

    pub(crate) fn before(host: Host) -> Self {
        Self {
            host,
            home: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn logged_in() -> Self {
        Self::logged_in_before(Host::start())
    }

    pub(crate) fn logged_in_before(host: Host) -> Self {
        let user = Self::before(host);
        let login = user.run_with(&["login", "--email", EMAIL, "--password-stdin"], PASSWORD);
        assert_eq!(login.code, 0, "{login:?}");
        user
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lodge"));
        command
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", self.home.path())
            .env("LODGE_URL", format!("http://{}", self.host.admin))
            .current_dir(self.home.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        self.run_with(arguments, "")
    }

    pub(crate) fn run_with(&self, arguments: &[&str], input: &str) -> Ended {
        end(self.command(arguments).spawn().unwrap(), input)
    }

    /// What a command that succeeds prints.
    #[track_caller]
    pub(crate) fn ok(&self, line: &str) -> String {
        let arguments: Vec<_> = line.split_whitespace().collect();
        let ended = self.run(&arguments);
        assert_eq!(ended.code, 0, "lodge {line}: {ended:?}");
        ended.out
    }

    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let ended = self.run(&[arguments, &["--json"]].concat());
        assert_eq!((ended.code, ended.err.as_str()), (0, ""), "{ended:?}");
        serde_json::from_str(&ended.out).unwrap()
    }

    pub(crate) fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.home.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

pub(crate) fn end(mut child: Child, input: &str) -> Ended {
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ended {
        code: output.status.code().unwrap(),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}
