//! Apps that go, and components that nobody needs.

use super::bed::Bed;
use super::specs::*;
use lodge_model::*;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

#[test]
fn it_is_tried_until_nothing_is_left() {
    let bed = Bed::new();
    let worker = bed.start();
    worker.say(&spec("a", 1, Goal::Running));
    worker.until_settled("a", Status::Running, 1);
    let files = bed.path("apps/a");
    std::fs::create_dir_all(&files).unwrap();
    std::fs::write(files.join("data.db"), "x").unwrap();
    let digest = spec("a", 1, Goal::Running).component.digest;
    let component = bed.path(&format!("components/{digest}.wasm"));
    assert!(component.exists());
    worker.provider.failing_removals.store(2, SeqCst);
    worker.say(&spec("a", 2, Goal::Gone(DataPolicy::Drop)));
    worker.until("it is gone", || worker.link.newest("a").unwrap().gone);
    let reports = worker.link.reports.lock().clone();
    let told: Vec<_> = reports
        .iter()
        .filter_map(|report| report.observed.message.as_deref())
        .filter(|text| text.contains("cannot be deleted yet"))
        .collect();
    assert_eq!(
        told,
        [
            "cannot be deleted yet, trying again in 20ms: the server is away",
            "cannot be deleted yet, trying again in 40ms: the server is away",
        ]
    );
    let last = reports.last().unwrap();
    assert_eq!(
        (last.observed.status, last.revision),
        (Status::Stopped, revision(2))
    );
    worker.until("it is acknowledged", || {
        worker.link.done_up_to("a") == Some(revision(2))
    });
    assert_eq!(
        *worker.provider.removed.lock(),
        [(id("a"), DataPolicy::Drop)]
    );
    assert!(worker.runtime.running.lock().is_empty());
    assert!(!files.exists() && !bed.path("specifications/a.sealed").exists());
    assert_eq!(worker.routes.phase("a"), None);
    assert!(worker.logs.tail(&id("a"), 10, LogLevel::Debug).is_empty());
    worker.until("its component went too", || {
        !component.exists() && worker.runtime.compiled.lock().is_empty()
    });
    // At least once: it is said again, and answered again.
    let reports = worker.link.reports.lock().len();
    worker.say(&spec("a", 2, Goal::Gone(DataPolicy::Drop)));
    worker.until("it is answered again", || {
        let all = worker.link.reports.lock();
        all.len() > reports && all.last().unwrap().gone
    });
}

#[test]
fn what_was_not_removed_is_taken_up_after_a_crash() {
    let bed = Bed::new();
    let worker = bed.start();
    worker.say(&spec("a", 1, Goal::Running));
    worker.until_settled("a", Status::Running, 1);
    worker.provider.failing_removals.store(usize::MAX, SeqCst);
    worker.say(&spec("a", 2, Goal::Gone(DataPolicy::Keep)));
    worker.until("it failed", || {
        worker.message("a").contains("cannot be deleted yet")
    });
    worker.crash();
    let worker = bed.start_alone();
    worker.until("it is gone", || {
        worker.link.newest("a").is_some_and(|r| r.gone)
    });
    assert_eq!(worker.runtime.starts_of("a"), 0);
    assert_eq!(
        *worker.provider.removed.lock(),
        [(id("a"), DataPolicy::Keep)]
    );
}

#[test]
fn an_app_that_comes_back_is_served() {
    let bed = Bed::new();
    let worker = bed.start();
    worker.say(&spec("a", 1, Goal::Running));
    worker.until_settled("a", Status::Running, 1);
    for generation in 2..30 {
        let goal = match generation % 2 {
            0 => Goal::Gone(DataPolicy::Drop),
            _ => Goal::Running,
        };
        worker.say(&spec("a", generation, goal));
        worker.pause(Duration::from_micros(300 * generation.unsigned_abs()));
    }
    worker.say(&spec("a", 31, Goal::Running));
    worker.until_settled("a", Status::Running, 31);
    assert!(bed.path("specifications/a.sealed").exists());
    assert_eq!(worker.routes.phase("a").as_deref(), Some("Running"));
    worker.visit("a").unwrap();
    assert_eq!(worker.runtime.overlaps.load(SeqCst), 0);
}

#[test]
fn a_component_stays_while_any_app_names_it() {
    let bed = Bed::new();
    let worker = bed.start();
    for name in ["a", "b"] {
        worker.say(&spec(name, 1, Goal::Running));
        worker.until_settled(name, Status::Running, 1);
    }
    let stored = || {
        let folder = std::fs::read_dir(bed.path("components")).unwrap();
        folder.flatten().count()
    };
    worker.say(&spec_of("a", 2, Goal::Running, "2.0.0"));
    worker.until_settled("a", Status::Running, 2);
    worker.pause(Duration::from_millis(50));
    assert_eq!(stored(), 2, "b still names the first");
    worker.say(&spec_of("b", 2, Goal::Stopped, "2.0.0"));
    worker.until_settled("b", Status::Stopped, 2);
    worker.until("the first is gone", || stored() == 1);
    // Needed again, it is fetched again.
    worker.say(&spec("b", 3, Goal::Running));
    worker.until_settled("b", Status::Running, 3);
    assert_eq!(bed.server.library.requests(), 3);
}

#[test]
fn what_an_earlier_run_left_is_swept_up() {
    let mut bed = Bed::new();
    bed.settings.trust_disk_after = Duration::from_millis(20);
    let folder = bed.path("components");
    std::fs::create_dir_all(&folder).unwrap();
    let name = digest(b"nobody's").to_hex();
    let left = [format!("{name}.wasm"), format!("{name}.part")];
    for file in &left {
        std::fs::write(folder.join(file), "x").unwrap();
    }
    let worker = bed.start();
    worker.say(&spec("a", 1, Goal::Running));
    worker.until_settled("a", Status::Running, 1);
    worker.until("it is gone", || {
        left.iter().all(|file| !folder.join(file).exists())
    });
    let own = spec("a", 1, Goal::Running).component.digest;
    assert!(folder.join(format!("{own}.wasm")).exists());
}
