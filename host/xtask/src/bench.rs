//! `cargo xtask bench`: the figures of docs/benchmarks.md, measured on this machine.
//!
//! Every server answers the same component's request under the same load (`wrk`, one thread), one
//! server at a time, interleaved: each round measures every server once, in order, so that a slow
//! spell of the machine hits them all. What is quoted are medians and ratios, never one number. The
//! load generator shares the machine with the server; compare within one run only.
//!
//! The peers are `wasmtime serve` (built once by `cargo install`), workerd (an npm package) and, where it is on PATH, Spin.
//! Lodge is measured with 1, 1,000 and 10,000 apps: one of them asked, and each of them in turn. `--only` measures the
//! servers whose name holds that, and installs and prepares what they need; `--no-build` measures what is built.
//!
//! `--only cost` measures the CPU time of a request, by stages and as it grows (`bench/cost`).
//!
//! `--only isolation` measures what apps notice of each other, `--only density` what idle ones cost, `--only soak`
//! whether all comes back that hostile ones take; `--only cluster` and `--only scale` several
//! environments: a supervisor, its workers and a real Redis. They are tools of `tests/bench`, since they drive
//! the real program.

mod cost;
mod crowd;
mod host;
mod load;
mod peers;
mod process;
mod report;
mod scripts;
mod servers;
mod tools;

use anyhow::{Result, bail};
use std::path::PathBuf;
use std::process::Command;

use crate::guests;
use crate::places::Places;
use crate::progress::{Steps, say};
use crate::shell::{cargo, run as sh};
use crate::system::{self, Need};
use host::Prepared;
use process::until_at_rest;
use report::Report;
use servers::Server;
use tools::Part;

/// Apps beside the measured one, in the crowded measurements.
const CROWDS: [usize; 2] = [1_000, 10_000];

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Times each server is measured
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Seconds a measurement lasts
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Only servers whose name holds this, or one of several: `hyper|lodge`; `cost`: only the CPU time of a request, by stages and as it grows
    /// (`cost-stages`, `cost-apps`, `cost-cores`, `cost-instances`, `cost-bodies`: a part of it); `isolation`: only what apps notice of each other;
    /// `density`: only 10,000 idle apps; `soak`: only 20 minutes of mixed load; `cluster`: only several
    /// environments; `scale`: only 200 simulated workers
    #[arg(long)]
    only: Option<String>,
    /// A `wasmtime` of your own to measure against
    #[arg(long)]
    wasmtime: Option<PathBuf>,
    /// A `lodge` of your own to measure, such as an older one
    #[arg(long)]
    lodge: Option<PathBuf>,
    /// Leave out memory and start times, the capabilities, and several environments
    #[arg(long)]
    quick: bool,
    /// Measure the programs and guests that are built, as they are
    #[arg(long)]
    no_build: bool,
}

impl Options {
    /// Whether a server of this name is to be measured.
    fn wants(&self, name: &str) -> bool {
        let only = self.only.as_deref();
        only.is_none_or(|only| only.split('|').any(|one| name.contains(one)))
    }

    /// The host that is measured.
    fn lodge(&self, places: &Places) -> PathBuf {
        let own = self.lodge.clone();
        own.unwrap_or_else(|| places.target.join("release/lodge"))
    }
}

pub(crate) fn run(places: &Places, options: &Options) -> Result<()> {
    match options.only.as_deref() {
        Some("cluster") => return tools::run(places, options, &[Part::Cluster]),
        Some("density") => return tools::run(places, options, &[Part::Density]),
        Some("soak") => return tools::run(places, options, &[Part::Soak]),
        Some("isolation") => return tools::run(places, options, &[Part::Isolation]),
        Some("scale") => return tools::run(places, options, &[Part::Scale]),
        Some(only) if only.starts_with("cost") => return cost::run(places, options),
        _ => {}
    }
    let all = !options.quick && options.only.is_none();
    let mut steps = Steps::new(if all { 8 } else { 6 });
    build(places, options, &mut steps)?;
    let prepared = Prepared::new(places, &options.lodge(places));
    let servers = steps.step("the peers", || {
        servers::all(places, options, &prepared, CROWDS)
    })?;
    steps.step("upload the components, create the apps", || {
        let crowds = CROWDS.into_iter();
        let wanted = crowds.filter(|crowd| all || servers.iter().any(|one| one.crowd == *crowd));
        prepared.make(&wanted.collect::<Vec<_>>())
    })?;
    let mut report = Report::default();
    steps.step("measure", || {
        throughput(options, &servers, &mut report)?;
        if all {
            let [crowd, _] = CROWDS;
            prepared.memory_and_starts(crowd, &mut report)?;
        }
        Ok(())
    })?;
    if all {
        others(places, options, &mut steps)?;
    }
    report.print();
    report.save(&places.target.join("bench/results.json"))
}

/// What is measured with servers: three steps.
fn build(places: &Places, options: &Options, steps: &mut Steps) -> Result<()> {
    steps.step("system packages", || {
        system::ensure(&[Need::Compiler, Need::Wrk])
    })?;
    build_release(
        places,
        options,
        steps,
        &["lodge", "bare-hyper", "native-peer", "capabilities"],
    )
}

/// The guests, and programs of the workspace in their release form, unless `--no-build` says that they are there: two
/// steps.
fn build_release(
    places: &Places,
    options: &Options,
    steps: &mut Steps,
    binaries: &[&str],
) -> Result<()> {
    if options.no_build {
        say("measuring what is built");
        return Ok(());
    }
    steps.step("guests", || guests::all(places))?;
    steps.step("build lodge and the tools (release)", || {
        let is_given = |name: &str| name == "lodge" && options.lodge.is_some();
        let binaries = binaries.iter().filter(|name| !is_given(name));
        let binaries = binaries.flat_map(|name| ["--bin", name]);
        let mut command = cargo();
        command.args(["build", "--release"]).args(binaries);
        sh(command.current_dir(&places.root))
    })
}

/// What is measured by tools of their own.
fn others(places: &Places, options: &Options, steps: &mut Steps) -> Result<()> {
    steps.step(
        "the capabilities beside the same work done natively",
        || sh(tool(places, options, "capabilities").args(amounts(options))),
    )?;
    steps.step("isolation, and several environments", || {
        tools::run(
            places,
            options,
            &[Part::Isolation, Part::Density, Part::Cluster, Part::Scale],
        )
    })
}

/// One of the measuring tools of `tests/bench`, which start the built program themselves.
fn tool(places: &Places, options: &Options, name: &str) -> Command {
    let mut command = Command::new(places.target.join("release").join(name));
    command.env("LODGE_PROGRAM", options.lodge(places));
    command
}

/// How often and how long, as tools take it.
fn amounts(options: &Options) -> [String; 2] {
    [options.rounds.to_string(), options.seconds.to_string()]
}

fn throughput(options: &Options, servers: &[Server], report: &mut Report) -> Result<()> {
    for round in 1..=options.rounds {
        for server in servers {
            let running = server.start()?;
            until_at_rest(running.pid())?;
            server.load().run(1)?;
            let result = server.load().run(options.seconds)?;
            drop(running);
            if result.errors > 0 {
                bail!("{}: {} requests failed", server.name, result.errors);
            }
            say(&format!(
                "round {round}/{}: {:<34} {:>9.0} req/s  p50 {:.2} ms  p99 {:.2} ms",
                options.rounds, server.name, result.per_second, result.p50_ms, result.p99_ms
            ));
            report.add(&server.name, result);
        }
    }
    Ok(())
}
