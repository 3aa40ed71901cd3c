//! Start, stop, restart, change, delete; and all that through the end of the process.

use crate::bed::{Bed, SEALER, id};
use crate::fake::FakeRuntime;
use lodge_model::*;
use lodge_supervisor::{AppPatch, Error, Fault, NewComponent, Page};
use serde_json::json;
use std::time::Duration;

pub fn start_modes(bed: Bed) {
    let host = bed.open();
    let visited = host.create("visited", "on_first_visit");
    assert_eq!(
        (visited.desired, host.status("visited")),
        (Desired::Running, Status::Waiting)
    );
    let service = host.create("service", "with_host");
    assert_eq!(
        (service.desired, host.status("service")),
        (Desired::Stopped, Status::Stopped)
    );
    let at_once = json!({"id": "at-once", "component": {"name": "hello"},
        "start_mode": "with_host", "desired": "running"});
    host.create_from(at_once).unwrap();
    host.until_status("at-once", Status::Running);
    // A start acts at once whatever the mode.
    host.done(&host.start("visited"));
    host.done(&host.start("service"));
    assert_eq!(host.status("visited"), Status::Running);
    host.crash();

    let host = bed.open();
    assert_eq!(host.status("visited"), Status::Waiting);
    assert_eq!(host.routes.phase("visited").unwrap(), "Waiting");
    host.until_status("service", Status::Running);
    host.until_status("at-once", Status::Running);
    assert_eq!(host.runtime.starts_of("visited"), 0);
}

pub fn stop_is_sticky(bed: Bed) {
    let host = bed.open();
    for (app, mode) in [("visited", "on_first_visit"), ("service", "with_host")] {
        host.create(app, mode);
        host.done(&host.start(app));
        host.done(&host.stop(app));
        assert_eq!(host.status(app), Status::Stopped);
        assert!(!host.runtime.runs(app));
    }
    host.crash();
    let host = bed.open();
    host.pause(50);
    for app in ["visited", "service"] {
        assert_eq!(host.status(app), Status::Stopped);
        assert_eq!(host.routes.phase(app).unwrap(), "Stopped");
        assert_eq!(host.visit(app), Err(FailureKind::AppStopped));
        assert_eq!(host.runtime.starts_of(app), 0);
        host.done(&host.start(app));
        assert_eq!(host.visit(app), Ok(()));
    }
}

pub fn restart_is_a_new_run(bed: Bed) {
    let host = bed.open();
    host.create("shop", "on_first_visit");
    host.done(&host.restart("shop"));
    assert_eq!(host.runtime.starts_of("shop"), 1);
    host.done(&host.start("shop"));
    assert_eq!(
        host.runtime.starts_of("shop"),
        2,
        "a start ensures, also one that runs"
    );
    host.done(&host.restart("shop"));
    assert_eq!(host.runtime.starts_of("shop"), 3);
    assert_eq!(host.status("shop"), Status::Running);
}

pub fn updates_come_into_force(bed: Bed) {
    let host = bed.open();
    host.create("shop", "on_first_visit");
    host.visit("shop").unwrap();
    host.component("hello", "2.0.0");
    let app = host.patch("shop", json!({
        "component": {"name": "hello"}, "limits": {"concurrency": 3}, "domains": ["shop.example"],
    }));
    assert_eq!(app.unwrap().component.version, "2.0.0");
    host.until("the new version runs", || {
        host.runtime
            .running
            .lock()
            .get("shop")
            .is_some_and(|l| l.limits.concurrency == 3)
    });
    host.until("it is observed", || {
        host.observed("shop").version.as_deref() == Some("2.0.0")
    });
    let route = host.routes.0.lock().get("shop").cloned().unwrap();
    assert_eq!(
        (route.limits.concurrency, route.domains),
        (3, vec!["shop.example".to_owned()])
    );
    assert!(matches!(route.phase, Phase::Running(_)));
    // What waits keeps waiting, what is stopped stays so.
    host.create("waits", "on_first_visit");
    host.patch("waits", json!({"limits": {"concurrency": 3}}))
        .unwrap();
    host.done(&host.stop("shop"));
    host.patch("shop", json!({"limits": {"concurrency": 4}}))
        .unwrap();
    host.pause(50);
    assert_eq!(host.status("waits"), Status::Waiting);
    assert_eq!(host.status("shop"), Status::Stopped);
    // `desired` in a patch: an app that starts with its first visit waits for it.
    host.patch("shop", json!({"desired": "running"})).unwrap();
    host.until_status("shop", Status::Waiting);
    assert_eq!(host.runtime.starts_of("waits"), 0);
}

