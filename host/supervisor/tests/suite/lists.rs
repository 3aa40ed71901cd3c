//! Lists, pages and the live view.

use crate::bed::{Bed, Host, id};
use lodge_model::*;
use lodge_supervisor::*;
use serde_json::json;

fn page(cursor: Option<&str>, limit: u32) -> Page {
    Page {
        cursor: cursor.map(str::to_owned),
        limit: Some(limit),
    }
}

fn ids(host: &Host, filter: &AppFilter, page: &Page) -> (Vec<String>, Option<String>) {
    let listing = host.supervisor.apps(filter, page).unwrap();
    let ids = listing.items.iter().map(|app| app.id.to_string());
    (ids.collect(), listing.next_cursor)
}

pub fn apps_are_found(bed: Bed) {
    let host = bed.open();
    for n in 0..5 {
        host.create(&format!("app-{n}"), "on_first_visit");
    }
    let change = json!({"display_name": "Über Shop", "domains": ["shop.example"]});
    host.patch("app-3", change).unwrap();
    host.visit("app-1").unwrap();
    let found = |filter: AppFilter| ids(&host, &filter, &Page::default()).0;
    for text in ["über", "shop.ex", "P-3"] {
        let search = Some(text.into());
        let filter = AppFilter {
            search,
            ..AppFilter::default()
        };
        assert_eq!(found(filter), ["app-3"], "{text}");
    }
    let status = Some(Status::Running);
    assert_eq!(
        found(AppFilter {
            status,
            ..AppFilter::default()
        }),
        ["app-1"]
    );
    let desired = Some(Desired::Stopped);
    assert!(
        found(AppFilter {
            desired,
            ..AppFilter::default()
        })
        .is_empty()
    );
    let component = Some(host.component("hello", "1.0.0").digest);
    assert_eq!(
        found(AppFilter {
            component,
            ..AppFilter::default()
        })
        .len(),
        5
    );
    let local = &host.supervisor.environments()[0];
    assert_eq!(
        (local.name.as_str(), local.apps, local.running),
        ("local", 5, 1)
    );
}

pub fn apps_are_paged(bed: Bed) {
    let host = bed.open();
    for n in 0..5 {
        host.create(&format!("app-{n}"), "on_first_visit");
    }
    let mut seen = Vec::new();
    let mut cursor = None;
    loop {
        let (ids, next) = ids(&host, &AppFilter::default(), &page(cursor.as_deref(), 2));
        assert!(ids.len() <= 2);
        seen.extend(ids);
        cursor = next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen, ["app-0", "app-1", "app-2", "app-3", "app-4"]);
    for (page, field) in [
        (page(None, 1001), "limit"),
        (page(None, 0), "limit"),
        (page(Some("Ä"), 1), "cursor"),
    ] {
        let refused = host.supervisor.apps(&AppFilter::default(), &page);
        assert!(matches!(refused.unwrap_err(), Error::Invalid(i) if i.field == field));
    }
}

pub fn components_are_found_and_paged(bed: Bed) {
    let host = bed.open();
    for version in ["1", "2", "3"] {
        host.component("hello", version);
        host.pause(2);
    }
    host.component("other", "1");
    let filter = ComponentFilter {
        name: Some("hello".into()),
        ..ComponentFilter::default()
    };
    let first = host.supervisor.components(&filter, &page(None, 2)).unwrap();
    let next = page(first.next_cursor.as_deref(), 2);
    let second = host.supervisor.components(&filter, &next).unwrap();
    let versions: Vec<_> = first
        .items
        .iter()
        .chain(&second.items)
        .map(|c| &c.version[..])
        .collect();
    assert_eq!((versions, second.next_cursor), (vec!["3", "2", "1"], None));
    let app = host
        .create_from(json!({"component": {"name": "hello"}}))
        .unwrap();
    assert_eq!(app.component.version, "3", "without a version: the newest");
    let search = ComponentFilter {
        search: Some("oth".into()),
        ..ComponentFilter::default()
    };
    assert_eq!(
        host.supervisor
            .components(&search, &Page::default())
            .unwrap()
            .items
            .len(),
        1
    );
}

pub fn live_events_tell_the_story(bed: Bed) {
    let host = bed.open();
    let mut live = host.supervisor.subscribe();
    host.create("shop", "with_host");
    host.done(&host.start("shop"));
    host.done(&host.delete("shop", DataPolicy::Drop));
    let mut story = Vec::new();
    while let Ok(event) = live.try_recv() {
        let told = serde_json::to_value(&event).unwrap();
        story.push(match event {
            LiveEvent::Component { component } => format!("component {:?}", component.status),
            LiveEvent::Observed { app, observed } => format!("{app} {}", observed.status.as_str()),
            LiveEvent::Operation { operation } => {
                format!(
                    "{:?} {:?} {}",
                    operation.kind,
                    operation.status,
                    operation.progress.unwrap_or_default()
                )
            }
            _ => told["type"].as_str().unwrap().to_owned(),
        });
    }
    for expected in [
        "component Queued",
        "component Compiling",
        "component Ready",
        "app_changed",
        "Start Running ",
        "Start Running preparing",
        "shop preparing",
        "Start Running starting",
        "shop starting",
        "shop running",
        "Start Succeeded ",
        "Delete Running ",
        "shop stopping",
        "Delete Succeeded ",
        "app_removed",
    ] {
        assert!(
            story.iter().any(|line| line == expected),
            "{expected} is not in {story:#?}"
        );
    }
    assert!(host.supervisor.app(&id("shop")).is_err());
}
