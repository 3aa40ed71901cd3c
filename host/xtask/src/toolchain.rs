//! Finds or gets a toolchain that builds for `wasm32-wasip2`.
//!
//! In this order: the target in the active toolchain; a toolchain from Debian's packages that an earlier
//! run made; rustup, which may or may not be able to download the target; Debian's packages. A refusal by
//! rustup is remembered, so that the second run does not wait for it again.

mod apt;
mod debian;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use anyhow::{Context, Result, bail};

use crate::places::Places;
use crate::progress::say;
use crate::shell::{self, cargo, output, which};

pub(crate) const TARGET: &str = "wasm32-wasip2";

/// A toolchain that can build guests.
#[derive(Debug)]
pub(crate) enum Toolchain {
    /// The active toolchain has the target.
    Active,
    /// Debian's packages, unpacked.
    Debian(debian::Debian),
}

/// Which toolchain to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Choice {
    Auto,
    Rustup,
    Debian,
}

pub(crate) fn find(places: &Places, choice: Choice) -> Result<Toolchain> {
    let active = Active::find(places)?;
    if choice != Choice::Debian {
        if active.has_target() {
            say(&format!(
                "{TARGET} is in the active toolchain ({})",
                active.version
            ));
            return Ok(Toolchain::Active);
        }
        if choice == Choice::Auto
            && let Some(debian) = debian::unpacked(places, &active)?
        {
            say(&format!("{TARGET} by Debian's {}", debian.describe()));
            return Ok(Toolchain::Debian(debian));
        }
        if ask_rustup(places, &active, choice)? {
            return Ok(Toolchain::Active);
        }
        if choice == Choice::Rustup {
            bail!("rustup did not add {TARGET}; try: rustup target add {TARGET}");
        }
    }
    if let Some(debian) = debian::unpacked(places, &active)? {
        say(&format!("{TARGET} by Debian's {}", debian.describe()));
        return Ok(Toolchain::Debian(debian));
    }
    debian::install(places, &active).map(Toolchain::Debian)
}

impl Toolchain {
    /// `cargo build --release` for the guests' target, in the guests' target folder.
    pub(crate) fn build(&self, places: &Places) -> Result<Command> {
        let mut command = match self {
            Self::Active => cargo(),
            Self::Debian(debian) => debian.cargo()?,
        };
        command
            .args(["build", "--release", "--target", TARGET, "--manifest-path"])
            .arg(places.guests_manifest())
            .arg("--target-dir")
            .arg(&places.guests_build)
            // The host's own flags and folders are not the guests'.
            .env_remove("RUSTFLAGS")
            .env_remove("CARGO_ENCODED_RUSTFLAGS")
            .env_remove("CARGO_TARGET_DIR")
            .env_remove("CARGO_BUILD_TARGET");
        if let Self::Debian(_) = self {
            command.arg("-Zbuild-std=std,panic_abort");
        }
        Ok(command)
    }
}

/// The active toolchain, that also builds the host.
#[derive(Debug)]
pub(crate) struct Active {
    sysroot: PathBuf,
    version: String,
    host: String,
}

impl Active {
    fn find(places: &Places) -> Result<Self> {
        let ask = |arguments: &[&str]| {
            let mut rustc = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
            output(rustc.args(arguments).current_dir(&places.root))
        };
        let verbose = ask(&["-vV"])?;
        let line = |name: &str| {
            let found = verbose.lines().find_map(|line| line.strip_prefix(name));
            found
                .map(str::to_owned)
                .with_context(|| format!("rustc -vV says no {name:?}"))
        };
        Ok(Self {
            sysroot: PathBuf::from(ask(&["--print", "sysroot"])?.trim()),
            version: line("release: ")?,
            host: line("host: ")?,
        })
    }

    fn has_target(&self) -> bool {
        let library = self.sysroot.join("lib/rustlib").join(TARGET).join("lib");
        let Ok(files) = fs::read_dir(library) else {
            return false;
        };
        files
            .flatten()
            .any(|file| file.file_name().to_string_lossy().starts_with("libstd-"))
    }
}

/// True if rustup has added the target.
fn ask_rustup(places: &Places, active: &Active, choice: Choice) -> Result<bool> {
    let refused = places.toolchain.join("rustup-refused");
    if which("rustup").is_none() {
        say("no rustup here");
        return Ok(false);
    }
    if choice == Choice::Auto && is(&refused, &active.version) {
        say(&format!(
            "rustup could not download {TARGET} before; to ask it again: rm {}",
            refused.display()
        ));
        return Ok(false);
    }
    say(&format!("rustup target add {TARGET}"));
    let added = shell::run(
        Command::new("rustup")
            .args(["target", "add", TARGET])
            .current_dir(&places.root),
    );
    if added.is_ok() && active.has_target() {
        return Ok(true);
    }
    say(&format!("rustup could not add {TARGET}"));
    fs::create_dir_all(&places.toolchain)?;
    fs::write(&refused, &active.version)?;
    Ok(false)
}

/// Whether a stamp file holds exactly this.
fn is(stamp: &Path, content: &str) -> bool {
    fs::read_to_string(stamp).is_ok_and(|found| found == content)
}
