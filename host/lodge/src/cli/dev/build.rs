//! Builds a guest with cargo, or with the wrapper that `LODGE_GUEST_CARGO` names (where the
//! toolchain's own standard library for the target is missing, say).

use crate::cli::failure::Failure;
use serde_json::Value;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const TARGET: &str = "wasm32-wasip2";

/// A cargo package that builds a component.
#[derive(Debug)]
pub(crate) struct Project {
    /// Where its manifest lies.
    pub(crate) folder: PathBuf,
    /// Its package's name.
    pub(crate) package: String,
}

impl Project {
    /// The package in `folder`.
    ///
    /// # Errors
    /// There is none, or cargo is missing.
    pub(crate) fn find(folder: &Path) -> Result<Self, Failure> {
        let folder = folder
            .canonicalize()
            .map_err(Failure::file("open", folder))?;
        let manifest = folder.join("Cargo.toml");
        let text = std::fs::read_to_string(&manifest).map_err(Failure::file("read", &manifest))?;
        let bad = |reason: &str| Failure::Failed(format!("{}: {reason}", manifest.display()));
        let parsed: toml::Value = toml::from_str(&text).map_err(|error| bad(error.message()))?;
        let package = parsed
            .get("package")
            .and_then(|package| package.get("name"));
        let package = package.and_then(toml::Value::as_str).ok_or_else(|| {
            bad("it is no package: run `lodge dev` in a package's folder, or begin one with `lodge new`")
        })?;
        Ok(Self {
            package: package.to_owned(),
            folder,
        })
    }

    /// Builds the package and gives the path of its component. Cargo's own output goes to
    /// standard error.
    ///
    /// # Errors
    /// Cargo is missing, the build failed, or it made no component.
    pub(crate) fn build(&self) -> Result<PathBuf, Failure> {
        let cargo = std::env::var_os("LODGE_GUEST_CARGO").filter(|cargo| !cargo.is_empty());
        let cargo = cargo.unwrap_or_else(|| "cargo".into());
        let mut child = Command::new(&cargo)
            .args(["build", "--release", "--target", TARGET])
            .arg("--message-format=json-render-diagnostics")
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| {
                let cargo = Path::new(&cargo).display();
                Failure::Failed(format!(
                    "cannot run {cargo}: {error}. Install Rust, or set LODGE_GUEST_CARGO"
                ))
            })?;
        let mut component = None;
        for line in child
            .stdout
            .take()
            .map(BufReader::new)
            .into_iter()
            .flat_map(BufReader::lines)
        {
            let line = line.map_err(Failure::file("read", "cargo's output"))?;
            component = self.component_in(&line).or(component);
        }
        let status = child.wait().map_err(Failure::file("wait for", "cargo"))?;
        if !status.success() {
            return Err(Failure::Failed(format!(
                "the build failed. If the target is missing: rustup target add {TARGET}"
            )));
        }
        component.ok_or_else(|| {
            Failure::Failed(format!(
                "{} builds no component: its Cargo.toml needs [lib] crate-type = [\"cdylib\"]",
                self.package
            ))
        })
    }

    /// The component that one of cargo's messages says was made for this package.
    fn component_in(&self, line: &str) -> Option<PathBuf> {
        let message: Value = serde_json::from_str(line).ok()?;
        let manifest = message.get("manifest_path")?.as_str()?;
        if Path::new(manifest).parent()? != self.folder {
            return None;
        }
        let files = message.get("filenames")?.as_array()?;
        files
            .iter()
            .filter_map(Value::as_str)
            .find(|file| file.ends_with(".wasm"))
            .map(PathBuf::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_component_is_that_of_the_package() {
        let project = Project {
            folder: "/p".into(),
            package: "shop".into(),
        };
        let message = |manifest: &str, file: &str| {
            let text = serde_json::json!({
                "reason": "compiler-artifact", "manifest_path": manifest, "filenames": [file],
            });
            project.component_in(&text.to_string())
        };
        assert_eq!(
            message("/p/Cargo.toml", "/p/target/x/shop.wasm"),
            Some("/p/target/x/shop.wasm".into())
        );
        assert_eq!(message("/q/Cargo.toml", "/p/target/x/dep.wasm"), None);
        assert_eq!(message("/p/Cargo.toml", "/p/target/x/libshop.rlib"), None);
        assert_eq!(project.component_in("not json"), None);
    }

    #[test]
    fn a_folder_without_a_package_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Project::find(folder.path()).is_err());
        std::fs::write(folder.path().join("Cargo.toml"), "[workspace]\n").unwrap();
        let failure = Project::find(folder.path()).unwrap_err().to_string();
        assert!(failure.contains("no package"), "{failure}");
        std::fs::write(
            folder.path().join("Cargo.toml"),
            "[package]\nname = \"shop\"\n",
        )
        .unwrap();
        assert_eq!(Project::find(folder.path()).unwrap().package, "shop");
    }
}
