//! Components that no compiler writes: those that misbehave outside of what a language offers
//! (`tests/guests/wat`), and those that are hard to read or to compile, which are made here and by the harness.

use super::scene::{AT_ONCE, PATIENCE};
use crate::neighbour::Neighbour;
use lodge_harness::{
    Answer, Api, DataDir, Host, component, eventually, guest, program, slow_component,
};
use serde_json::{Value, json};
use std::process::{Command, Stdio};
use std::time::Duration;

/// So many components, each within the next.
fn nested(depth: usize) -> Vec<u8> {
    const PREAMBLE: [u8; 8] = *b"\0asm\x0d\0\x01\0";
    // From the inside out, and so backwards.
    let mut backwards: Vec<u8> = PREAMBLE.iter().rev().copied().collect();
    for _ in 0..depth {
        let mut size = backwards.len();
        let mut leb = Vec::new();
        while size >= 0x80 {
            leb.push(size as u8 | 0x80);
            size >>= 7;
        }
        leb.push(size as u8);
        backwards.extend(leb.iter().rev());
        backwards.push(4);
        backwards.extend(PREAMBLE.iter().rev());
    }
    backwards.reverse();
    backwards
}

#[test]
fn guests_that_no_compiler_writes_hurt_only_themselves() {
    let mut host = Host::start();
    host.deploy("hello-p2", "quiet");
    let neighbour = Neighbour::start(&host, "quiet");
    for (guest, status, code) in [
        ("start-loop-p2", 503, "app_failed"),
        ("destructor-p2", 504, "cpu_limit_exceeded"),
        ("tables-p2", 500, "app_out_of_memory"),
        ("memories-p2", 500, "app_out_of_memory"),
    ] {
        let limits = json!({ "request_cpu_ms": 300, "instance_memory_bytes": 1 << 20 });
        host.deploy_with(guest, guest, json!({ "limits": limits }));
        let served = neighbour.served();
        // Twice: the app is as it was.
        for _ in 0..2 {
            attack(&host, guest, status, code);
        }
        eventually("the neighbour is served", PATIENCE, || {
            (neighbour.served() > served).then_some(())
        });
        eventually("all comes back", PATIENCE, || {
            let stats = host.api().stats(guest);
            (stats["instances"] == 0 && stats["memory_bytes"] == 0).then_some(())
        });
    }
    // Between two of the tries to start it.
    eventually("its state says why it does not start", PATIENCE, || {
        let app = host.api().app("start-loop-p2");
        let told = app["observed"][0]["message"].to_string();
        told.contains("request_cpu_ms").then_some(())
    });
    neighbour.finish();
}

fn attack(host: &Host, app: &str, status: u16, code: &str) {
    let visits = (0..AT_ONCE).map(|_| {
        let visit = host.visit(app, "/");
        std::thread::spawn(move || visit.send())
    });
    for visit in visits.collect::<Vec<_>>() {
        let reply = visit.join().unwrap();
        let got = (reply.status, reply.code());
        assert_eq!(
            (got.0, got.1.as_str()),
            (status, code),
            "{app}: {}",
            reply.text()
        );
    }
}

/// What became of an upload: `refused`, `failed` or `ready`, and the answer or the component.
fn outcome(api: &Api, upload: Answer) -> (String, Value) {
    if upload.status >= 400 {
        assert!(upload.status < 500, "{} {}", upload.status, upload.body);
        assert!(!upload.code().is_empty(), "{}", upload.body);
        return ("refused".into(), upload.body);
    }
    let digest = upload.body["digest"].as_str().unwrap();
    let component = api.compiled(digest);
    (component["status"].as_str().unwrap().into(), component)
}

#[test]
fn components_that_are_hard_to_read_hurt_only_themselves() {
    let mut host = Host::start();
    host.deploy("hello-p2", "quiet");
    let neighbour = Neighbour::start(&host, "quiet");
    let api = host.api();
    for (name, bytes) in [
        ("nested-100", nested(100)),
        ("nested-20000", nested(20_000)),
        ("modules-900", component("", &"(core module)".repeat(900))),
        (
            "modules-20000",
            component("", &"(core module)".repeat(20_000)),
        ),
        (
            "types-100000",
            component(&"(type (func (param i32)))".repeat(100_000), ""),
        ),
        ("functions-20000", component(&"(func)".repeat(20_000), "")),
        ("instances-5000", component("", &many_instances(5_000))),
        ("memory-4-gib", component("(memory 65536)", "")),
        (
            "tables-90",
            component(&"(table 100000 funcref)".repeat(90), ""),
        ),
    ] {
        let upload = api
            .try_upload(&format!("?name={name}&version=1"), bytes)
            .unwrap();
        let (outcome, told) = outcome(&api, upload);
        println!(
            "{name}: {outcome}; the neighbour's slowest visit {:?}",
            neighbour.slowest()
        );
        if outcome == "ready" {
            let app = json!({ "id": name, "component": { "digest": told["digest"] } });
            api.post("/api/apps", &app).expect(201);
            let reply = host.visit(name, "/").send();
            let codes = ["app_no_response", "app_failed", "app_out_of_memory"];
            assert!(
                codes.contains(&reply.code().as_str()),
                "{name}: {}",
                reply.text()
            );
        }
    }
    neighbour.finish();
}

