//! One row a behaviour: what must come of it.

#![deny(dead_code)]

mod answers;

use super::scene::{AT_ONCE, Attack};
pub(super) use answers::*;

const CPU: (u16, &str) = (504, "cpu_limit_exceeded");
const MEMORY: (u16, &str) = (500, "app_out_of_memory");
const TRAPPED: (u16, &str) = (500, "app_trapped");

fn fails((status, code): (u16, &'static str)) -> Attack {
    Attack::fails(status, code)
}

pub(super) fn loop_calls() -> Attack {
    fails(CPU)
}

pub(super) fn busy_wait() -> Attack {
    fails(CPU)
}

pub(super) fn clock_flood() -> Attack {
    fails(CPU)
}

pub(super) fn random_flood() -> Attack {
    fails(CPU)
}

/// Its log is cut to what it may write, and says so.
pub(super) fn log_flood() -> Attack {
    Attack::checked(|scene| {
        fails(CPU).run(scene);
        let kept: usize = scene.api.log(&scene.app).iter().map(String::len).sum();
        assert!(kept < 2 << 20, "{kept} bytes of log are kept");
        scene.logs("that lines were dropped", |line| {
            line["source"] == "host" && line["message"].as_str().unwrap().contains("dropped")
        });
    })
}

pub(super) fn grow_small() -> Attack {
    fails(MEMORY).limit("request_cpu_ms", 5_000)
}

pub(super) fn resources() -> Attack {
    fails(TRAPPED).limit("request_cpu_ms", 5_000)
}

pub(super) fn handles() -> Attack {
    fails(TRAPPED).limit("request_cpu_ms", 5_000)
}

pub(super) fn hold_headers() -> Attack {
    fails(MEMORY).limit("request_cpu_ms", 5_000)
}

pub(super) fn hold_methods() -> Attack {
    fails(MEMORY).limit("request_cpu_ms", 5_000)
}

pub(super) fn hold_bodies() -> Attack {
    fails(MEMORY).limit("request_cpu_ms", 5_000)
}

pub(super) fn streams() -> Attack {
    fails(TRAPPED).limit("request_cpu_ms", 5_000)
}

pub(super) fn futures() -> Attack {
    fails(TRAPPED).limit("request_cpu_ms", 5_000)
}

/// Each takes memory of the guest's, too, which ends first.
pub(super) fn tasks() -> Attack {
    fails(MEMORY).limit("request_cpu_ms", 5_000)
}

pub(super) fn never_answer() -> Attack {
    Attack::fails(504, "deadline_exceeded").limit("request_timeout_ms", 500)
}

/// Thousands of calls of a neighbour's app, of which few are at once; none outlives its request.
pub(super) fn outgoing() -> Attack {
    Attack::checked(|scene| {
        for to in ["quiet.lodge.internal", "elsewhere.example"] {
            let reply = scene.visit_with(&format!("?n=1000&to={to}")).send();
            assert_eq!((reply.status, reply.text().as_str()), (200, "ok"), "{to}");
        }
        // Together they may be more than an instance that they share may have handles.
        for reply in scene.at_once(|visit| visit.send()) {
            let got = (reply.status, reply.code());
            assert!(
                got.0 == 200 || (got.0, got.1.as_str()) == TRAPPED,
                "{}",
                reply.text()
            );
        }
    })
    .may_call("quiet.lodge.internal")
    .limit("request_cpu_ms", 5_000)
}

/// An instance that is full fails one request, and the next has a new one.
pub(super) fn leak() -> Attack {
    Attack::checked(|scene| {
        let replies: Vec<_> = (0..250).map(|_| scene.visit().send()).collect();
        let failed: Vec<_> = replies.iter().filter(|reply| reply.status != 200).collect();
        for reply in &failed {
            assert_eq!((reply.status, reply.code().as_str()), TRAPPED);
        }
        assert!(
            (1..=4).contains(&failed.len()),
            "{} of 250 failed",
            failed.len()
        );
    })
    .limit("instance_reuse", 1_000)
}

/// Where each request has its own instance, none sees another's traces.
pub(super) fn remember() -> Attack {
    Attack::checked(|scene| {
        let replies: Vec<String> = (0..20).map(|_| scene.visit().send().text()).collect();
        assert!(replies.iter().all(|seen| seen == "1"), "{replies:?}");
        for reply in scene.at_once(|visit| visit.send()) {
            assert_eq!(reply.text(), "1");
        }
    })
    .limit("instance_reuse", 1)
}

pub(super) fn huge_panic() -> Attack {
    Attack::checked(|scene| {
        fails(TRAPPED).run(scene);
        lines_are_short(scene);
    })
    .limit("request_cpu_ms", 5_000)
}

pub(super) fn long_line() -> Attack {
    Attack::checked(|scene| {
        for reply in scene.at_once(|visit| visit.send()) {
            assert_eq!((reply.status, reply.text().as_str()), (200, "ok"));
        }
        lines_are_short(scene);
    })
    .limit("request_cpu_ms", 5_000)
}

fn lines_are_short(scene: &super::Scene) {
    let lines = scene.api.log(&scene.app);
    assert!(lines.iter().all(|line| line.len() <= 8 << 10));
    let kept: usize = lines.iter().map(String::len).sum();
    assert!(
        kept < 2 << 20,
        "{kept} bytes of log are kept after {AT_ONCE} of MiB"
    );
}
