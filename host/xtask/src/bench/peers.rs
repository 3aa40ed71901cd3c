//! Other hosts, as they come from their registries: nothing here builds a program from someone's repository.
//!
//! `wasmtime serve` is built once by `cargo install`, workerd comes as a program in an npm package, Spin is
//! measured where it is on PATH. Each answers the same 13 bytes with the defaults it is delivered with.

use anyhow::{Context, Result};
use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::places::Places;
use crate::progress::say;
use crate::shell::{cargo, run as sh, which};
use crate::system::{self, Need};

/// At the version of our own Wasmtime.
const WASMTIME_CLI: &str = "48.0.8";
/// The npm package, with the day of its release in its version; Apache-2.0.
const WORKERD: &str = "1.20261117.1";
/// From which day on its changes of behaviour count: the release's.
const WORKERD_DAY: &str = "2026-11-17";

/// `wasmtime`: the one named, or built once into the target folder (minutes).
pub(super) fn wasmtime(places: &Places, given: Option<&PathBuf>) -> Result<PathBuf> {
    if let Some(given) = given {
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

/// workerd with its configuration.
#[derive(Debug, Clone)]
pub(super) struct Workerd {
    program: PathBuf,
    config: PathBuf,
}

impl Workerd {
    /// Installs it once (160 MB) and writes a Worker that answers as the other servers do, at `address`.
    pub(super) fn install(places: &Places, address: &str) -> Result<Self> {
        let root = places.target.join("bench/workerd");
        fs::create_dir_all(&root)?;
        let stamp = root.join(".version");
        if fs::read_to_string(&stamp).ok().as_deref() != Some(WORKERD) {
            system::ensure(&[Need::Node])?;
            fs::write(root.join("package.json"), "{ \"private\": true }\n")?;
            // Its script after installing would only shorten the way to the program.
            sh(Command::new("npm")
                .args([
                    "install",
                    "--ignore-scripts",
                    "--no-audit",
                    "--no-fund",
                    "--loglevel=error",
                ])
                .arg(format!("workerd@{WORKERD}"))
                .current_dir(&root))?;
            fs::write(&stamp, WORKERD)?;
        }
        fs::write(
            root.join("worker.mjs"),
            "export default { fetch() { return new Response(\"Hello, World!\"); } };\n",
        )?;
        let config = root.join("config.capnp");
        let text = format!(
            "using Workerd = import \"/workerd/workerd.capnp\";\n\
             const config :Workerd.Config = (\n  \
               services = [ (name = \"main\", worker = .hello) ],\n  \
               sockets = [ (name = \"http\", address = \"{address}\", http = (), service = \"main\") ],\n\
             );\n\
             const hello :Workerd.Worker = (\n  \
               modules = [ (name = \"worker\", esModule = embed \"worker.mjs\") ],\n  \
               compatibilityDate = \"{WORKERD_DAY}\",\n\
             );\n"
        );
        fs::write(&config, text)?;
        Ok(Self {
            program: program_of(&root)?,
            config,
        })
    }

    pub(super) fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.arg("serve").arg(&self.config);
        command
    }
}

/// The program itself: npm's `.bin` has a script that starts it, and would outlive it. Of the packages for all systems
/// npm has installed this one's.
fn program_of(root: &Path) -> Result<PathBuf> {
    let packages = fs::read_dir(root.join("node_modules/@cloudflare"))?;
    let mut programs = packages
        .flatten()
        .map(|package| package.path().join("bin/workerd"));
    programs
        .find(|program| program.is_file())
        .context("npm has installed no workerd for this system")
}

/// Spin with a manifest for one component.
#[derive(Debug, Clone)]
pub(super) struct Spin {
    program: PathBuf,
    manifest: PathBuf,
}

impl Spin {
    /// None where it is not on PATH.
    pub(super) fn find(places: &Places, guest: &str) -> Result<Option<Self>> {
        let Some(program) = which("spin") else {
            say("SKIPPED: Spin is not on PATH");
            return Ok(None);
        };
        let folder = places.target.join("bench/spin");
        fs::create_dir_all(&folder)?;
        let manifest = folder.join("spin.toml");
        let source = places.guests.join(guest);
        let source = toml::Value::String(source.display().to_string());
        let text = format!(
            "spin_manifest_version = 2\n\
             [application]\nname = \"bench\"\nversion = \"1.0.0\"\n\
             [[trigger.http]]\nroute = \"/...\"\ncomponent = \"hello\"\n\
             [component.hello]\nsource = {source}\n"
        );
        fs::write(&manifest, text)?;
        Ok(Some(Self { program, manifest }))
    }

    pub(super) fn command(&self, address: &str) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(["up", "--quiet", "--listen", address, "--from"])
            .arg(&self.manifest)
            // It starts a process of its own for HTTP, which must end with it.
            .process_group(0);
        command
    }
}
