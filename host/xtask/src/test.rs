//! `cargo xtask test`: all set-up, then every test.

use anyhow::Result;

use crate::guests;
use crate::places::Places;
use crate::progress::{Steps, say};
use crate::shell::{cargo, run as sh, succeeds};
use crate::system::{self, Need};
use crate::ui;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Passed on to the test runner, for instance a test's name
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    runner: Vec<String>,
}

pub(crate) fn run(places: &Places, options: &Options) -> Result<()> {
    let mut steps = Steps::new(8);
    steps.step("system packages", || system::ensure(&Need::ALL))?;
    steps.step("guests", || guests::all(places))?;
    steps.step("tools of the browser tests", || {
        ui::packages(&places.root.join("tests/e2e"))
    })?;
    steps.step("web console", || ui::run(places))?;
    steps.step("tests of the web console", || ui::test(places))?;
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