fn many_instances(count: usize) -> String {
    format!(
        "(core module $many) {}",
        "(core instance (instantiate $many))".repeat(count)
    )
}

#[test]
fn a_component_that_takes_minutes_to_compile_delays_nobody() {
    let mut host = Host::start();
    host.deploy("hello-p2", "quiet");
    let neighbour = Neighbour::start(&host, "quiet");
    let api = host.api();
    let path = begin_slow_compile(&api);
    eventually(
        "where memory runs out, it goes before the host",
        PATIENCE,
        || {
            children(host.pid())
                .any(|child| goes_first(&child))
                .then_some(())
        },
    );
    // Another upload is through long before.
    let other = api
        .try_upload("?name=other&version=1", guest("hello-p3"))
        .unwrap()
        .expect(201);
    assert_eq!(
        api.compiled(other["digest"].as_str().unwrap())["status"],
        "ready"
    );
    let slow = api.get(&path).expect(200);
    assert_eq!(
        slow["status"], "compiling",
        "it takes longer than others: {slow}"
    );
    let slowest = neighbour.slowest();
    assert!(slowest < Duration::from_secs(5), "a visit took {slowest:?}");
    neighbour.finish();
    assert_eq!(api.delete(&path).status, 204);
    eventually("its compile ends with it", PATIENCE, || {
        children(host.pid()).next().is_none().then_some(())
    });
    // The child ends with its host.
    begin_slow_compile(&api);
    let (status, _) = host.stop();
    assert!(status.success(), "{status}");
}

/// The path of a component that is being compiled, for minutes.
fn begin_slow_compile(api: &Api) -> String {
    let slow = api
        .try_upload("?name=slow&version=1", slow_component())
        .unwrap()
        .expect(201);
    let path = format!("/api/components/{}", slow["digest"].as_str().unwrap());
    eventually("it is being compiled", PATIENCE, || {
        (api.get(&path).expect(200)["status"] == "compiling").then_some(())
    });
    path
}

fn children(of: u32) -> impl Iterator<Item = String> {
    let tasks = std::fs::read_dir(format!("/proc/{of}/task"))
        .unwrap()
        .flatten();
    let children =
        tasks.filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok());
    let all: Vec<String> = children
        .flat_map(|line| line.split(' ').map(str::to_owned).collect::<Vec<_>>())
        .collect();
    all.into_iter().filter(|child| !child.is_empty())
}

/// Whether the kernel ends this process first.
fn goes_first(process: &str) -> bool {
    std::fs::read_to_string(format!("/proc/{process}/oom_score_adj"))
        .is_ok_and(|score| score.trim() == "1000")
}

#[test]
fn readers_of_components_are_bound_before_they_read() {
    let data = DataDir::new();
    let pipe = data.path().join("component.wasm");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    let pipe = pipe.to_str().unwrap();
    for (words, cpu_seconds, nice) in [
        (&["inspect", pipe] as &[&str], "20", "10"),
        (&["compile", "sync", pipe, "/nowhere"], "600", "19"),
    ] {
        // It stands still where it opens what nobody writes to.
        let mut child = Command::new(program())
            .arg("__child")
            .args(words)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let read =
            |file: &str| std::fs::read_to_string(format!("/proc/{}/{file}", child.id())).unwrap();
        eventually("its priority is low", PATIENCE, || {
            (read("stat").split(' ').nth(18) == Some(nice)).then_some(())
        });
        let limits = read("limits");
        let limit = |name: &str| {
            let line = limits.lines().find_map(|line| line.strip_prefix(name));
            line.unwrap().split_whitespace().next().map(str::to_owned)
        };
        assert_eq!(limit("Max cpu time").as_deref(), Some(cpu_seconds));
        assert_eq!(limit("Max address space").as_deref(), Some("4294967296"));
        assert!(goes_first(&child.id().to_string()));
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
