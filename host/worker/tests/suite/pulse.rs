//! Signs of life, figures, and what the link says of itself.

use super::bed::Bed;
use super::specs::*;
use lodge_model::*;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

#[test]
fn load_and_figures_are_of_what_happened() {
    let mut bed = Bed::new();
    bed.settings.sample_every = Duration::from_millis(20);
    let worker = bed.start();
    for name in ["busy", "idle"] {
        worker.say(&spec(name, 1, Goal::Running));
        worker.until_settled(name, Status::Running, 1);
    }
    worker.say(&spec("waits", 1, Goal::Waiting));
    worker.until_settled("waits", Status::Waiting, 1);
    let meter = worker.routes.0.lock()[&id("busy")].meter.clone();
    for _ in 0..100 {
        meter.record(Outcome::Answered(http::StatusCode::OK));
    }
    meter.cpu_nanos.fetch_add(40_000_000, Relaxed);
    meter.memory_bytes.store(1_000, Relaxed);
    meter.instances.store(3, Relaxed);
    worker.until("its load is told", || {
        let beats = worker.link.beats.lock();
        let load = beats.last().map(|(_, load)| *load).unwrap_or_default();
        load.apps == 3
            && load.running == 2
            && (load.app_memory_bytes, load.instances) == (1_000, 3)
            && load.process_memory_bytes > 0
    });
    worker.until("its CPU is told", || {
        let beats = worker.link.beats.lock();
        beats.iter().any(|(_, load)| load.cpu > 0.0)
    });
    worker.until("all is told", || answered(&worker) == 100);
    worker.pause(Duration::from_millis(60));
    assert_eq!(answered(&worker), 100, "told twice");
    let figures = worker.link.figures.lock();
    let told = figures.iter().flat_map(|f| &f.apps);
    assert!(told.clone().all(|(app, _)| app.as_str() == "busy"));
    assert_eq!(told.map(|(_, t)| t.cpu_nanos).sum::<u64>(), 40_000_000);
    assert!(figures.iter().all(|f| !f.apps.is_empty()));
}

fn answered(worker: &super::bed::Worker) -> u64 {
    let figures = worker.link.figures.lock();
    let all = figures.iter().flat_map(|f| &f.apps);
    all.map(|(_, tally)| tally.answered).sum()
}

#[test]
fn what_an_app_used_last_is_told_though_it_is_gone() {
    let bed = Bed::new();
    let worker = bed.start();
    worker.say(&spec("a", 1, Goal::Running));
    worker.until_settled("a", Status::Running, 1);
    let meter = worker.routes.0.lock()[&id("a")].meter.clone();
    meter.record(Outcome::Answered(http::StatusCode::OK));
    worker.say(&spec("a", 2, Goal::Gone(DataPolicy::Keep)));
    worker.until("it is gone", || {
        worker.link.done_up_to("a") == Some(revision(2))
    });
    worker.run(worker.agent.shutdown(Duration::from_secs(5)));
    assert_eq!(answered(&worker), 1);
}

#[test]
fn a_new_connection_is_told_everything_and_a_lost_one_changes_nothing() {
    let bed = Bed::new();
    let worker = bed.start();
    for name in ["a", "b"] {
        worker.say(&spec(name, 1, Goal::Running));
        worker.until_settled(name, Status::Running, 1);
    }
    let reports = || worker.link.reports.lock().len();
    let (before, starts) = (reports(), worker.runtime.starts_of("a"));
    let reason = "it is away".into();
    worker.link.say(ToWorker::Disconnected { reason });
    worker.pause(Duration::from_millis(50));
    assert_eq!(reports(), before);
    worker.visit("a").unwrap();
    worker.link.say(ToWorker::Connected);
    worker.until("both are told", || reports() == before + 2);
    let again = worker.link.reports.lock()[before..].to_vec();
    assert!(again.iter().all(|r| r.observed.status == Status::Running));
    assert_eq!(worker.runtime.starts_of("a"), starts);
}

#[test]
fn since_changes_with_the_status_only() {
    let bed = Bed::new();
    let worker = bed.start();
    worker.say(&spec("a", 1, Goal::Running));
    worker.until_settled("a", Status::Running, 1);
    let first = worker.link.newest("a").unwrap().observed;
    assert_eq!(first.version.as_deref(), Some("1.0.0"));
    worker.pause(Duration::from_millis(5));
    worker.say(&again(&spec("a", 1, Goal::Running), 2));
    worker.until_settled("a", Status::Running, 2);
    assert_eq!(worker.link.newest("a").unwrap().observed, first);
}

#[test]
fn a_refusal_is_passed_on() {
    let bed = Bed::new();
    let worker = bed.start();
    let reason = "another worker is called so".to_owned();
    worker.link.say(ToWorker::Refused {
        reason: reason.clone(),
    });
    let refused = async {
        let limit = Duration::from_secs(20);
        tokio::time::timeout(limit, worker.agent.refused()).await
    };
    assert_eq!(worker.run(refused).unwrap(), reason);
}
