//! The real program, started, stopped and killed.

use crate::api::Api;
use crate::visit::Visit;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The root user's login.
pub const EMAIL: &str = "root@test.example";
/// See [`EMAIL`].
pub const PASSWORD: &str = "correct horse battery staple";

/// A port of the system's choice.
pub const ANY_PORT: &str = "127.0.0.1:0";

const START: Duration = Duration::from_secs(60);
const STOP: Duration = Duration::from_secs(60);

/// A data directory that outlives hosts. It goes with its last user.
#[derive(Clone)]
pub struct DataDir(Arc<tempfile::TempDir>);

impl DataDir {
    /// An empty one.
    pub fn new() -> Self {
        Self(Arc::new(
            tempfile::Builder::new()
                .prefix("lodge-test-")
                .tempdir()
                .unwrap(),
        ))
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Default for DataDir {
    fn default() -> Self {
        Self::new()
    }
}

/// How a host is to be started.
#[derive(Default, Clone)]
pub struct Config {
    data: DataDir,
    arguments: Vec<String>,
    variables: Vec<(String, String)>,
    /// Where apps and the API are served; none: at any free ports.
    at: Option<[SocketAddr; 2]>,
    /// Whether the root user's password is the host's to make.
    makes_password: bool,
}

impl Config {
    /// With a data directory of another host, which must have ended.
    pub fn with_data(data: &DataDir) -> Self {
        Self {
            data: data.clone(),
            ..Self::default()
        }
    }

    /// With a further argument.
    #[must_use]
    pub fn argument(mut self, argument: &str) -> Self {
        self.arguments.push(argument.to_owned());
        self
    }

    /// With a variable in its environment, which is otherwise empty.
    #[must_use]
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With apps served at this port of 127.0.0.1, and the API at any free one.
    #[must_use]
    pub fn at_port(self, port: u16) -> Self {
        self.at_address([127, 0, 0, 1], port)
    }

    /// With apps served at this port of this address, and the API at any free one of it.
    #[must_use]
    pub fn at_address(mut self, address: [u8; 4], port: u16) -> Self {
        let at = |port| SocketAddr::from((address, port));
        self.at = Some([at(port), at(0)]);
        self
    }

    /// Without a password for the root user: the host makes one, and prints it.
    #[must_use]
    pub fn making_password(mut self) -> Self {
        self.makes_password = true;
        self
    }

    /// The data directory's path.
    pub fn data_dir(&self) -> &Path {
        self.data.path()
    }

    /// The command that serves apps at `listen`, its outputs not yet redirected.
    pub fn command(&self, listen: &str) -> Command {
        let mut command = Command::new(program());
        command
            .args(["serve", "--listen", listen, "--admin-listen"])
            .arg(
                self.at
                    .map_or(ANY_PORT.to_owned(), |[_, admin]| admin.to_string()),
            )
            .arg("--data-dir")
            .arg(self.data.path())
            .args(&self.arguments)
            .current_dir(self.data.path())
            .env_clear()
            .envs([
                ("INIT_ROOT_EMAIL", EMAIL),
                ("INIT_ROOT_PASSWORD", PASSWORD),
                ("RUST_BACKTRACE", "1"),
            ])
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null());
        if self.makes_password {
            command.env_remove("INIT_ROOT_PASSWORD");
        }
        command
    }

    /// Starts the host and waits until it serves.
    pub fn start(self) -> Host {
        Host::start_with(self)
    }
}

/// The program under test.
pub fn program() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let beside = test.ancestors().nth(2).unwrap().join("lodge");
    let built = std::env::var_os("LODGE_PROGRAM").map_or(beside, PathBuf::from);
    assert!(
        built.exists(),
        "{} is not built: run `cargo build --bin lodge`",
        built.display()
    );
    built
}

/// A running host. Dropped, it is killed.
pub struct Host {
    child: Child,
    config: Config,
    log: PathBuf,
    /// Where apps are served.
    pub apps: SocketAddr,
    /// Where the admin API is served.
    pub admin: SocketAddr,
    api: Option<Api>,
}

impl Host {
    /// A host with a data directory of its own and defaults.
    pub fn start() -> Self {
        Config::default().start()
    }

