//! The apps in Python by componentize-py, in a virtual environment of our own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

use super::if_changed;
use crate::places::Places;
use crate::progress::say;
use crate::shell::{output, which};

const APPS: [&str; 2] = ["hello-py", "notes-py"];

pub(super) fn build(places: &Places) -> Result<()> {
    APPS.iter().try_for_each(|app| build_one(places, app))
}

fn build_one(places: &Places, app: &str) -> Result<()> {
    if_changed(places, app, |source, file| {
        let environment = environment(places, &source.join("requirements.txt"))?;
        say(&format!("componentize-py: {app}"));
        let mut componentize = Command::new(environment.join("bin/componentize-py"));
        componentize
            .args(["-d", "wit", "-w", "app", "componentize", "app", "-o"])
            .arg(file);
        output(componentize.current_dir(source))?;
        // It imports the app to snapshot it, which leaves a cache among the sources.
        Ok(fs::remove_dir_all(source.join("__pycache__"))?)
    })
}

/// The folder of a virtual environment with what the requirements name.
fn environment(places: &Places, requirements: &Path) -> Result<PathBuf> {
    let folder = places.toolchain.join("python");
    let stamp = folder.join("requirements.txt");
    let wanted = fs::read_to_string(requirements)?;
    if fs::read_to_string(&stamp).is_ok_and(|there| there == wanted) {
        return Ok(folder);
    }
    if which("python3").is_none() {
        bail!("python3 is missing: install Python 3.10 or newer, with its venv module");
    }
    say("a virtual environment with componentize-py (17 MB)");
    output(
        Command::new("python3")
            .args(["-m", "venv", "--clear"])
            .arg(&folder),
    )?;
    let pip = [
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--requirement",
    ];
    output(
        Command::new(folder.join("bin/pip"))
            .args(pip)
            .arg(requirements),
    )?;
    fs::write(stamp, wanted)?;
    Ok(folder)
}
