//! What a request meets: an app that runs, starts, is stopped or failed; a turn, a queue.

use crate::support::{App, Host, eventually, rest, running, text};
use lodge_edge::Settings;
use lodge_model::{FailureKind, Phase, RouteSink};
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt;
use tokio::sync::Semaphore;

const GET: &str = "GET / HTTP/1.1\r\nhost: shop.localhost\r\nconnection: close\r\n\r\n";

/// An app whose requests wait until the test lets them go, one permit each.
fn gated() -> (Phase, Arc<Semaphore>) {
    let gate = Arc::new(Semaphore::new(0));
    let phase = running({
        let gate = gate.clone();
        move |_| {
            let gate = gate.clone();
            async move {
                gate.acquire().await.unwrap().forget();
                Ok(text("served"))
            }
        }
    });
    (phase, gate)
}

#[tokio::test]
async fn stopped_and_failed_apps_say_so() {
    let host = Host::start().await;
    let meter = host.app("shop", Phase::Stopped);
    for (phase, code) in [
        (Phase::Stopped, "app_stopped"),
        (Phase::Failed, "app_failed"),
    ] {
        host.routes.set_phase(&"shop".parse().unwrap(), phase);
        let answer = host.send(GET).await;
        assert!(
            answer.starts_with("HTTP/1.1 503") && answer.contains(code),
            "{answer}"
        );
        assert!(
            answer.contains("retry-after: 30\r\n") && answer.contains("cache-control: no-store"),
            "{answer}"
        );
    }
    assert_eq!(meter.snapshot().refused, 2);
}

#[tokio::test]
async fn first_visits_wait_for_the_start_and_are_served() {
    let host = Host::start().await;
    let meter = host.app("shop", Phase::Waiting);
    let mut sockets = Vec::new();
    for _ in 0..5 {
        let mut socket = host.connect().await;
        socket.write_all(GET.as_bytes()).await.unwrap();
        sockets.push(socket);
    }
    eventually("five ask for the start", || {
        host.starter.calls.load(SeqCst) == 5
    })
    .await;
    assert_eq!(meter.snapshot().queued, 5);
    *host.starter.result.lock() = Some(Ok(Arc::new(App(|_| async { Ok(text("at last")) }))));
    host.starter.go.notify_waiters();
    for mut socket in sockets {
        assert!(rest(&mut socket).await.ends_with("at last"));
    }
    let seen = meter.snapshot();
    assert_eq!((seen.answered, seen.queued, seen.in_flight), (5, 0, 0));
}

#[tokio::test]
async fn a_first_visit_waits_no_longer_than_told_and_not_for_a_failure() {
    let settings = Settings {
        start_timeout: Duration::from_millis(100),
        ..Settings::default()
    };
    let host = Host::with(settings, Duration::from_secs(1)).await;
    host.app("shop", Phase::Waiting);
    let answer = host.send(GET).await;
    assert!(
        answer.starts_with("HTTP/1.1 503") && answer.contains("app_starting"),
        "{answer}"
    );
    assert!(answer.contains("retry-after: 5\r\n"), "{answer}");
    *host.starter.result.lock() = Some(Err(FailureKind::AppFailed.into()));
    assert!(host.send(GET).await.contains("app_failed"));
}

#[tokio::test]
async fn turns_are_bounded_the_queue_too_and_in_order() {
    let host = Host::start().await;
    let (phase, gate) = gated();
    let meter = host.app_with("shop", phase, |route| {
        route.limits.concurrency = 1;
        route.limits.queue = 2;
    });
    let mut sockets = Vec::new();
    for place in 0..3 {
        let mut socket = host.connect().await;
        socket.write_all(GET.as_bytes()).await.unwrap();
        sockets.push(socket);
        eventually("a request more is here", || {
            let seen = meter.snapshot();
            seen.in_flight + seen.queued == place + 1
        })
        .await;
    }
    assert_eq!(
        (meter.snapshot().in_flight, meter.snapshot().queued),
        (1, 2)
    );
    let answer = host.send(GET).await;
    assert!(
        answer.starts_with("HTTP/1.1 503") && answer.contains("queue_full"),
        "{answer}"
    );
    for mut socket in sockets {
        gate.add_permits(1);
        assert!(
            rest(&mut socket).await.ends_with("served"),
            "the first come is the first served"
        );
    }
    let seen = meter.snapshot();
    assert_eq!(
        (seen.answered, seen.refused, seen.in_flight, seen.queued),
        (3, 1, 0, 0)
    );
}

