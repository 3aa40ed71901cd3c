//! What a request costs: the CPU time (user and system) of the server's process over a load, divided by the
//! requests it answered. What else runs on the machine, the load generator too, hardly changes that, other than it
//! changes requests a second. All over kept connections, `wrk -t1 -c32`.
//!
//! The stages of a request are differences between servers that do one thing more each (`cost/stages`); how the
//! cost grows is measured with apps, cores, the instance's size, the memory it touches, and bodies (`cost/cases`).
//! `--only cost` measures all of it, `--only cost-stages` (`-apps`, `-cores`, `-instances`, `-bodies`) one part.

mod cases;
mod stages;

use anyhow::{Result, bail};

use super::host::Prepared;
use super::process::{cpu, until_at_rest};
use super::servers::Server;
use super::{Options, build};
use crate::places::Places;
use crate::progress::{Steps, say};

/// One thing to be measured.
struct Case {
    server: Server,
    found: Vec<Found>,
}

/// What one measurement found.
#[derive(Debug, Clone, Copy)]
struct Found {
    /// CPU time a request, in microseconds.
    cpu_us: f64,
    per_second: f64,
}

/// Cases to be compared with the first of them.
struct Group {
    /// As `--only cost-…` names it.
    part: &'static str,
    title: String,
    cases: Vec<Case>,
}

pub(super) fn run(places: &Places, options: &Options) -> Result<()> {
    let mut steps = Steps::new(5);
    build(places, options, &mut steps)?;
    let prepared = Prepared::new(places, &options.lodge(places));
    let mut groups = cases::all(places, &prepared)?;
    let part = options
        .only
        .as_deref()
        .and_then(|only| only.split_once('-'));
    if let Some((_, part)) = part {
        groups.retain(|group| group.part == part);
        if groups.is_empty() {
            bail!("no part {part}: stages, apps, cores, instances and bodies are there");
        }
    }
    steps.step("upload the components, create the apps", || {
        let cases = groups.iter().flat_map(|group| &group.cases);
        let mut crowds: Vec<usize> = cases.map(|case| case.server.crowd).collect();
        crowds.sort_unstable();
        crowds.dedup();
        prepared.make(&crowds)
    })?;
    let measured = steps.step("measure", || measure_all(&mut groups, options));
    // What was found before something failed took minutes, too.
    for group in &groups {
        group.print();
        if group.part == cases::STAGES {
            stages::print(group);
        }
    }
    measured
}

fn measure_all(groups: &mut [Group], options: &Options) -> Result<()> {
    for round in 1..=options.rounds {
        for group in &mut *groups {
            for case in &mut group.cases {
                let found = measure(&case.server, options.seconds)?;
                say(&format!(
                    "round {round}/{}: {:<10} {:<48} {:>8.1} µs  {:>9.0} req/s",
                    options.rounds, group.part, case.server.name, found.cpu_us, found.per_second
                ));
                case.found.push(found);
            }
        }
    }
    Ok(())
}

fn measure(server: &Server, seconds: u64) -> Result<Found> {
    let running = server.start()?;
    until_at_rest(running.pid())?;
    server.load().run(1)?;
    let before = cpu(running.pid())?;
    let result = server.load().run(seconds)?;
    let used = cpu(running.pid())?.saturating_sub(before);
    if result.errors > 0 {
        bail!("{}: {} requests failed", server.name, result.errors);
    }
    Ok(Found {
        cpu_us: used.as_secs_f64() * 1e6 / result.requests.max(1.0),
        per_second: result.per_second,
    })
}

impl Group {
    fn print(&self) {
        println!(
            "\n{}\n\n| server | CPU a request, µs | lowest–highest | beside the first | req/s |\n\
             | --- | --- | --- | --- | --- |",
            self.title
        );
        let first = self.cases.first().map_or(0.0, Case::cpu_us);
        for case in &self.cases {
            let costs = || case.found.iter().map(|found| found.cpu_us);
            let (lowest, highest) = (costs().reduce(f64::min), costs().reduce(f64::max));
            println!(
                "| {} | {:.1} | {:.1}–{:.1} | {:.2} | {:.0} |",
                case.server.name,
                case.cpu_us(),
                lowest.unwrap_or_default(),
                highest.unwrap_or_default(),
                case.cpu_us() / first,
                median(case.found.iter().map(|found| found.per_second)),
            );
        }
    }

    /// A case's cost by its name, in microseconds.
    fn cost(&self, name: &str) -> f64 {
        let case = self.cases.iter().find(|case| case.server.name == name);
        case.map_or(f64::NAN, Case::cpu_us)
    }
}

impl Case {
    fn cpu_us(&self) -> f64 {
        median(self.found.iter().map(|found| found.cpu_us))
    }
}

impl From<Server> for Case {
    fn from(server: Server) -> Self {
        Self {
            server,
            found: Vec::new(),
        }
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}
