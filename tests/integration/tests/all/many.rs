//! A thousand apps of one component.

use lodge_harness::{Config, Host, eventually};
use serde_json::json;
use std::time::{Duration, Instant};

const APPS: usize = 1000;
const PATIENCE: Duration = Duration::from_secs(120);

#[test]
fn a_thousand_running_apps_are_cheap_and_start_again_with_the_host() {
    let mut host = Config::default().start();
    let api = host.api();
    let digest = api.upload_guest("hello-p2");
    let mut memory = Vec::new();
    let begin = Instant::now();
    for n in 0..APPS {
        let app = json!({
            "id": format!("app-{n}"), "component": { "digest": digest },
            "start_mode": "with_host", "desired": "running",
        });
        api.post("/api/apps", &app).expect(201);
        if [1, 100, APPS].contains(&(n + 1)) {
            await_running(&mut host, n + 1);
            assert_eq!(
                host.visit(&format!("app-{n}"), "/").send().text(),
                "Hello, World!"
            );
            memory.push((n + 1, host.resident_bytes()));
        }
    }
    println!("{APPS} apps made and running in {:?}", begin.elapsed());
    for (apps, bytes) in &memory {
        println!("resident with {apps:>4} running apps: {} KiB", bytes / 1024);
    }
    let each = (memory[2].1.saturating_sub(memory[0].1)) / APPS as u64;
    assert!(each < 200 * 1024, "{each} bytes for each app");

    let (_, config) = host.stop();
    let begin = Instant::now();
    let mut host = config.start();
    let ready = begin.elapsed();
    await_running(&mut host, APPS);
    println!(
        "after a restart: ready in {ready:?}, all running in {:?}",
        begin.elapsed()
    );
    for n in (0..APPS).step_by(97) {
        assert_eq!(host.visit(&format!("app-{n}"), "/").send().status, 200);
    }
}

fn await_running(host: &mut Host, count: usize) {
    let api = host.api();
    eventually(&format!("{count} apps run"), PATIENCE, || {
        let environments = api.get("/api/environments").expect(200);
        (environments["items"][0]["running"] == count).then_some(())
    });
}