pub fn the_old_version_serves_while_the_new_compiles(bed: Bed) {
    let host = bed.open();
    host.create("shop", "on_first_visit");
    host.visit("shop").unwrap();
    host.runtime.may_compile.send_replace(false);
    let bytes = crate::fake::component_bytes("hello", "2.0.0", "");
    host.upload_bytes(bytes, NewComponent::default()).unwrap();
    host.patch("shop", json!({"component": {"name": "hello"}}))
        .unwrap();
    host.until_status("shop", Status::Preparing);
    assert_eq!(host.routes.phase("shop").unwrap(), "Running");
    assert_eq!(host.visit("shop"), Ok(()));
    host.runtime.may_compile.send_replace(true);
    host.until("the new version runs", || {
        host.observed("shop").version.as_deref() == Some("2.0.0")
    });
    assert_eq!(host.runtime.starts_of("shop"), 2);
}

pub fn callers_may_go_away(bed: Bed) {
    let host = bed.open();
    host.create("shop", "on_first_visit");
    let admin = crate::bed::admin();
    for n in 1..=60_u64 {
        let patch: AppPatch = serde_json::from_value(json!({"limits": {"queue": n}})).unwrap();
        let shop = id("shop");
        let change = host.supervisor.update_app(&shop, patch, &admin);
        let patience = Duration::from_micros(n * 20);
        // Whoever asked is gone after this, wherever the change then is.
        let _ = host.run(async { tokio::time::timeout(patience, change).await });
    }
    // The last change waits for those before it, and is taken: the memory's generation fits.
    host.patch("shop", json!({"limits": {"queue": 1000}}))
        .unwrap();
    host.until("database and memory say the same", || {
        let kept = host.run(lodge_db::apps::get(&host.db, &SEALER, &id("shop")));
        let (kept, shown) = (
            kept.unwrap().unwrap().app,
            host.supervisor.app(&id("shop")).unwrap(),
        );
        (kept.limits, kept.updated_at) == (shown.limits, shown.updated_at)
    });
    host.until("every operation has ended", || {
        host.run(lodge_db::operations::unfinished(&host.db))
            .unwrap()
            .is_empty()
    });
}

pub fn later_requests_supersede(bed: Bed) {
    let host = bed.open();
    host.create("shop", "with_host");
    host.runtime.may_start.send_replace(false);
    let start = host.start("shop");
    host.until_status("shop", Status::Starting);
    let restart = host.restart("shop");
    let stop = host.stop("shop");
    for old in [&start, &restart] {
        let ended = host.end_of(old);
        assert_eq!(ended.status, OperationStatus::Superseded);
        assert!(ended.error.unwrap().contains("op_"));
    }
    // The stop does not wait for the start, which hangs.
    host.done(&stop);
    host.runtime.may_start.send_replace(true);
    host.pause(20);
    assert_eq!(host.status("shop"), Status::Stopped);
    assert!(
        !host.runtime.runs("shop"),
        "the late finisher of the start left it running"
    );
    assert_eq!(
        host.runtime
            .overlaps
            .load(std::sync::atomic::Ordering::SeqCst),
        0
    );
}

pub fn deletion_leaves_nothing(bed: Bed) {
    let host = bed.open();
    for (name, data, stays) in [
        ("kept", DataPolicy::Keep, true),
        ("dropped", DataPolicy::Drop, false),
    ] {
        host.create(name, "on_first_visit");
        host.visit(name).unwrap();
        let folder = bed.path("apps").join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let operation = host.delete(name, data);
        host.done(&operation);
        assert_eq!(folder.exists(), stays);
        assert!(matches!(
            host.supervisor.app(&id(name)),
            Err(Error::NotFound { .. })
        ));
        assert_eq!(host.routes.phase(name), None);
        assert!(!host.runtime.runs(name));
        assert_eq!(host.visit(name), Err(FailureKind::AppNotFound));
        // The record stays, and the name is free again.
        host.done(&operation);
        host.create(name, "on_first_visit");
    }
}

pub fn unfinished_operations_are_taken_up(bed: Bed) {
    let host = bed.open();
    host.create("visited", "on_first_visit");
    host.create("service", "with_host");
    host.runtime.may_start.send_replace(false);
    let starts = [host.start("visited"), host.start("service")];
    host.until_status("visited", Status::Starting);
    host.crash();
    let host = bed.open();
    for start in &starts {
        host.done(start);
        assert_eq!(host.status(start.app.as_str()), Status::Running);
    }
}