    fn start_with(config: Config) -> Self {
        let data = config.data.path();
        let (log, ready) = (data.join("host.log"), data.join("ready.json"));
        // A file of an earlier host would lie about ports.
        let _ = std::fs::remove_file(&ready);
        let file = File::options()
            .create(true)
            .append(true)
            .open(&log)
            .unwrap();
        let mut child = config
            .command(
                &config
                    .at
                    .map_or(ANY_PORT.to_owned(), |[apps, _]| apps.to_string()),
            )
            .arg("--ready-file")
            .arg(&ready)
            .stdout(file.try_clone().unwrap())
            .stderr(file)
            .spawn()
            .unwrap();
        let addresses = await_ready(&mut child, &ready, &log);
        let address = |name: &str| addresses[name].as_str().unwrap().parse().unwrap();
        Self {
            child,
            apps: address("apps"),
            admin: address("admin"),
            config,
            log,
            api: None,
        }
    }

    /// Its data directory.
    pub fn data(&self) -> &DataDir {
        &self.config.data
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Resident memory of its process, in bytes.
    pub fn resident_bytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }

    /// The admin API, as root.
    pub fn api(&mut self) -> Api {
        let admin = self.admin;
        self.api
            .get_or_insert_with(|| Api::log_in(admin, EMAIL, PASSWORD))
            .clone()
    }

    /// Uploads a test guest under its own name and creates an app of it; returns the app.
    pub fn deploy(&mut self, guest: &str, id: &str) -> Value {
        self.deploy_with(guest, id, json!({}))
    }

    /// As [`deploy`](Self::deploy), with further fields of the app.
    pub fn deploy_with(&mut self, guest: &str, id: &str, fields: Value) -> Value {
        let api = self.api();
        let digest = api.upload_guest(guest);
        let mut app = json!({ "id": id, "component": { "digest": digest } });
        app.as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        api.post("/api/apps", &app).expect(201)
    }

    /// A visit to an app by path.
    pub fn visit(&self, app: &str, path: &str) -> Visit {
        Visit::new(self.apps, "127.0.0.1", &format!("/apps/{app}{path}"))
    }

    /// A visit by host name.
    pub fn visit_host(&self, name: &str, path: &str) -> Visit {
        Visit::new(self.apps, name, path)
    }

    /// Kills it, as a power cut would.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again on the same data directory, after its end. Its credential still counts.
    pub fn start_again(&mut self) {
        let again = self.config.clone().start();
        let api = self.api.take().map(|api| api.at(again.admin));
        *self = again;
        self.api = api;
    }

    /// Starts it again at the addresses it had, for whoever has a page of it open.
    pub fn start_again_here(&mut self) {
        self.config.at = Some([self.apps, self.admin]);
        self.start_again();
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(
            Pid::from_raw(self.child.id().cast_signed()).unwrap(),
            signal,
        )
        .unwrap();
    }

    /// Asks it to stop and waits for its end; returns how it ended, and how to start it again.
    pub fn stop(mut self) -> (ExitStatus, Config) {
        self.signal(Signal::TERM);
        (self.wait(), self.config.clone())
    }

    /// Waits for its end.
    pub fn wait(&mut self) -> ExitStatus {
        let begin = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(
                begin.elapsed() < STOP,
                "the host does not end:\n{}",
                self.log_text()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// All that it has logged and printed, earlier hosts on this data directory included.
    pub fn log_text(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let running = matches!(self.child.try_wait(), Ok(None));
        if running {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        if std::thread::panicking() {
            eprintln!(
                "the end of the host's log (running: {running}):\n{}",
                end_of(&self.log_text())
            );
        }
    }
}

fn await_ready(child: &mut Child, ready: &Path, log: &Path) -> Value {
    let begin = Instant::now();
    let said = || std::fs::read_to_string(log).unwrap_or_default();
    loop {
        if let Ok(text) = std::fs::read_to_string(ready) {
            return serde_json::from_str(&text).unwrap();
        }
        if let Some(status) = child.try_wait().unwrap() {
            panic!(
                "the host ended as it started ({status}):\n{}",
                end_of(&said())
            );
        }
        if begin.elapsed() > START {
            let _ = child.kill();
            let _ = child.wait();
            panic!(
                "the host was not ready after {START:?}:\n{}",
                end_of(&said())
            );
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn end_of(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(40)..].join("\n")
}
