//! apt with sources and lists of our own, so that the machine's stay as they are. Needs no root.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::shell::output;

/// A package in one version.
#[derive(Debug, Clone)]
pub(super) struct Package {
    name: String,
    version: String,
    /// Of the package's file.
    pub(super) bytes: u64,
}

impl Package {
    /// As apt wants it: `name=version`.
    pub(super) fn spec(&self) -> String {
        format!("{}={}", self.name, self.version)
    }
}

#[derive(Debug)]
pub(super) struct Apt {
    folder: PathBuf,
}

/// Debian's code name, if this is Debian.
pub(super) fn codename() -> Option<String> {
    let release = fs::read_to_string("/etc/os-release").ok()?;
    let value = |name: &str| {
        let line = release.lines().find_map(|line| line.strip_prefix(name))?;
        Some(line.trim_matches('"').to_owned())
    };
    if value("ID=")? == "debian" {
        value("VERSION_CODENAME=")
    } else {
        None
    }
}

impl Apt {
    /// The machine's own Debian sources and, from the same place, the backports; with fresh lists.
    pub(super) fn with_backports(folder: &Path, codename: &str) -> Result<Self> {
        let apt = Self {
            folder: folder.to_owned(),
        };
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
        for part in [
            "sources.list.d",
            "lists/partial",
            "cache/archives/partial",
            "packages",
        ] {
            fs::create_dir_all(folder.join(part))?;
        }
        let sources = debian_sources(codename)?;
        fs::write(folder.join("sources.list.d/lodge.list"), sources)?;
        output(apt.command("apt-get").arg("update"))?;
        Ok(apt)
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        for (name, part) in [
            ("Dir::Etc::sourceparts", "sources.list.d"),
            ("Dir::State::lists", "lists"),
            ("Dir::Cache", "cache"),
        ] {
            command
                .arg("-o")
                .arg(format!("{name}={}", self.folder.join(part).display()));
        }
        // As root, apt would download as a user who may not read this folder.
        command.args([
            "-o",
            "Dir::Etc::sourcelist=/dev/null",
            "-o",
            "APT::Sandbox::User=root",
        ]);
        command.env("LC_ALL", "C");
        command
    }

    /// These packages and all they depend on that the machine doesn't have.
    pub(super) fn missing_for(&self, names: &[&str]) -> Result<Vec<Package>> {
        let mut simulate = self.command("apt-get");
        simulate
            .args(["--simulate", "--no-install-recommends", "install"])
            .args(names);
        let mut packages = Vec::new();
        for line in output(&mut simulate)?.lines() {
            // Inst libgit2-1.5 (1.5.1+ds-1+deb12u2 Debian-Security:12/oldstable-security [amd64])
            let mut words = line.split([' ', '(']).filter(|word| !word.is_empty());
            let (Some("Inst"), Some(name)) = (words.next(), words.next()) else {
                continue;
            };
            // An installed older version stands in brackets before the new one.
            let version = words
                .find(|word| !word.starts_with('['))
                .context("apt-get's answer has no version")?;
            packages.push(self.package(name, version)?);
        }
        // One that is installed already must still be unpacked, to be where its fellows are.
        for name in names {
            if !packages.iter().any(|package| package.name == *name) {
                packages.push(self.newest(name, "0")?);
            }
        }
        Ok(packages)
    }

    /// The newest version of a package in any suite, if it is at least `least`.
    pub(super) fn newest(&self, name: &str, least: &str) -> Result<Package> {
        let mut best = least.to_owned();
        let mut found = false;
        // wasi-libc | 0.0~git20240708.3f43ea9-2~bpo12+1 | <address> bookworm-backports/main amd64 Packages
        for line in output(self.command("apt-cache").args(["madison", name]))?.lines() {
            let Some(version) = line.split('|').nth(1).map(str::trim) else {
                continue;
            };
            if is_at_least(version, &best)? {
                best = version.to_owned();
                found = true;
            }
        }
        if !found {
            bail!(
                "this Debian has no {name} of version {least} or newer, in its backports neither"
            );
        }
        self.package(name, &best)
    }

    fn package(&self, name: &str, version: &str) -> Result<Package> {
        let spec = format!("{name}={version}");
        let facts = output(
            self.command("apt-cache")
                .args(["show", "--no-all-versions", &spec]),
        )?;
        let size = facts.lines().find_map(|line| line.strip_prefix("Size: "));
        let bytes = size.and_then(|size| size.trim().parse().ok()).unwrap_or(0);
        Ok(Package {
            name: name.to_owned(),
            version: version.to_owned(),
            bytes,
        })
    }

