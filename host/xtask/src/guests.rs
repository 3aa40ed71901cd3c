//! `cargo xtask guests`: builds the test guests and the sample apps into `target/guests/<name>.wasm`.
//!
//! A component is copied there only when its bytes changed, so a file's time says when it last did.

mod javascript;
mod python;

use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::{fs, io::BufRead as _};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::places::{Places, hash_folder};
use crate::progress::{Steps, say};
use crate::toolchain::{self, Choice, TARGET, Toolchain};

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Also the guests in JavaScript and Python (needs Node and Python)
    #[arg(long)]
    pub(crate) all: bool,
    /// Where the Rust toolchain for guests comes from
    #[arg(long, value_enum, default_value = "auto")]
    pub(crate) toolchain: Choice,
}

pub(crate) fn run(places: &Places, options: &Options) -> Result<()> {
    let mut steps = Steps::new(if options.all { 4 } else { 2 });
    fs::create_dir_all(&places.guests)?;
    let toolchain = steps.step("toolchain for guests", || {
        toolchain::find(places, options.toolchain)
    })?;
    steps.step("guests in Rust", || build_rust(places, &toolchain))?;
    if options.all {
        steps.step("guests in JavaScript", || javascript::build(places))?;
        steps.step("guests in Python", || python::build(places))?;
    }
    Ok(())
}

/// All of them, with whatever toolchain there is.
///
/// # Errors
/// As [`run`].
pub(crate) fn all(places: &Places) -> Result<()> {
    let options = Options {
        all: true,
        toolchain: Choice::Auto,
    };
    run(places, &options)
}

/// What cargo says about one thing it built; the fields of interest.
#[derive(Debug, Deserialize)]
struct Built {
    reason: String,
    #[serde(default)]
    manifest_path: PathBuf,
    target: Option<Target>,
    #[serde(default)]
    filenames: Vec<PathBuf>,
}

#[derive(Debug, Deserialize)]
struct Target {
    crate_types: Vec<String>,
}

fn build_rust(places: &Places, toolchain: &Toolchain) -> Result<()> {
    let mut child = toolchain
        .build(places)?
        .args([
            "--workspace",
            "--locked",
            "--message-format=json-render-diagnostics",
        ])
        .current_dir(&places.root)
        .stdout(Stdio::piped())
        .spawn()
        .context("could not start cargo")?;
    let stdout = child
        .stdout
        .take()
        .context("cargo has no standard output")?;
    let mut components = Vec::new();
    for line in BufReader::new(stdout).lines() {
        let Ok(built) = serde_json::from_str::<Built>(&line?) else {
            continue;
        };
        components.extend(component(built));
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("building the guests for {TARGET} failed ({status})");
    }
    let mut changed = 0;
    for (name, file) in &components {
        changed += u32::from(publish(places, name, &fs::read(file)?)?);
    }
    say(&format!(
        "{} components in {}, {changed} of them changed",
        components.len(),
        places.guests.display()
    ));
    Ok(())
}

/// A guest's name (its folder's) and file, if what was built is a guest.
fn component(built: Built) -> Option<(String, PathBuf)> {
    let is_guest = built.reason == "compiler-artifact"
        && built
            .target?
            .crate_types
            .iter()
            .any(|kind| kind == "cdylib");
    let file = built
        .filenames
        .into_iter()
        .find(|file| file.extension().is_some_and(|e| e == "wasm"));
    let name = built
        .manifest_path
        .parent()?
        .file_name()?
        .to_str()?
        .to_owned();
    Some((name, file?)).filter(|_| is_guest)
}

/// True if the component was not there with these bytes before.
fn publish(places: &Places, name: &str, bytes: &[u8]) -> Result<bool> {
    let file = places.guests.join(format!("{name}.wasm"));
    if fs::read(&file).is_ok_and(|there| there == bytes) {
        return Ok(false);
    }
    // Whoever reads it meanwhile sees the old or the new one, never half of one.
    let fresh = places.guests.join(format!(".{name}.wasm.new"));
    fs::write(&fresh, bytes).with_context(|| format!("could not write {}", fresh.display()))?;
    fs::rename(&fresh, &file).with_context(|| format!("could not write {}", file.display()))?;
    Ok(true)
}

/// Builds a guest of another language if its sources, or the tools they name, have changed: `build` gets
/// the file to write. Returns without doing anything otherwise.
fn if_changed(
    places: &Places,
    name: &str,
    build: impl FnOnce(&Path, &Path) -> Result<()>,
) -> Result<()> {
    let source = places.root.join("apps").join(name);
    let stamp = places.guests.join(format!(".{name}.inputs"));
    let inputs = hash_folder(&source)?;
    if places.guests.join(format!("{name}.wasm")).is_file()
        && fs::read_to_string(&stamp).is_ok_and(|found| found == inputs)
    {
        say(&format!("{name}: unchanged"));
        return Ok(());
    }
    let file = places.guests.join(format!(".{name}.wasm.built"));
    build(&source, &file)?;
    publish(places, name, &fs::read(&file)?)?;
    fs::remove_file(&file)?;
    Ok(fs::write(stamp, inputs)?)
}
