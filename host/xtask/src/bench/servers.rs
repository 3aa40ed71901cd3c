//! The servers that are measured against each other.

use anyhow::{Context, Result, bail};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::host::{APPS, Prepared};
use crate::places::Places;

const ADDRESS: &str = "127.0.0.1:14080";
const READY: Duration = Duration::from_secs(120);

/// One server: how it is started, and the address that is loaded.
pub(super) struct Server {
    pub(super) name: &'static str,
    pub(super) url: String,
    /// The host name asked for, if not the URL's: an app's own.
    pub(super) host: Option<String>,
    start: Box<dyn Fn() -> Command>,
}

/// All servers, the yardstick first.
pub(super) fn all(places: &Places, wasmtime: &Path, prepared: &Prepared) -> Vec<Server> {
    let bare = places.target.join("release/bare-hyper");
    let hyper = Server::new("bare hyper", move || {
        let mut command = Command::new(&bare);
        command.arg(ADDRESS);
        command
    });
    let peer = |name, guest: &str, flags: &'static [&'static str]| {
        let (program, guest) = (wasmtime.to_owned(), places.guests.join(guest));
        Server::new(name, move || {
            let mut command = Command::new(&program);
            command
                .arg("serve")
                .args(flags)
                .args(["--addr", ADDRESS])
                .args(["-S", "cli"])
                .arg(&guest);
            command
        })
    };
    let ours = |name, app: &'static str, crowded: bool| {
        let host = prepared.command(crowded);
        let mut server = Server::new(name, move || host.command());
        server.url = format!("http://{APPS}/");
        server.host = Some(format!("{app}.localhost"));
        server
    };
    vec![
        hyper,
        peer("wasmtime serve, 0.2 (default)", "hello-p2.wasm", &[]),
        ours("lodge, 0.2 fresh, 1 app", "fresh", false),
        ours("lodge, 0.2 fresh, 1000 apps", "fresh", true),
        peer(
            "wasmtime serve, 0.2 reuse 1000",
            "hello-p2.wasm",
            &["--max-instance-reuse-count", "1000"],
        ),
        ours("lodge, 0.2 reuse 1000, 1 app", "reused", false),
        ours("lodge, 0.2 reuse 1000, 1000 apps", "reused", true),
        peer("wasmtime serve, 0.3 (default)", "hello-p3.wasm", &[]),
        ours("lodge, 0.3 (default), 1 app", "async", false),
        ours("lodge, 0.3 (default), 1000 apps", "async", true),
        peer("wasmtime serve, js, 0.2", "hello-js.wasm", &[]),
        ours("lodge, js, 0.2 fresh", "js", false),
        peer("wasmtime serve, python, 0.2", "hello-py.wasm", &[]),
        ours("lodge, python, 0.2 fresh", "py", false),
    ]
}

impl Server {
    fn new(name: &'static str, start: impl Fn() -> Command + 'static) -> Self {
        Self {
            name,
            url: format!("http://{ADDRESS}/"),
            host: None,
            start: Box::new(start),
        }
    }

    /// Starts it and waits until it answers.
    pub(super) fn start(&self) -> Result<Running> {
        let child = (self.start)()
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("could not start {}", self.name))?;
        let running = Running(child);
        wait_for_host(&self.url, self.host.as_deref())?;
        Ok(running)
    }
}

/// A server that runs; ended when dropped.
pub(super) struct Running(Child);

impl Running {
    /// Ends it and waits for its end, so that the next has the machine for itself.
    pub(super) fn stop(mut self) -> Result<()> {
        self.0.kill()?;
        self.0.wait()?;
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only if it has ended.
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
