//! What a supervisor asks.

use super::bed::{Bed, Worker};
use super::specs::*;
use bytes::Bytes;
use http::Request;
use http_body_util::BodyExt;
use lodge_model::*;
use serde_json::{Value, json};

/// A worker with an app that has a log.
fn worker(bed: &Bed) -> Worker {
    let worker = bed.start();
    worker.say(&spec("a", 1, Goal::Stopped));
    worker.until_settled("a", Status::Stopped, 1);
    for n in 0..10 {
        write(&worker, n);
    }
    worker
}

fn write(worker: &Worker, n: i64) {
    let level = match n % 2 {
        0 => LogLevel::Info,
        _ => LogLevel::Error,
    };
    let line = LogLine {
        time: n,
        level,
        source: LogSource::App,
        message: format!("Line {n}"),
        fields: None,
        request: (n == 4).then(|| "r4".into()),
    };
    worker.logs.write(&id("a"), line);
}

fn ask(worker: &Worker, method: &str, path: &str, body: &str) -> (u16, String) {
    let request = Request::builder().method(method).uri(path);
    let request = request
        .body(Bytes::copy_from_slice(body.as_bytes()))
        .unwrap();
    let response = worker.run(worker.agent.answer(request));
    let status = response.status().as_u16();
    let body = worker.run(response.into_body().collect()).unwrap();
    (status, String::from_utf8(body.to_bytes().to_vec()).unwrap())
}

fn get(worker: &Worker, path: &str) -> (u16, Value) {
    let (status, text) = ask(worker, "GET", path, "");
    (status, serde_json::from_str(&text).unwrap())
}

fn lines(worker: &Worker, query: &str) -> Vec<i64> {
    let (status, text) = ask(worker, "GET", &format!("/.lodge/apps/a/logs{query}"), "");
    assert_eq!(status, 200, "{text}");
    let lines = text.lines().map(|line| {
        let line: LogLine = serde_json::from_str(line).unwrap();
        line.time
    });
    lines.collect()
}

#[test]
fn logs_are_searched() {
    let bed = Bed::new();
    let worker = worker(&bed);
    assert_eq!(lines(&worker, "?source=app"), (0..10).collect::<Vec<_>>());
    assert_eq!(lines(&worker, "?limit=2"), [8, 9]);
    assert_eq!(lines(&worker, "?level=error&since=3&until=8"), [3, 5, 7]);
    assert_eq!(lines(&worker, "?request=r4"), [4]);
    assert_eq!(lines(&worker, "?search=line+7"), [7]);
    assert!(lines(&worker, "?source=stdout").is_empty());
}

#[test]
fn questions_that_make_no_sense_name_the_field() {
    let bed = Bed::new();
    let worker = worker(&bed);
    let long = "x".repeat(201);
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=5001", "limit"),
        ("limit=x", "limit"),
        ("level=loud", "level"),
        ("since=yesterday", "since"),
        (&format!("search={long}"), "search"),
        ("other=1", "other"),
    ] {
        let (status, answer) = get(&worker, &format!("/.lodge/apps/a/logs?{query}"));
        assert_eq!(
            (status, &answer["code"]),
            (400, &json!("invalid")),
            "{query}"
        );
        assert_eq!(answer["field"], field, "{query}");
    }
    let (status, answer) = get(&worker, "/.lodge/apps/a/logs/live?limit=1");
    assert_eq!((status, &answer["field"]), (400, &json!("limit")));
    for path in [
        "/.lodge/apps/b/logs",
        "/.lodge/apps/b/logs/live",
        "/.lodge/apps/b/stats",
        "/.lodge/apps/b/database",
        "/.lodge/apps/NO/stats",
        "/.lodge/apps/a",
        "/.lodge/",
        "/apps/a/stats",
        "/",
    ] {
        assert_eq!(get(&worker, path).0, 404, "{path}");
    }
    assert_eq!(ask(&worker, "POST", "/.lodge/apps/a/stats", "").0, 404);
}

