//! The web console, in a real browser against the real host. The plays are `tests/e2e/console/*.mjs`.

use lodge_harness::postgres::Postgres;
use lodge_harness::{Cluster, Config, EMAIL, Host, PASSWORD};
use serde_json::json;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};

/// Plays a script against a host, and does what it asks for.
fn play(host: &mut Host, script: &str, variables: &[(&str, &str)]) {
    let (console, apps) = (host.admin, host.apps);
    play_on([console, apps], script, variables, |wish| grant(host, wish));
}

/// Plays a script against a console and the apps beside it; `grant` does what it asks for.
fn play_on(
    [console, apps]: [SocketAddr; 2],
    script: &str,
    variables: &[(&str, &str)],
    mut grant: impl FnMut(&str),
) {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = here.join("../e2e");
    assert!(
        folder.join("node_modules").is_dir(),
        "run `npm ci` in tests/e2e, or `cargo xtask test`"
    );
    let mut player = Command::new("node")
        .arg(format!("console/{script}.mjs"))
        .env("CONSOLE", format!("http://{console}"))
        .env("APPS", format!("http://{apps}"))
        .env("EMAIL", EMAIL)
        .env("PASSWORD", PASSWORD)
        .env("GUESTS", here.join("../../target/guests"))
        .envs(variables.iter().copied())
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("node runs");
    let mut answers = player.stdin.take().unwrap();
    let lines = BufReader::new(player.stdout.take().unwrap()).lines();
    for line in lines.map_while(Result::ok) {
        let Some(wish) = line.strip_prefix('@') else {
            eprintln!("{line}");
            continue;
        };
        grant(wish);
        // A play that has ended meanwhile says itself what went wrong.
        let _ = writeln!(answers, "done");
    }
    assert!(
        player.wait().unwrap().success(),
        "{script} failed, see above"
    );
}

fn grant(host: &mut Host, wish: &str) {
    match wish.split_once(' ').unwrap_or((wish, "")) {
        ("kill", _) => host.kill(),
        ("start", _) => host.start_again_here(),
        // Ends every session but the one that changes it.
        ("password", new) => {
            let change = json!({ "current_password": PASSWORD, "new_password": new });
            host.api().post("/api/auth/password", &change).expect(204);
        }
        _ => panic!("a play asks for `{wish}`, which nobody knows"),
    }
}

#[test]
fn an_app_from_upload_to_deletion() {
    play(&mut Host::start(), "story", &[]);
}

#[test]
fn sessions_begin_and_end() {
    play(&mut Host::start(), "session", &[]);
}

#[test]
fn two_browsers_see_each_other_and_the_host_comes_back() {
    play(&mut Host::start(), "live", &[]);
}

#[test]
fn bad_uploads_and_failed_starts_say_why() {
    play(&mut Host::start(), "refusals", &[]);
}

#[test]
fn databases_on_a_real_server() {
    let server = Postgres::start().unwrap();
    let apps = server.url("postgres");
    let other = server.create_owned_database("elsewhere").unwrap();
    let mut host = Config::default()
        .variable("APPS_DATABASE_URL", &apps)
        .start();
    play(&mut host, "databases", &[("OTHER_DATABASE", &other)]);
}

#[test]
fn a_thousand_apps_in_the_table() {
    play(&mut Host::start(), "many", &[]);
}

#[test]
fn every_page_in_widths_appearances_and_languages() {
    play(&mut Host::start(), "pages", &[]);
}

#[test]
fn every_control_does_something() {
    play(&mut Host::start(), "clicks", &[]);
}

#[test]
fn workers_come_are_emptied_and_go() {
    let mut cluster = Cluster::start(&[]);
    let at = [cluster.supervisor.admin, cluster.supervisor.apps];
    play_on(at, "environments", &[], |wish| match wish.split_once(' ') {
        Some(("worker", name)) => cluster.add(name),
        Some(("kill", name)) => cluster.at(name).kill(),
        _ => panic!("a play asks for `{wish}`, which nobody knows"),
    });
}

#[test]
fn the_first_page_is_light() {
    play(&mut Host::start(), "weight", &[]);
}

#[test]
fn all_of_it_by_keyboard() {
    play(&mut Host::start(), "keyboard", &[]);
}

#[test]
fn the_first_sign_in_chooses_a_password() {
    let mut host = Config::default().making_password().start();
    let said = host.log_text();
    let made = said
        .lines()
        .skip_while(|line| !line.starts_with("first start"))
        .nth(2)
        .map(str::trim)
        .expect("the host prints the password");
    play(&mut host, "first", &[("PASSWORD", made)]);
}
