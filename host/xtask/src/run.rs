//! `cargo xtask run`: from nothing to a host with the sample apps, and where to go.
//!
//! The host is a child with a process group of its own, so that Ctrl-C reaches xtask alone and the host is
//! asked to stop once, gracefully. The root password is made on the first run and kept in
//! `data/root-login.txt` for this command's convenience only; the host itself keeps a hash.

use std::fs::{self, OpenOptions};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

use crate::guests;
use crate::places::Places;
use crate::progress::Steps;
use crate::shell::{cargo, output, run as sh};
use crate::system::{self, Need};
use crate::toolchain::Choice;
use crate::ui;

const APPS: [&str; 3] = ["hello", "stream", "desk"];
/// Those that keep something.
const WITH_DATABASE: [&str; 1] = ["desk"];
const EMAIL: &str = "root@lodge.localhost";
const READY: Duration = Duration::from_secs(60);
/// How long the host may take to let go of its requests.
const STOP: Duration = Duration::from_secs(45);

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// What the host keeps
    #[arg(long, default_value = "data")]
    data_dir: PathBuf,
    /// Build with optimizations
    #[arg(long)]
    release: bool,
    /// Where apps are reached
    #[arg(long, default_value = "127.0.0.1:13000")]
    listen: SocketAddr,
    /// Where the console and the API are reached
    #[arg(long, default_value = "127.0.0.1:13001")]
    admin_listen: SocketAddr,
}

pub(crate) fn run(places: &Places, options: &Options) -> Result<()> {
    let (interrupt, interrupted) = channel();
    let mut steps = Steps::new(6);
    steps.step("system packages", || system::ensure(&[Need::Compiler]))?;
    steps.step("sample apps", || {
        guests::run(
            places,
            &guests::Options {
                all: false,
                toolchain: Choice::Auto,
            },
        )
    })?;
    steps.step("web console", || ui::run_if_possible(places))?;
    let profile = if options.release { "release" } else { "dev" };
    steps.step(
        &format!("build lodge ({profile}; minutes the first time)"),
        || {
            let build = ["build", "--bin", "lodge", "--profile", profile];
            sh(cargo().args(build).current_dir(&places.root))
        },
    )?;
    ctrlc::set_handler(move || _ = interrupt.send(())).context("could not watch for Ctrl-C")?;
    let folder = if options.release { "release" } else { "debug" };
    let lodge = places.target.join(folder).join("lodge");
    let password = root_password(&places.root.join(&options.data_dir))?;
    for address in [options.listen, options.admin_listen] {
        // Before the host does: another server's answer to `/readyz` would be taken for its own.
        TcpListener::bind(address).with_context(|| format!("{address} is taken"))?;
    }
    let mut host = Host::start(&lodge, places, options, &password)?;
    let served = steps
        .step("start the host", || {
            host.ready(options.admin_listen, &interrupted)
        })
        .and_then(|()| {
            steps.step("deploy the sample apps", || {
                deploy(&lodge, places, options, &password)
            })
        });
    if let Err(error) = served {
        // The first error says more than how the host took being stopped.
        _ = host.stop();
        return Err(error);
    }
    print_addresses(options, &password);
    host.wait(&interrupted)
}

fn print_addresses(options: &Options, password: &str) {
    let (apps, admin) = (options.listen, options.admin_listen);
    println!();
    for app in APPS {
        println!(
            "  {app:<8} http://{apps}/apps/{app}/   http://{app}.localhost:{}/",
            apps.port()
        );
    }
    println!("  console  http://{admin}/");
    println!("  login    {EMAIL}   password {password}");
    println!("\nCtrl-C stops the host.");
}

/// The password of an earlier run, or a new one; only its owner may read the file.
fn root_password(data: &Path) -> Result<String> {
    let file = data.join("root-login.txt");
    if let Ok(text) = fs::read_to_string(&file)
        && let Some(password) = text
            .lines()
            .find_map(|line| line.strip_prefix("password: "))
    {
        return Ok(password.to_owned());
    }
    let mut bytes = [0u8; 12];
    getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("no random bytes: {error}"))?;
    let password = hex::encode(bytes);
    fs::create_dir_all(data)?;
    let mut login = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&file)?;
    writeln!(login, "email: {EMAIL}\npassword: {password}")?;
    Ok(password)
}

