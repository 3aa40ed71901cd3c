//! Databases and data sources.

use super::grant_of;
use crate::bed::{Bed, Host, admin, id};
use crate::fake::FakeRuntime;
use lodge_harness::TestSealer;
use lodge_model::*;
use lodge_supervisor::{DatabaseTest, Error, Page};
use serde_json::json;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

/// `orders`, which has a database, and `shop`, which was granted it.
fn two_apps(host: &Host) {
    host.create("orders", "on_first_visit");
    host.patch("orders", json!({"database": {"kind": "new_database"}}))
        .unwrap();
    host.create("shop", "on_first_visit");
    host.patch(
        "shop",
        json!({"data_sources": {"orders": {"app": "orders"}}}),
    )
    .unwrap();
}

pub fn sources_are_checked_and_changed_one_by_one(bed: Bed) {
    let host = bed.open();
    two_apps(&host);
    host.create("plain", "on_first_visit");
    for (name, source, field) in [
        ("x", json!({"app": "nobody"}), "data_sources.x.app"),
        ("x", json!({"app": "plain"}), "data_sources.x.app"),
        ("x", json!({"app": "shop"}), "data_sources.x.app"),
        ("x", json!({"url": "sqlite:///etc/x"}), "data_sources.x.url"),
        (
            "x",
            json!({"app": "orders", "url": "mysql://h/d"}),
            "data_sources.x",
        ),
        ("x", json!({}), "data_sources.x"),
        ("default", json!({"app": "orders"}), "data_sources.default"),
        ("X", json!({"app": "orders"}), "data_sources.X"),
    ] {
        let refused = host.patch("shop", json!({"data_sources": {name: source}}));
        match refused.unwrap_err() {
            Error::Invalid(invalid) => assert_eq!(invalid.field, field),
            other => panic!("{other:?}"),
        }
    }
    let url = "mariadb://u:hunter2@h/d";
    host.patch("shop", json!({"data_sources": {"other": {"url": url}}}))
        .unwrap();
    // The access changes, and where it is stays, though nobody can read it back.
    let rights = json!({"data_sources": {"other": {"access": "read_write"}}});
    let shown = host.patch("shop", rights).unwrap();
    assert_eq!(shown.data_sources["other"].url, None);
    assert_eq!(shown.data_sources.len(), 2);
    host.visit("shop").unwrap();
    let granted = grant_of(&host, "shop").sources.remove("other").unwrap();
    assert_eq!(granted.url.as_deref(), Some(url));
    assert_eq!(granted.access, SourceAccess::ReadWrite);
    let left = host.patch("shop", json!({"data_sources": {"other": null}}));
    assert_eq!(left.unwrap().data_sources.len(), 1);
}

pub fn a_mark_is_taken_off_and_that_is_written_down(bed: Bed) {
    let host = bed.open();
    host.create("shop", "on_first_visit");
    let (app, actor) = (id("shop"), admin());
    let clear = |done| host.run(host.supervisor.clear_migration(&app, done, &actor));
    let refused = clear(false).unwrap_err();
    assert_eq!(refused.code(), "no_mark");
    *host.provider.marked.lock() = Some("0002_more".into());
    let cleared = clear(true).unwrap();
    assert_eq!(
        (cleared.migration.as_str(), cleared.done),
        ("0002_more", true)
    );
    assert_eq!(clear(true).unwrap_err().code(), "no_mark");
    let page = Page::default();
    let events = host.run(host.supervisor.events(&app, &page));
    let of_it = events.unwrap().items.into_iter();
    let of_it: Vec<_> = of_it
        .filter(|event| event.action == "app.clear_migration")
        .collect();
    assert_eq!(of_it.len(), 1, "{of_it:?}");
    assert_eq!(of_it[0].subject.as_deref(), Some("0002_more"));
    assert_eq!(of_it[0].actor, actor.as_str());
}

pub fn sources_are_bounded(bed: Bed) {
    let host = bed.open();
    host.create("shop", "on_first_visit");
    let sources = |count| {
        let names = (0..count).map(|n| (format!("s{n}"), json!({"url": "mysql://h/d"})));
        json!({"data_sources": names.collect::<serde_json::Map<_, _>>()})
    };
    assert!(host.patch("shop", sources(33)).is_err());
    host.patch("shop", sources(32)).unwrap();
}

pub fn a_granted_database_is_not_taken_away(bed: Bed) {
    let host = bed.open();
    two_apps(&host);
    host.visit("shop").unwrap();
    let (orders, admin) = (id("orders"), crate::bed::admin());
    let drop = host
        .supervisor
        .delete_app(&orders, DataPolicy::Drop, &admin);
    let none = host.patch("orders", json!({"database": {"kind": "none"}}));
    for refused in [host.run(drop).unwrap_err(), none.unwrap_err()] {
        assert_eq!(refused.code(), "database_in_use");
        assert!(refused.to_string().contains("`shop`"), "{refused}");
    }
    // Kept, it may go; whoever was granted it runs on without.
    host.done(&host.delete("orders", DataPolicy::Keep));
    host.until("shop runs without the source", || {
        grant_of(&host, "shop").sources.is_empty()
    });
    assert!(
        host.logs
            .text_of("shop")
            .contains("the app `orders` is gone")
    );
    // An unrelated change is not refused for it.
    host.patch("shop", json!({"limits": {"queue": 7}})).unwrap();
    // Without users it goes with its data.
    host.create("orders", "on_first_visit");
    host.patch("shop", json!({"data_sources": {"orders": null}}))
        .unwrap();
    host.done(&host.delete("orders", DataPolicy::Drop));
}

