//! Starts that fail.

use crate::bed::{Bed, id};
use lodge_model::*;
use std::time::Duration;

fn broken() -> StartError {
    StartError::Component("wasm trap: unreachable".into())
}

pub fn failures_are_retried_and_given_up(bed: Bed) {
    let host = bed.open();
    host.create("recovers", "on_first_visit");
    host.create("hopeless", "on_first_visit");
    host.runtime.fail_starts("recovers", 2, broken());
    host.runtime.fail_starts("hopeless", usize::MAX, broken());
    assert_eq!(host.visit("recovers"), Err(FailureKind::AppFailed));
    assert_eq!(host.visit("hopeless"), Err(FailureKind::AppFailed));
    assert_eq!(host.routes.phase("recovers").unwrap(), "Failed");
    host.until_status("recovers", Status::Running);
    assert_eq!(host.runtime.starts_of("recovers"), 3);
    assert_eq!(host.visit("recovers"), Ok(()));
    host.until("it gives up", || host.runtime.starts_of("hopeless") == 5);
    host.pause(300);
    assert_eq!(
        host.runtime.starts_of("hopeless"),
        5,
        "it was tried after giving up"
    );
    assert_eq!(host.status("hopeless"), Status::Failed);
    let message = host.observed("hopeless").message.unwrap();
    assert!(message.contains("wasm trap: unreachable"), "{message}");
    assert!(
        message.contains("failed start 5 of 5: not tried again until"),
        "{message}"
    );
    assert_eq!(host.visit("hopeless"), Err(FailureKind::AppFailed));
}

/// More often than a broken component would be tried.
pub fn the_hosts_faults_are_never_given_up(bed: Bed) {
    let host = bed.open();
    host.create("shop", "on_first_visit");
    let away = StartError::Host("its database server is away".into());
    host.runtime.fail_starts("shop", 8, away);
    assert_eq!(host.visit("shop"), Err(FailureKind::AppFailed));
    host.until("it is tried on", || host.runtime.starts_of("shop") > 5);
    host.until_status("shop", Status::Running);
    assert_eq!(host.runtime.starts_of("shop"), 9);
    assert_eq!(host.visit("shop"), Ok(()));
    let log = host.logs.text_of("shop");
    assert!(
        log.contains("its database server is away (failed start 8, trying again in 80ms)"),
        "{log}"
    );
}

pub fn an_admin_gives_another_chance(mut bed: Bed) {
    bed.settings.give_up_after = 1;
    let host = bed.open();
    host.create("shop", "with_host");
    for attempt in 1..=3 {
        host.runtime.fail_starts("shop", 1, broken());
        let failed = host.end_of(&host.start("shop"));
        assert_eq!(failed.status, OperationStatus::Failed);
        assert!(failed.error.unwrap().contains("unreachable"));
        assert_eq!(host.status("shop"), Status::Failed);
        match attempt {
            1 => host.done(&host.start("shop")),
            2 => host.done(&host.restart("shop")),
            _ => {
                host.patch("shop", serde_json::json!({"limits": {"concurrency": 9}}))
                    .unwrap();
                host.until_status("shop", Status::Running);
            }
        }
        assert_eq!(host.visit("shop"), Ok(()));
        host.done(&host.stop("shop"));
    }
}

pub fn a_start_that_hangs_fails(mut bed: Bed) {
    bed.settings.start_timeout = Duration::from_millis(50);
    let host = bed.open();
    host.create("shop", "with_host");
    host.runtime.may_start.send_replace(false);
    let failed = host.end_of(&host.start("shop"));
    assert_eq!(failed.status, OperationStatus::Failed);
    assert!(failed.error.unwrap().contains("did not start within"));
    host.runtime.may_start.send_replace(true);
    host.until_status("shop", Status::Running);
}

pub fn a_cache_that_never_holds_is_given_up(bed: Bed) {
    let host = bed.open();
    host.create("shop", "on_first_visit");
    host.runtime
        .fail_starts("shop", usize::MAX, StartError::NotCompiled);
    assert_eq!(host.visit("shop"), Err(FailureKind::AppFailed));
    host.until("it gives up", || {
        host.observed("shop")
            .message
            .is_some_and(|text| text.contains("failed start 5 of 5"))
    });
    assert!(
        host.observed("shop")
            .message
            .unwrap()
            .contains("is not in the cache")
    );
}

pub fn causes_reach_the_admin_only(bed: Bed) {
    let host = bed.open();
    host.create("shop", "on_first_visit");
    host.runtime.fail_starts(
        "shop",
        1,
        StartError::Host("the password of the disk is hunter2".into()),
    );
    let failure = host
        .run(host.supervisor.activate(&id("shop"), RequestId(9)))
        .err()
        .unwrap();
    assert_eq!(failure.to_string(), "app_failed");
    assert!(
        host.logs
            .text_of("shop")
            .contains("could not start: the password of the disk")
    );
    let refusal = host.logs.tail(&id("shop"), 1, LogLevel::Warn);
    assert_eq!(refusal[0].request.as_deref(), Some("0000000000000009"));
}
