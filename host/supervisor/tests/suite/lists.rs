//! Lists, pages and the live view.

use crate::bed::{Bed, id};
use lodge_model::*;
use lodge_supervisor::*;
use serde_json::json;

pub fn apps_are_found_and_paged(bed: Bed) {
    let host = bed.open();
    for n in 0..5 {
        host.create(&format!("app-{n}"), "on_first_visit");
    }
    host.patch("app-3", json!({"display_name": "Über Shop", "domains": ["shop.example"]})).unwrap();
    host.visit("app-1").unwrap();
    let list = |filter: &AppFilter, page: &Page| {
        let listing = host.supervisor.apps(filter, page).unwrap();
        let ids: Vec<_> = listing.items.iter().map(|app| app.id.to_string()).collect();
        (ids, listing.next_cursor)
    };
    let mut page = Page { cursor: None, limit: Some(2) };
    let mut seen = Vec::new();
    loop {
        let (ids, next) = list(&AppFilter::default(), &page);
        seen.extend(ids);
        let Some(next) = next else { break };
        page.cursor = Some(next);
    }
    assert_eq!(seen, ["app-0", "app-1", "app-2", "app-3", "app-4"]);
    let all = Page::default();
    for text in ["über", "shop.ex", "P-3"] {
        let found = AppFilter { search: Some(text.into()), ..AppFilter::default() };
        assert_eq!(list(&found, &all).0, ["app-3"], "{text}");
    }
    let running = AppFilter { status: Some(Status::Running), ..AppFilter::default() };
    assert_eq!(list(&running, &all).0, ["app-1"]);
    let stopped = AppFilter { desired: Some(Desired::Stopped), ..AppFilter::default() };
    assert!(list(&stopped, &all).0.is_empty());
    for (page, field) in [
        (Page { cursor: None, limit: Some(1001) }, "limit"),
        (Page { cursor: None, limit: Some(0) }, "limit"),
        (Page { cursor: Some("Ä".into()), limit: None }, "cursor"),
    ] {
        let refused = host.supervisor.apps(&AppFilter::default(), &page).unwrap_err();
        assert!(matches!(refused, Error::Invalid(i) if i.field == field));
    }
    let local = &host.supervisor.environments()[0];
    assert_eq!((local.name.as_str(), local.apps, local.running), ("local", 5, 1));
}

pub fn components_are_found_and_paged(bed: Bed) {
    let host = bed.open();
    for version in ["1", "2", "3"] {
        host.component("hello", version);
        host.pause(2);
    }
    host.component("other", "1");
    let filter = ComponentFilter { name: Some("hello".into()), ..ComponentFilter::default() };
    let first = host.supervisor.components(&filter, &Page { cursor: None, limit: Some(2) }).unwrap();
    let page = Page { cursor: first.next_cursor.clone(), limit: Some(2) };
    let second = host.supervisor.components(&filter, &page).unwrap();
    let versions: Vec<_> = first.items.iter().chain(&second.items).map(|c| &c.version[..]).collect();
    assert_eq!((versions, second.next_cursor), (vec!["3", "2", "1"], None));
    let app = host.create_from(json!({"component": {"name": "hello"}})).unwrap();
    assert_eq!(app.component.version, "3", "without a version: the newest");
    let search = ComponentFilter { search: Some("oth".into()), ..ComponentFilter::default() };
    assert_eq!(host.supervisor.components(&search, &Page::default()).unwrap().items.len(), 1);
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
                format!("{:?} {:?} {}", operation.kind, operation.status,
                    operation.progress.unwrap_or_default())
            }
            _ => told["type"].as_str().unwrap().to_owned(),
        });
    }
    for expected in [
        "component Queued", "component Compiling", "component Ready", "app_changed",
        "Start Running ", "Start Running preparing", "shop preparing", "Start Running starting",
        "shop starting", "shop running", "Start Succeeded ", "Delete Running ", "shop stopping",
        "Delete Succeeded ", "app_removed",
    ] {
        assert!(story.iter().any(|line| line == expected), "{expected} is not in {story:#?}");
    }
    assert!(host.supervisor.app(&id("shop")).is_err());
}
