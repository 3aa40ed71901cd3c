//! The apps in JavaScript by componentize-js, as their lock files have it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::if_changed;
use crate::places::Places;
use crate::progress::say;
use crate::shell::{output, which};

const APPS: [&str; 2] = ["hello-js", "notes-js"];

pub(super) fn build(places: &Places) -> Result<()> {
    APPS.iter().try_for_each(|app| build_one(places, app))
}

fn build_one(places: &Places, app: &str) -> Result<()> {
    if_changed(places, app, |source, file| {
        let tools = tools(places, source)?;
        say(&format!("componentize-js: {app}"));
        let mut componentize = Command::new(tools.join("node_modules/.bin/componentize-js"));
        componentize
            .args(["src/app.js", "--wit", "wit", "--world-name", "app", "--out"])
            .arg(file);
        output(componentize.current_dir(source)).map(drop)
    })
}

/// The folder of an installation of what the app's lock file names: one for all apps that lock the same.
fn tools(places: &Places, source: &Path) -> Result<PathBuf> {
    let folder = places.toolchain.join("javascript");
    let stamp = folder.join("locked");
    let wanted = locked(&source.join("package-lock.json"))?;
    if fs::read_to_string(&stamp).is_ok_and(|there| there == wanted) {
        return Ok(folder);
    }
    if which("npm").is_none() {
        bail!("npm is missing: install Node.js 18 or newer, with npm");
    }
    say("npm ci (215 MB when unpacked)");
    fs::create_dir_all(&folder)?;
    for file in ["package.json", "package-lock.json", ".npmrc"] {
        fs::copy(source.join(file), folder.join(file))?;
    }
    let npm = ["ci", "--no-audit", "--no-fund", "--loglevel=error"];
    output(Command::new("npm").args(npm).current_dir(&folder))?;
    fs::write(stamp, wanted)?;
    Ok(folder)
}

/// The packages of a lock file, the app itself left out.
fn locked(file: &Path) -> Result<String> {
    let text = fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let mut lock: Value =
        serde_json::from_str(&text).with_context(|| file.display().to_string())?;
    let packages = lock
        .get_mut("packages")
        .and_then(Value::as_object_mut)
        .with_context(|| format!("{} names no packages", file.display()))?;
    packages.remove("");
    Ok(serde_json::to_string(packages)?)
}
