//! The servers that are measured against each other.

use anyhow::{Context, Result, bail};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::host::{APPS, Prepared};
use super::load::Load;
use super::peers::{Spin, Workerd, wasmtime};
use super::process::confined;
use super::{Options, crowd, scripts};
use crate::places::Places;

const ADDRESS: &str = "127.0.0.1:14080";
const READY: Duration = Duration::from_secs(120);

/// The yardstick's name.
pub(super) const BARE: &str = "bare hyper";

/// One server: how it is started, and the address that is loaded.
pub(super) struct Server {
    pub(super) name: String,
    /// What is loaded.
    url: String,
    /// What answers 200 once it is ready.
    ready: String,
    /// The host name asked for, if not the URL's: an app's own.
    host: Option<String>,
    /// What is sent, if not one GET again and again.
    script: Option<PathBuf>,
    /// Further arguments of its program.
    arguments: Vec<String>,
    /// The cores it has; none: all.
    cores: Option<String>,
    /// The core that the load is made on; none: any.
    load_core: Option<String>,
    /// Apps beside the measured ones.
    pub(super) crowd: usize,
    start: Box<dyn Fn() -> Command>,
}

/// All servers whose name is wanted, the yardstick first. Peers that are wanted are installed.
pub(super) fn all(
    places: &Places,
    options: &Options,
    prepared: &Prepared,
    crowds: [usize; 2],
) -> Result<Vec<Server>> {
    let ours = |name: &str, app, crowd| Server::lodge(name, prepared, app, crowd);
    let mut servers = vec![bare(places)];
    if options.wants("workerd, JavaScript") {
        let workerd = Workerd::install(places, ADDRESS)?;
        servers.push(Server::new("workerd, JavaScript", move || {
            workerd.command()
        }));
    }
    if options.wants("spin, 0.2")
        && let Some(spin) = Spin::find(places, "hello-p2.wasm")?
    {
        servers.push(Server::new("spin, 0.2", move || spin.command(ADDRESS)));
    }
    let reuse: &[&str] = &["--max-instance-reuse-count", "1000"];
    let kinds: [(&str, &str, &[&str], &str, &str); 5] = [
        ("0.2 (default)", "hello-p2.wasm", &[], "0.2 fresh", "fresh"),
        (
            "0.2 reuse 1000",
            "hello-p2.wasm",
            reuse,
            "0.2 reuse 1000",
            "reused",
        ),
        (
            "0.3 (default)",
            "hello-p3.wasm",
            &[],
            "0.3 (default)",
            "async",
        ),
        ("js, 0.2", "hello-js.wasm", &[], "js, 0.2 fresh", "js"),
        (
            "python, 0.2",
            "hello-py.wasm",
            &[],
            "python, 0.2 fresh",
            "py",
        ),
    ];
    for (theirs, guest, flags, name, app) in kinds {
        let peer = format!("wasmtime serve, {theirs}");
        if options.wants(&peer) {
            servers.push(wasmtime_serve(places, options, &peer, guest, flags)?);
        }
        if guest.ends_with("js.wasm") || guest.ends_with("py.wasm") {
            servers.push(ours(&format!("lodge, {name}"), app, 0));
            continue;
        }
        servers.push(ours(&format!("lodge, {name}, 1 app"), app, 0));
        for crowd in crowds {
            servers.push(ours(&format!("lodge, {name}, {crowd} apps"), app, crowd));
        }
        if app == "fresh" {
            let [_, most] = crowds;
            let name = format!("lodge, {name}, each of {most} apps");
            servers.push(spread(&name, places, prepared, most)?);
        }
    }
    servers.retain(|server| options.wants(&server.name));
    Ok(servers)
}

/// hyper alone.
pub(super) fn bare(places: &Places) -> Server {
    let program = places.target.join("release/bare-hyper");
    Server::new(BARE, move || {
        let mut command = Command::new(&program);
        command.arg(ADDRESS);
        command
    })
}

/// Each request to another of so many apps, with fresh instances.
pub(super) fn spread(
    name: &str,
    places: &Places,
    prepared: &Prepared,
    apps: usize,
) -> Result<Server> {
    let script = scripts::spread(&places.target.join("bench"), apps)?;
    Ok(Server::lodge(name, prepared, &crowd::name(0), apps).with_script(script))
}

fn wasmtime_serve(
    places: &Places,
    options: &Options,
    name: &str,
    guest: &str,
    flags: &[&str],
) -> Result<Server> {
    let program = wasmtime(places, options.wasmtime.as_ref())?;
    let guest = places.guests.join(guest);
    let flags: Vec<String> = flags.iter().map(|&flag| flag.to_owned()).collect();
    Ok(Server::new(name, move || {
        let mut command = Command::new(&program);
        command
            .arg("serve")
            .args(&flags)
            .args(["--addr", ADDRESS, "-S", "cli"])
            .arg(&guest);
        command
    }))
}

