//! The tools of `tests/bench` that start the real program themselves, and what it needs beside it.

use anyhow::Result;

use super::{Options, amounts, build_release, tool};
use crate::places::Places;
use crate::progress::Steps;
use crate::shell::run as sh;
use crate::system::{self, Need};

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// The proxy, commands, first visits and failover, with real workers.
    Cluster,
    /// 200 simulated workers and 20,000 apps.
    Scale,
    /// What apps notice of each other.
    Isolation,
    /// What an app costs that is not visited, and how soon it answers.
    Density,
    /// Honest and hostile visitors for 20 minutes.
    Soak,
}

pub(super) fn run(places: &Places, options: &Options, parts: &[Part]) -> Result<()> {
    let mut steps = Steps::new(3 + parts.len());
    steps.step("system packages", || {
        system::ensure(&[Need::Compiler, Need::Wrk, Need::Redis])
    })?;
    let binaries = [
        "lodge",
        "cluster",
        "simulated-workers",
        "isolation",
        "density",
        "soak",
    ];
    build_release(places, options, &mut steps, &binaries)?;
    for part in parts {
        match part {
            Part::Cluster => steps.step("a supervisor and workers", || {
                sh(tool(places, options, "cluster").args(amounts(options)))
            })?,
            Part::Isolation => steps.step("a quiet app and its neighbours", || {
                sh(tool(places, options, "isolation").args(amounts(options)))
            })?,
            Part::Density => steps.step("10,000 apps, and 1,000 components", || {
                sh(&mut tool(places, options, "density"))
            })?,
            Part::Soak => steps.step("20 minutes of honest and hostile visitors", || {
                sh(&mut tool(places, options, "soak"))
            })?,
            Part::Scale => steps.step("simulated workers", || {
                sh(&mut tool(places, options, "simulated-workers"))
            })?,
        }
    }
    Ok(())
}
