//! `cargo xtask ui`: the web console, built into `host/console/ui/dist`, from where the host embeds it.
//!
//! Vite needs a newer Node than some distributions have. Who only wants to run Lodge goes on without the console
//! then, told how to get it; the tests insist on it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::places::{Places, hash_folder};
use crate::progress::say;
use crate::shell::{output, run as sh, which};
use crate::system::{self, Need};

/// The oldest Node that Vite runs on.
const NODE: (u32, u32) = (20, 19);

/// Builds the console unless it is built.
pub(crate) fn run(places: &Places) -> Result<()> {
    system::ensure(&[Need::Node])?;
    check_node()?;
    let folder = folder(places);
    packages(&folder)?;
    let stamp = folder.join("dist/.inputs");
    let inputs = hash_folder(&folder)?;
    if fs::read_to_string(&stamp).is_ok_and(|found| found == inputs) {
        say("unchanged");
        return Ok(());
    }
    npm(&folder, &["run", "--silent", "build"])?;
    Ok(fs::write(stamp, inputs)?)
}

/// Builds the console if this machine can, and says what is missing if it cannot.
pub(crate) fn run_if_possible(places: &Places) -> Result<()> {
    if which("npm").is_none() || which("node").is_none() {
        say(
            "SKIPPED: Node.js and npm are not here; install them for the web console, the API works without",
        );
        return Ok(());
    }
    if let Err(error) = check_node() {
        say(&format!(
            "SKIPPED: {error}; the API works without the console"
        ));
        return Ok(());
    }
    run(places)
}

/// The client's types against the API's document, the languages, types and lints, and the unit tests.
pub(crate) fn test(places: &Places) -> Result<()> {
    let folder = folder(places);
    npm(&folder, &["run", "--silent", "check"])?;
    npm(&folder, &["test", "--silent"])
}

/// Installs what a folder's `package-lock.json` locks, unless it is there.
pub(crate) fn packages(folder: &Path) -> Result<()> {
    let stamp = folder.join("node_modules/.lodge-lock");
    let wanted = fs::read_to_string(folder.join("package-lock.json"))?;
    if fs::read_to_string(&stamp).is_ok_and(|there| there == wanted) {
        return Ok(());
    }
    npm(
        folder,
        &["ci", "--no-audit", "--no-fund", "--loglevel=error"],
    )?;
    Ok(fs::write(stamp, wanted)?)
}

fn folder(places: &Places) -> PathBuf {
    places.root.join("host/console/ui")
}

fn npm(folder: &Path, arguments: &[&str]) -> Result<()> {
    sh(Command::new("npm").args(arguments).current_dir(folder))
}

fn check_node() -> Result<()> {
    let found = output(Command::new("node").arg("--version"))?;
    let mut parts = found
        .trim()
        .trim_start_matches('v')
        .split('.')
        .map(str::parse::<u32>);
    let major = parts
        .next()
        .and_then(Result::ok)
        .context("node --version says no version")?;
    let minor = parts.next().and_then(Result::ok).unwrap_or(0);
    if (major, minor) < NODE {
        let found = found.trim();
        bail!(
            "Node.js {found} is too old to build the console: install {}.{} or newer",
            NODE.0,
            NODE.1
        );
    }
    Ok(())
}
