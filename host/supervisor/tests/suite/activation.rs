//! First visits.

use crate::bed::{Bed, id};
use crate::fake::{FakeRuntime, component_bytes};
use lodge_model::*;
use lodge_supervisor::NewComponent;
use std::time::Duration;

pub fn visitors_start_it_once(bed: Bed) {
    let host = bed.open();
    host.create("shop", "on_first_visit");
    assert_eq!(host.status("shop"), Status::Waiting);
    assert_eq!(host.routes.phase("shop").unwrap(), "Waiting");
    *host.runtime.start_delay.lock() = Duration::from_millis(20);
    let visits = (0..200).map(|n| host.supervisor.activate(&id("shop"), RequestId(n)));
    let outcomes = host.run(futures::future::join_all(visits));
    assert!(outcomes.iter().all(Result::is_ok));
    assert_eq!(host.runtime.starts_of("shop"), 1);
    assert_eq!(host.status("shop"), Status::Running);
    assert_eq!(host.routes.phase("shop").unwrap(), "Running");
    host.visit("shop").unwrap();
    assert_eq!(host.runtime.starts_of("shop"), 1);
    assert_eq!(host.visit("nobody"), Err(FailureKind::AppNotFound));
}

pub fn a_visit_waits_for_the_compile(bed: Bed) {
    let host = bed.open();
    host.runtime.may_compile.send_replace(false);
    let bytes = component_bytes("slow", "1.0.0", "");
    let (component, created) = host.upload_bytes(bytes, NewComponent::default()).unwrap();
    assert!(created);
    host.create_from(serde_json::json!({"id": "shop", "component": {"digest": component.digest}}))
        .unwrap();
    let visit = host.supervisor.activate(&id("shop"), RequestId(1));
    let visit = host.tokio.spawn(visit);
    host.until_status("shop", Status::Preparing);
    let message = host.observed("shop").message.unwrap();
    assert_eq!(message, "waits for slow 1.0.0 to be compiled");
    assert!(!visit.is_finished());
    host.runtime.may_compile.send_replace(true);
    assert!(host.run(visit).unwrap().is_ok());
    assert_eq!(host.observed("shop").version.as_deref(), Some("1.0.0"));
}

pub fn visitors_who_leave_stop_nothing(bed: Bed) {
    let host = bed.open();
    host.create("shop", "on_first_visit");
    host.runtime.may_start.send_replace(false);
    let visit = host
        .tokio
        .spawn(host.supervisor.activate(&id("shop"), RequestId(1)));
    host.until_status("shop", Status::Starting);
    visit.abort();
    host.runtime.may_start.send_replace(true);
    host.until_status("shop", Status::Running);
    assert_eq!(host.runtime.starts_of("shop"), 1);
}

pub fn visits_pass_what_nobody_waits_for(mut bed: Bed) {
    bed.settings.background_lanes = 2;
    let host = bed.open();
    host.create("shop", "on_first_visit");
    for n in 0..20 {
        let name = format!("with-host-{n}");
        host.create(&name, "with_host");
        host.done(&host.start(&name));
    }
    host.crash();
    let runtime = FakeRuntime::default();
    runtime.may_start.send_replace(false);
    let host = bed.open_with(runtime);
    // Both lanes of the background hang, and 18 apps wait behind; the visit is not among them.
    host.until("the background is full", || {
        host.runtime
            .busiest
            .load(std::sync::atomic::Ordering::SeqCst)
            == 2
    });
    let visits = ["shop", "with-host-19"].map(|app| {
        host.tokio
            .spawn(host.supervisor.activate(&id(app), RequestId(1)))
    });
    host.until_status("shop", Status::Starting);
    host.until_status("with-host-19", Status::Starting);
    host.runtime.may_start.send_replace(true);
    for visit in visits {
        assert!(host.run(visit).unwrap().is_ok());
    }
    for n in 0..20 {
        host.until_status(&format!("with-host-{n}"), Status::Running);
    }
    assert_eq!(
        host.runtime
            .overlaps
            .load(std::sync::atomic::Ordering::SeqCst),
        0
    );
}

pub fn a_stopped_app_refuses_at_once(bed: Bed) {
    let host = bed.open();
    host.create("shop", "on_first_visit");
    host.runtime.may_start.send_replace(false);
    let visit = host
        .tokio
        .spawn(host.supervisor.activate(&id("shop"), RequestId(0x2a)));
    host.until_status("shop", Status::Starting);
    // Who waits for the start is told at once, not when the start has ended.
    let stop = host.stop("shop");
    let refused = host.run(visit).unwrap().map(drop).unwrap_err();
    assert_eq!(refused.kind, FailureKind::AppStopped);
    assert_eq!(host.visit("shop"), Err(FailureKind::AppStopped));
    assert_eq!(host.routes.phase("shop").unwrap(), "Stopped");
    host.runtime.may_start.send_replace(true);
    host.done(&stop);
    assert!(!host.runtime.runs("shop"));
    let log = host.logs.tail(&id("shop"), 10, LogLevel::Warn);
    assert!(
        log.iter()
            .any(|l| l.request.as_deref() == Some("000000000000002a")),
        "{log:?}"
    );
}
