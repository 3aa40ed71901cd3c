//! What a worker knows when it starts again.

use super::bed::{Bed, Worker};
use super::specs::*;
use lodge_model::*;
use std::time::{Duration, Instant};

/// A worker that has an app in each state.
fn filled(bed: &Bed) -> Worker {
    let worker = bed.start();
    for (name, goal) in [
        ("runs", Goal::Running),
        ("waits", Goal::Waiting),
        ("stopped", Goal::Stopped),
    ] {
        worker.say(&spec(name, 1, goal));
    }
    worker.until_settled("runs", Status::Running, 1);
    worker.until_settled("waits", Status::Waiting, 1);
    worker.until_settled("stopped", Status::Stopped, 1);
    worker
}

fn away() -> ToWorker {
    ToWorker::Disconnected {
        reason: "it is away".into(),
    }
}

#[test]
fn it_serves_again_while_everybody_is_away() {
    let bed = Bed::new();
    filled(&bed).crash();
    let worker = bed.start_alone();
    // Before anything is heard, routes are known.
    assert_eq!(worker.routes.phase("waits").as_deref(), Some("Waiting"));
    assert_eq!(worker.routes.phase("stopped").as_deref(), Some("Stopped"));
    worker.link.say(away());
    worker.until_settled("runs", Status::Running, 1);
    worker.until_settled("stopped", Status::Stopped, 1);
    worker.visit("waits").unwrap();
    assert_eq!(worker.visit("stopped"), Err(FailureKind::AppStopped));
    let requests = bed.server.library.requests();
    assert_eq!(requests, 1, "the component was fetched again");
}

#[test]
fn without_a_word_from_anybody_it_goes_on_after_a_moment() {
    let bed = Bed::new();
    filled(&bed).crash();
    let worker = bed.start_alone();
    worker.until_settled("runs", Status::Running, 1);
}

#[test]
fn what_is_heard_in_time_comes_first() {
    let mut bed = Bed::new();
    bed.settings.trust_disk_after = Duration::from_secs(3_600);
    filled(&bed).crash();
    let worker = bed.start();
    let visit = worker.agent.activate(&id("waits"), RequestId(1));
    let visit = worker.tokio.spawn(visit);
    worker.pause(Duration::from_millis(100));
    // It may have moved: nothing starts before that is known.
    assert_eq!(worker.runtime.starts_of("runs"), 0);
    assert_eq!(worker.runtime.starts_of("waits"), 0);
    worker.say(&spec("runs", 2, Goal::Gone(DataPolicy::Keep)));
    worker.say(&spec("waits", 1, Goal::Waiting));
    worker.run(visit).unwrap().unwrap();
    worker.until("it is gone", || {
        worker.link.newest("runs").is_some_and(|report| report.gone)
    });
    assert_eq!(worker.runtime.starts_of("runs"), 0);
}

#[test]
fn a_higher_revision_takes_the_place_of_what_was_kept() {
    let bed = Bed::new();
    filled(&bed).crash();
    let worker = bed.start();
    worker.say(&spec("runs", 2, Goal::Stopped));
    worker.until_settled("runs", Status::Stopped, 2);
    worker.crash();
    let worker = bed.start_alone();
    worker.link.say(away());
    worker.until_settled("runs", Status::Stopped, 2);
    // And a lower one does not, wherever it comes from.
    worker.say(&spec("runs", 1, Goal::Running));
    worker.pause(Duration::from_millis(50));
    assert_eq!(worker.runtime.starts_of("runs"), 0);
}

#[test]
fn no_secret_lies_on_disk_and_no_copy_opens_elsewhere() {
    let mut bed = Bed::new();
    filled(&bed).crash();
    let folder = bed.path("specifications");
    let copies: Vec<_> = std::fs::read_dir(&folder).unwrap().flatten().collect();
    assert_eq!(copies.len(), 3);
    for copy in &copies {
        let text = std::fs::read_to_string(copy.path()).unwrap();
        assert!(text.starts_with("lodge1:") && !text.contains(SECRET));
    }
    // One app's copy in another's place, a damaged one, and half of one.
    let copy = |name: &str| folder.join(format!("{name}.sealed"));
    std::fs::copy(copy("runs"), copy("stopped")).unwrap();
    let mut text = std::fs::read_to_string(copy("waits")).unwrap();
    text.replace_range(20..21, if &text[20..21] == "A" { "B" } else { "A" });
    std::fs::write(copy("waits"), text).unwrap();
    std::fs::write(folder.join("other.new"), "lodge1:").unwrap();
    let worker = bed.start_alone();
    worker.link.say(away());
    worker.until_settled("runs", Status::Running, 1);
    assert_eq!(worker.routes.phase("stopped"), None);
    assert_eq!(worker.routes.phase("waits"), None);
    assert!(!folder.join("other.new").exists());
    // They are said again in time.
    worker.say(&spec("waits", 1, Goal::Waiting));
    worker.until_settled("waits", Status::Waiting, 1);
    worker.crash();
    bed.key = "another key of another worker, as long";
    let worker = bed.start_alone();
    assert_eq!(worker.routes.0.lock().len(), 0);
}

#[test]
fn a_polite_end_says_goodbye_and_stops_everything() {
    let bed = Bed::new();
    let worker = filled(&bed);
    worker.runtime.hang(&["late"]);
    worker.say(&spec("late", 1, Goal::Running));
    worker.until("it starts", || {
        worker
            .link
            .newest("late")
            .is_some_and(|r| r.observed.status == Status::Starting)
    });
    let begun = Instant::now();
    worker.run(worker.agent.shutdown(Duration::from_secs(20)));
    assert!(begun.elapsed() < Duration::from_secs(10));
    assert!(*worker.link.left.lock());
    assert!(worker.runtime.running.lock().is_empty());
    assert_eq!(worker.visit("waits"), Err(FailureKind::HostBusy));
    // What should be is still known.
    worker.crash();
    let worker = bed.start_alone();
    worker.link.say(away());
    worker.until_settled("runs", Status::Running, 1);
    worker.until_settled("late", Status::Running, 1);
}
