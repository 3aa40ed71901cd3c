//! Which of several workers serves.

use super::{Supervisor, Worker, target};
use crate::support::{eventually, mirror, running, text};
use lodge_edge::{ForwardSettings, Settings};
use lodge_model::{BootId, Phase};
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;

const BROWSER: &str = "accept: text/html\r\n";

fn named(name: &'static str) -> Phase {
    running(move |_| async move { Ok(text(format!("served by {name}"))) })
}

async fn several() -> (Supervisor, Vec<Worker>) {
    let mut workers = Vec::new();
    for name in ["one", "two", "three"] {
        let worker = Worker::start(name).await;
        worker.host.app("shop", named(name));
        workers.push(worker);
    }
    let settings = ForwardSettings {
        passed_over: Duration::from_millis(300),
        ..ForwardSettings::default()
    };
    let supervisor = Supervisor::with(Settings::default(), settings).await;
    supervisor.app("shop", workers.iter().map(Worker::target).collect());
    (supervisor, workers)
}

async fn get(supervisor: &Supervisor, lines: &str) -> String {
    supervisor.host.get("shop.localhost", "/", lines).await
}

fn server(answer: &str) -> &str {
    answer.rsplit("served by ").next().unwrap()
}

#[tokio::test]
async fn a_browser_comes_back_to_where_it_was() {
    let (supervisor, _workers) = several().await;
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..9 {
        let first = get(&supervisor, BROWSER).await;
        let name = server(&first).to_owned();
        let cookie =
            format!("set-cookie: lodge_affinity={name}; Path=/; HttpOnly; SameSite=Lax\r\n");
        assert!(first.contains(&cookie), "{first}");
        for _ in 0..3 {
            let lines = format!("{BROWSER}cookie: a=b; lodge_affinity={name}\r\n");
            let answer = get(&supervisor, &lines).await;
            assert_eq!(server(&answer), name);
            assert!(!answer.contains("set-cookie"), "once: {answer}");
        }
        seen.insert(name);
    }
    assert_eq!(seen.len(), 3, "equals take turns");
    let by_path = supervisor
        .host
        .get("127.0.0.1", "/apps/shop/", BROWSER)
        .await;
    assert!(by_path.contains("; Path=/apps/shop/; "), "{by_path}");
}

#[tokio::test]
async fn a_program_comes_back_by_its_address_and_gets_no_cookie() {
    let (supervisor, _workers) = several().await;
    let first = get(&supervisor, "").await;
    assert!(!first.contains("set-cookie"), "{first}");
    for _ in 0..9 {
        assert_eq!(server(&get(&supervisor, "").await), server(&first));
    }
}

#[tokio::test]
async fn new_browsers_go_where_the_fewest_requests_are() {
    let (supervisor, workers) = several().await;
    let stuck = |worker: &Worker| {
        let endless = running(|_| std::future::pending());
        worker.host.app("busy", endless)
    };
    let meters: Vec<_> = workers.iter().map(stuck).collect();
    // The second and third have a request each that lasts.
    supervisor.app("busy", workers.iter().skip(1).map(Worker::target).collect());
    let mut sockets = Vec::new();
    for _ in 0..2 {
        let mut socket = supervisor.host.connect().await;
        let request = format!("GET / HTTP/1.1\r\nhost: busy.localhost\r\n{BROWSER}\r\n");
        socket.write_all(request.as_bytes()).await.unwrap();
        let begun = sockets.len() as u64 + 1;
        let sum = || meters.iter().map(|m| m.snapshot().in_flight).sum::<u64>();
        eventually("it is there", || sum() == begun).await;
        sockets.push(socket);
    }
    for _ in 0..6 {
        assert_eq!(server(&get(&supervisor, BROWSER).await), "one");
    }
}

#[tokio::test]
async fn a_worker_that_is_away_is_passed_over_for_a_while() {
    let (supervisor, mut workers) = several().await;
    let lost = workers.remove(0);
    lost.host.stop.cancel();
    lost.host.serving.await.unwrap();
    let lines = format!("{BROWSER}cookie: lodge_affinity=one\r\n");
    for _ in 0..5 {
        let answer = get(&supervisor, &lines).await;
        let name = server(&answer).to_owned();
        assert!(name == "two" || name == "three", "{answer}");
        assert!(
            answer.contains(&format!("set-cookie: lodge_affinity={name};")),
            "{answer}"
        );
    }
    // Nothing of a POST was sent either.
    let posted = "POST / HTTP/1.1\r\nhost: shop.localhost\r\nconnection: close\r\n\
                  cookie: lodge_affinity=one\r\ncontent-length: 1\r\n\r\nx";
    let answer = supervisor.host.send(posted).await;
    assert!(answer.contains("served by t"), "{answer}");
    for worker in workers {
        worker.host.stop.cancel();
        worker.host.serving.await.unwrap();
    }
    let answer = get(&supervisor, BROWSER).await;
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    assert!(
        answer.contains("environment_lost") && answer.contains("Out of reach"),
        "{answer}"
    );
}

