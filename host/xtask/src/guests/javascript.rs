//! `apps/hello-js` by componentize-js, as its lock file has it.

use std::process::Command;

use anyhow::{Result, bail};

use super::if_changed;
use crate::places::Places;
use crate::progress::say;
use crate::shell::{output, which};

pub(super) fn build(places: &Places) -> Result<()> {
    if_changed(places, "hello-js", |source, file| {
        if which("npm").is_none() {
            bail!("npm is missing: install Node.js 18 or newer, with npm");
        }
        say("npm ci (215 MB when unpacked)");
        let npm = ["ci", "--no-audit", "--no-fund", "--loglevel=error"];
        output(Command::new("npm").args(npm).current_dir(source))?;
        say("componentize-js");
        let mut componentize = Command::new(source.join("node_modules/.bin/componentize-js"));
        componentize
            .args(["src/app.js", "--wit", "wit", "--world-name", "app", "--out"])
            .arg(file);
        output(componentize.current_dir(source)).map(drop)
    })
}
