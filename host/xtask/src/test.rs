//! `cargo xtask test`: all set-up, then every test.

use std::fs;
use std::process::Command;

use anyhow::Result;

use crate::guests;
use crate::places::Places;
use crate::progress::{Steps, say};
use crate::shell::{cargo, run as sh, succeeds};
use crate::system::{self, Need};
use crate::toolchain::Choice;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Passed on to the test runner, for instance a test's name
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    runner: Vec<String>,
}

pub(crate) fn run(places: &Places, options: &Options) -> Result<()> {
    let mut steps = Steps::new(6);
    steps.step("system packages", || system::ensure(&Need::ALL))?;
    steps.step("guests", || {
        guests::run(
            places,
            &guests::Options {
                all: true,
                toolchain: Choice::Auto,
            },
        )
    })?;
    steps.step("tools of the browser tests", || browser_tools(places))?;
    steps.step("build the host and its tests", || {
        sh(cargo()
            .args(["build", "--workspace", "--all-targets"])
            .current_dir(&places.root))
    })?;
    steps.step("tests of the guest SDK and the sample apps", || {
        // By name: the hostile guests, run natively, would do to this machine what they are for.
        let packages = ["lodge-sdk", "desk", "stream", "support"];
        sh(cargo()
            .args(["test", "--quiet", "--locked"])
            .args(packages.iter().flat_map(|package| ["--package", package]))
            .arg("--manifest-path")
            .arg(places.guests_manifest())
            .arg("--target-dir")
            .arg(&places.guests_build)
            .env_remove("CARGO_TARGET_DIR"))
    })?;
    steps.step("tests of the host", || {
        let mut tests = cargo();
        match succeeds(cargo().args(["nextest", "--version"])) {
            true => tests.args(["nextest", "run"]),
            false => {
                say("cargo-nextest is not here; cargo test does, one crate after the other");
                tests.arg("test")
            }
        };
        sh(tests
            .arg("--workspace")
            .args(&options.runner)
            .current_dir(&places.root))
    })
}

/// What `tests/e2e` locks, unless it is there.
fn browser_tools(places: &Places) -> Result<()> {
    let folder = places.root.join("tests/e2e");
    let (lock, stamp) = (
        folder.join("package-lock.json"),
        folder.join("node_modules/.lodge-lock"),
    );
    let wanted = fs::read_to_string(lock)?;
    if fs::read_to_string(&stamp).is_ok_and(|there| there == wanted) {
        say("unchanged");
        return Ok(());
    }
    let npm = ["ci", "--no-audit", "--no-fund", "--loglevel=error"];
    sh(Command::new("npm").args(npm).current_dir(&folder))?;
    Ok(fs::write(stamp, wanted)?)
}
