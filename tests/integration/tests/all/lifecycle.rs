//! Start, stop, restart, delete; first visits; failed starts; what a restart of the host keeps.

use lodge_harness::{Host, Reply, eventually};
use serde_json::json;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(30);

fn await_status(host: &mut Host, app: &str, status: &str) {
    let api = host.api();
    eventually(&format!("{app} is {status}"), PATIENCE, || {
        (api.status(app) == status).then_some(())
    });
}

#[test]
fn the_first_visits_start_an_app_and_all_are_served() {
    let mut host = Host::start();
    for guest in ["hello-p2", "hello-p3"] {
        let app = host.deploy(guest, guest);
        assert_eq!(
            (
                app["desired"].as_str(),
                app["observed"][0]["status"].as_str()
            ),
            (Some("running"), Some("waiting"))
        );
        let visits: Vec<_> = (0..12)
            .map(|_| {
                let visit = host.visit(guest, "/");
                std::thread::spawn(move || visit.send())
            })
            .collect();
        for visit in visits {
            assert_eq!(visit.join().unwrap().text(), "Hello, World!");
        }
        await_status(&mut host, guest, "running");
        assert_eq!(host.api().stats(guest)["answered"], 12);
    }
}

fn assert_stopped(reply: &Reply) {
    assert_eq!(
        (reply.status, reply.code().as_str()),
        (503, "app_stopped"),
        "{}",
        reply.text()
    );
    assert!(reply.header("retry-after").is_some());
}

#[test]
fn a_stop_sticks_through_visits_and_restarts_of_the_host() {
    let mut host = Host::start();
    host.deploy("hello-p2", "shop");
    assert_eq!(host.visit("shop", "/").send().status, 200);
    assert_eq!(host.api().act("shop", "stop")["status"], "succeeded");
    assert_stopped(&host.visit("shop", "/").send());
    let (_, config) = host.stop();
    let mut host = config.start();
    assert_stopped(&host.visit("shop", "/").send());
    assert_eq!(host.api().status("shop"), "stopped");
    assert_eq!(host.api().act("shop", "start")["status"], "succeeded");
    assert_eq!(host.api().status("shop"), "running");
    assert_eq!(host.visit("shop", "/").send().status, 200);
}

#[test]
fn start_modes_decide_what_a_restart_of_the_host_does() {
    let mut host = Host::start();
    host.deploy("hello-p2", "lazy");
    let eager = host.deploy_with("hello-p2", "eager", json!({ "start_mode": "with_host" }));
    assert_eq!(eager["desired"], "stopped");
    assert_stopped(&host.visit("eager", "/").send());
    host.api().act("eager", "start");
    assert_eq!(host.visit("lazy", "/").send().status, 200);
    let (_, config) = host.stop();
    let mut host = config.start();
    await_status(&mut host, "eager", "running");
    assert_eq!(host.api().status("lazy"), "waiting");
    assert_eq!(host.visit("lazy", "/").send().status, 200);
}

#[test]
fn a_start_that_fails_tells_visitors_little_and_administrators_why() {
    let mut host = Host::start();
    // Less than its memory has at its beginning: no instance can be made.
    host.deploy_with(
        "hello-p2",
        "broken",
        json!({ "limits": { "instance_memory_bytes": 65_536 } }),
    );
    let reply = host.visit("broken", "/").send();
    assert_eq!(
        (reply.status, reply.code().as_str()),
        (503, "app_failed"),
        "{}",
        reply.text()
    );
    let told = reply.text();
    assert!(
        !told.contains("memory") && !told.contains("wasm"),
        "the cause is not the visitor's: {told}"
    );
    let reference = reply.json()["reference"].as_str().unwrap().to_owned();
    let api = host.api();
    let lines = api.get("/api/apps/broken/logs").expect(200).to_string();
    assert!(
        lines.contains(&reference),
        "the reference leads to the log: {lines}"
    );
    eventually("the app gives up", 2 * PATIENCE, || {
        (api.status("broken") == "failed").then_some(())
    });
    let message = api.app("broken")["observed"][0]["message"].clone();
    assert!(
        message.as_str().is_some_and(|message| !message.is_empty()),
        "{message}"
    );
    // It stays so until an administrator acts.
    assert_eq!(host.visit("broken", "/").send().code(), "app_failed");
    let change = json!({ "limits": { "instance_memory_bytes": 16 * 1024 * 1024 } });
    api.patch("/api/apps/broken", &change).expect(200);
    assert_eq!(api.act("broken", "start")["status"], "succeeded");
    assert_eq!(host.visit("broken", "/").send().status, 200);
}

