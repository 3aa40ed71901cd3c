//! The files that a project begins with, embedded: where each goes, and its text with placeholders.

/// What a project begins as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    Http,
    Axum,
    Js,
    Python,
}

/// Where a file goes in the project, and its text.
pub(super) type File = (&'static str, &'static str);

/// Files of a folder of the source tree, each under the place it has in a project.
macro_rules! files {
    ($folder:literal: $($file:literal => $place:literal),+ $(,)?) => {
        &[$((
            $place,
            include_str!(concat!("../../../../../", $folder, "/", $file)),
        )),+]
    };
}

const HTTP: &[File] = files!("guest-sdk/templates/http":
    "Cargo.toml.in" => "Cargo.toml",
    "cargo-config.toml" => ".cargo/config.toml",
    "gitignore" => ".gitignore",
    "README.md" => "README.md",
    "src/lib.rs" => "src/lib.rs",
);

const AXUM: &[File] = files!("guest-sdk/templates/axum":
    "Cargo.toml.in" => "Cargo.toml",
    "cargo-config.toml" => ".cargo/config.toml",
    "gitignore" => ".gitignore",
    "README.md" => "README.md",
    "src/lib.rs" => "src/lib.rs",
);

const JS: &[File] = files!("guest-sdk/templates/js":
    "README.md" => "README.md",
    "gitignore" => ".gitignore",
    "package.json" => "package.json",
    "src/app.js" => "src/app.js",
    "wit/app.wit" => "wit/app.wit",
);

const PYTHON: &[File] = files!("guest-sdk/templates/python":
    "README.md" => "README.md",
    "app.py" => "app.py",
    "gitignore" => ".gitignore",
    "requirements.txt" => "requirements.txt",
    "wit/app.wit" => "wit/app.wit",
);

/// What the host gives: all of it, since the package names it all. The app's own world says what it uses.
const HOST_WIT: &[File] = files!("wit":
    "database-async.wit" => "wit/deps/lodge-host/database-async.wit",
    "database.wit" => "wit/deps/lodge-host/database.wit",
    "jwt.wit" => "wit/deps/lodge-host/jwt.wit",
    "migrations.wit" => "wit/deps/lodge-host/migrations.wit",
    "sql.wit" => "wit/deps/lodge-host/sql.wit",
    "world.wit" => "wit/deps/lodge-host/world.wit",
    "deps/config.wit" => "wit/deps/config.wit",
    "deps/keyvalue.wit" => "wit/deps/keyvalue.wit",
    "deps/logging.wit" => "wit/deps/logging.wit",
);

/// WASI at the version that componentize-js speaks.
const JS_WASI: &[File] = files!("apps/hello-js/wit/deps":
    "clocks.wit" => "wit/deps/clocks.wit",
    "http.wit" => "wit/deps/http.wit",
    "io.wit" => "wit/deps/io.wit",
);

/// WASI at the version that componentize-py speaks.
const PYTHON_WASI: &[File] = files!("apps/hello-py/wit/deps":
    "clocks.wit" => "wit/deps/clocks.wit",
    "http.wit" => "wit/deps/http.wit",
    "io.wit" => "wit/deps/io.wit",
);

impl Start {
    /// The files of its template, then those of interfaces. The guest SDK brings Rust its own.
    pub(super) fn files(self) -> impl Iterator<Item = &'static File> {
        let (own, wasi, host): (_, &[File], &[File]) = match self {
            Self::Http => (HTTP, &[], &[]),
            Self::Axum => (AXUM, &[], &[]),
            Self::Js => (JS, JS_WASI, HOST_WIT),
            Self::Python => (PYTHON, PYTHON_WASI, HOST_WIT),
        };
        own.iter().chain(wasi).chain(host)
    }

    /// True if it is built on the guest SDK.
    pub(super) fn needs_sdk(self) -> bool {
        matches!(self, Self::Http | Self::Axum)
    }

    /// What to do first in the project's folder.
    pub(super) fn next(self) -> &'static str {
        match self {
            Self::Http | Self::Axum => "lodge dev",
            Self::Js => "npm install && npm run build",
            Self::Python => "python3 -m venv .venv && .venv/bin/pip install -r requirements.txt",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::path::Path;

    fn count(folder: &Path) -> usize {
        let entries = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path());
        entries
            .map(|path| if path.is_dir() { count(&path) } else { 1 })
            .sum()
    }

    /// A folder gains a file: its list must too.
    #[test]
    fn no_file_is_forgotten() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        for (folder, files) in [
            ("guest-sdk/templates/http", HTTP),
            ("guest-sdk/templates/axum", AXUM),
            ("guest-sdk/templates/js", JS),
            ("guest-sdk/templates/python", PYTHON),
            ("wit", HOST_WIT),
            ("apps/hello-js/wit/deps", JS_WASI),
            ("apps/hello-py/wit/deps", PYTHON_WASI),
        ] {
            assert_eq!(count(&root.join(folder)), files.len(), "{folder}");
        }
    }

    /// A world names interfaces by version: those embedded with it must have it.
    #[test]
    fn worlds_find_their_interfaces() {
        for start in [Start::Js, Start::Python] {
            let text = |place: &str| start.files().find(|file| file.0 == place).unwrap().1;
            let world = text("wit/app.wit");
            for (package, place) in [
                ("wasi:http", "wit/deps/http.wit"),
                ("lodge:host", "wit/deps/lodge-host/jwt.wit"),
            ] {
                let version = text(place)
                    .split_once(&format!("package {package}@"))
                    .and_then(|(_, rest)| rest.split_once(';'))
                    .unwrap()
                    .0;
                let prefix = format!("{package}/");
                let versions: Vec<_> = world
                    .split(&prefix)
                    .skip(1)
                    .map(|rest| rest.split(['@', ';']).nth(1).unwrap())
                    .collect();
                assert!(!versions.is_empty(), "{start:?} {package}");
                for named in versions {
                    assert_eq!(named, version, "{start:?} {package}");
                }
            }
        }
    }
}