#[tokio::test]
async fn a_restarted_worker_that_is_not_known_yet_costs_no_visit() {
    let (supervisor, workers) = several().await;
    let stale = target("one", workers[0].host.at, BootId([9; 16]));
    supervisor.app("shop", vec![stale, workers[1].target()]);
    let lines = format!("{BROWSER}cookie: lodge_affinity=one\r\n");
    let answer = get(&supervisor, &lines).await;
    assert_eq!(server(&answer), "two", "{answer}");
}

#[tokio::test]
async fn an_environment_is_chosen_by_query_field_and_cookie() {
    let (supervisor, _workers) = several().await;
    let host = &supervisor.host;
    for name in ["one", "two", "three"] {
        let path = format!("/apps/shop/a/b?x=1&lodge-environment={name}&y=2");
        let answer = host.get("127.0.0.1", &path, BROWSER).await;
        for line in [
            "HTTP/1.1 303",
            "location: ./b?x=1&y=2\r\n",
            "cache-control: no-store\r\n",
            &format!(
                "set-cookie: lodge_environment={name}; Path=/apps/shop/; HttpOnly; SameSite=Lax\r\n"
            ),
        ] {
            assert!(answer.contains(line), "{line} {answer}");
        }
        for lines in [
            format!("x-lodge-environment: {name}\r\n"),
            format!("cookie: lodge_environment={name}; lodge_affinity=one\r\n{BROWSER}"),
            format!("x-lodge-environment: {name}\r\ncookie: lodge_environment=one\r\n"),
        ] {
            let answer = get(&supervisor, &lines).await;
            assert_eq!(server(&answer), name, "{answer}");
            assert!(!answer.contains("set-cookie"), "{answer}");
        }
    }
    let answer = host.get("shop.localhost", "/?lodge-environment=", "").await;
    assert!(
        answer.contains("location: ./\r\n") && answer.contains("Max-Age=0"),
        "{answer}"
    );
    // Only of what a person can be led elsewhere by.
    let posted = "POST /?lodge-environment=one HTTP/1.1\r\nhost: shop.localhost\r\n\
                  connection: close\r\ncontent-length: 0\r\n\r\n";
    assert!(host.send(posted).await.contains("served by"));
}

#[tokio::test]
async fn an_environment_that_is_none_of_the_apps_is_told_so() {
    let (supervisor, workers) = several().await;
    let host = &supervisor.host;
    for answer in [
        host.get("shop.localhost", "/?lodge-environment=mars", "")
            .await,
        get(&supervisor, "x-lodge-environment: mars\r\n").await,
    ] {
        assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
        assert!(answer.contains("environment_not_found"), "{answer}");
        assert!(
            answer.contains("does not run in the environment"),
            "{answer}"
        );
    }
    // A cookie cannot be taken back by its visitor: it is passed over.
    let answer = get(&supervisor, "cookie: lodge_environment=mars\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    // One that was chosen and is away is not replaced by another.
    workers[0].host.stop.cancel();
    eventually("it is away", || workers[0].host.serving.is_finished()).await;
    let answer = get(&supervisor, "x-lodge-environment: one\r\n").await;
    assert!(answer.contains("environment_lost"), "{answer}");
}

#[tokio::test]
async fn the_app_sees_nothing_of_the_choice() {
    let worker = Worker::start("one").await;
    worker.host.app("shop", mirror());
    let supervisor = Supervisor::start().await;
    supervisor.app("shop", vec![worker.target()]);
    let lines =
        "x-lodge-environment: one\r\ncookie: lodge_environment=one; lodge_affinity=one; a=1\r\n";
    let answer = get(&supervisor, lines).await;
    assert!(
        answer.contains("cookie: a=1\n") && !answer.contains("lodge"),
        "{answer}"
    );
}
