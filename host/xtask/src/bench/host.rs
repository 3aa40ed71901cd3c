//! Lodge as it is measured: data folders made beforehand, one with the measured apps alone, the others with crowds
//! of 1,000 or 10,000 that run beside them. A folder with a crowd begins as a copy of the first.

use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::crowd::Api;
use super::process::{resident_bytes, until_at_rest};
use super::report::Report;
use super::servers::{get, wait_for};
use crate::places::Places;
use crate::shell::{output, run as sh};

/// Where the measured host serves apps.
pub(super) const APPS: &str = "127.0.0.1:14000";
const ADMIN: &str = "127.0.0.1:14001";
const EMAIL: &str = "bench@lodge.localhost";
const PASSWORD: &str = "only-for-the-benchmark";
/// Apps whose first start is timed.
const COLD: usize = 100;

/// The measured apps: name, guest, settings.
const MEASURED: &[(&str, &str, &[&str])] = &[
    ("fresh", "hello-p2.wasm", &[]),
    (
        "reused",
        "hello-p2.wasm",
        &["--limit", "instance_reuse=1000"],
    ),
    ("async", "hello-p3.wasm", &[]),
    ("js", "hello-js.wasm", &[]),
    (
        "py",
        "hello-py.wasm",
        &[
            "--limit",
            "memory_bytes=4GiB",
            "--limit",
            "instance_memory_bytes=128MiB",
        ],
    ),
    ("echo", "echo-p2.wasm", &["--limit", "memory_bytes=4GiB"]),
    (
        "allocate",
        "allocate-p2.wasm",
        &["--limit", "memory_bytes=4GiB"],
    ),
];

/// The data folders.
pub(super) struct Prepared {
    lodge: PathBuf,
    guests: PathBuf,
    folder: PathBuf,
}

/// How to start one of the hosts.
#[derive(Clone)]
pub(super) struct HostCommand {
    lodge: PathBuf,
    data: PathBuf,
}

impl HostCommand {
    pub(super) fn command(&self) -> Command {
        let mut command = Command::new(&self.lodge);
        command
            .arg("serve")
            .arg("--data-dir")
            .arg(&self.data)
            .args(["--listen", APPS, "--admin-listen", ADMIN])
            .env("INIT_ROOT_EMAIL", EMAIL)
            .env("INIT_ROOT_PASSWORD", PASSWORD)
            .env("RUST_LOG", "warn");
        command
    }
}

/// A host that runs.
pub(super) struct BenchHost(Child);

impl BenchHost {
    pub(super) fn start(command: &HostCommand) -> Result<Self> {
        let child = command
            .command()
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let host = Self(child);
        wait_for(&format!("http://{ADMIN}/readyz"))?;
        Ok(host)
    }

