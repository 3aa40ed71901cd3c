//! What `lodge new` makes, built and deployed by the commands of its own README, and visited.
//!
//! What a README has installed once was put in place by `cargo xtask guests --all`, for apps that need the same;
//! nothing is downloaded here. Projects in Rust are built in the guests' target folder, with the versions that
//! guests lock, so that most of what they need is built already.

use crate::support::User;
use lodge_harness::Reply;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Commands that install something, and those that only show what else there is.
const NOT_HERE: [&str; 7] = [
    "rustup ",
    "npm install",
    "python3 -m venv",
    ".venv/bin/pip install",
    "lodge dev",
    "curl ",
    "TOKEN=",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

/// Where `cargo xtask guests` keeps what it downloads and builds.
fn cache(name: &str) -> PathBuf {
    let root = root();
    let cache = match std::env::var_os("LODGE_CACHE_DIR") {
        Some(cache) if !cache.is_empty() => root.join(cache),
        _ => root.join("target"),
    };
    let folder = cache.join(name);
    assert!(
        folder.is_dir(),
        "{} is not there: run `cargo xtask guests --all`",
        folder.display()
    );
    folder
}

fn read(path: impl AsRef<Path>) -> String {
    std::fs::read_to_string(path).unwrap()
}

/// A new project, made by this command.
fn made(user: &User, arguments: &[&str]) -> PathBuf {
    let made = user.run(&[&["new", "my-app"], arguments].concat());
    assert_eq!(made.code, 0, "{made:?}");
    user.home.path().join("my-app")
}

/// Does what the README says: builds, and deploys.
fn follow_readme(user: &User, project: &Path) {
    let readme = read(project.join("README.md"));
    let commands = readme.lines().filter_map(|line| line.strip_prefix("    "));
    // What stands behind two spaces and a # is a comment.
    let commands = commands.map(|line| line.split("  #").next().unwrap().trim());
    let mut done = Vec::new();
    for command in commands.filter(|command| !NOT_HERE.iter().any(|not| command.starts_with(not))) {
        match command.strip_prefix("lodge ") {
            Some(arguments) => deploy(user, project, arguments),
            None => build(project, command),
        }
        done.push(command);
    }
    assert!(
        matches!(&done[..], [_, deploy] if deploy.starts_with("lodge deploy my") || deploy.starts_with("lodge deploy target/")),
        "{done:?}"
    );
}

fn deploy(user: &User, project: &Path, arguments: &str) {
    let arguments: Vec<_> = arguments.split_whitespace().collect();
    let deployed = user
        .command(&arguments)
        .current_dir(project)
        .output()
        .unwrap();
    assert!(deployed.status.success(), "{deployed:?}");
}

fn build(project: &Path, command: &str) {
    let mut shell = Command::new("sh");
    shell
        .args(["-c", command])
        .current_dir(project)
        .env("CARGO_NET_OFFLINE", "true")
        // As the guests' own profile has it, so that what they share is built once.
        .env("CARGO_PROFILE_RELEASE_PANIC", "abort");
    // What this test's own build was told is not the project's.
    for name in [
        "CARGO_TARGET_DIR",
        "CARGO_BUILD_TARGET",
        "CARGO_INCREMENTAL",
        "RUSTFLAGS",
        "CARGO_ENCODED_RUSTFLAGS",
    ] {
        shell.env_remove(name);
    }
    let built = shell.output().unwrap();
    let told = String::from_utf8_lossy(&built.stderr);
    assert!(
        built.status.success(),
        "`{command}` in {}:\n{told}",
        project.display()
    );
}

/// False where guests are built by another toolchain than the active one, which has not their target.
fn active_toolchain_builds_guests() -> bool {
    let asked = Command::new("rustc")
        .args(["--print", "sysroot"])
        .current_dir(root())
        .output()
        .unwrap();
    let sysroot = String::from_utf8(asked.stdout).unwrap();
    Path::new(sysroot.trim())
        .join("lib/rustlib/wasm32-wasip2/lib")
        .is_dir()
}

/// Builds, deploys and visits a project in Rust.
fn rust(template: &str, path: &str) -> Reply {
    let user = User::logged_in();
    let project = made(&user, &["--lang", "rust", "--template", template]);
    symlink(cache("guests-build"), project.join("target")).unwrap();
    std::fs::copy(
        root().join("tests/guests/Cargo.lock"),
        project.join("Cargo.lock"),
    )
    .unwrap();
    follow_readme(&user, &project);
    user.host.visit("my-app", path).send()
}

#[test]
fn projects_in_rust_are_built_deployed_and_visited() {
    if !active_toolchain_builds_guests() {
        eprintln!(
            "not tested: the active toolchain has no wasm32-wasip2 (rustup target add wasm32-wasip2)"
        );
        return;
    }
    assert_eq!(rust("http", "/").text(), "Hello from my-app\n");
    assert_eq!(rust("axum", "/hello/Ann").text(), "Hello, Ann!\n");
}

#[test]
fn a_project_in_javascript_is_built_deployed_and_visited() {
    let user = User::logged_in();
    let project = made(&user, &["--lang", "js"]);
    // What is installed is what the project asks for.
    let needs = |file: PathBuf| {
        let package: serde_json::Value = serde_json::from_str(&read(file)).unwrap();
        (
            package["devDependencies"].clone(),
            package["overrides"].clone(),
        )
    };
    assert_eq!(
        needs(project.join("package.json")),
        needs(root().join("apps/hello-js/package.json"))
    );
    symlink(
        cache("toolchain/javascript/node_modules"),
        project.join("node_modules"),
    )
    .unwrap();
    follow_readme(&user, &project);
    greets_and_knows(&user);
}

#[test]
fn a_project_in_python_is_built_deployed_and_visited() {
    let user = User::logged_in();
    let project = made(&user, &["--lang", "python"]);
    let needs = read(project.join("requirements.txt"));
    assert_eq!(needs, read(root().join("apps/hello-py/requirements.txt")));
    symlink(cache("toolchain/python"), project.join(".venv")).unwrap();
    follow_readme(&user, &project);
    greets_and_knows(&user);
}

/// What the READMEs of JavaScript and Python show with `curl`.
fn greets_and_knows(user: &User) {
    let visit = |path: &str| user.host.visit("my-app", path);
    for n in [1, 2] {
        let text = visit("/hello?name=Ann").send().text();
        assert_eq!(text, format!("Hello, Ann! This is greeting {n}.\n"));
    }
    let token = visit("/token?name=Ann").method("POST").send().text();
    let bearer = |token: &str| format!("Bearer {}", token.trim());
    let known = visit("/me").header("authorization", &bearer(&token)).send();
    assert_eq!(known.text(), "Hello again, Ann!\n");
    let unknown = visit("/me")
        .header("authorization", &bearer("no.such.token"))
        .send();
    assert_eq!(unknown.status, 401);
}