#[test]
fn what_an_app_does_while_it_starts_is_bounded_and_told() {
    let mut host = Host::start();
    for (guest, told) in [
        ("start-trap-p2", "unreachable"),
        ("two-memories-p2", "instance_memory_bytes"),
        ("gc-flood-p2", "instance_memory_bytes"),
    ] {
        host.deploy(guest, guest);
        assert_eq!(host.visit(guest, "/").send().code(), "app_failed");
        let app = host.api().app(guest);
        let message = app["observed"][0]["message"].as_str().unwrap_or_default();
        assert!(message.contains(told), "{guest}: {message}");
    }
    // Garbage collection and exceptions work: it starts, and has nothing to answer.
    host.deploy("gc-p2", "gc-p2");
    assert_eq!(host.visit("gc-p2", "/").send().code(), "app_no_response");
    assert_eq!(host.api().status("gc-p2"), "running");
}

#[test]
fn a_restart_serves_again_and_a_removal_leaves_nothing() {
    let mut host = Host::start();
    host.deploy("echo-p2", "shop");
    assert_eq!(
        host.visit("shop", "/log?line=remembered").send().status,
        200
    );
    assert_eq!(host.api().act("shop", "restart")["status"], "succeeded");
    assert_eq!(host.visit("shop", "/headers").send().status, 200);
    let api = host.api();
    eventually("the guest's line is in the log", PATIENCE, || {
        api.log("shop")
            .iter()
            .any(|line| line == "remembered")
            .then_some(())
    });
    assert_eq!(api.remove("shop")["status"], "succeeded");
    assert_eq!(host.visit("shop", "/").send().code(), "app_not_found");
    assert_eq!(api.get("/api/apps/shop").status, 404);
    host.deploy("hello-p2", "shop");
    assert_eq!(host.visit("shop", "/").send().status, 200);
    assert!(
        !host
            .api()
            .log("shop")
            .iter()
            .any(|line| line == "remembered"),
        "a new app, a new log"
    );
}

#[test]
fn what_an_app_logged_outlives_the_host() {
    let mut host = Host::start();
    host.deploy("echo-p3", "shop");
    host.visit("shop", "/log?line=before").send();
    let api = host.api();
    eventually("the line is in the log", PATIENCE, || {
        api.log("shop").contains(&"before".to_owned()).then_some(())
    });
    let (_, config) = host.stop();
    let mut host = config.start();
    assert!(host.api().log("shop").contains(&"before".to_owned()));
}

#[test]
fn a_change_comes_into_force_at_once() {
    let mut host = Host::start();
    host.deploy("echo-p2", "shop");
    assert_eq!(
        host.visit("shop", "/").post(vec![b'x'; 2000]).send().status,
        200
    );
    let change =
        json!({ "limits": { "request_body_bytes": 1000 }, "domains": ["shop.example.com"] });
    host.api().patch("/api/apps/shop", &change).expect(200);
    eventually("the smaller body limit is in force", PATIENCE, || {
        (host.visit("shop", "/").post(vec![b'x'; 2000]).send().status == 413).then_some(())
    });
    let reply = host.visit_host("shop.example.com", "/headers").send();
    assert_eq!(reply.status, 200, "{}", reply.text());
}
