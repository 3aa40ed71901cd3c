//! Logging in, and tokens for programs.

use crate::support::{User, end};
use lodge_harness::{EMAIL, PASSWORD};
use serde_json::Value;
use std::os::unix::fs::PermissionsExt as _;

const LOGIN: [&str; 4] = ["login", "--email", EMAIL, "--password-stdin"];

#[test]
fn a_stranger_is_told_how_to_log_in() {
    let user = User::new();
    let stranger = user.run(&["app", "list"]);
    assert_eq!(stranger.code, 1);
    assert!(stranger.err.contains("lodge login"), "{}", stranger.err);
    let wrong = user.run_with(&LOGIN, "wrong wrong");
    assert_eq!(wrong.code, 1);
    assert!(wrong.err.contains("(wrong_login)"), "{wrong:?}");
    let unasked = user.run(&["login"]);
    assert_eq!(unasked.code, 2, "nobody to ask");
    assert!(unasked.err.contains("--password-stdin"), "{unasked:?}");
}

#[test]
fn a_login_is_remembered_for_its_user_alone_until_the_logout() {
    let user = User::new();
    assert_eq!(user.run_with(&LOGIN, PASSWORD).code, 0);
    let file = user.home.path().join(".config/lodge/credentials.json");
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(user.run(&["app", "list"]).code, 0);
    assert_eq!(user.run(&["logout"]).code, 0);
    assert_eq!(user.run(&["app", "list"]).code, 1);
}

#[test]
fn programs_have_tokens_in_the_environment() {
    let user = User::new();
    let print = [&LOGIN[..], &["--print-token"]].concat();
    let printed = user.run_with(&print, &format!("{PASSWORD}\n"));
    assert_eq!(printed.code, 0, "{printed:?}");
    assert!(!user.home.path().join(".config").exists(), "remembered it");
    let session = printed.out.trim();
    let with = |token: &str, arguments: &[&str]| {
        let mut command = user.command(arguments);
        end(command.env("LODGE_TOKEN", token).spawn().unwrap(), "")
    };
    let made = with(session, &["token", "create", "ci"]);
    let token = made.out.trim();
    assert!(token.starts_with("lodge_token_"), "{made:?}");
    assert_eq!(with(token, &["app", "list"]).code, 0);
    let list = with(token, &["token", "list", "--json"]);
    let list: Value = serde_json::from_str(&list.out).unwrap();
    let id = list["items"][0]["id"].as_str().unwrap();
    assert_eq!(with(session, &["token", "rm", id]).code, 0);
    assert_eq!(with(token, &["app", "list"]).code, 1);
}