#[test]
fn logs_are_followed_by_a_few_at_once() {
    let mut bed = Bed::new();
    bed.settings.followed_logs = 2;
    let worker = worker(&bed);
    let path = "/.lodge/apps/a/logs/live?level=error";
    let follow = || {
        let request = Request::get(path).body(Bytes::new()).unwrap();
        worker.run(worker.agent.answer(request))
    };
    let (first, second) = (follow(), follow());
    assert_eq!(
        (first.status(), second.status()),
        (http::StatusCode::OK, http::StatusCode::OK)
    );
    let (status, answer) = get(&worker, path);
    assert_eq!((status, &answer["code"]), (503, &json!("logs_busy")));
    drop(first);
    assert_eq!(follow().status(), 200);
    let mut body = second.into_body();
    let mut next = || {
        let frame = worker.run(body.frame()).unwrap().unwrap();
        String::from_utf8(frame.into_data().unwrap().to_vec()).unwrap()
    };
    assert_eq!(next(), "\n", "a sign of life");
    write(&worker, 20);
    write(&worker, 21);
    let told = loop {
        let told = next();
        if told != "\n" {
            break told;
        }
    };
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["line"]["message"], "Line 21");
    // It ends with the app's log.
    worker.say(&spec("a", 2, Goal::Gone(DataPolicy::Keep)));
    worker.run(async { while body.frame().await.is_some() {} });
}

#[test]
fn figures_and_databases_are_reported() {
    let bed = Bed::new();
    let worker = worker(&bed);
    let meter = worker.routes.0.lock()[&id("a")].meter.clone();
    meter.record(Outcome::Answered(http::StatusCode::OK));
    meter.took(std::time::Duration::from_millis(2));
    let (status, answer) = get(&worker, "/.lodge/apps/a/stats");
    let stats: MeterSnapshot = serde_json::from_value(answer).unwrap();
    assert_eq!((status, stats.answered), (200, 1));
    assert!(stats.latency.is_some());
    let (status, answer) = get(&worker, "/.lodge/apps/a/database");
    let report: DatabaseReport = serde_json::from_value(answer).unwrap();
    assert_eq!((status, report.kind), (200, DatabaseKind::None));
}

#[test]
fn the_mark_of_a_migration_is_taken_off() {
    let mut bed = Bed::new();
    bed.settings.database_test_timeout = std::time::Duration::from_millis(200);
    let worker = worker(&bed);
    *worker.provider.marked.lock() = Some("0002".into());
    let path = "/.lodge/apps/a/database/clear-migration";
    for wrong in ["", "?done=perhaps", "?other=true"] {
        let (status, text) = ask(&worker, "POST", &format!("{path}{wrong}"), "");
        assert_eq!(status, 400, "{text}");
    }
    assert_eq!(get(&worker, &format!("{path}?done=false")).0, 404);
    let clear = || ask(&worker, "POST", &format!("{path}?done=false"), "");
    assert_eq!(clear(), (200, r#""0002""#.into()));
    assert_eq!(clear(), (200, "null".into()));
    worker.provider.may_test.send_replace(false);
    let (status, text) = clear();
    assert!(
        status == 422 && text.contains("did not answer in time"),
        "{status} {text}"
    );
}

#[test]
fn databases_are_tried_by_a_few_at_once_and_not_for_ever() {
    let mut bed = Bed::new();
    bed.settings.database_tests = 1;
    bed.settings.database_test_timeout = std::time::Duration::from_millis(200);
    let worker = worker(&bed);
    let path = "/.lodge/databases/test?app=a";
    let database = |url: &str| json!({"kind": "new_connection", "url": url}).to_string();
    let (status, text) = ask(&worker, "POST", path, &database("postgres://good"));
    let report: ConnectionReport = serde_json::from_str(&text).unwrap();
    assert_eq!((status, report.engine), (200, DatabaseEngine::Postgres));
    let bad = database("postgres://u:bad@h");
    let (status, text) = ask(&worker, "POST", "/.lodge/databases/test", &bad);
    assert_eq!(status, 422, "{text}");
    assert!(text.contains("database_refused") && !text.contains("u:bad"));
    assert_eq!(ask(&worker, "POST", path, "{}").0, 400);
    worker.provider.may_test.send_replace(false);
    let hangs = || {
        let request = Request::post(path).body(database("postgres://good").into());
        let agent = worker.agent.clone();
        async move { agent.answer(request.unwrap()).await.status().as_u16() }
    };
    let (one, other) = worker.run(async { tokio::join!(hangs(), hangs()) });
    let mut both = [one, other];
    both.sort_unstable();
    assert_eq!(both, [422, 503]);
}