pub fn a_launch_carries_the_grant(bed: Bed) {
    let host = bed.open();
    two_apps(&host);
    let url = "postgres://u:hunter2@h/d";
    host.patch(
        "shop",
        json!({
            "database": {"kind": "new_connection", "url": url},
            "config": {"A": {"value": "1"}, "B": {"value": "s3cret", "secret": true}},
            "outbound_hosts": ["api.example.com"], "limits": {"database_connections": 3},
        }),
    )
    .unwrap();
    host.crash();
    // As it is read back, too.
    let host = bed.open();
    host.visit("shop").unwrap();
    let grant = grant_of(&host, "shop");
    assert_eq!(grant.app, id("shop"));
    assert_eq!(grant.database.url.as_deref(), Some(url));
    assert_eq!(grant.config["A"].0, "1");
    assert_eq!(grant.config["B"].0, "s3cret");
    assert_eq!(grant.outbound_hosts, ["api.example.com"]);
    assert_eq!(grant.limits.database_connections, 3);
    assert_eq!(grant.sources["orders"].app, Some(id("orders")));
    let shared = &grant.source_databases[&id("orders")];
    assert_eq!(shared.kind, DatabaseKind::NewDatabase);
    assert_eq!(grant.jwt_keys.len(), 1);
    let text = format!("{grant:?}");
    for secret in ["hunter2", "s3cret", "secret of"] {
        assert!(!text.contains(secret), "{text}");
    }
}

pub fn a_moved_database_is_granted_anew(bed: Bed) {
    let host = bed.open();
    two_apps(&host);
    host.create("bystander", "on_first_visit");
    host.visit("shop").unwrap();
    host.visit("bystander").unwrap();
    let moved = json!({"database": {"kind": "new_connection", "url": "postgres://new/d"}});
    host.patch("orders", moved).unwrap();
    host.until("shop was granted the new place", || {
        let grant = grant_of(&host, "shop");
        grant.source_databases[&id("orders")].url.as_deref() == Some("postgres://new/d")
    });
    assert_eq!(host.runtime.starts_of("bystander"), 1);
    host.until_status("shop", Status::Running);
}

pub fn dropped_data_are_dropped_until_it_works(bed: Bed) {
    let host = bed.open();
    host.create("shop", "on_first_visit");
    host.patch("shop", json!({"database": {"kind": "new_schema"}}))
        .unwrap();
    host.provider.failing_removals.store(2, SeqCst);
    host.done(&host.delete("shop", DataPolicy::Drop));
    let removed = host.provider.removed.lock();
    assert_eq!(removed.len(), 1);
    assert_eq!(removed[0].0.database.kind, DatabaseKind::NewSchema);
    assert_eq!(removed[0].1, DataPolicy::Drop);
}

pub fn kept_data_are_named(bed: Bed) {
    let host = bed.open();
    host.create("shop", "on_first_visit");
    host.patch("shop", json!({"database": {"kind": "new_database"}}))
        .unwrap();
    // Nothing needs the server: that it is away does not hold the deletion up.
    host.provider.failing_removals.store(1, SeqCst);
    host.done(&host.delete("shop", DataPolicy::Keep));
    let page = Page::default();
    let events = host
        .run(host.supervisor.events(&id("shop"), &page))
        .unwrap();
    let told = events.items[0].message.as_deref().unwrap_or_default();
    assert!(told.contains("its database was kept"), "{events:?}");
}

pub fn tries_are_bounded(mut bed: Bed) {
    bed.settings.database_tests = 2;
    bed.settings.database_test_timeout = Duration::from_millis(300);
    let host = bed.open();
    host.create("shop", "on_first_visit");
    let test = |url: &str| -> DatabaseTest {
        let database = json!({"kind": "new_connection", "url": url});
        serde_json::from_value(json!({"database": database, "app": "shop"})).unwrap()
    };
    let refused = host.run(
        host.supervisor
            .test_database(test("postgres://u:hunter2@bad/d")),
    );
    let refused = refused.unwrap_err();
    assert_eq!(refused.code(), "database_refused");
    assert!(
        refused.to_string().contains("no rights for shop"),
        "{refused}"
    );
    assert!(!refused.to_string().contains("hunter2"), "{refused}");

    host.provider.may_test.send_replace(false);
    let tries = (0..3).map(|_| host.supervisor.test_database(test("postgres://h/d")));
    let codes: Vec<_> = host
        .run(futures::future::join_all(tries))
        .into_iter()
        .map(|tried| tried.unwrap_err().code().to_owned())
        .collect();
    assert_eq!(
        codes,
        ["database_unavailable", "database_unavailable", "tests_busy"]
    );
    host.provider.may_test.send_replace(true);
    host.run(host.supervisor.test_database(test("postgres://h/d")))
        .unwrap();
}

pub fn another_hosts_key_is_refused(mut bed: Bed) {
    let host = bed.open();
    host.create("shop", "on_first_visit");
    host.crash();
    let right = std::mem::replace(&mut bed.sealer, TestSealer(99));
    let refused = bed.try_open(FakeRuntime::default()).err().unwrap();
    let text = refused.to_string();
    assert!(
        text.contains("host.key") && text.contains("put back"),
        "{text}"
    );
    bed.sealer = right;
    bed.open().visit("shop").unwrap();
}