    pub(super) fn download(&self, packages: &[Package]) -> Result<Vec<PathBuf>> {
        let folder = self.folder.join("packages");
        let mut download = self.command("apt-get");
        download
            .arg("download")
            .args(packages.iter().map(Package::spec))
            .current_dir(&folder);
        output(&mut download)?;
        let files: Vec<_> = fs::read_dir(&folder)?
            .flatten()
            .map(|file| file.path())
            .collect();
        if files.len() != packages.len() {
            bail!(
                "apt-get gave {} files for {} packages",
                files.len(),
                packages.len()
            );
        }
        Ok(files)
    }
}

fn is_at_least(version: &str, least: &str) -> Result<bool> {
    let mut compare = Command::new("dpkg");
    compare.args(["--compare-versions", version, "ge", least]);
    Ok(compare.status().context("could not start dpkg")?.success())
}

/// The machine's sources of this Debian, and its backports, as lines of a `sources.list`. Backports are in
/// the same archive as the suite itself, so its address serves for both and none has to be written here.
fn debian_sources(codename: &str) -> Result<String> {
    let mut lines = Vec::new();
    let mut files = vec![PathBuf::from("/etc/apt/sources.list")];
    if let Ok(folder) = fs::read_dir("/etc/apt/sources.list.d") {
        files.extend(folder.flatten().map(|file| file.path()));
    }
    for file in files {
        let Ok(text) = fs::read_to_string(&file) else {
            continue;
        };
        match file.extension().and_then(|extension| extension.to_str()) {
            Some("sources") => lines.extend(text.split("\n\n").flat_map(stanza)),
            Some("list") => lines.extend(text.lines().filter_map(one_line)),
            _ => {}
        }
    }
    lines.retain(|source| source.suite.starts_with(codename));
    let backports: Vec<_> = lines
        .iter()
        .filter(|source| source.suite == codename)
        .map(|source| Source {
            suite: format!("{codename}-backports"),
            ..source.clone()
        })
        .collect();
    if backports.is_empty() {
        bail!("no source for {codename} in /etc/apt/sources.list or /etc/apt/sources.list.d");
    }
    lines.retain(|source| source.suite != format!("{codename}-backports"));
    Ok(lines.iter().chain(&backports).map(Source::line).collect())
}

#[derive(Debug, Clone)]
struct Source {
    options: String,
    uri: String,
    suite: String,
}

impl Source {
    fn line(&self) -> String {
        format!("deb {}{} {} main\n", self.options, self.uri, self.suite)
    }
}

/// A stanza of a deb822 file, as one source per address and suite.
fn stanza(text: &str) -> Vec<Source> {
    let field = |name: &str| {
        let line = text
            .lines()
            .filter(|line| !line.starts_with('#'))
            .find_map(|line| {
                let (key, value) = line.split_once(':')?;
                key.trim()
                    .eq_ignore_ascii_case(name)
                    .then(|| value.trim().to_owned())
            });
        line.unwrap_or_default()
    };
    let disabled = field("Enabled") == "no";
    if disabled || !field("Types").split_whitespace().any(|kind| kind == "deb") {
        return Vec::new();
    }
    let signed_by = field("Signed-By");
    // A key written into the stanza itself starts with nothing on its first line.
    let options = if signed_by.starts_with('/') {
        format!("[signed-by={signed_by}] ")
    } else {
        String::new()
    };
    let suites = field("Suites");
    let uris = field("URIs");
    let pairs = uris
        .split_whitespace()
        .flat_map(|uri| suites.split_whitespace().map(move |suite| (uri, suite)));
    pairs
        .map(|(uri, suite)| Source {
            options: options.clone(),
            uri: uri.to_owned(),
            suite: suite.to_owned(),
        })
        .collect()
}

/// A line of a `.list` file: `deb [options] uri suite components`.
fn one_line(line: &str) -> Option<Source> {
    let rest = line.trim().strip_prefix("deb ")?.trim_start();
    let (options, rest) = match rest.strip_prefix('[') {
        Some(rest) => rest
            .split_once(']')
            .map(|(options, rest)| (format!("[{options}] "), rest))?,
        None => (String::new(), rest),
    };
    let mut words = rest.split_whitespace();
    Some(Source {
        options,
        uri: words.next()?.to_owned(),
        suite: words.next()?.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_sources_are_read() {
        let stanzas = stanza(
            "Types: deb deb-src\n# note\nURIs: http://mirror/debian\nSuites: trixie trixie-updates\nSigned-By: /k.gpg",
        );
        let lines: Vec<_> = stanzas.iter().map(Source::line).collect();
        assert_eq!(
            lines[1],
            "deb [signed-by=/k.gpg] http://mirror/debian trixie-updates main\n"
        );
        let line = one_line("deb [arch=amd64] http://mirror/debian trixie main contrib").unwrap();
        assert_eq!(
            line.line(),
            "deb [arch=amd64] http://mirror/debian trixie main\n"
        );
        assert!(one_line("deb-src http://mirror/debian trixie main").is_none());
        assert!(stanza("Types: deb\nEnabled: no\nURIs: http://m\nSuites: trixie").is_empty());
    }
}