#[tokio::test]
async fn a_place_in_the_queue_is_for_a_time() {
    let host = Host::start().await;
    let (phase, gate) = gated();
    let meter = host.app_with("shop", phase, |route| {
        route.limits.concurrency = 1;
        route.limits.queue_timeout_ms = 100;
    });
    let mut first = host.connect().await;
    first.write_all(GET.as_bytes()).await.unwrap();
    eventually("the first is served", || meter.snapshot().in_flight == 1).await;
    let begin = Instant::now();
    let answer = host.send(GET).await;
    assert!(
        answer.contains("queue_timeout") && answer.contains("retry-after: 1\r\n"),
        "{answer}"
    );
    assert!(begin.elapsed() >= Duration::from_millis(100));
    gate.add_permits(1);
    assert!(rest(&mut first).await.ends_with("served"));
}

#[tokio::test]
async fn who_comes_to_an_overloaded_app_is_told_at_once() {
    let host = Host::start().await;
    let (phase, gate) = gated();
    let meter = host.app_with("shop", phase, |route| {
        route.limits.concurrency = 1;
        route.limits.queue_timeout_ms = 100;
    });
    let mut first = host.connect().await;
    first.write_all(GET.as_bytes()).await.unwrap();
    eventually("the first is served", || meter.snapshot().in_flight == 1).await;
    // For as long as a request may wait, some wait; then none does.
    let mut slow = 0;
    let answer = loop {
        let answer = host.send(GET).await;
        if answer.contains("overloaded") {
            break answer;
        }
        assert!(answer.contains("queue_timeout"), "{answer}");
        slow += 1;
        assert!(slow < 10, "it is never told at once");
    };
    assert!(
        answer.starts_with("HTTP/1.1 503") && answer.contains("retry-after: 1\r\n"),
        "{answer}"
    );
    // Who comes when there is room again is served, though the overload is not over yet.
    gate.add_permits(2);
    assert!(rest(&mut first).await.ends_with("served"));
    assert!(host.send(GET).await.ends_with("served"));
    let reasons = meter.snapshot().reasons;
    assert_eq!((reasons["overloaded"], reasons["queue_timeout"]), (1, slow));
}

#[tokio::test]
async fn an_app_stopped_meanwhile_serves_nobody_from_its_queue() {
    let host = Host::start().await;
    let (phase, gate) = gated();
    let meter = host.app_with("shop", phase, |route| route.limits.concurrency = 1);
    let (mut first, mut second) = (host.connect().await, host.connect().await);
    first.write_all(GET.as_bytes()).await.unwrap();
    eventually("one is served", || meter.snapshot().in_flight == 1).await;
    second.write_all(GET.as_bytes()).await.unwrap();
    eventually("one waits", || meter.snapshot().queued == 1).await;
    host.routes
        .set_phase(&"shop".parse().unwrap(), Phase::Stopped);
    gate.add_permits(1);
    assert!(
        rest(&mut first).await.ends_with("served"),
        "requests under way finish"
    );
    assert!(rest(&mut second).await.contains("app_stopped"));
}

#[tokio::test]
async fn changed_limits_take_force_while_requests_are_under_way() {
    let host = Host::start().await;
    let (phase, gate) = gated();
    let meter = host.app_with("shop", phase.clone(), |route| {
        route.limits.concurrency = 1;
        route.limits.queue = 8;
    });
    let mut sockets = Vec::new();
    for _ in 0..3 {
        let mut socket = host.connect().await;
        socket.write_all(GET.as_bytes()).await.unwrap();
        sockets.push(socket);
    }
    eventually("two wait", || meter.snapshot().queued == 2).await;
    host.app_with("shop", phase, |route| {
        route.meter = meter.clone();
        route.limits.concurrency = 3;
    });
    eventually("all are served", || meter.snapshot().in_flight == 3).await;
    gate.add_permits(3);
    for mut socket in sockets {
        assert!(rest(&mut socket).await.ends_with("served"));
    }
}