fn deploy(lodge: &Path, places: &Places, options: &Options, password: &str) -> Result<()> {
    let url = format!("http://{}", options.admin_listen);
    let mut login = Command::new(lodge);
    login
        .args([
            "login",
            "--email",
            EMAIL,
            "--password-stdin",
            "--print-token",
        ])
        .env("LODGE_URL", &url);
    let mut child = login.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    child
        .stdin
        .take()
        .context("no standard input")?
        .write_all(password.as_bytes())?;
    let answer = child.wait_with_output()?;
    if !answer.status.success() {
        bail!(
            "could not log in as {EMAIL}: if the root password was changed, put it into {}",
            places
                .root
                .join(&options.data_dir)
                .join("root-login.txt")
                .display()
        );
    }
    let token = String::from_utf8(answer.stdout).context("the token is not text")?;
    for app in APPS {
        let mut deploy = Command::new(lodge);
        deploy
            .arg("deploy")
            .arg(places.guests.join(format!("{app}.wasm")))
            .args(["--app", app]);
        if WITH_DATABASE.contains(&app) {
            deploy.args(["--database", "new_database"]);
        }
        output(
            deploy
                .env("LODGE_URL", &url)
                .env("LODGE_TOKEN", token.trim()),
        )?;
    }
    Ok(())
}

/// The running host.
struct Host(Child);

impl Host {
    fn start(lodge: &Path, places: &Places, options: &Options, password: &str) -> Result<Self> {
        let mut serve = Command::new(lodge);
        serve
            .arg("serve")
            .arg("--data-dir")
            .arg(places.root.join(&options.data_dir))
            .args(["--listen", &options.listen.to_string()])
            .args(["--admin-listen", &options.admin_listen.to_string()])
            .env("INIT_ROOT_EMAIL", EMAIL)
            .env("INIT_ROOT_PASSWORD", password)
            .stdin(Stdio::null())
            .process_group(0);
        serve
            .spawn()
            .map(Self)
            .with_context(|| format!("could not start {}", lodge.display()))
    }

    /// Waits until the host says that it serves.
    fn ready(&mut self, admin: SocketAddr, interrupted: &Receiver<()>) -> Result<()> {
        let started = Instant::now();
        loop {
            if let Some(status) = self.0.try_wait()? {
                bail!("the host ended as it started ({status}); its last lines are above");
            }
            if is_ready(admin).unwrap_or(false) {
                return Ok(());
            }
            if started.elapsed() > READY {
                bail!("the host was not ready after {} s", READY.as_secs());
            }
            if interrupted.recv_timeout(Duration::from_millis(50)).is_ok() {
                bail!("interrupted");
            }
        }
    }

    /// Until the host ends by itself, which is an error, or Ctrl-C.
    fn wait(&mut self, interrupted: &Receiver<()>) -> Result<()> {
        loop {
            match interrupted.recv_timeout(Duration::from_millis(200)) {
                Ok(()) | Err(RecvTimeoutError::Disconnected) => return self.stop(),
                Err(RecvTimeoutError::Timeout) => {}
            }
            if let Some(status) = self.0.try_wait()? {
                return judge(status);
            }
        }
    }

    fn stop(&mut self) -> Result<()> {
        if let Some(status) = self.0.try_wait()? {
            return judge(status);
        }
        println!("stopping the host");
        if let Some(pid) = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw) {
            // An error means that it has ended.
            _ = kill_process(pid, Signal::TERM);
        }
        let started = Instant::now();
        while started.elapsed() < STOP {
            if let Some(status) = self.0.try_wait()? {
                return judge(status);
            }
            std::thread::park_timeout(Duration::from_millis(50));
        }
        self.0.kill()?;
        bail!(
            "the host had not stopped after {} s and was killed",
            STOP.as_secs()
        );
    }
}

fn judge(status: ExitStatus) -> Result<()> {
    if status.success() {
        Ok(())
    } else {
        bail!("the host ended with {status}")
    }
}

/// Asks `/readyz`. A whole HTTP client for one status line would be most of this crate's build time.
fn is_ready(admin: SocketAddr) -> Result<bool> {
    let mut connection = TcpStream::connect_timeout(&admin, Duration::from_secs(1))?;
    connection.set_read_timeout(Some(Duration::from_secs(1)))?;
    write!(
        connection,
        "GET /readyz HTTP/1.1\r\nhost: {admin}\r\nconnection: close\r\n\r\n"
    )?;
    let mut start = [0u8; 12];
    connection.read_exact(&mut start)?;
    Ok(start.ends_with(b" 200"))
}
