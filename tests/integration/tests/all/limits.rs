//! Guests that want everything: each is stopped at its limit, and its neighbours notice nothing.

use crate::neighbour::Neighbour;
use lodge_harness::{Cluster, Host, Visit, eventually};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(30);

/// Four attacks at once; the reference of one of them.
fn attack(host: &Host, guest: &str, status: u16, code: &str) -> Value {
    let attacks: Vec<_> = (0..4)
        .map(|_| {
            let attack = host.visit(guest, "/");
            std::thread::spawn(move || attack.send())
        })
        .collect();
    let mut reference = Value::Null;
    for attack in attacks {
        let reply = attack.join().unwrap();
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (status, code),
            "{guest}: {}",
            reply.text()
        );
        reference = reply.json()["reference"].clone();
    }
    reference
}

fn assert_logged(host: &mut Host, app: &str, reference: &Value) {
    let api = host.api();
    let reference = reference.as_str().unwrap();
    eventually(
        "the failure is in the app's log, under the visitor's reference",
        PATIENCE,
        || {
            let lines = api.get(&format!("/api/apps/{app}/logs")).expect(200);
            let mut lines = lines["items"].as_array().unwrap().iter();
            lines
                .any(|line| {
                    line["request"] == reference && !line["message"].as_str().unwrap().is_empty()
                })
                .then_some(())
        },
    );
}

/// The hostile four of one world, each while a neighbour serves.
fn hostile_four(world: &str) {
    let mut host = Host::start();
    host.deploy(&format!("hello-{world}"), "quiet");
    assert_eq!(host.visit("quiet", "/").send().status, 200);
    for (guest, status, code) in [
        ("loop", 504, "cpu_limit_exceeded"),
        ("allocate", 500, "app_out_of_memory"),
        ("recurse", 500, "app_trapped"),
        ("panic", 500, "app_trapped"),
    ] {
        let limits = json!({ "limits": { "request_cpu_ms": 400, "request_timeout_ms": 20_000 } });
        host.deploy_with(&format!("{guest}-{world}"), guest, limits);
        assert_eq!(host.visit(guest, "/ok").send().text(), "ok");
        let neighbour = Neighbour::start(&host, "quiet");
        let reference = eventually("the neighbour is served meanwhile", PATIENCE, || {
            let reference = attack(&host, guest, status, code);
            neighbour.was_served().then_some(reference)
        });
        neighbour.finish();
        assert_eq!(
            host.visit(guest, "/ok").send().text(),
            "ok",
            "{guest} itself serves on"
        );
        assert_logged(&mut host, guest, &reference);
    }
}

#[test]
fn the_hostile_four_of_wasi_02_hurt_only_themselves() {
    hostile_four("p2");
}

#[test]
fn the_hostile_four_of_wasi_03_hurt_only_themselves() {
    hostile_four("p3");
}

#[test]
fn a_guest_that_fails_in_the_middle_breaks_its_answer_off() {
    let mut host = Host::start();
    for guest in ["panic-p2", "panic-p3"] {
        host.deploy(guest, guest);
        let reply = host.visit(guest, "/mid").send();
        assert_eq!(
            (reply.status, reply.text().as_str(), reply.whole),
            (200, "half a body", false),
            "{guest}"
        );
    }
    for guest in ["silent-p2", "silent-p3"] {
        host.deploy(guest, guest);
        let reply = host.visit(guest, "/").send();
        assert_eq!(reply.status / 100, 5, "{guest}: {}", reply.text());
        assert!(!reply.code().is_empty(), "{guest}: {}", reply.text());
    }
}

#[test]
fn a_request_has_its_time_and_no_more() {
    let mut host = Host::start();
    for guest in ["allocate-p2", "allocate-p3"] {
        host.deploy_with(
            guest,
            guest,
            json!({ "limits": { "request_timeout_ms": 400 } }),
        );
        assert_eq!(host.visit(guest, "/ok").send().status, 200);
        let begin = Instant::now();
        let reply = host.visit(guest, "/grow?mib=1&hold_ms=20000").send();
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (504, "deadline_exceeded"),
            "{guest}: {}",
            reply.text()
        );
        assert!(
            begin.elapsed() < Duration::from_secs(5),
            "{guest}: {:?}",
            begin.elapsed()
        );
    }
}

