//! `cargo xtask fuzz`: every fuzz target for some seconds, or one of them. `fuzz/README.md` has the rest.
//!
//! The targets are programs of the host's workspace that its ordinary build leaves out. Only the workspace's own
//! crates are compiled for fuzzing (`fuzz/rustc`), under names of their own; all others are those of the ordinary
//! build, so that fuzzing costs CI a few minutes instead of a build of everything.
//!
//! What is learned stays in the build's folder, not in the repository: `fuzz/corpus` are seeds, chosen by
//! hand. A find fails the command, which says where the input lies and how to run it again.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

use crate::places::Places;
use crate::progress::{Steps, say};
use crate::shell::{cargo, run as sh};
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
    /// Passed on to libFuzzer, for instance `-fork=2`
    #[arg(last = true)]
    fuzzer: Vec<String>,
}

pub(crate) fn run(places: &Places, options: &Options) -> Result<()> {
    let fuzz = Fuzz::find(places);
    let all = fuzz.targets()?;
    let targets = match &options.target {
        None => all,
        Some(target) if all.contains(target) => vec![target.clone()],
        Some(target) => bail!("there is no target {target}; there are {}", all.join(", ")),
    };
    let mut steps = Steps::new(2);
    steps.step("build the targets", || {
        system::ensure(&[Need::Compiler, Need::Cxx])?;
        fuzz.build(&targets)
    })?;
    steps.step("fuzz", || {
        let mut each = Steps::new(targets.len());
        for target in &targets {
            let what = format!("{target}, {} s", options.seconds);
            each.step(&what, || fuzz.target(target, options))?;
        }
        Ok(())
    })
}

/// Where fuzzing has its things.
struct Fuzz {
    root: PathBuf,
    /// The targets, seeds and finds.
    folder: PathBuf,
    /// Where cargo puts the targets.
    programs: PathBuf,
    /// What runs learn.
    learned: PathBuf,
}

impl Fuzz {
    fn find(places: &Places) -> Self {
        Self {
            root: places.root.clone(),
            folder: places.root.join("fuzz"),
            programs: places.target.join("debug"),
            learned: places.target.join("fuzz-learned"),
        }
    }

    fn targets(&self) -> Result<Vec<String>> {
        let files = files(&self.folder.join("fuzz_targets"))?;
        let targets = files.iter().filter(|file| file.is_file());
        let names = targets.filter_map(|file| Some(file.file_stem()?.to_str()?.to_owned()));
        Ok(names.collect())
    }

    /// No package is named, so that dependencies have the features that they have in the build of everything.
    fn build(&self, targets: &[String]) -> Result<()> {
        let mut build = cargo();
        build.args(["build", "--features", "lodge-fuzz/targets"]);
        build.args(targets.iter().flat_map(|target| ["--bin", target]));
        build.env("RUSTC_WORKSPACE_WRAPPER", self.folder.join("rustc"));
        sh(build.current_dir(&self.root))
    }

    /// Seeds and what was learned before, for some seconds.
    fn target(&self, target: &str, options: &Options) -> Result<()> {
        let learned = self.learned.join(target);
        let found = self.folder.join("artifacts").join(target);
        fs::create_dir_all(&learned)?;
        fs::create_dir_all(&found)?;
        let before = files(&found)?;
        let program = self.programs.join(target);
        let mut run = Command::new(&program);
        run.arg(&learned)
            .arg(self.folder.join("corpus").join(target))
            .arg(format!("-artifact_prefix={}/", found.display()))
            .arg(format!("-max_total_time={}", options.seconds))
            .arg(format!("-rss_limit_mb={MEMORY}"))
            .arg(format!("-timeout={TIMEOUT}"))
            // One line a find or end, not one a thing learned.
            .args(["-print_final_stats=1", "-verbosity=0", "-print_funcs=0"]);
        let words = self.folder.join(format!("dictionaries/{target}.dict"));
        if words.is_file() {
            run.arg(format!("-dict={}", words.display()));
        }
        let Err(error) = sh(run.args(&options.fuzzer)) else {
            return Ok(());
        };
        for file in files(&found)?.iter().filter(|file| !before.contains(file)) {
            say(&format!("found: {}", file.display()));
            say(&format!("again: {} {}", program.display(), file.display()));
        }
        Err(error.context(format!("{target} found something: see fuzz/README.md")))
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
