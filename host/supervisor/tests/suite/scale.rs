//! Many apps.

use crate::bed::{Bed, Host};
use lodge_model::*;
use lodge_supervisor::NewApp;
use std::time::{Duration, Instant};

pub fn a_thousand_apps_start_with_the_host(bed: Bed) {
    let host = bed.open();
    let component = host.component("hello", "1.0.0");
    let actor = crate::bed::admin();
    let creates = (0..1000).map(|n| {
        let new: NewApp = serde_json::from_value(serde_json::json!({
            "id": format!("app-{n}"), "component": {"digest": component.digest},
            "start_mode": "with_host", "desired": "running",
        }))
        .unwrap();
        host.supervisor.create_app(new, &actor)
    });
    let created = host.run(futures::future::join_all(creates));
    assert!(created.iter().all(Result::is_ok));
    host.until("all run", || {
        host.supervisor.environments()[0].running == 1000
    });
    host.until("their operations have ended", || {
        host.run(lodge_db::operations::unfinished(&host.db))
            .unwrap()
            .is_empty()
    });
    host.crash();

    let begun = Instant::now();
    let host = bed.open();
    let opened = begun.elapsed();
    host.until("all run again", || {
        host.supervisor.environments()[0].running == 1000
    });
    let all = begun.elapsed();
    eprintln!("1,000 apps: ready after {opened:?}, all running after {all:?}");
    assert!(all < Duration::from_secs(5), "{all:?}");
    let busiest = host
        .runtime
        .busiest
        .load(std::sync::atomic::Ordering::SeqCst);
    assert!(
        busiest <= bed.settings.background_lanes,
        "{busiest} starts at once"
    );
    host.until("what is observed is written", || {
        let kept = host.run(lodge_db::observed::all(&host.db)).unwrap();
        kept.iter()
            .filter(|(_, o)| o.status == Status::Running)
            .count()
            == 1000
    });
    first_visits(&host);
}

/// Of apps whose component is compiled: nothing but the start between.
fn first_visits(host: &Host) {
    let mut visits: Vec<Duration> = (0..51)
        .map(|n| {
            let cold = host.create(&format!("cold-{n}"), "on_first_visit");
            let begun = Instant::now();
            host.visit(cold.id.as_str()).unwrap();
            begun.elapsed()
        })
        .collect();
    visits.sort();
    eprintln!(
        "first visits beside 1,000 apps: median {:?}, longest {:?}",
        visits[25], visits[50]
    );
    assert!(visits[25] < Duration::from_millis(5), "{:?}", visits[25]);
}
