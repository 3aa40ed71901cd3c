//! What apps use, over time, and what the host is.

use super::support::TestConsole;
use http::StatusCode;
use lodge_model::{FailureKind, Outcome};
use serde_json::{Value, json};
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

/// An app that answered once, in 5 ms, and refused once.
async fn visited() -> TestConsole {
    let test = TestConsole::new().await;
    test.app("shop").await;
    let meter = test.meters.of("shop");
    meter.record(Outcome::Answered(StatusCode::OK));
    meter.took(Duration::from_millis(5));
    meter.record(Outcome::Failed(FailureKind::QueueFull));
    meter.cpu_nanos.fetch_add(1_500_000_000, Relaxed);
    meter.throttled_nanos.fetch_add(80_000_000, Relaxed);
    meter.capped_nanos.fetch_add(30_000_000, Relaxed);
    meter.memory_bytes.store(4096, Relaxed);
    meter.instances.store(1, Relaxed);
    test
}

fn keys(value: &Value) -> Vec<&str> {
    value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

#[tokio::test]
async fn an_apps_counters_have_reasons_and_latency() {
    let test = visited().await;
    let stats = test.get("/api/apps/shop/stats").await.json();
    assert_eq!(stats["reasons"], json!({ "queue_full": 1 }));
    assert_eq!(
        (&stats["refused"], &stats["capped_ms"]),
        (&json!(1), &json!(30))
    );
    let latency = &stats["latency"];
    assert_eq!(keys(latency), ["p50_ms", "p95_ms", "p99_ms"]);
    assert!((latency["p50_ms"].as_f64().unwrap() - 5.0).abs() < 0.7);
    test.app("quiet").await;
    let quiet = test.get("/api/apps/quiet/stats").await.json();
    assert_eq!(
        (&quiet["latency"], &quiet["reasons"]),
        (&Value::Null, &json!({}))
    );
}

#[tokio::test]
async fn usage_is_told_of_all_apps_at_once() {
    let test = visited().await;
    let (digest, quiet) = (test.component().await, "quiet");
    let body = json!({ "id": quiet, "component": { "digest": digest } });
    test.call(http::Method::POST, "/api/apps", Some(body)).await;
    let now = crate::state::now_ms();
    test.console.supervisor().sample(now).await.unwrap();
    let usage = test.get("/api/usage").await.json();
    assert_eq!(
        usage,
        json!({ "next_cursor": null, "items": [{
            "id": "shop", "requests_per_minute": 2, "errors_per_minute": 1, "cpu_cores": 0.15,
            "throttled": 0.008, "memory_bytes": 4096, "in_flight": 0, "queued": 0, "instances": 1,
        }] })
    );
    let local = &test.get("/api/environments").await.json()["items"][0];
    assert_eq!(
        (&local["cpu_load"], &local["cpu_cores"]),
        (&json!(0.15), &json!(3.0))
    );
    assert_eq!(
        (
            &local["app_memory_bytes"],
            &local["instances"],
            &local["instance_slots"]
        ),
        (&json!(4096), &json!(1), &json!(100))
    );
    for figure in ["started_at", "process_memory_bytes", "memory_total_bytes"] {
        assert!(local[figure].as_u64().unwrap() > 0, "{figure}: {local}");
    }
}

#[tokio::test]
async fn history_is_told_in_three_ranges() {
    let test = visited().await;
    let now = crate::state::now_ms();
    for (query, range, step) in [
        ("", "hour", 60_000),
        ("?range=day", "day", 600_000),
        ("?range=week", "week", 3_600_000),
    ] {
        let path = format!("/api/apps/shop/stats/history{query}");
        let history = test.get(&path).await.json();
        assert_eq!(keys(&history), ["from", "points", "range", "step_ms", "to"]);
        assert_eq!(
            (&history["range"], &history["step_ms"]),
            (&json!(range), &json!(step))
        );
        let (from, to) = (&history["from"], &history["to"]);
        assert!(from.as_i64().unwrap() < now && now <= to.as_i64().unwrap());
        let point = &history["points"][0];
        assert_eq!(point["time"].as_i64().unwrap() % step, 0);
        assert_eq!(
            (&point["answered"], &point["refused"], &point["cpu_ms"]),
            (&json!(1), &json!(1), &json!(1500))
        );
        assert_eq!(
            (&point["throttled_ms"], &point["instances"]),
            (&json!(80), &json!(1))
        );
        assert!(point["latency"]["p99_ms"].as_f64().unwrap() > 4.0);
        assert_eq!(keys(point).len(), 16, "{point}");
    }
    let refused = test.get("/api/apps/shop/stats/history?range=year").await;
    assert_eq!(refused.problem().0, 422, "{}", refused.text);
}

#[tokio::test]
async fn the_host_says_what_it_is() {
    let test = TestConsole::new().await;
    let answer = test.get("/api/about").await;
    assert!(!answer.text.contains("hunter2"), "{}", answer.text);
    let about = answer.json();
    for (member, value) in [
        ("version", json!(env!("CARGO_PKG_VERSION"))),
        ("wasmtime", json!("1.2.3")),
        ("os", json!("linux")),
        ("control_database", json!("sqlite")),
        ("apps_database", json!("sqlite")),
        ("listen", json!("127.0.0.1:13000")),
        ("admin_listen", json!("127.0.0.1:13001")),
        ("apps_domain", Value::Null),
    ] {
        assert_eq!(about[member], value, "{member}");
    }
    let checks = about["checks"].as_array().unwrap();
    let names: Vec<_> = checks
        .iter()
        .map(|check| check["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "control_database",
            "apps_database",
            "data_directory",
            "pagemap_scan",
            "max_map_count"
        ]
    );
    assert_eq!(
        checks[0],
        json!({ "name": "control_database", "status": "ok", "message": null })
    );
    assert_eq!(
        checks[1],
        json!({ "name": "apps_database", "status": "failed", "message": "no answer from postgres://db/apps" })
    );
    assert_ne!(checks[2]["status"], "failed", "{about}");
    // It is not asked again at once.
    test.db.close().await;
    assert_eq!(test.console.supervisor().health().await[0].message, None);
}
