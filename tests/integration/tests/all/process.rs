//! The process: its settings, its one lock, its end.

use lodge_harness::{ANY_PORT, Config, DataDir, EMAIL, Host, eventually};
use rustix::process::Signal;
use std::process::Output;
use std::time::{Duration, Instant};

fn fails(config: &Config) -> (Option<i32>, String) {
    let Output { status, stderr, .. } = config.command(ANY_PORT).output().unwrap();
    (status.code(), String::from_utf8(stderr).unwrap())
}

#[test]
fn settings_that_make_no_sense_end_with_one_line_and_code_2() {
    for (name, value) in [
        ("APP_MODE", "worker"),
        ("APP_DISCOVERY_ADAPTER", "carrier-pigeon"),
        ("APP_COMMAND_ADAPTER", "redis"),
        ("TRUSTED_PROXIES", "everyone"),
        ("LODGE_MAX_INSTANCES", "lots"),
        ("DB_DIALECT", "mysql"),
    ] {
        let (code, said) = fails(&Config::default().variable(name, value));
        assert_eq!(code, Some(2), "{name}: {said}");
        let mentions = said
            .to_lowercase()
            .contains(&name.trim_start_matches("LODGE_").to_lowercase());
        assert!(said.lines().count() == 1 && mentions, "{name}: {said}");
    }
    let data = DataDir::new();
    std::fs::write(data.path().join("lodge.toml"), "listne = \"x\"\n").unwrap();
    let (code, said) = fails(&Config::with_data(&data));
    assert!(code == Some(2) && said.contains("listne"), "{said}");
}

#[test]
fn a_data_directory_has_one_host_and_an_address_too() {
    let host = Host::start();
    let (code, said) = fails(&Config::with_data(host.data()));
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("in use by process") && said.contains(&host.pid().to_string()),
        "{said}"
    );
    let taken = host.apps.to_string();
    let output = Config::default().command(&taken).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        output.status.code() == Some(1) && said.contains(&taken),
        "{said}"
    );
}

#[test]
fn a_generated_password_is_shown_once() {
    let config = Config::default().variable("INIT_ROOT_PASSWORD", "");
    let host = config.start();
    let said = host.log_text();
    assert!(
        said.contains(EMAIL) && said.contains("shown this once"),
        "{said}"
    );
    let (status, config) = host.stop();
    assert!(status.success());
    let again = config.start().log_text();
    assert_eq!(again.matches("shown this once").count(), 1, "{again}");
}

#[test]
fn a_signal_lets_requests_finish_and_a_second_does_not() {
    let mut host = Host::start();
    host.deploy("sse-p2", "events");
    let finite = host.visit("events", "/?n=10&ms=100");
    let visit = std::thread::spawn(move || finite.send());
    let api = host.api();
    eventually("it is served", Duration::from_secs(20), || {
        (api.stats("events")["in_flight"] == 1).then_some(())
    });
    host.signal(Signal::TERM);
    let reply = visit.join().unwrap();
    assert!(
        reply.whole && reply.text().contains("data: 10\n"),
        "{}",
        reply.text()
    );
    assert!(host.wait().success());

    let mut host = Host::start();
    host.deploy("sse-p2", "events");
    let _endless = host.visit("events", "/").begin().unwrap();
    let api = host.api();
    eventually("it is served", Duration::from_secs(20), || {
        (api.stats("events")["in_flight"] == 1).then_some(())
    });
    let begin = Instant::now();
    host.signal(Signal::INT);
    std::thread::sleep(Duration::from_millis(300));
    host.signal(Signal::INT);
    assert!(!host.wait().success() && begin.elapsed() < Duration::from_secs(5));
}

#[test]
fn what_does_not_finish_is_cut_off_after_its_grace() {
    let mut host = Config::default().variable("LODGE_STOP_GRACE", "1").start();
    for guest in ["sse-p2", "sse-p3"] {
        host.deploy(guest, guest);
    }
    let _endless = [
        host.visit("sse-p2", "/").begin().unwrap(),
        host.visit("sse-p3", "/").begin().unwrap(),
    ];
    let api = host.api();
    for guest in ["sse-p2", "sse-p3"] {
        eventually("it is served", Duration::from_secs(20), || {
            (api.stats(guest)["in_flight"] == 1).then_some(())
        });
    }
    let begin = Instant::now();
    let (status, _) = host.stop();
    assert!(
        status.success() && begin.elapsed() < Duration::from_secs(10),
        "{status} {:?}",
        begin.elapsed()
    );
}
