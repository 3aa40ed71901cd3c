//! What goes wrong, and how it is said.

use crate::support::User;
use serde_json::Value;

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
}

#[test]
fn programs_get_failures_as_json() {
    let user = User::logged_in();
    let json = user.run(&["app", "show", "nobody", "--json"]);
    assert_eq!(
        serde_json::from_str::<Value>(&json.err).unwrap()["code"],
        "app_not_found"
    );
    assert_eq!(user.run(&["frobnicate"]).code, 2);
}

#[test]
fn every_shell_gets_completions() {
    let user = User::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = user.run(&["completions", shell]);
        assert!(script.code == 0 && script.out.contains("deploy"), "{shell}");
    }
}
