//! Components of arbitrary code on the whole way: uploaded, compiled, made an app with small limits, visited,
//! removed, while a neighbour is visited all the time. Whatever they are, each visit ends in time with an answer or a
//! failure that has a name, each refusal has a code, and all that they took comes back.
//!
//! `LODGE_SMITH_SEEDS=0..100000` is for hours; see `fuzz/README.md`.

mod made;

use crate::neighbour::Neighbour;
use lodge_harness::{Api, Host, Reply, eventually};
use made::{Kind, component};
use serde_json::json;
use std::collections::BTreeMap;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(60);
/// What a visit may take, with limits of a tenth of it, on a machine that does other things, too.
const VISIT: Duration = Duration::from_secs(20);
/// What the process may grow by over all of them, in bytes. Each app may take 16 MiB.
const GROWTH: u64 = 128 << 20;
const AT_ONCE: usize = 3;

/// What became of one: how the upload or the app ended, and how often.
type Outcomes = BTreeMap<(Kind, String), u32>;

#[test]
fn components_of_arbitrary_code_hurt_only_themselves() {
    let mut host = Host::start();
    host.deploy("hello-p2", "quiet");
    let neighbour = Neighbour::start(&host, "quiet");
    let before = host.resident_bytes();
    let (mut failed, mut outcomes) = (Vec::new(), Outcomes::new());
    for seed in seeds() {
        let one = AssertUnwindSafe(|| one(&mut host, seed, &mut outcomes));
        let is_fine = catch_unwind(one).is_ok();
        if neighbour.has_failed() {
            println!("{seed} hurt its neighbour: {}", panic_of(&host));
        }
        if !is_fine || neighbour.has_failed() {
            failed.push(seed);
        }
        if neighbour.has_failed() {
            break;
        }
    }
    for ((kind, outcome), times) in &outcomes {
        println!("{times:5} {kind:?}: {outcome}");
    }
    neighbour.finish();
    assert!(
        failed.is_empty(),
        "LODGE_SMITH_SEEDS=N..N+1 repeats one of {failed:?}"
    );
    all_is_back(&mut host, before);
    assert_eq!(panic_of(&host), "");
    let has_run = |(_, outcome): &(Kind, String)| outcome == "app_trapped";
    assert!(
        seeds().end - seeds().start < 40 || outcomes.keys().any(has_run),
        "some of them run: {outcomes:?}"
    );
}

/// As the variable says, or the usual ones.
fn seeds() -> Range<u64> {
    let Ok(given) = std::env::var("LODGE_SMITH_SEEDS") else {
        return 0..40;
    };
    let parsed = given.split_once("..").and_then(|(from, to)| {
        let (from, to) = (from.parse().ok()?, to.parse().ok()?);
        Some(from..to)
    });
    parsed.unwrap_or_else(|| panic!("LODGE_SMITH_SEEDS={given}: FROM..TO was expected"))
}

fn one(host: &mut Host, seed: u64, outcomes: &mut Outcomes) {
    let Some((kind, bytes)) = component(seed) else {
        return;
    };
    let api = host.api();
    let mut seen = |what: String| *outcomes.entry((kind, what)).or_default() += 1;
    let name = format!("smith-{seed}");
    let upload = api
        .try_upload(&format!("?name={name}&version=1"), bytes)
        .unwrap();
    if upload.status >= 400 {
        assert!(
            upload.status < 500 && !upload.code().is_empty(),
            "{seed}: {} {}",
            upload.status,
            upload.body
        );
        return seen(upload.code().to_owned());
    }
    assert_ne!(kind, Kind::Bare, "{seed}: it exports nothing");
    let digest = upload.body["digest"].as_str().unwrap().to_owned();
    let compiled = api.compiled(&digest);
    if compiled["status"] == "failed" {
        assert!(compiled["error"].is_string(), "{seed}: {compiled}");
        seen(format!("no compiled form: {}", compiled["error"]));
    } else {
        visited(host, &api, &name, &digest)
            .into_iter()
            .for_each(&mut seen);
    }
    let removed = api.delete(&format!("/api/components/{digest}"));
    assert_eq!(removed.status / 100, 2, "{seed}: {}", removed.body);
}

/// Makes an app of it, visits it and removes it; returns how the visits ended.
fn visited(host: &Host, api: &Api, app: &str, digest: &str) -> Vec<String> {
    let limits = json!({
        "memory_bytes": 16 << 20, "instance_memory_bytes": 4 << 20, "request_cpu_ms": 100,
        "request_timeout_ms": 1_000, "queue_timeout_ms": 1_000, "log_bytes_per_second": 4 << 10,
    });
    let body = json!({ "id": app, "component": { "digest": digest }, "limits": limits });
    api.post("/api/apps", &body).expect(201);
    let mut ended = Vec::new();
    for _ in 0..2 {
        let visits = (0..AT_ONCE).map(|_| {
            let visit = host
                .visit(app, "/some?thing")
                .post("a body")
                .patience(VISIT);
            std::thread::spawn(move || {
                let begin = Instant::now();
                (visit.send(), begin.elapsed())
            })
        });
        for visit in visits.collect::<Vec<_>>() {
            let (reply, took) = visit.join().unwrap();
            assert!(took < VISIT, "{app}: a visit took {took:?}");
            ended.push(end_of(&reply));
        }
    }
    eventually("all that it took comes back", PATIENCE, || {
        let stats = api.stats(app);
        let none = ["instances", "memory_bytes", "in_flight", "queued"];
        none.iter().all(|of| stats[of] == 0).then_some(())
    });
    assert_eq!(api.remove(app)["status"], "succeeded", "{app}");
    ended
}

/// The app's own answer, or the code of a failure that is the app's.
fn end_of(reply: &Reply) -> String {
    if reply.status < 400 {
        return format!("answers {}", reply.status);
    }
    let code = reply.code();
    let ours = ["", "internal", "app_not_found", "bad_gateway"];
    assert!(
        !ours.contains(&code.as_str()),
        "{} {}",
        reply.status,
        reply.text()
    );
    code
}

/// Slots and memory are those of the neighbour alone, and the host has not grown.
fn all_is_back(host: &mut Host, before: u64) {
    let api = host.api();
    eventually("slots and memory come back", PATIENCE, || {
        let environments = api.get("/api/environments").expect(200);
        let local = &environments["items"][0];
        (local["instances"].as_u64()? <= 1).then_some(())
    });
    let grown = host.resident_bytes().saturating_sub(before);
    println!("{} MiB more than before", grown >> 20);
    assert!(grown < GROWTH, "the process grew by {grown} bytes");
}

/// What the host's log has of a panic.
fn panic_of(host: &Host) -> String {
    let log = host.log_text();
    let panic = log.lines().skip_while(|line| !line.contains("panicked at"));
    panic.take(60).collect::<Vec<_>>().join("\n")
}
