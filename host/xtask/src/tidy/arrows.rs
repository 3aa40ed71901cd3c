//! Which crate of the host may depend on which: the arrows that must not be are invariants of the design.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

/// From, to, why not.
const FORBIDDEN: [(&str, &str, &str); 8] = [
    (
        "edge",
        "db",
        "a request never waits for the control database: routes come as a snapshot",
    ),
    ("runtime", "db", "the runtime is told what to run"),
    ("runtime", "bus", "the runtime is told what to run"),
    (
        "runtime",
        "capabilities",
        "the runtime calls the model's port",
    ),
    ("worker", "db", "a worker has no control database"),
    ("console", "runtime", "the console asks the supervisor"),
    (
        "capabilities",
        "runtime",
        "capabilities implement the model's port",
    ),
    (
        "capabilities",
        "db",
        "an app's database is not the control database",
    ),
];

/// The crate that all others may use, and that uses none.
const INNERMOST: &str = "model";

const PREFIX: &str = "lodge-";

/// The rules that are broken.
pub(super) fn check(root: &Path) -> Result<Vec<String>> {
    let crates = crates(&root.join("host"))?;
    println!("crates and what they use:");
    for (name, uses) in &crates {
        println!(
            "  {name:<13} {}",
            if uses.is_empty() {
                "—".to_owned()
            } else {
                uses.join(", ")
            }
        );
    }
    let mut broken = Vec::new();
    for (from, to, why) in FORBIDDEN {
        if crates
            .get(from)
            .is_some_and(|uses| uses.iter().any(|used| used == to))
        {
            broken.push(format!("{from} must not use {to}: {why}"));
        }
    }
    for used in crates.get(INNERMOST).into_iter().flatten() {
        broken.push(format!(
            "{INNERMOST} must not use {used}: it is what all others share"
        ));
    }
    Ok(broken)
}

/// Each crate of the host by its folder's name, with the crates of the host that it is built with (what only
/// its tests use does not count).
fn crates(host: &Path) -> Result<BTreeMap<String, Vec<String>>> {
    let mut crates = BTreeMap::new();
    for entry in fs::read_dir(host)? {
        let folder = entry?.path();
        let Ok(text) = fs::read_to_string(folder.join("Cargo.toml")) else {
            continue;
        };
        let manifest: toml::Table = text
            .parse()
            .with_context(|| format!("{}/Cargo.toml", folder.display()))?;
        let name = folder
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let mut uses = Vec::new();
        collect(&manifest, &mut uses);
        uses.sort();
        uses.dedup();
        crates.insert(name, uses);
    }
    Ok(crates)
}

/// Dependencies of a manifest, and of each of its targets (`[target.'cfg(…)'.dependencies]`).
fn collect(table: &toml::Table, uses: &mut Vec<String>) {
    for kind in ["dependencies", "build-dependencies"] {
        let Some(dependencies) = table.get(kind).and_then(toml::Value::as_table) else {
            continue;
        };
        for (key, value) in dependencies {
            let name = value
                .get("package")
                .and_then(toml::Value::as_str)
                .unwrap_or(key);
            uses.extend(name.strip_prefix(PREFIX).map(str::to_owned));
        }
    }
    let targets = table
        .get("target")
        .and_then(toml::Value::as_table)
        .into_iter()
        .flatten();
    for target in targets.filter_map(|(_, target)| target.as_table()) {
        collect(target, uses);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renamed_and_targeted_dependencies_are_seen() {
        let manifest: toml::Table = "[dependencies]\nstore = { package = \"lodge-db\", path = \"../db\" }\nserde = \"1\"\n\
             [target.'cfg(unix)'.dependencies]\nlodge-bus.workspace = true\n[dev-dependencies]\nlodge-edge.workspace = true"
            .parse()
            .unwrap();
        let mut uses = Vec::new();
        collect(&manifest, &mut uses);
        assert_eq!(uses, ["db", "bus"]);
    }
}
