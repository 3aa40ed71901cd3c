//! Starts that fail.

use super::bed::Bed;
use super::specs::*;
use lodge_model::*;
use std::sync::atomic::Ordering::SeqCst;

fn trap() -> StartError {
    StartError::Component("it trapped".into())
}

#[test]
fn a_failed_start_is_told_and_tried_again() {
    let mut bed = Bed::new();
    bed.settings.first_retry = std::time::Duration::from_secs(1);
    bed.settings.longest_retry = std::time::Duration::from_secs(60);
    let worker = bed.start();
    worker.runtime.fail_starts("a", 1, trap());
    worker.say(&spec("a", 1, Goal::Running));
    worker.until_settled("a", Status::Failed, 1);
    assert_eq!(
        worker.message("a"),
        "it trapped (failed start 1 of 5, trying again in 1s)"
    );
    assert_eq!(worker.routes.phase("a").as_deref(), Some("Failed"));
    assert_eq!(worker.visit("a"), Err(FailureKind::AppFailed));
    worker.until_settled("a", Status::Running, 1);
    assert_eq!(worker.routes.phase("a").as_deref(), Some("Running"));
    let log = worker.logs.tail(&id("a"), 100, LogLevel::Debug);
    let log: Vec<_> = log.iter().map(|line| line.message.as_str()).collect();
    assert!(log[0].starts_with("could not start: it trapped"), "{log:?}");
    assert_eq!(*log.last().unwrap(), "running hello 1.0.0");
}

#[test]
fn it_is_given_up_until_a_higher_revision_comes() {
    let bed = Bed::new();
    let worker = bed.start();
    worker.runtime.fail_starts("a", 5, trap());
    worker.say(&spec("a", 1, Goal::Running));
    worker.until("it is given up", || {
        worker
            .message("a")
            .contains("failed start 5 of 5: not tried again")
    });
    worker.pause(bed.settings.longest_retry * 2);
    let failed = worker.link.reports.lock().clone();
    let failed = failed
        .iter()
        .filter(|r| r.observed.status == Status::Failed);
    assert_eq!(failed.count(), 5);
    // The same again changes nothing.
    worker.say(&spec("a", 1, Goal::Running));
    worker.pause(bed.settings.longest_retry * 2);
    assert_eq!(worker.runtime.starts_of("a"), 0);
    worker.say(&spec("a", 2, Goal::Running));
    worker.until_settled("a", Status::Running, 2);
}

#[test]
fn what_the_app_is_not_guilty_of_is_never_given_up() {
    let bed = Bed::new();
    let worker = bed.start();
    let away = StartError::Host("the database server is not there now".into());
    worker.runtime.fail_starts("a", 8, away);
    worker.say(&spec("a", 1, Goal::Running));
    worker.until_settled("a", Status::Running, 1);
    let reports = worker.link.reports.lock().clone();
    let last = reports
        .iter()
        .rfind(|report| report.observed.status == Status::Failed)
        .and_then(|report| report.observed.message.clone());
    let last = last.unwrap();
    assert!(
        last.contains("not there now (failed start 8, trying again in"),
        "{last}"
    );
}

#[test]
fn what_failed_leaves_nothing_running() {
    let bed = Bed::new();
    let worker = bed.start();
    worker.say(&spec("a", 1, Goal::Running));
    worker.until_settled("a", Status::Running, 1);
    worker.runtime.fail_starts("a", 100, trap());
    worker.say(&spec_of("a", 2, Goal::Running, "2.0.0"));
    worker.until("it failed", || worker.message("a").contains("5 of 5"));
    worker.until("nothing runs", || worker.runtime.running.lock().is_empty());
}

#[test]
fn a_compiled_form_that_is_lost_is_made_once_more() {
    let bed = Bed::new();
    let worker = bed.start();
    worker.say(&spec("a", 1, Goal::Running));
    worker.until_settled("a", Status::Running, 1);
    // Lost, and it is not known.
    worker.runtime.compiled.lock().clear();
    worker.say(&spec("b", 1, Goal::Running));
    worker.until_settled("b", Status::Running, 1);
    assert_eq!(worker.runtime.compiles.load(SeqCst), 2);
    let reports = worker.link.reports.lock();
    assert!(reports.iter().all(|r| r.observed.status != Status::Failed));
}

#[test]
fn a_compiled_form_that_is_lost_again_and_again_is_a_failure() {
    let bed = Bed::new();
    let worker = bed.start();
    worker
        .runtime
        .fail_starts("a", 100, StartError::NotCompiled);
    worker.say(&spec("a", 1, Goal::Running));
    worker.until("it is given up", || worker.message("a").contains("5 of 5"));
}

#[test]
fn a_component_that_cannot_be_compiled_is_not_tried_again() {
    let bed = Bed::new();
    let worker = bed.start();
    let error = CompileError::Component("it is too clever".into());
    worker.runtime.failing_compiles.lock().push(error);
    for name in ["a", "b"] {
        worker.say(&spec(name, 1, Goal::Running));
    }
    // Whoever waited for it.
    worker.until("one of them failed", || {
        let all = [worker.message("a"), worker.message("b")];
        all.contains(&"hello 1.0.0 could not be compiled: it is too clever".to_owned())
    });
    worker.pause(bed.settings.longest_retry * 2);
    assert!(worker.runtime.compiles.load(SeqCst) <= 2);
    for name in ["a", "b"] {
        worker.say(&spec(name, 2, Goal::Running));
        worker.until_settled(name, Status::Running, 2);
    }
}

#[test]
fn a_host_that_cannot_compile_is_tried_again() {
    let bed = Bed::new();
    let worker = bed.start();
    let error = CompileError::Host("no space left".into());
    worker.runtime.failing_compiles.lock().push(error);
    worker.say(&spec("a", 1, Goal::Running));
    worker.until("it failed once", || {
        let reports = worker.link.reports.lock();
        reports.iter().any(|report| {
            let text = report.observed.message.as_deref().unwrap_or_default();
            text.contains("no space left") && text.contains("failed start 1 of 5")
        })
    });
    worker.until_settled("a", Status::Running, 1);
}

#[test]
fn a_start_that_takes_too_long_has_failed() {
    let mut bed = Bed::new();
    bed.settings.start_timeout = std::time::Duration::from_millis(20);
    let worker = bed.start();
    worker.runtime.hang(&["a"]);
    worker.say(&spec("a", 1, Goal::Running));
    worker.until("it failed", || {
        worker.message("a").contains("did not start within")
    });
    worker.runtime.hang(&[]);
    worker.say(&spec("a", 2, Goal::Running));
    worker.until_settled("a", Status::Running, 2);
}
