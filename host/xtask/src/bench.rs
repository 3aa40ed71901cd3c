//! `cargo xtask bench`: the figures of docs/benchmarks.md, measured on this machine.
//!
//! Every server answers the same component's request under the same load (`wrk`, one thread), one
//! server at a time, interleaved: each round measures every server once, in order, so that a slow
//! spell of the machine hits them all. What is quoted are medians and ratios, never one number. The
//! load generator shares the machine with the server; compare within one run only.
//!
//! `--only isolation` measures what apps notice of each other, `--only density` what idle ones cost, `--only soak`
//! whether all comes back that hostile ones take; `--only cluster` and `--only scale` several
//! environments: a supervisor, its workers and a real Redis. They are tools of `tests/bench`, since they drive
//! the real program.

mod host;
mod load;
mod report;
mod servers;
mod tools;

use anyhow::{Result, bail};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use crate::guests;
use crate::places::Places;
use crate::progress::{Steps, say};
use crate::shell::{cargo, run as sh};
use crate::system::{self, Need};
use crate::toolchain::Choice;
use host::{BenchHost, Prepared};
use load::Load;
use report::Report;
use servers::Server;
use tools::Part;

/// The peer, at the version of our own Wasmtime.
const WASMTIME_CLI: &str = "48.0.8";
/// Apps beside the measured one, in the crowded measurements.
const CROWD: usize = 1_000;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Times each server is measured
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Seconds a measurement lasts
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Only servers whose name holds this; `isolation`: only what apps notice of each other;
    /// `density`: only 10,000 idle apps; `soak`: only 20 minutes of mixed load; `cluster`: only several
    /// environments; `scale`: only 200 simulated workers
    #[arg(long)]
    only: Option<String>,
    /// A `wasmtime` of your own to measure against
    #[arg(long)]
    wasmtime: Option<PathBuf>,
    /// Leave out memory and start times, the capabilities, and several environments
    #[arg(long)]
    quick: bool,
}

pub(crate) fn run(places: &Places, options: &Options) -> Result<()> {
    match options.only.as_deref() {
        Some("cluster") => return tools::run(places, options, &[Part::Cluster]),
        Some("density") => return tools::run(places, options, &[Part::Density]),
        Some("soak") => return tools::run(places, options, &[Part::Soak]),
        Some("isolation") => return tools::run(places, options, &[Part::Isolation]),
        Some("scale") => return tools::run(places, options, &[Part::Scale]),
        _ => {}
    }
    let all = !options.quick && options.only.is_none();
    let mut steps = Steps::new(if all { 8 } else { 6 });
    steps.step("system packages", || {
        system::ensure(&[Need::Compiler, Need::Wrk])
    })?;
    steps.step("guests", || {
        guests::run(
            places,
            &guests::Options {
                all: true,
                toolchain: Choice::Auto,
            },
        )
    })?;
    steps.step("build lodge and the peers (release)", || {
        let binaries = [
            "build",
            "--release",
            "--bin",
            "lodge",
            "--bin",
            "bare-hyper",
            "--bin",
            "native-peer",
            "--bin",
            "capabilities",
        ];
        sh(cargo().args(binaries).current_dir(&places.root))
    })?;
    let wasmtime = steps.step("wasmtime serve", || wasmtime(places, options))?;
    let prepared = steps.step("upload the components, create the apps", || {
        Prepared::make(places, CROWD)
    })?;
    let mut report = Report::default();
    steps.step("measure", || {
        throughput(places, options, &wasmtime, &prepared, &mut report)?;
        if all {
            prepared.memory_and_starts(&mut report)?;
        }
        Ok(())
    })?;
    if all {
        steps.step(
            "the capabilities beside the same work done natively",
            || sh(tool(places, "capabilities").args(amounts(options))),
        )?;
        steps.step("isolation, and several environments", || {
            tools::run(
                places,
                options,
                &[Part::Isolation, Part::Density, Part::Cluster, Part::Scale],
            )
        })?;
    }
    report.print();
    report.save(&places.target.join("bench/results.json"))
}

/// One of the measuring tools of `tests/bench`, which start the built program themselves.
fn tool(places: &Places, name: &str) -> Command {
    let mut command = Command::new(places.target.join("release").join(name));
    command.env("LODGE_PROGRAM", places.target.join("release/lodge"));
    command
}

/// How often and how long, as tools take it.
fn amounts(options: &Options) -> [String; 2] {
    [options.rounds.to_string(), options.seconds.to_string()]
}

fn throughput(
    places: &Places,
    options: &Options,
    wasmtime: &std::path::Path,
    prepared: &Prepared,
    report: &mut Report,
) -> Result<()> {
    let wanted = |server: &Server| {
        options
            .only
            .as_ref()
            .is_none_or(|only| server.name.contains(only.as_str()))
    };
    let servers = servers::all(places, wasmtime, prepared);
    for round in 1..=options.rounds {
        for server in servers.iter().filter(|server| wanted(server)) {
            let running = server.start()?;
            Load::new(&server.url, server.host.as_deref(), Duration::from_secs(1)).run()?;
            let result = Load::new(
                &server.url,
                server.host.as_deref(),
                Duration::from_secs(options.seconds),
            )
            .run()?;
            running.stop()?;
            if result.errors > 0 {
                bail!("{}: {} requests failed", server.name, result.errors);
            }
            say(&format!(
                "round {round}/{}: {:<34} {:>9.0} req/s  p50 {:.2} ms  p99 {:.2} ms",
                options.rounds, server.name, result.per_second, result.p50_ms, result.p99_ms
            ));
            report.add(server.name, result);
        }
    }
    Ok(())
}

/// The peer's program: the one named, or built once into the target folder (minutes).
fn wasmtime(places: &Places, options: &Options) -> Result<PathBuf> {
    if let Some(given) = &options.wasmtime {
        return Ok(given.clone());
    }
    let root = places.target.join("bench/tools");
    let program = root.join("bin/wasmtime");
    if !program.exists() {
        say("building it once; this takes minutes");
        sh(cargo()
            .args(["install", "wasmtime-cli", "--locked", "--version", WASMTIME_CLI])
            .args(["--no-default-features", "--features"])
            .arg("serve,run,component-model,component-model-async,cranelift,pooling-allocator,wasi-http")
            .arg("--root")
            .arg(&root)
            .env("CARGO_TARGET_DIR", places.target.join("bench/build")))?;
    }
    Ok(program)
}

/// Bytes of a process that are in memory.
fn resident_bytes(host: &BenchHost) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", host.pid()))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line
        .and_then(|line| line.trim().strip_suffix(" kB"))
        .and_then(|kib| kib.trim().parse::<u64>().ok());
    kib.map(|kib| kib * 1024)
        .ok_or_else(|| anyhow::anyhow!("no VmRSS in /proc"))
}