#[test]
fn an_apps_instances_share_its_memory_budget() {
    let mut host = Host::start();
    const MIB: u64 = 1024 * 1024;
    let limits =
        json!({ "limits": { "memory_bytes": 64 * MIB, "instance_memory_bytes": 48 * MIB } });
    host.deploy_with("allocate-p2", "greedy", limits);
    assert_eq!(
        host.visit("greedy", "/grow?mib=30").send().text(),
        "30 MiB",
        "alone it may"
    );
    let visits: Vec<_> = (0..3)
        .map(|_| {
            let visit = host.visit("greedy", "/grow?mib=30&hold_ms=1500");
            std::thread::spawn(move || visit.send())
        })
        .collect();
    let replies: Vec<_> = visits
        .into_iter()
        .map(|visit| visit.join().unwrap())
        .collect();
    let failed: Vec<_> = replies.iter().filter(|reply| reply.status != 200).collect();
    assert!(!failed.is_empty(), "three times 30 MiB are more than 64");
    for reply in failed {
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (500, "app_out_of_memory"),
            "{}",
            reply.text()
        );
    }
    assert_eq!(
        host.visit("greedy", "/grow?mib=30").send().text(),
        "30 MiB",
        "what was taken was given back"
    );
    let reply = host.visit("greedy", "/grow?mib=60").send();
    assert_eq!(
        reply.code(),
        "app_out_of_memory",
        "one instance has its own limit"
    );
}

#[test]
fn turns_and_places_in_the_queue_are_limited() {
    let mut host = Host::start();
    let limits = json!({ "limits": { "concurrency": 1, "queue": 1, "queue_timeout_ms": 500 } });
    host.deploy_with("sse-p2", "busy", limits);
    let stream = host.visit("busy", "/?ms=50").begin().unwrap();
    let api = host.api();
    eventually("one is served", PATIENCE, || {
        (api.stats("busy")["in_flight"] == 1).then_some(())
    });
    let queued = host.visit("busy", "/?n=1");
    let queued = std::thread::spawn(move || queued.send());
    eventually("one waits", PATIENCE, || {
        (api.stats("busy")["queued"] == 1).then_some(())
    });
    let reply = host.visit("busy", "/?n=1").send();
    assert_eq!(
        (reply.status, reply.code().as_str()),
        (503, "queue_full"),
        "{}",
        reply.text()
    );
    assert_eq!(queued.join().unwrap().code(), "queue_timeout");
    drop(stream);
    eventually("the turn is given back", PATIENCE, || {
        (api.stats("busy")["in_flight"] == 0).then_some(())
    });
    assert_eq!(host.visit("busy", "/?n=1").send().status, 200);
}

#[test]
fn bodies_have_a_limit_with_or_without_a_declared_length() {
    let mut host = Host::start();
    for guest in ["echo-p2", "echo-p3"] {
        host.deploy_with(
            guest,
            guest,
            json!({ "limits": { "request_body_bytes": 1000 } }),
        );
        let fits = host.visit(guest, "/").post(vec![b'x'; 1000]).send();
        assert_eq!((fits.status, fits.body.len()), (200, 1000), "{guest}");
        for visit in [
            host.visit(guest, "/").post(vec![b'x'; 1001]),
            host.visit(guest, "/").post_chunked(&[b'x'; 1001], ""),
        ] {
            let reply = visit.send();
            // An echo has begun to answer before a chunked body shows its size: then it breaks off.
            let broke_off = reply.status == 200 && !reply.whole;
            assert!(
                reply.code() == "body_too_large" || broke_off,
                "{guest}: {} {}",
                reply.status,
                reply.text()
            );
        }
    }
}

/// Crashes until the app is stopped for it; then it is tried again, and serves whoever asks for something else.
fn crash(visit: impl Fn(&str) -> Visit, mut failed: impl FnMut() -> Option<String>) {
    assert_eq!(visit("/ok").send().text(), "ok");
    let why = eventually("it is stopped", PATIENCE * 2, || {
        for _ in 0..20 {
            let reply = visit("/").send();
            let code = reply.code();
            assert!(
                ["app_trapped", "app_failed"].contains(&code.as_str()),
                "{code}"
            );
        }
        failed()
    });
    assert!(
        why.contains("nothing but crash") && why.contains("trying again in"),
        "{why}"
    );
    eventually("it is tried again", PATIENCE, || {
        (visit("/ok").send().status == 200).then_some(())
    });
}

#[test]
fn an_app_that_does_nothing_but_crash_is_stopped_with_its_reason() {
    let mut host = Host::start();
    host.deploy("panic-p2", "panic");
    let api = host.api();
    let failed = || {
        let observed = api.app("panic")["observed"][0].clone();
        (observed["status"] == "failed").then(|| observed["message"].to_string())
    };
    crash(|path| host.visit("panic", path), failed);
    let told = api.log("panic");
    assert!(
        told.iter()
            .any(|line| line.starts_with("stopped: it does nothing but crash")),
        "{told:?}"
    );
}

#[test]
fn so_does_a_worker_with_an_app_that_does_nothing_but_crash() {
    let mut cluster = Cluster::start(&["env_a"]);
    cluster.supervisor.deploy("panic-p2", "panic");
    let api = cluster.api();
    let failed = || {
        let observed = api.app("panic")["observed"][0].clone();
        (observed["status"] == "failed").then(|| observed["message"].to_string())
    };
    crash(|path| cluster.visit("panic", path), failed);
}
