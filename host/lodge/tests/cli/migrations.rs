//! A migration that breaks off on MariaDB, which cannot take it back, and what an administrator does then.

use crate::support::User;
use lodge_harness::Config;
use lodge_harness::mariadb::Mariadb;
use serde_json::json;

#[test]
fn a_migration_that_broke_off_is_mended_and_cleared() {
    let server = Mariadb::start().unwrap();
    let config = Config::default().variable("APPS_DATABASE_URL", &server.url(""));
    let mut user = User::logged_in_before(config.start());
    let bad = json!({
        "database": { "kind": "new_database" },
        "config": { "migrate": { "value": "bad" } },
    });
    user.host.deploy_with("migrating-p2", "shop", bad);
    let remedy = "`lodge app clear-migration shop`";
    let refused = user.run(&["app", "start", "shop"]);
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(
        refused.err.contains("migration 0002_bad") && refused.err.contains(remedy),
        "{refused:?}"
    );
    // A version that is right helps nothing while the mark is there.
    let change = json!({ "config": { "migrate": { "value": "good" } } });
    user.host.api().patch("/api/apps/shop", &change).expect(200);
    let refused = user.run(&["app", "start", "shop"]);
    assert!(
        refused.err.contains("0002_bad: it broke off before") && refused.err.contains(remedy),
        "{refused:?}"
    );
    let log = user.run(&["app", "logs", "shop"]).out;
    assert!(log.contains(remedy), "{log}");
    let told = user.ok("app clear-migration shop");
    assert!(
        told.contains("cleared the mark of 0002_bad: it runs again"),
        "{told}"
    );
    // The first one would fail if it ran again: its table is there.
    assert_eq!(user.ok("app start shop").trim(), "started shop");
    let rows = user.host.visit("shop", "/").send().text();
    assert_eq!(rows.matches("for mariadb").count(), 1, "{rows}");
    let none = user.run(&["app", "clear-migration", "shop", "--done"]);
    assert_eq!(none.code, 1);
    assert!(none.err.contains("(no_mark)"), "{}", none.err);
    let events = user.host.api().get("/api/apps/shop/events").expect(200);
    let events = events["items"].as_array().unwrap().iter();
    let cleared: Vec<_> = events
        .filter(|event| event["action"] == "app.clear_migration")
        .collect();
    assert_eq!(cleared.len(), 1, "{cleared:?}");
    assert_eq!(cleared[0]["subject"], "0002_bad");
    assert!(cleared[0]["address"].is_string(), "{cleared:?}");
}
