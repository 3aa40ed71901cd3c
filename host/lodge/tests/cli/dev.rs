//! `lodge new` and `lodge dev`.

use crate::support::User;
use lodge_harness::{eventually, guest};
use serde_json::Value;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);

/// Cargo's part is played by a script: which guest it "builds" stands in the project's source. That
/// the templates build for real is seen to in [`crate::new`].
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
