//! First visits.

use super::bed::Bed;
use super::specs::*;
use futures::future::join_all;
use lodge_model::*;

#[test]
fn the_first_visit_starts_it_and_it_runs_until_it_is_stopped() {
    let bed = Bed::new();
    let worker = bed.start();
    worker.say(&spec("a", 1, Goal::Waiting));
    worker.until_settled("a", Status::Waiting, 1);
    assert_eq!(worker.routes.phase("a").as_deref(), Some("Waiting"));
    worker.visit("a").unwrap();
    worker.until_settled("a", Status::Running, 1);
    assert_eq!(worker.routes.phase("a").as_deref(), Some("Running"));
    // Said again, and anew with other settings: it runs on, with those.
    worker.say(&spec("a", 1, Goal::Waiting));
    worker.say(&spec("a", 2, Goal::Waiting));
    worker.until_settled("a", Status::Running, 2);
    let launched = worker.runtime.running.lock()[&id("a")].clone();
    assert_eq!(launched.grant.config["generation"].0, "2");
    worker.say(&spec("a", 3, Goal::Stopped));
    worker.until_settled("a", Status::Stopped, 3);
    assert_eq!(worker.visit("a"), Err(FailureKind::AppStopped));
    // The visit before the stop counts no more.
    worker.say(&spec("a", 4, Goal::Waiting));
    worker.until_settled("a", Status::Waiting, 4);
    assert_eq!(worker.runtime.running.lock().len(), 0);
}

#[test]
fn what_runs_is_not_stopped_to_wait_for_a_visit() {
    let bed = Bed::new();
    let worker = bed.start();
    worker.say(&spec("a", 1, Goal::Running));
    worker.until_settled("a", Status::Running, 1);
    worker.say(&spec("a", 2, Goal::Waiting));
    worker.until_settled("a", Status::Running, 2);
    assert!(
        !worker
            .runtime
            .deeds_of("a")
            .contains(&super::runtime::Deed::Stopped)
    );
}

#[test]
fn many_first_visitors_share_one_start() {
    let bed = Bed::new();
    let worker = bed.start();
    worker.say(&spec("a", 1, Goal::Waiting));
    worker.until_settled("a", Status::Waiting, 1);
    worker.runtime.hang(&["a"]);
    let visits = (0..50).map(|n| worker.agent.activate(&id("a"), RequestId(n)));
    let visits = worker.tokio.spawn(join_all(visits.collect::<Vec<_>>()));
    // One that goes away stops nothing.
    drop(worker.agent.activate(&id("a"), RequestId(99)));
    worker.until("it starts", || {
        worker.link.newest("a").unwrap().observed.status == Status::Starting
    });
    worker.runtime.hang(&[]);
    let outcomes = worker.run(visits).unwrap();
    assert!(outcomes.iter().all(Result::is_ok));
    assert_eq!(worker.runtime.starts_of("a"), 1);
}

#[test]
fn visitors_learn_that_it_failed_or_was_stopped_meanwhile() {
    let bed = Bed::new();
    let worker = bed.start();
    for name in ["a", "b"] {
        worker.say(&spec(name, 1, Goal::Waiting));
        worker.until_settled(name, Status::Waiting, 1);
    }
    let error = StartError::Component("it trapped".into());
    worker.runtime.fail_starts("a", 100, error);
    assert_eq!(worker.visit("a"), Err(FailureKind::AppFailed));
    worker.runtime.hang(&["b"]);
    let visit = worker
        .tokio
        .spawn(worker.agent.activate(&id("b"), RequestId(1)));
    worker.until("it starts", || {
        worker.link.newest("b").unwrap().observed.status == Status::Starting
    });
    worker.say(&spec("b", 2, Goal::Stopped));
    let outcome = worker.run(visit).unwrap();
    assert_eq!(outcome.err().unwrap().kind, FailureKind::AppStopped);
    assert_eq!(worker.visit("c"), Err(FailureKind::AppNotFound));
}

#[test]
fn a_visit_waits_for_the_component_too() {
    let bed = Bed::new();
    let worker = bed.start_alone();
    worker.link.say(ToWorker::Connected);
    worker.say(&spec("a", 1, Goal::Waiting));
    worker.until_settled("a", Status::Waiting, 1);
    let visit = worker
        .tokio
        .spawn(worker.agent.activate(&id("a"), RequestId(1)));
    worker.until("it says what it waits for", || {
        worker.message("a") == "waits for hello 1.0.0: the supervisor's address is not known yet"
    });
    worker.link.say(bed.supervisor());
    worker.run(visit).unwrap().unwrap();
}

#[test]
fn an_app_has_the_public_keys_of_its_tokens() {
    let bed = Bed::new();
    let worker = bed.start();
    worker.say(&spec("a", 1, Goal::Waiting));
    worker.until_settled("a", Status::Waiting, 1);
    assert_eq!(worker.agent.key_set(&id("a")).unwrap(), r#"{"keys":0}"#);
    assert_eq!(worker.agent.key_set(&id("b")), None);
}
