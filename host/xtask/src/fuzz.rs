//! `cargo xtask fuzz`: every fuzz target for some seconds, or one of them. `fuzz/README.md` has the rest.
//!
//! What is learned stays in the build's folder, not in the repository: `fuzz/corpus` are seeds, chosen by
//! hand. A find fails the command, which says where the input lies and how to run it again.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

use crate::places::Places;
use crate::progress::{Steps, say};
use crate::shell::{cargo, output, path_with, run as sh, succeeds};
use crate::system::{self, Need};

/// The most that one run of a target may have, in MiB …
const MEMORY: u32 = 2048;
/// … and the longest that one input may take, in seconds.
const TIMEOUT: u32 = 20;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Only this target
    target: Option<String>,
    /// How long each target runs, in seconds
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,
}

pub(crate) fn run(places: &Places, options: &Options) -> Result<()> {
    let fuzz = Fuzz::find(places);
    let mut steps = Steps::new(3);
    steps.step("cargo-fuzz", || {
        system::ensure(&[Need::Compiler])?;
        fuzz.install()
    })?;
    let all = fuzz.targets()?;
    let targets = match &options.target {
        None => all,
        Some(target) if all.contains(target) => vec![target.clone()],
        Some(target) => bail!("there is no target {target}; there are {}", all.join(", ")),
    };
    steps.step("build the targets (minutes the first time)", || {
        let mut build = fuzz.cargo_fuzz("build")?;
        sh(build.args(options.target.as_slice()))
    })?;
    steps.step("fuzz", || {
        let mut each = Steps::new(targets.len());
        for target in &targets {
            let what = format!("{target}, {} s", options.seconds);
            each.step(&what, || fuzz.target(target, options.seconds))?;
        }
        Ok(())
    })
}

/// Where fuzzing has its things.
struct Fuzz {
    /// The workspace of the targets.
    folder: PathBuf,
    /// Where cargo-fuzz is, if this command installed it.
    tools: PathBuf,
    /// What runs learn.
    learned: PathBuf,
    build: PathBuf,
}

impl Fuzz {
    fn find(places: &Places) -> Self {
        Self {
            folder: places.root.join("fuzz"),
            tools: places.toolchain.join("cargo-fuzz"),
            learned: places.target.join("fuzz-learned"),
            build: places.target.clone(),
        }
    }

    fn install(&self) -> Result<()> {
        if succeeds(self.cargo()?.args(["fuzz", "--version"])) {
            return Ok(());
        }
        say("installing cargo-fuzz");
        let install = ["install", "cargo-fuzz", "--locked", "--quiet"];
        sh(cargo().args(install).arg("--root").arg(&self.tools))
    }

    fn targets(&self) -> Result<Vec<String>> {
        let listed = output(self.cargo()?.args(["fuzz", "list"]))?;
        Ok(listed.lines().map(str::to_owned).collect())
    }

    /// Seeds and what was learned before, for some seconds.
    fn target(&self, target: &str, seconds: u32) -> Result<()> {
        let learned = self.learned.join(target);
        let found = self.folder.join("artifacts").join(target);
        fs::create_dir_all(&learned)?;
        let before = files(&found)?;
        let mut run = self.cargo_fuzz("run")?;
        run.arg(target)
            .arg(&learned)
            .arg(self.folder.join("corpus").join(target))
            .arg("--")
            .arg(format!("-max_total_time={seconds}"))
            .arg(format!("-rss_limit_mb={MEMORY}"))
            .arg(format!("-timeout={TIMEOUT}"))
            // One line a find or end, not one a thing learned.
            .args(["-print_final_stats=1", "-verbosity=0", "-print_funcs=0"]);
        let words = self.folder.join(format!("dictionaries/{target}.dict"));
        if words.is_file() {
            run.arg(format!("-dict={}", words.display()));
        }
        let Err(error) = sh(&mut run) else {
            return Ok(());
        };
        for file in files(&found)?.iter().filter(|file| !before.contains(file)) {
            say(&format!("found: {}", file.display()));
            say(&format!(
                "again: RUSTC_BOOTSTRAP=1 cargo fuzz run --sanitizer none {target} {}   (in {})",
                file.display(),
                self.folder.display()
            ));
        }
        Err(error.context(format!("{target} found something: see fuzz/README.md")))
    }

    /// The host has no memory that its language does not watch (`unsafe_code` is denied but in small
    /// files that no target reaches), so that a sanitizer would cost half the speed for nothing.
    fn cargo_fuzz(&self, what: &str) -> Result<Command> {
        let mut command = self.cargo()?;
        command.args(["fuzz", what, "--sanitizer", "none", "--target-dir"]);
        command.arg(&self.build);
        Ok(command)
    }

    fn cargo(&self) -> Result<Command> {
        let mut command = cargo();
        command
            .current_dir(&self.folder)
            .env("PATH", path_with(&[self.tools.join("bin")])?)
            // cargo-fuzz gives the compiler options that it has for its own developers only.
            .env("RUSTC_BOOTSTRAP", "1");
        Ok(command)
    }
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    if folder.is_dir() {
        for entry in fs::read_dir(folder)? {
            files.push(entry?.path());
        }
    }
    files.sort();
    Ok(files)
}
