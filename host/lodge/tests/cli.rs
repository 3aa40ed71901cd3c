//! The command line as people and scripts meet it: the real program against a real host.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test: to fail is to panic, and its thread is its own to put to sleep"
)]

use lodge_harness::{EMAIL, Host, PASSWORD, eventually, guest};
use serde_json::Value;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(60);

/// A user with a home of their own, before a host.
struct User {
    host: Host,
    home: TempDir,
}

/// How a command ended.
#[derive(Debug)]
struct Ended {
    code: i32,
    out: String,
    err: String,
}

impl User {
    fn new() -> Self {
        Self {
            host: Host::start(),
            home: tempfile::tempdir().unwrap(),
        }
    }

    fn logged_in() -> Self {
        let user = Self::new();
        let login = user.run_with(&["login", "--email", EMAIL, "--password-stdin"], PASSWORD);
        assert_eq!(login.code, 0, "{login:?}");
        user
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lodge"));
        command
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", self.home.path())
            .env("LODGE_URL", format!("http://{}", self.host.admin))
            .current_dir(self.home.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        self.run_with(arguments, "")
    }

    fn run_with(&self, arguments: &[&str], input: &str) -> Ended {
        end(self.command(arguments).spawn().unwrap(), input)
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let ended = self.run(&[arguments, &["--json"]].concat());
        assert_eq!((ended.code, ended.err.as_str()), (0, ""), "{ended:?}");
        serde_json::from_str(&ended.out).unwrap()
    }

    fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.home.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

fn end(mut child: Child, input: &str) -> Ended {
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ended {
        code: output.status.code().unwrap(),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}

#[test]
fn a_file_becomes_an_app_with_an_address_in_one_command() {
    let user = User::logged_in();
    user.file("shop.wasm", &guest("hello-p2"));
    let deployed = user.run(&["deploy", "shop.wasm", "--app", "shop", "--secret", "KEY=@-"]);
    assert_eq!(deployed.code, 0, "{deployed:?}");
    let by_path = format!("http://{}/apps/shop/", user.host.apps);
    assert!(
        deployed.out.lines().any(|line| line == by_path),
        "{deployed:?}"
    );
    assert!(deployed.err.contains("compiled") && deployed.err.contains("created shop"));
    assert_eq!(user.host.visit("shop", "/").send().status, 200);

    // Again: the same bytes are not sent twice, the app is changed, its secret stays.
    let again = user.run(&["deploy", "shop.wasm", "--app", "shop", "--limit", "queue=7"]);
    assert_eq!(again.code, 0, "{again:?}");
    assert!(again.err.contains("on the host already") && again.err.contains("updated shop"));
    let shown = user.run(&["app", "show", "shop"]);
    assert!(
        shown.out.contains("queue=7") && shown.out.contains("KEY=(secret)"),
        "{}",
        shown.out
    );

    // For programs: one JSON value, and nothing else.
    let app = user.json(&["deploy", "shop.wasm", "--app", "shop"]);
    assert_eq!(app["observed"][0]["status"], "running");
}

#[test]
fn an_app_is_made_listed_stopped_started_and_removed() {
    let user = User::logged_in();
    let file = user.file("hello.wasm", &guest("hello-p2"));
    let pushed = user.json(&[
        "component",
        "push",
        file.to_str().unwrap(),
        "--name",
        "hello",
        "--component-version",
        "1",
    ]);
    assert_eq!(pushed["status"], "ready");
    let made = user.run(&[
        "app",
        "create",
        "shop",
        "--component",
        "hello@1",
        "--domain",
        "shop.example.com",
        "--limit",
        "memory_bytes=256MiB",
        "--start-mode",
        "with-host",
    ]);
    assert_eq!(made.code, 0, "{made:?}");
    let list = user.run(&["app", "list"]);
    assert!(
        list.out.contains("shop  stopped") && list.out.contains("hello@1"),
        "{}",
        list.out
    );
    assert_eq!(
        user.json(&["app", "list"])["items"][0]["limits"]["memory_bytes"],
        256 << 20
    );
    for (verb, said, status) in [
        ("start", "started shop", 200),
        ("stop", "stopped shop", 503),
        ("restart", "restarted shop", 200),
    ] {
        let done = user.run(&["app", verb, "shop"]);
        assert_eq!((done.code, done.out.trim()), (0, said), "{done:?}");
        assert_eq!(user.host.visit("shop", "/").send().status, status, "{verb}");
    }
    assert!(user.run(&["app", "stats", "shop"]).out.contains("answered"));
    assert!(user.json(&["app", "logs", "shop"])["items"].is_array());
    let digest = pushed["digest"].as_str().unwrap();
    let used = user.run(&["component", "rm", &digest[..8]]);
    assert_eq!(used.code, 1);
    assert!(used.err.contains("(component_in_use)"), "{}", used.err);
    assert_eq!(user.run(&["app", "rm", "shop"]).out.trim(), "removed shop");
    assert_eq!(user.host.visit("shop", "/").send().status, 404);
    assert_eq!(user.run(&["component", "rm", "hello@1"]).code, 0);
    assert!(
        user.run(&["component", "list"])
            .err
            .contains("no components yet")
    );
    assert!(user.run(&["env", "list"]).out.contains("local"));
}

#[test]
fn failures_are_one_line_with_the_remedy_and_exit_codes_tell_their_kind() {
    let user = User::logged_in();
    let text = user.file("notes.wasm", b"not a component");
    for (arguments, code, said) in [
        (
            &["app", "show", "nobody"][..],
            1,
            "there is no app `nobody`",
        ),
        (
            &["component", "push", text.to_str().unwrap()],
            1,
            "(not_wasm)",
        ),
        (
            &["component", "push", "missing.wasm"],
            1,
            "cannot read missing.wasm",
        ),
        (&["app", "create", "API", "--component", "x"], 1, "id: "),
        (
            &[
                "app",
                "create",
                "a",
                "--component",
                "x",
                "--limit",
                "queue=-",
            ],
            2,
            "--limit queue",
        ),
        (&["app", "update", "a"], 2, "nothing to change"),
        (
            &["app", "list", "--url", "nonsense"],
            2,
            "is not an address",
        ),
        (
            &["app", "list", "--url", "http://127.0.0.1:1"],
            1,
            "cannot reach http://127.0.0.1:1",
        ),
    ] {
        let failed = user.run(arguments);
        assert_eq!(failed.code, code, "{arguments:?}: {failed:?}");
        assert!(failed.err.contains(said), "{arguments:?}: {}", failed.err);
        let own = failed
            .err
            .lines()
            .filter(|line| line.starts_with("lodge: "))
            .count();
        assert_eq!(own, 1, "{}", failed.err);
        assert_eq!(failed.out, "", "answers only go to standard output");
    }
    let json = user.run(&["app", "show", "nobody", "--json"]);
    assert_eq!(
        serde_json::from_str::<Value>(&json.err).unwrap()["code"],
        "app_not_found"
    );
    assert_eq!(user.run(&["frobnicate"]).code, 2);
}

#[test]
fn credentials_come_from_the_login_or_from_the_environment() {
    let user = User::new();
    let stranger = user.run(&["app", "list"]);
    assert_eq!(stranger.code, 1);
    assert!(stranger.err.contains("lodge login"), "{}", stranger.err);
    let wrong = user.run_with(
        &["login", "--email", EMAIL, "--password-stdin"],
        "wrong wrong",
    );
    assert!(
        wrong.code == 1 && wrong.err.contains("(wrong_login)"),
        "{wrong:?}"
    );
    let unasked = user.run(&["login"]);
    assert!(
        unasked.code == 2 && unasked.err.contains("--password-stdin"),
        "{unasked:?}"
    );

    let printed = user.run_with(
        &[
            "login",
            "--email",
            EMAIL,
            "--password-stdin",
            "--print-token",
        ],
        &format!("{PASSWORD}\n"),
    );
    let file = user.home.path().join(".config/lodge/credentials.json");
    assert!(printed.code == 0 && !file.exists(), "{printed:?}");
    let with_token = |token: &str, arguments: &[&str]| {
        end(
            user.command(arguments)
                .env("LODGE_TOKEN", token)
                .spawn()
                .unwrap(),
            "",
        )
    };
    let made = with_token(printed.out.trim(), &["token", "create", "ci"]);
    let token = made.out.trim().to_owned();
    assert!(token.starts_with("lodge_token_"), "{made:?}");
    assert_eq!(with_token(&token, &["app", "list"]).code, 0);
    let id = with_token(&token, &["token", "list", "--json"]);
    let id = serde_json::from_str::<Value>(&id.out).unwrap()["items"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(
        with_token(printed.out.trim(), &["token", "rm", &id]).code,
        0
    );
    assert_eq!(with_token(&token, &["app", "list"]).code, 1);

    let login = user.run_with(&["login", "--email", EMAIL, "--password-stdin"], PASSWORD);
    assert_eq!(login.code, 0, "{login:?}");
    assert_eq!(
        std::fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert_eq!(user.run(&["app", "list"]).code, 0);
    assert_eq!(user.run(&["logout"]).code, 0);
    assert_eq!(user.run(&["app", "list"]).code, 1);
}

#[test]
fn every_shell_gets_completions() {
    let user = User::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = user.run(&["completions", shell]);
        assert!(script.code == 0 && script.out.contains("deploy"), "{shell}");
    }
}

/// Cargo's part is played by a script: which guest it "builds" stands in the project's source. That
/// the templates build for real is seen to where guests are built.
#[test]
fn dev_deploys_again_on_every_save_and_outlives_a_broken_build() {
    let user = User::logged_in();
    let made = user.run(&["new", "my-shop"]);
    assert_eq!(made.code, 0, "{made:?}");
    assert_eq!(user.run(&["new", "my-shop"]).code, 1, "overwrote a project");
    let project = user.home.path().join("my-shop");
    for name in ["hello-p2", "hello-p3"] {
        user.file(&format!("{name}.wasm"), &guest(name));
    }
    let source = project.join("src/lib.rs");
    std::fs::write(&source, "hello-p2").unwrap();
    let cargo = fake_cargo(&user, &project);
    let child = user
        .command(&["dev", "--path", "my-shop"])
        .env("LODGE_GUEST_CARGO", cargo)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let _dev = Killed(child);
    let digest = || {
        let shown = user.run(&["app", "show", "my-shop", "--json"]);
        let app: Value = serde_json::from_str(&shown.out).ok()?;
        let running = app["observed"][0]["status"] == "running";
        running.then(|| app["component"]["digest"].as_str().unwrap().to_owned())
    };
    let first = eventually("the first deployment", PATIENCE, digest);
    std::fs::write(&source, "no-such-guest").unwrap();
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(
        digest(),
        Some(first.clone()),
        "a broken build changes nothing"
    );
    std::fs::write(&source, "hello-p3").unwrap();
    eventually("the second deployment", PATIENCE, || {
        digest().filter(|digest| *digest != first)
    });
    eventually("the removal of what was there before", PATIENCE, || {
        (user.json(&["component", "list"])["items"].as_array()?.len() == 1).then_some(())
    });
}

fn fake_cargo(user: &User, project: &Path) -> PathBuf {
    let manifest = project.canonicalize().unwrap().join("Cargo.toml");
    let message =
        r#"{"reason":"compiler-artifact","manifest_path":"MANIFEST","filenames":["WASM"]}"#;
    let message = message.replace("MANIFEST", manifest.to_str().unwrap());
    let script = format!(
        "#!/bin/sh\nset -e\nwasm=\"{}/$(cat src/lib.rs).wasm\"\ntest -f \"$wasm\"\necho '{message}' | sed \"s|WASM|$wasm|\"\n",
        user.home.path().display()
    );
    let path = user.file("cargo.sh", script.as_bytes());
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
    path
}

struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
