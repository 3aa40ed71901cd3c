//! `cargo xtask release`: the host as it is released, built for what a trial of it did (profile-guided optimization).
//!
//! A host that counts what it executes is built and serves the benchmarks' components for some seconds; then the host is
//! built again with those counts. Both builds name their target, so that build scripts and procedural macros are neither
//! counted nor built for it, and have folders of their own beside that of `cargo build --release`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::bench;
use crate::guests;
use crate::places::Places;
use crate::progress::{Steps, say};
use crate::shell::{cargo, output, run as sh, which};
use crate::system::{self, Need};
use crate::ui;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// How long the trial serves each of its apps, in seconds
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
}

pub(crate) fn run(places: &Places, options: &Options) -> Result<()> {
    let compiler = Compiler::ask(places)?;
    let folder = places.target.join("pgo");
    let (counts, merged) = (folder.join("counts"), folder.join("merged.profdata"));
    let mut steps = Steps::new(6);
    let profdata = steps.step("system packages", || {
        system::ensure(&[Need::Compiler, Need::Node, Need::Wrk])?;
        compiler.profdata()
    })?;
    steps.step("guests", || guests::all(places))?;
    steps.step("web console", || ui::run(places))?;
    let counting = steps.step("build a host that counts what it executes", || {
        let flag = format!("-Cprofile-generate={}", counts.display());
        let mut build = compiler.build(places, &folder.join("counting"), &flag);
        // What it counts is the same without, in a third of the time.
        build.env("CARGO_PROFILE_RELEASE_LTO", "off");
        build.env("CARGO_PROFILE_RELEASE_DEBUG", "false");
        sh(&mut build)?;
        Ok(compiler.built(&folder.join("counting")))
    })?;
    steps.step("let it serve, and take what it counted", || {
        if counts.exists() {
            fs::remove_dir_all(&counts)?;
        }
        bench::train(places, &counting, options.seconds)?;
        sh(Command::new(profdata)
            .args(["merge", "--output"])
            .args([&merged, &counts]))
    })?;
    steps.step("build the host for that", || {
        let flag = format!("-Cprofile-use={}", merged.display());
        sh(&mut compiler.build(places, &folder.join("released"), &flag))
    })?;
    let program = compiler.built(&folder.join("released"));
    say(&format!("the host: {}", program.display()));
    Ok(())
}

/// What is to be known of the compiler.
struct Compiler {
    /// The target that it compiles for by itself.
    host: String,
    /// The major version of its LLVM.
    llvm: String,
    sysroot: PathBuf,
}

impl Compiler {
    fn ask(places: &Places) -> Result<Self> {
        let ask = |arguments: &[&str]| {
            output(
                Command::new("rustc")
                    .args(arguments)
                    .current_dir(&places.root),
            )
        };
        let verbose = ask(&["-vV"])?;
        let after = |label: &str| {
            let line = verbose.lines().find_map(|line| line.strip_prefix(label));
            line.with_context(|| format!("rustc -vV says nothing of {label:?}"))
        };
        let llvm = after("LLVM version: ")?;
        Ok(Self {
            host: after("host: ")?.to_owned(),
            llvm: llvm.split('.').next().unwrap_or(llvm).to_owned(),
            sysroot: ask(&["--print", "sysroot"])?.trim().into(),
        })
    }

    /// The program that merges what was counted: of the toolchain, or a distribution's of the same LLVM.
    fn profdata(&self) -> Result<PathBuf> {
        let own = self.sysroot.join("lib/rustlib").join(&self.host);
        let debians = format!("/usr/lib/llvm-{}/bin/llvm-profdata", self.llvm);
        let places = [
            Some(own.join("bin/llvm-profdata")),
            Some(debians.into()),
            which(&format!("llvm-profdata-{}", self.llvm)),
        ];
        let found = places.into_iter().flatten().find(|file| file.is_file());
        let Some(found) = found else {
            bail!(
                "llvm-profdata of LLVM {} is missing: `rustup component add llvm-tools`, or your distribution's package \
                 (Debian: llvm-{})",
                self.llvm,
                self.llvm
            );
        };
        Ok(found)
    }

    fn build(&self, places: &Places, target: &Path, flag: &str) -> Command {
        let mut build = cargo();
        build
            .args([
                "build",
                "--release",
                "--bin",
                "lodge",
                "--target",
                &self.host,
            ])
            .arg("--target-dir")
            .arg(target)
            .env("RUSTFLAGS", flag)
            .current_dir(&places.root);
        build
    }

    fn built(&self, target: &Path) -> PathBuf {
        target.join(&self.host).join("release/lodge")
    }
}
