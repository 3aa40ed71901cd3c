//! Guests that go on after their answers: what they do then has an end, too, and is told.

use super::scene::PATIENCE;
use lodge_harness::{Host, eventually};
use serde_json::json;

fn ok(host: &Host, app: &str, path: &str) {
    let reply = host.visit(app, path).send();
    assert_eq!((reply.status, reply.text().as_str()), (200, "ok"), "{app}");
}

fn comes_to_an_end(host: &mut Host, app: &str, told: &str) {
    let api = host.api();
    eventually(&format!("{app}'s log tells {told:?}"), PATIENCE, || {
        api.log(app)
            .iter()
            .any(|line| line.contains(told))
            .then_some(())
    });
    eventually(&format!("{app}'s instances come back"), PATIENCE, || {
        let stats = api.stats(app);
        (stats["instances"] == 0 && stats["memory_bytes"] == 0).then_some(())
    });
}

#[test]
fn work_after_an_answer_has_an_end() {
    let mut host = Host::start();
    let limits = json!({ "limits": { "request_cpu_ms": 300, "request_timeout_ms": 1_500 } });
    for guest in ["tail-p2", "tail-p3"] {
        host.deploy_with(guest, guest, limits.clone());
        ok(&host, guest, "/");
        comes_to_an_end(&mut host, guest, "tail done");
        ok(&host, guest, "/forever");
        comes_to_an_end(&mut host, guest, "cpu_limit_exceeded");
    }
    host.deploy_with("linger-p3", "linger-p3", limits);
    for _ in 0..3 {
        ok(&host, "linger-p3", "/?ms=10");
    }
    comes_to_an_end(&mut host, "linger-p3", "was cut off");
    ok(&host, "linger-p3", "/");
}
