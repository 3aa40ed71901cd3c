//! Apps' logs: found, followed, downloaded.

use super::support::{Answer, TestConsole, line, request};
use crate::state::MAX_EVENT_STREAMS;
use axum::body::Body;
use http::{Method, Response};
use http_body_util::BodyExt as _;
use lodge_model::{LogLevel, LogLine, LogSource};
use tower::ServiceExt as _;

async fn open(test: &TestConsole, path: &str) -> Response<Body> {
    let mut asks = request(Method::GET, path, None);
    let bearer = format!("Bearer {}", test.token);
    asks.headers_mut()
        .insert("authorization", bearer.parse().unwrap());
    test.router.clone().oneshot(asks).await.unwrap()
}

/// What comes until the text has `end` in it.
async fn until(body: &mut Body, end: &str) -> String {
    let mut text = String::new();
    while !text.contains(end) {
        let frame = body.frame().await.unwrap().unwrap();
        text.push_str(std::str::from_utf8(frame.data_ref().unwrap()).unwrap());
    }
    text
}

fn messages(answer: &Answer) -> Vec<String> {
    assert_eq!(answer.status, 200, "{answer:?}");
    let answer = answer.json();
    let items = answer["items"].as_array().unwrap().iter();
    items
        .map(|line| line["message"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn lines_are_found_by_all_that_the_contract_names() {
    let test = TestConsole::new().await;
    test.app("shop").await;
    for n in 0..10 {
        test.logs.add(LogLine {
            time: n,
            level: if n == 3 {
                LogLevel::Error
            } else {
                LogLevel::Info
            },
            source: if n == 4 {
                LogSource::Host
            } else {
                LogSource::App
            },
            request: (n == 5).then(|| "r5".into()),
            ..line(&format!("Line {n}"))
        });
    }
    let found = async |query: &str| {
        messages(&test.get(&format!("/api/apps/shop/logs{query}")).await).join(",")
    };
    assert_eq!(found("?limit=2").await, "Line 8,Line 9");
    assert_eq!(found("?level=warn").await, "Line 3");
    assert_eq!(found("?source=host").await, "Line 4");
    assert_eq!(found("?request=r5").await, "Line 5");
    assert_eq!(found("?request=r").await, "");
    assert_eq!(found("?search=LINE%207").await, "Line 7");
    assert_eq!(found("?since=2&until=3").await, "Line 2,Line 3");
    let refused = async |query: String| {
        let answer = test.get(&format!("/api/apps/shop/logs{query}")).await;
        assert_eq!(answer.status, 422, "{answer:?}");
        answer.json()["field"].clone()
    };
    assert_eq!(refused("?limit=5001".into()).await, "limit");
    assert_eq!(refused("?limit=0".into()).await, "limit");
    let long = "ä".repeat(201).replace('ä', "%C3%A4");
    assert_eq!(refused(format!("?search={long}")).await, "search");
    let long = format!("/api/apps/shop/logs/live?search={long}");
    assert_eq!(test.get(&long).await.problem(), (422, "invalid".into()));
}

#[tokio::test]
async fn a_log_is_followed_until_its_app_or_the_host_goes() {
    let test = TestConsole::new().await;
    test.app("shop").await;
    let response = open(&test, "/api/apps/shop/logs/live?level=info&search=HELLO").await;
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut body = response.into_body();
    test.logs.add(line("other"));
    test.logs.add(line("hello\nevent: line\n\u{1b}"));
    let text = until(&mut body, "\n\n").await;
    assert!(text.contains("event: line\n"), "{text}");
    assert!(
        text.contains(r#""message":"hello\nevent: line\n"#),
        "{text}"
    );
    assert!(!text.contains("other"));
    // Nobody reads for a while.
    for _ in 0..100 {
        test.logs.add(line("hello"));
    }
    let text = until(&mut body, "event: dropped").await;
    assert!(text.contains("\"count\":96") || until(&mut body, "\"count\":96").await.len() > 1);
    test.call(Method::DELETE, "/api/apps/shop", None).await;
    while body.frame().await.is_some() {}

    let test = TestConsole::new().await;
    test.app("shop").await;
    let mut body = open(&test, "/api/apps/shop/logs/live").await.into_body();
    test.console.stop();
    while body.frame().await.is_some() {}
}

#[tokio::test]
async fn followed_logs_take_the_places_of_event_streams() {
    let test = TestConsole::new().await;
    test.app("shop").await;
    let mut held = vec![open(&test, "/api/events").await];
    for _ in 1..MAX_EVENT_STREAMS {
        held.push(open(&test, "/api/apps/shop/logs/live").await);
    }
    let path = "/api/apps/shop/logs/live";
    assert_eq!(
        test.get(path).await.problem(),
        (503, "too_many_streams".into())
    );
    held.pop();
    assert_eq!(open(&test, path).await.status(), 200);
}

#[tokio::test]
async fn a_download_is_text_of_one_line_each() {
    let test = TestConsole::new().await;
    test.app("shop").await;
    test.logs.add(line("first\nsecond\r\u{1b}[2J"));
    test.logs.add(LogLine {
        time: 86_400_000,
        level: LogLevel::Error,
        source: LogSource::Host,
        request: Some("r1".into()),
        ..line("broke")
    });
    let said = LogLine {
        time: 86_400_001,
        ..line(r#"{"msg":"closed","ticket":7,"by":{"name":"Ada"}}"#)
    };
    test.logs.add(said.structured());
    let found = test.get("/api/apps/shop/logs?search=TICKET%3D7").await;
    let item = &found.json()["items"][0];
    assert_eq!(item["message"], "closed");
    assert_eq!(
        item["fields"],
        serde_json::json!({ "by": { "name": "Ada" }, "ticket": 7 })
    );
    let answer = test.get("/api/apps/shop/logs/download").await;
    assert_eq!(
        answer.text,
        "1970-01-01T00:00:00.001Z INFO stdout first\\nsecond\\r\\u{1b}[2J\n\
         1970-01-02T00:00:00.000Z ERROR host [r1] broke\n\
         1970-01-02T00:00:00.001Z INFO stdout closed by={\"name\":\"Ada\"} ticket=7\n"
    );
    assert_eq!(answer.headers["content-type"], "text/plain; charset=utf-8");
    assert_eq!(
        answer.headers["content-disposition"],
        "attachment; filename=\"shop.log\""
    );
}