pub fn deletion_is_resumed(bed: Bed) {
    let host = bed.open();
    host.create("shop", "with_host");
    host.done(&host.start("shop"));
    *host.runtime.stop_delay.lock() = Duration::from_secs(60);
    let operation = host.delete("shop", DataPolicy::Drop);
    host.until_status("shop", Status::Stopping);
    assert_eq!(
        host.delete("shop", DataPolicy::Drop).id,
        operation.id,
        "asked again: the same"
    );
    let refused = host
        .run(host.supervisor.start(&id("shop"), &crate::bed::admin()))
        .unwrap_err();
    assert_eq!(refused.code(), "app_deleting");
    std::fs::create_dir_all(bed.path("apps").join("shop")).unwrap();
    host.crash();

    let host = bed.open();
    host.done(&operation);
    assert!(host.supervisor.app(&id("shop")).is_err());
    assert!(!bed.path("apps").join("shop").exists());
    assert_eq!(host.runtime.starts_of("shop"), 0);
}

pub fn two_processes_are_refused(bed: Bed) {
    let host = bed.open();
    let second = bed.try_open(FakeRuntime::default()).err().unwrap();
    assert!(
        matches!(second, Error::Internal(Fault::Locked(_))),
        "{second}"
    );
    assert!(
        second
            .to_string()
            .contains("stop it, or choose another --data-dir")
    );
    host.crash();
    bed.open();
}

pub fn one_database_has_one_control_plane(mut bed: Bed) {
    let host = bed.open();
    let elsewhere = tempfile::tempdir().unwrap();
    let url = bed
        .url
        .clone()
        .unwrap_or_else(|| format!("sqlite:{}", bed.path("lodge.db").display()));
    bed.settings.claim_patience = Duration::from_millis(200);
    let mut second = Bed::at(elsewhere.path().to_owned(), Some(url));
    second.settings = bed.settings.clone();
    let refused = second.try_open(FakeRuntime::default()).err().unwrap();
    assert!(
        refused
            .to_string()
            .contains("another Lodge uses this control database"),
        "{refused}"
    );
    host.crash();
    second.settings.claim_patience = Duration::from_secs(10);
    second.open();
}

pub fn the_audit_log_tells(bed: Bed) {
    let host = bed.open();
    host.create("shop", "with_host");
    host.done(&host.start("shop"));
    host.runtime
        .fail_starts("shop", 1, StartError::Component("no entry".into()));
    let failed = host.end_of(&host.restart("shop"));
    assert_eq!(failed.status, OperationStatus::Failed);
    host.done(&host.delete("shop", DataPolicy::Keep));
    let page = |cursor| Page {
        cursor,
        limit: Some(4),
    };
    let newest = host
        .run(host.supervisor.events(&id("shop"), &page(None)))
        .unwrap();
    let rest = host
        .run(
            host.supervisor
                .events(&id("shop"), &page(newest.next_cursor.clone())),
        )
        .unwrap();
    assert_eq!(rest.next_cursor, None);
    let mut told: Vec<_> = newest.items.iter().chain(&rest.items).collect();
    told.reverse();
    assert!(told.iter().all(|event| event.actor == "admin@example.com"));
    let story: Vec<_> = told
        .iter()
        .map(|e| format!("{} {}", e.action, e.result))
        .collect();
    assert_eq!(
        story,
        [
            "app.create succeeded",
            "app.start accepted",
            "app.start succeeded",
            "app.restart accepted",
            "app.restart failed",
            "app.delete accepted",
            "app.delete succeeded",
        ]
    );
    assert!(told[4].message.as_ref().unwrap().contains("no entry"));
    let nobody = host.run(host.supervisor.events(&id("nobody"), &Page::default()));
    assert!(matches!(nobody, Err(Error::NotFound { .. })));
}

pub fn shutdown_stops_everything(bed: Bed) {
    let host = bed.open();
    host.create("shop", "with_host");
    host.done(&host.start("shop"));
    host.run(host.supervisor.shutdown(Duration::from_secs(2)));
    assert!(!host.runtime.runs("shop"));
    let refused = host
        .run(host.supervisor.stop(&id("shop"), &crate::bed::admin()))
        .unwrap_err();
    assert_eq!(refused.code(), "shutting_down");
    assert_eq!(
        host.supervisor.app(&id("shop")).unwrap().desired,
        Desired::Running
    );
    host.crash();
    let host = bed.open();
    host.until_status("shop", Status::Running);
}
