//! A `wasm32-wasip2` toolchain from Debian's packages, unpacked into a folder: nothing is installed, and no
//! step needs root.
//!
//! Debian builds a recent compiler for its browsers (`rustc-web`, `cargo-web`, `rust-web-src`), and wasi-libc
//! with the right target folder is in its backports. The standard library is then built with the guests
//! (`-Zbuild-std`). The linker, `wasm-component-ld`, comes with the active toolchain.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::apt::{Apt, Package, codename};
use super::{Active, TARGET};
use crate::places::Places;
use crate::progress::Steps;
use crate::shell::{forget_outer_cargo, output, path_with, which};

const COMPILER: [&str; 3] = ["rustc-web", "cargo-web", "rust-web-src"];
/// The first wasi-libc in Debian with a folder for [`TARGET`].
const WASI_LIBC: (&str, &str) = ("wasi-libc", "0.0~git20240708");

#[derive(Debug)]
pub(crate) struct Debian {
    /// Where the packages are unpacked: `usr` is in it.
    root: PathBuf,
    /// Folders of the active toolchain that hold the linker.
    linker: [PathBuf; 2],
    packages: String,
}

/// The unpacked toolchain, if an earlier run has made it and it is whole.
pub(super) fn unpacked(places: &Places, active: &Active) -> Result<Option<Debian>> {
    let root = places.toolchain.join("debian");
    let Ok(packages) = fs::read_to_string(stamp(places)) else {
        return Ok(None);
    };
    // The stamp is written last, and names the scheme: a change of this file makes a new toolchain.
    match packages.strip_prefix(SCHEME) {
        Some(packages) if root.is_dir() => {
            let linker = linker(active)?;
            Ok(Some(Debian {
                root,
                linker,
                packages: packages.trim().to_owned(),
            }))
        }
        _ => Ok(None),
    }
}

const SCHEME: &str = "lodge guest toolchain 1\n";

fn stamp(places: &Places) -> PathBuf {
    places.toolchain.join("debian.packages")
}

/// Downloads and unpacks the packages.
pub(super) fn install(places: &Places, active: &Active) -> Result<Debian> {
    let linker = linker(active)?;
    let codename = match codename() {
        Some(codename) if which("apt-get").is_some() && which("dpkg").is_some() => codename,
        _ => bail!(
            "no Rust toolchain for {TARGET} here, and this is not Debian; to get one, run:\n  rustup target add {TARGET}"
        ),
    };
    let mut steps = Steps::new(4);
    let apt = steps.step(
        "Debian's package lists (14 MB), in a folder of our own",
        || Apt::with_backports(&places.toolchain.join("apt"), &codename),
    )?;
    let packages = steps.step("which packages are missing", || choose(&apt))?;
    let bytes: u64 = packages.iter().map(|package| package.bytes).sum();
    let files = steps.step(
        &format!(
            "download {} packages ({} MB)",
            packages.len(),
            bytes.div_ceil(1_000_000)
        ),
        || apt.download(&packages),
    )?;
    steps.step("unpack (about 900 MB)", || unpack(places, &files))?;
    let names: Vec<_> = packages.iter().map(Package::spec).collect();
    fs::write(stamp(places), format!("{SCHEME}{}\n", names.join("\n")))?;
    unpacked(places, active)?.with_context(|| {
        let debian = Debian {
            root: places.toolchain.join("debian"),
            linker,
            packages: names.join("\n"),
        };
        format!("{} is not whole after it was made", debian.root.display())
    })
}

fn choose(apt: &Apt) -> Result<Vec<Package>> {
    let mut packages = apt.missing_for(&COMPILER)?;
    packages.push(apt.newest(WASI_LIBC.0, WASI_LIBC.1)?);
    Ok(packages)
}

fn unpack(places: &Places, files: &[PathBuf]) -> Result<()> {
    // Under another name until it is whole.
    let fresh = places.toolchain.join("debian.new");
    let root = places.toolchain.join("debian");
    for folder in [&fresh, &root] {
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
    }
    for file in files {
        output(Command::new("dpkg").arg("-x").arg(file).arg(&fresh))?;
    }
    fs::rename(&fresh, &root)?;
    // The packages themselves are no longer needed, nor are the lists.
    Ok(fs::remove_dir_all(places.toolchain.join("apt"))?)
}

/// The folders with `wasm-component-ld` and with the driver of `rust-lld` that it calls.
fn linker(active: &Active) -> Result<[PathBuf; 2]> {
    let folder = active
        .sysroot
        .join("lib/rustlib")
        .join(&active.host)
        .join("bin");
    if !folder.join("wasm-component-ld").is_file() {
        bail!(
            "the active Rust toolchain has no linker for components ({} is missing); to get one, run:\n  rustup toolchain install stable",
            folder.join("wasm-component-ld").display()
        );
    }
    let driver = folder.join("gcc-ld");
    Ok([folder, driver])
}

impl Debian {
    pub(super) fn describe(&self) -> String {
        self.packages
            .lines()
            .find(|line| line.starts_with("rustc-web="))
            .unwrap_or_default()
            .to_owned()
    }

    /// Its cargo, set up to build for [`TARGET`].
    pub(super) fn cargo(&self) -> Result<Command> {
        let usr = self.root.join("usr");
        let libc = usr.join("lib").join(TARGET);
        let libc = libc
            .to_str()
            .context("the cache folder's name is not UTF-8")?;
        // Cargo splits a target's flags at spaces; in the encoded form it would split at 0x1f instead, but
        // only the form for all targets has one.
        if libc.contains(' ') {
            bail!(
                "the cache folder's name has a space, which the linker's flags can't carry: {libc}"
            );
        }
        let mut command = Command::new(usr.join("bin/cargo"));
        forget_outer_cargo(&mut command);
        command
            .env("PATH", path_with(&self.linker)?)
            .env("LD_LIBRARY_PATH", self.libraries()?)
            .env("RUSTC", usr.join("bin/rustc"))
            // For -Zbuild-std; a toolchain of our own, so that no other build sees it.
            .env("RUSTC_BOOTSTRAP", "1")
            .env(
                "CARGO_TARGET_WASM32_WASIP2_RUSTFLAGS",
                format!("-L {libc} -Clink-self-contained=no -Clink-arg=-L{libc}"),
            )
            .env_remove("CARGO")
            .env_remove("RUSTUP_TOOLCHAIN");
        Ok(command)
    }

    /// The folder of shared libraries: `usr/lib/<the machine's triple>`.
    fn libraries(&self) -> Result<PathBuf> {
        let library = self.root.join("usr/lib");
        let mut folders = fs::read_dir(&library)?
            .flatten()
            .map(|folder| folder.path());
        folders
            .find(|folder| folder.to_string_lossy().contains("-linux-gnu"))
            .with_context(|| format!("no libraries in {}", library.display()))
    }
}
