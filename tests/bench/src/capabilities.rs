//! What the capabilities cost: the same work through Lodge and natively (`native-peer`), in one run,
//! interleaved, on SQLite files and PostgreSQL databases of their own. Prints ratios of medians.
//!
//! `capabilities [ROUNDS] [SECONDS]`; needs `lodge`, `native-peer` and `bare-hyper` beside it, `wrk`, and the
//! guest `bench-p3`. `cargo xtask bench` runs it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a measuring tool: what goes wrong ends it"
)]

use lodge_harness::postgres::Postgres;
use lodge_harness::{Config, Host};
use serde_json::json;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const APP: &str = "bench";
/// What is done, its path, and the share of the native rate that is aimed at.
const WORK: [(&str, &str, Option<f64>); 4] = [
    ("one row by its key", "/point", Some(0.7)),
    ("10,000 rows, streamed", "/rows", Some(0.85)),
    ("one token verified", "/jwt", None),
    ("one outgoing request", "/out", None),
];

fn main() {
    let number = |at: usize, default: u64| {
        let given = std::env::args().nth(at);
        given.map_or(default, |text| text.parse().expect("a number"))
    };
    let (rounds, seconds) = (number(1, 5), number(2, 5));
    let outbound = Peer::start("bare-hyper", &[]);
    let target = format!("http://{}/", outbound.address);
    println!(
        "| work | native req/s | lodge req/s | of native | aim |\n| --- | --- | --- | --- | --- |"
    );
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("native.db").display().to_string();
    let native = Peer::start("native-peer", &[&file, &target]);
    compare(
        "SQLite",
        &WORK,
        &native,
        &deploy(outbound.address, None),
        rounds,
        seconds,
    );
    drop(native);
    let server = Postgres::start().unwrap();
    let database = server.create_database("native").unwrap();
    let native = Peer::start("native-peer", &[&database, &target]);
    let host = deploy(outbound.address, Some(&server.url("postgres")));
    compare("PostgreSQL", &WORK[..2], &native, &host, rounds, seconds);
}

fn compare(
    engine: &str,
    work: &[(&str, &str, Option<f64>)],
    native: &Peer,
    host: &Host,
    rounds: u64,
    seconds: u64,
) {
    let lodge = format!("http://{}", host.apps);
    let native = format!("http://{}", native.address);
    for (what, path, aim) in work {
        let (mut theirs, mut ours) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            theirs.push(load(&format!("{native}{path}"), None, seconds));
            ours.push(load(&format!("{lodge}{path}"), Some(APP), seconds));
        }
        let (theirs, ours) = (median(theirs), median(ours));
        let aim = aim.map_or("-".to_owned(), |aim| aim.to_string());
        let engine = match *path {
            "/point" | "/rows" => format!(" ({engine})"),
            _ => String::new(),
        };
        println!(
            "| {what}{engine} | {theirs:.0} | {ours:.0} | {:.2} | {aim} |",
            ours / theirs
        );
    }
}

/// A host with the app, its table filled by its own `/setup`.
fn deploy(outbound: SocketAddr, service: Option<&str>) -> Host {
    let mut config = Config::default()
        .argument("--outbound-private-networks")
        .argument("127.0.0.0/8");
    if let Some(service) = service {
        config = config.variable("APPS_DATABASE_URL", service);
    }
    let mut host = config.start();
    let fields = json!({
        "database": { "kind": "new_database" },
        "outbound_hosts": [outbound.to_string()],
        "config": { "outbound_authority": { "value": outbound.to_string() } },
    });
    host.deploy_with("bench-p3", APP, fields);
    let reply = host.visit(APP, "/setup").send();
    assert_eq!(reply.status, 200, "{}", reply.text());
    for (_, path, _) in WORK {
        let reply = host.visit(APP, path).send();
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
    }
    host
}

/// Requests a second, by `wrk` with one thread and 32 connections.
fn load(url: &str, app: Option<&str>, seconds: u64) -> f64 {
    let output = Command::new("wrk")
        .args(["--threads", "1", "--connections", "32", "--duration"])
        .arg(format!("{seconds}s"))
        .args(app.map(|app| format!("--header=Host: {app}.localhost")))
        .arg(url)
        .output()
        .expect("wrk is not installed");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(!text.contains("Non-2xx"), "{url}: {text}");
    let rate = text
        .lines()
        .find_map(|line| line.strip_prefix("Requests/sec:"));
    rate.and_then(|rate| rate.trim().parse().ok())
        .unwrap_or_else(|| panic!("{url}: {text}"))
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}

/// A server beside this program; ended when dropped.
struct Peer {
    child: Child,
    address: SocketAddr,
}

impl Peer {
    fn start(program: &str, arguments: &[&str]) -> Self {
        let here: PathBuf = std::env::current_exe().unwrap();
        let address = TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .unwrap();
        let child = Command::new(here.with_file_name(program))
            .arg(address.to_string())
            .args(arguments)
            .stdin(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("{program}: {error}"));
        let begun = Instant::now();
        while std::net::TcpStream::connect(address).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(30), "{program}");
            std::thread::park_timeout(Duration::from_millis(20));
        }
        Self { child, address }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // Both fail only if it has ended.
        _ = self.child.kill();
        _ = self.child.wait();
    }
}