impl Server {
    fn new(name: &str, start: impl Fn() -> Command + 'static) -> Self {
        let url = format!("http://{ADDRESS}/");
        Self {
            name: name.to_owned(),
            ready: url.clone(),
            url,
            host: None,
            script: None,
            arguments: Vec::new(),
            cores: None,
            load_core: None,
            crowd: 0,
            start: Box::new(start),
        }
    }

    /// Lodge with so many apps beside the measured ones, of which this one is asked by its own host name.
    pub(super) fn lodge(name: &str, prepared: &Prepared, app: &str, crowd: usize) -> Self {
        let host = prepared.command(crowd);
        let mut server = Self::new(name, move || host.command());
        server.url = format!("http://{APPS}/");
        server.ready.clone_from(&server.url);
        server.host = Some(format!("{app}.localhost"));
        server.crowd = crowd;
        server
    }

    /// Loaded at this path (with its query) instead of `/`, and ready when that answers.
    pub(super) fn at(mut self, path: &str) -> Self {
        self.url = self.url.trim_end_matches('/').to_owned() + path;
        self.ready.clone_from(&self.url);
        self
    }

    /// Loaded at this path of the listener's own address, which the edge answers itself.
    pub(super) fn at_edge(mut self, path: &str) -> Self {
        self.url = self.url.trim_end_matches('/').to_owned() + path;
        self.host = None;
        self
    }

    pub(super) fn named(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    pub(super) fn with_argument(mut self, argument: &str) -> Self {
        self.arguments.push(argument.to_owned());
        self
    }

    pub(super) fn with_script(mut self, script: PathBuf) -> Self {
        self.script = Some(script);
        self
    }

    /// Confined to these cores, and the load to another one, if one is named.
    pub(super) fn on_cores(mut self, cores: &str, load: Option<&str>) -> Self {
        self.cores = Some(cores.to_owned());
        self.load_core = load.map(str::to_owned);
        self
    }

    /// Starts it and waits until it answers.
    pub(super) fn start(&self) -> Result<Running> {
        let mut command = (self.start)();
        command.args(&self.arguments);
        if let Some(cores) = &self.cores {
            command = confined(&command, cores);
        }
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("could not start {}", self.name))?;
        let running = Running(child);
        wait_for_host(&self.ready, self.host.as_deref())?;
        Ok(running)
    }

    /// The load to be put on it.
    pub(super) fn load(&self) -> Load<'_> {
        Load {
            url: &self.url,
            host: self.host.as_deref(),
            script: self.script.as_deref(),
            core: self.load_core.as_deref(),
        }
    }
}

/// A server that runs; ended when dropped, so that the next has the machine for itself.
pub(super) struct Running(Child);

impl Running {
    pub(super) fn pid(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        use rustix::process::{Pid, Signal, kill_process_group};
        // All fail only if it has ended. A group of its own is what a peer of several processes has.
        if let Some(group) = Pid::from_raw(self.0.id().cast_signed()) {
            _ = kill_process_group(group, Signal::KILL);
        }
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

/// Waits until an address answers 200.
pub(super) fn wait_for(url: &str) -> Result<()> {
    wait_for_host(url, None)
}

fn wait_for_host(url: &str, host: Option<&str>) -> Result<()> {
    let started = Instant::now();
    while started.elapsed() < READY {
        if get(url, host).is_ok_and(|(status, _)| status == 200) {
            return Ok(());
        }
        std::thread::park_timeout(Duration::from_millis(5));
    }
    bail!("{url} did not answer 200 within {} s", READY.as_secs())
}

/// One GET on a connection of its own: its status, and the time from connecting to the last byte.
pub(super) fn get(url: &str, name: Option<&str>) -> Result<(u16, Duration)> {
    use std::io::{Read as _, Write as _};
    let rest = url.strip_prefix("http://").context("not http")?;
    let (host, path) = rest.split_once('/').context("no path")?;
    let name = name.unwrap_or(host);
    let address: SocketAddr = host.parse()?;
    let started = Instant::now();
    let mut connection = TcpStream::connect_timeout(&address, Duration::from_secs(2))?;
    connection.set_nodelay(true)?;
    connection.set_read_timeout(Some(Duration::from_secs(35)))?;
    let request = format!("GET /{path} HTTP/1.1\r\nhost: {name}\r\nconnection: close\r\n\r\n");
    connection.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer)?;
    let took = started.elapsed();
    let status = answer
        .get(9..12)
        .and_then(|code| std::str::from_utf8(code).ok());
    let status = status
        .and_then(|code| code.parse().ok())
        .context("not HTTP")?;
    Ok((status, took))
}
