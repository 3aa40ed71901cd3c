//! What must be on the machine: found, installed (as root on Debian), or named with the line that installs it.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};

use crate::progress::say;
use crate::shell::{is_root, run, succeeds, which};

/// Something from outside the repository and Rust.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// A C compiler: some crates bring C, and Rust links with it.
    Compiler,
    /// A C++ compiler, for libFuzzer.
    Cxx,
    /// PostgreSQL's programs: each test starts servers of its own.
    Postgres,
    /// MariaDB's server, without Debian's service around it: tests start their own.
    Mariadb,
    /// The browser of the browser tests.
    Chromium,
    /// Node and npm, for the JavaScript guests and the browser tests.
    Node,
    /// Python with venv, for the Python guest.
    Python,
    /// Redis's server: tests and benchmarks start servers of their own.
    Redis,
    /// The load generator of the benchmarks.
    Wrk,
}

/// How the package managers call it.
struct Packages {
    apt: &'static str,
    dnf: &'static str,
    pacman: &'static str,
    brew: &'static str,
}

impl Need {
    /// What the tests need.
    pub(crate) const ALL: [Self; 7] = [
        Self::Compiler,
        Self::Postgres,
        Self::Mariadb,
        Self::Redis,
        Self::Chromium,
        Self::Node,
        Self::Python,
    ];

    fn is_there(self) -> bool {
        match self {
            Self::Compiler => which("cc").is_some(),
            Self::Cxx => which("c++").is_some(),
            Self::Postgres => has_postgres(),
            Self::Mariadb => has_mariadb(),
            Self::Chromium => which("chromium").is_some(),
            Self::Node => which("node").is_some() && which("npm").is_some(),
            Self::Python => {
                succeeds(Command::new("python3").args(["-c", "import venv, ensurepip"]))
            }
            Self::Redis => which("redis-server").is_some(),
            Self::Wrk => which("wrk").is_some(),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Compiler => "a C compiler",
            Self::Cxx => "a C++ compiler",
            Self::Postgres => "PostgreSQL (initdb, postgres)",
            Self::Mariadb => "MariaDB (mariadbd and its SQL files)",
            Self::Chromium => "Chromium",
            Self::Node => "Node.js and npm",
            Self::Python => "Python 3 with venv",
            Self::Redis => "Redis (redis-server)",
            Self::Wrk => "wrk, the HTTP load generator",
        }
    }

    fn packages(self) -> Packages {
        let (apt, dnf, pacman, brew) = match self {
            Self::Compiler => ("gcc libc6-dev", "gcc", "gcc", "gcc"),
            Self::Cxx => ("g++", "gcc-c++", "gcc", "gcc"),
            Self::Postgres => (
                "postgresql",
                "postgresql-server",
                "postgresql",
                "postgresql",
            ),
            Self::Mariadb => (
                "mariadb-server-core",
                "mariadb-server",
                "mariadb",
                "mariadb",
            ),
            Self::Chromium => ("chromium", "chromium", "chromium", "chromium"),
            Self::Node => ("nodejs npm", "nodejs npm", "nodejs npm", "node"),
            Self::Python => ("python3 python3-venv", "python3", "python", "python"),
            Self::Redis => ("redis-server", "redis", "redis", "redis"),
            Self::Wrk => ("wrk", "wrk", "wrk", "wrk"),
        };
        Packages {
            apt,
            dnf,
            pacman,
            brew,
        }
    }

    /// The line that installs it here.
    fn line(self) -> String {
        let packages = self.packages();
        let sudo = if is_root() { "" } else { "sudo " };
        if which("apt-get").is_some() {
            format!(
                "{sudo}apt-get install -y --no-install-recommends {}",
                packages.apt
            )
        } else if which("dnf").is_some() {
            format!("{sudo}dnf install -y {}", packages.dnf)
        } else if which("pacman").is_some() {
            format!("{sudo}pacman -S --noconfirm {}", packages.pacman)
        } else if which("brew").is_some() {
            format!("brew install {}", packages.brew)
        } else {
            format!(
                "(no known package manager here) install {} and put it on PATH",
                self.name()
            )
        }
    }
}

/// Sees that all of these are there.
pub(crate) fn ensure(needs: &[Need]) -> Result<()> {
    let missing: Vec<_> = needs
        .iter()
        .copied()
        .filter(|need| !need.is_there())
        .collect();
    if missing.is_empty() {
        say("all there");
        return Ok(());
    }
    if is_root() && Path::new("/etc/debian_version").exists() && which("apt-get").is_some() {
        return install(&missing);
    }
    for need in &missing {
        say(&format!(
            "missing: {}; to install it, run:\n    {}",
            need.name(),
            need.line()
        ));
    }
    bail!(
        "{} of {} things are missing; see the lines above",
        missing.len(),
        needs.len()
    );
}

fn install(missing: &[Need]) -> Result<()> {
    let apt = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        command
            .args(["-q", "-o", "Dpkg::Use-Pty=0"])
            .args(arguments);
        run(command.env("DEBIAN_FRONTEND", "noninteractive"))
    };
    // Fresh lists: a machine made from an image has old ones or none.
    say("apt-get update");
    apt(&["update"])?;
    let mut arguments = vec!["install", "-y", "--no-install-recommends"];
    let packages: Vec<_> = missing.iter().map(|need| need.packages().apt).collect();
    arguments.extend(packages.iter().flat_map(|names| names.split(' ')));
    say(&format!("apt-get {}", arguments.join(" ")));
    apt(&arguments)?;
    for need in missing {
        if !need.is_there() {
            bail!("{} is still missing after: {}", need.name(), need.line());
        }
    }
    Ok(())
}

/// On PATH, or where Debian has them, which is not on PATH.
fn has_postgres() -> bool {
    let both = |there: &dyn Fn(&str) -> bool| there("initdb") && there("postgres");
    if both(&|program| which(program).is_some()) {
        return true;
    }
    let Ok(versions) = fs::read_dir("/usr/lib/postgresql") else {
        return false;
    };
    versions
        .flatten()
        .any(|version| both(&|program| version.path().join("bin").join(program).is_file()))
}

/// On PATH, or where Debian has the server, which is not on everybody's PATH.
fn has_mariadb() -> bool {
    let there =
        |program: &str| which(program).is_some() || Path::new("/usr/sbin").join(program).is_file();
    there("mariadbd") && Path::new("/usr/share/mysql/mysql_system_tables.sql").is_file()
}