    pub(super) fn pid(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for BenchHost {
    fn drop(&mut self) {
        // Both fail only if it has ended.
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

impl Prepared {
    pub(super) fn new(places: &Places, lodge: &Path) -> Self {
        Self {
            lodge: lodge.to_owned(),
            guests: places.guests.clone(),
            folder: places.target.join("bench"),
        }
    }

    /// Makes the folders with crowds of these sizes anew, and the one without.
    pub(super) fn make(&self, crowds: &[usize]) -> Result<()> {
        let alone = self.command(0);
        if alone.data.exists() {
            fs::remove_dir_all(&alone.data)?;
        }
        fs::create_dir_all(&alone.data)?;
        let host = BenchHost::start(&alone)?;
        Client::log_in(&self.lodge)?.create_measured(&self.guests)?;
        drop(host);
        for crowd in crowds.iter().copied().filter(|crowd| *crowd > 0) {
            let crowded = self.command(crowd);
            if crowded.data.exists() {
                fs::remove_dir_all(&crowded.data)?;
            }
            sh(Command::new("cp")
                .arg("--recursive")
                .args([&alone.data, &crowded.data]))?;
            let host = BenchHost::start(&crowded)?;
            Client::log_in(&self.lodge)?.create_others(crowd)?;
            until_at_rest(host.pid())?;
        }
        Ok(())
    }

    /// A host with so many apps beside the measured ones.
    pub(super) fn command(&self, crowd: usize) -> HostCommand {
        HostCommand {
            lodge: self.lodge.clone(),
            data: self.folder.join(format!("data-{crowd}")),
        }
    }

    /// Memory of the process with few and many running apps, the time until all of them run after a
    /// restart, and the first visits of apps that wait for theirs.
    pub(super) fn memory_and_starts(&self, crowd: usize, report: &mut Report) -> Result<()> {
        let host = BenchHost::start(&self.command(0))?;
        let client = Client::log_in(&self.lodge)?;
        client.wait_running(MEASURED.len())?;
        report.note(
            "memory, measured apps only (MiB)",
            mib(resident_bytes(host.pid())?),
        );
        drop(host);
        let started = Instant::now();
        let host = BenchHost::start(&self.command(crowd))?;
        report.note(
            "restart with the crowd until it serves (ms)",
            started.elapsed().as_secs_f64() * 1e3,
        );
        let client = Client::log_in(&self.lodge)?;
        client.wait_running(MEASURED.len() + crowd)?;
        report.note(
            "restart with the crowd until all run (ms)",
            started.elapsed().as_secs_f64() * 1e3,
        );
        report.note(
            "memory, with the crowd running (MiB)",
            mib(resident_bytes(host.pid())?),
        );
        let mut first = Vec::new();
        for index in 0..COLD {
            let (status, took) = get(&format!("http://{APPS}/apps/cold-{index}/"), None)?;
            if status != 200 {
                bail!("the first visit of cold-{index} was answered {status}");
            }
            first.push(took.as_secs_f64() * 1e3);
        }
        first.sort_by(f64::total_cmp);
        report.note(
            "first visit of a waiting app, median (ms)",
            percentile(&first, 50),
        );
        report.note(
            "first visit of a waiting app, p95 (ms)",
            percentile(&first, 95),
        );
        Ok(())
    }
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

fn percentile(sorted: &[f64], percent: usize) -> f64 {
    let index = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    sorted.get(index).copied().unwrap_or_default()
}

/// The command line, logged in.
struct Client {
    lodge: PathBuf,
    token: String,
}

impl Client {
    fn log_in(lodge: &Path) -> Result<Self> {
        use std::io::Write as _;
        let mut child = Command::new(lodge)
            .args([
                "login",
                "--email",
                EMAIL,
                "--password-stdin",
                "--print-token",
            ])
            .env("LODGE_URL", format!("http://{ADMIN}"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        child
            .stdin
            .take()
            .context("no standard input")?
            .write_all(PASSWORD.as_bytes())?;
        let answer = child.wait_with_output()?;
        if !answer.status.success() {
            bail!("could not log in to the measured host");
        }
        Ok(Self {
            lodge: lodge.to_owned(),
            token: String::from_utf8(answer.stdout)?.trim().to_owned(),
        })
    }

    fn run(&self, words: &[&str]) -> Result<String> {
        output(
            Command::new(&self.lodge)
                .args(words)
                .env("LODGE_URL", format!("http://{ADMIN}"))
                .env("LODGE_TOKEN", &self.token),
        )
    }

    fn create_measured(&self, guests: &Path) -> Result<()> {
        for (app, guest, settings) in MEASURED {
            let file = guests.join(guest);
            let name = guest.trim_end_matches(".wasm");
            let mut words = vec![
                "deploy",
                file.to_str().context("a path that is not text")?,
                "--app",
                app,
            ];
            words.extend([
                "--name",
                name,
                "--component-version",
                "1.0.0",
                "--start-mode",
                "with-host",
            ]);
            words.extend(*settings);
            self.run(&words)?;
        }
        Ok(())
    }

    /// Those that run beside the measured ones, and those whose first visit is timed.
    fn create_others(&self, crowd: usize) -> Result<()> {
        let fresh = self.run(&["app", "show", "fresh", "--json"])?;
        let fresh: serde_json::Value = serde_json::from_str(&fresh)?;
        let digest = fresh.pointer("/component/digest");
        let digest = digest.and_then(|text| text.as_str()).context("no digest")?;
        let api = Api {
            at: ADMIN,
            token: &self.token,
        };
        api.create(crowd, digest)?;
        for index in 0..COLD {
            let app = format!("cold-{index}");
            self.run(&["app", "create", &app, "--component", "hello-p2@1.0.0"])?;
        }
        Ok(())
    }

    /// Waits until this many apps run.
    fn wait_running(&self, count: usize) -> Result<()> {
        let started = Instant::now();
        while started.elapsed() < Duration::from_secs(120) {
            if self.running()? >= count {
                return Ok(());
            }
            std::thread::park_timeout(Duration::from_millis(20));
        }
        bail!("not all of {count} apps ran within 120 s")
    }

    fn running(&self) -> Result<usize> {
        let list: serde_json::Value = serde_json::from_str(&self.run(&["app", "list", "--json"])?)?;
        let items = list
            .get("items")
            .and_then(|items| items.as_array())
            .context("no items")?;
        let runs = |app: &&serde_json::Value| {
            app.pointer("/observed/0/status")
                .is_some_and(|status| status == "running")
        };
        Ok(items.iter().filter(runs).count())
    }
}
