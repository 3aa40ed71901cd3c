//! What callers send.

use crate::bed::{Bed, SEALER};
use lodge_model::*;
use lodge_supervisor::{AppPatch, Error, NewApp};
use serde_json::{Value, json};

fn field(result: Result<App, Error>) -> String {
    match result.unwrap_err() {
        Error::Invalid(invalid) => invalid.field,
        other => panic!("not invalid: {other:?}"),
    }
}

pub fn every_field_comes_back(bed: Bed) {
    let host = bed.open();
    let component = host.component("hello", "1.0.0");
    let sent = json!({
        "id": "shop", "display_name": "Shop", "component": {"name": "hello", "version": "1.0.0"},
        "start_mode": "with_host", "environments": ["local"], "failover": true,
        "database": {"kind": "new_connection", "engine": "postgres", "url": "postgres://u:p@h/d"},
        "data_sources": {"other": {"url": "mariadb://u:p@h/d", "access": "read_write"}},
        "auto_upgrade": true, "jwt": {"independent": false, "algorithm": "HS256"}, "domains": ["shop.example"],
        "limits": {"concurrency": 7, "cpu_cores": 0.5},
        "config": {"A": {"value": "1", "secret": false}, "B": {"value": "s3cret", "secret": true}},
        "outbound_hosts": ["*.example.com"], "path_access": "off", "desired": "stopped",
    });
    host.create_from(sent.clone()).unwrap();
    host.crash();
    let host = bed.open();
    let app = host.supervisor.app(&crate::bed::id("shop")).unwrap();
    let got = serde_json::to_value(&app).unwrap();
    for (key, value) in sent.as_object().unwrap() {
        match key.as_str() {
            "component" => assert_eq!(got["component"]["digest"], component.digest.to_hex()),
            "limits" => assert_eq!(
                (
                    got["limits"]["concurrency"].clone(),
                    got["limits"]["cpu_cores"].clone()
                ),
                (json!(7), json!(0.5)),
            ),
            "database" => assert_eq!(
                got["database"],
                json!({"kind": "new_connection", "engine": "postgres"})
            ),
            "data_sources" => assert_eq!(
                got["data_sources"],
                json!({"other": {"access": "read_write"}})
            ),
            "config" => assert_eq!(
                got["config"],
                json!({"A": {"value": "1", "secret": false}, "B": {"value": null, "secret": true}})
            ),
            _ => assert_eq!(&got[key], value, "{key}"),
        }
    }
    let Value::Object(defaults) = serde_json::to_value(
        host.create_from(json!({"component": {"digest": component.digest}}))
            .unwrap(),
    )
    .unwrap() else {
        panic!("not an object")
    };
    let generated = defaults["id"].as_str().unwrap();
    assert!(
        generated.starts_with("a_") && generated.len() == 13,
        "{generated}"
    );
    assert_eq!(defaults["display_name"], generated);
    assert_eq!(defaults["start_mode"], "on_first_visit");
    assert_eq!(defaults["environments"], json!(["local"]));
    assert_eq!(
        (&defaults["placement"], &defaults["failover"]),
        (&json!("automatic"), &json!(false))
    );
    assert_eq!(
        defaults["jwt"],
        json!({"independent": true, "algorithm": "HS256"})
    );
}

pub fn secrets_are_kept_and_masked(bed: Bed) {
    let host = bed.open();
    host.component("hello", "1.0.0");
    let app = host.create_from(json!({
        "id": "shop", "component": {"name": "hello"},
        "database": {"kind": "new_connection", "url": "postgres://u:p@h/d"},
        "config": {"A": {"value": "1"}, "B": {"value": "s3cret", "secret": true}},
    }));
    assert_eq!(app.unwrap().config["B"].value, None);
    let patched = host.patch(
        "shop",
        json!({
            "config": {"A": null, "B": {"value": null, "secret": true}, "C": {"value": "3"}},
            "database": {"kind": "new_connection"},
        }),
    );
    let patched = patched.unwrap();
    assert_eq!(patched.config.keys().collect::<Vec<_>>(), ["B", "C"]);
    let revealed = host.patch(
        "shop",
        json!({"config": {"B": {"value": null, "secret": false}}}),
    );
    assert_eq!(field(revealed), "config.B");
    let kept = host
        .run(lodge_db::apps::get(
            &host.db,
            &SEALER,
            &crate::bed::id("shop"),
        ))
        .unwrap()
        .unwrap();
    assert_eq!(kept.app.config["B"].value.as_deref(), Some("s3cret"));
    assert_eq!(kept.app.database.url.as_deref(), Some("postgres://u:p@h/d"));
    let missing = host.patch(
        "shop",
        json!({"config": {"D": {"value": null, "secret": true}}}),
    );
    assert_eq!(field(missing), "config.D");
}

pub fn ids_are_unique_as_labels(bed: Bed) {
    let host = bed.open();
    host.create("a_b", "on_first_visit");
    let with_id = |id: &str| host.create_from(json!({"id": id, "component": {"name": "hello"}}));
    let conflict = with_id("a-b").unwrap_err();
    assert_eq!(conflict.code(), "host_label_taken");
    assert!(conflict.to_string().contains("`a_b`"), "{conflict}");
    assert_eq!(with_id("a_b").unwrap_err().code(), "app_exists");
    // Twenty at once with one ID: one is created.
    let new: NewApp =
        serde_json::from_value(json!({"id": "once", "component": {"name": "hello"}})).unwrap();
    let actor = crate::bed::admin();
    let creates = (0..20).map(|_| host.supervisor.create_app(new.clone(), &actor));
    let results = host.run(futures::future::join_all(creates));
    assert_eq!(results.iter().filter(|r| r.is_ok()).count(), 1);
}

pub fn domains_are_one_apps(mut bed: Bed) {
    bed.settings.apps_domain = Some("apps.example".into());
    let host = bed.open();
    host.create("first", "on_first_visit");
    host.create("second", "on_first_visit");
    host.patch("first", json!({"domains": ["shop.example"]}))
        .unwrap();
    let taken = host
        .patch("second", json!({"domains": ["shop.example"]}))
        .unwrap_err();
    assert_eq!(taken.code(), "domain_taken");
    assert!(taken.to_string().contains("`first`"), "{taken}");
    host.patch("first", json!({"domains": []})).unwrap();
    host.patch("second", json!({"domains": ["shop.example"]}))
        .unwrap();
    host.done(&host.delete("second", DataPolicy::Drop));
    host.patch("first", json!({"domains": ["shop.example"]}))
        .unwrap();
    for domains in [
        json!(["a.example", "a.example"]),
        json!(["a.example", "x.apps.example"]),
    ] {
        assert_eq!(
            field(host.patch("first", json!({"domains": domains}))),
            "domains[1]"
        );
    }
}

pub fn bad_fields_are_named(bed: Bed) {
    let host = bed.open();
    host.create("shop", "on_first_visit");
    for (patch, expected) in [
        (json!({"environments": ["tokyo"]}), "environments[0]"),
        (
            json!({"environments": ["local", "local"]}),
            "environments[1]",
        ),
        (json!({"limits": {"concurrency": 0}}), "limits.concurrency"),
        (json!({"display_name": ""}), "display_name"),
        (json!({"domains": ["http://x"]}), "domains[0]"),
        (
            json!({"outbound_hosts": ["https://x"]}),
            "outbound_hosts[0]",
        ),
        (
            json!({"database": {"kind": "new_connection"}}),
            "database.url",
        ),
        (json!({"component": {}}), "component"),
        (json!({"component": {"name": "nobody"}}), "component.name"),
        (
            json!({"component": {"name": "hello", "version": "9"}}),
            "component.version",
        ),
        (json!({"component": {"digest": "12"}}), "component.digest"),
        (
            json!({"component": {"digest": "00".repeat(32)}}),
            "component.digest",
        ),
    ] {
        assert_eq!(
            field(host.patch("shop", patch.clone())),
            expected,
            "{patch}"
        );
    }
    let digest = host.component("hello", "1.0.0").digest;
    let other = json!({"component": {"digest": digest, "name": "other"}});
    assert_eq!(field(host.patch("shop", other)), "component");
    for unknown in [
        json!({"id": "x"}),
        json!({"limits": {"memory": 1}}),
        json!({"what": 1}),
    ] {
        assert!(
            serde_json::from_value::<AppPatch>(unknown.clone()).is_err(),
            "{unknown}"
        );
    }
}

pub fn who_chose_where_is_kept(bed: Bed) {
    let host = bed.open();
    host.create("shop", "on_first_visit");
    let placed = |patch| {
        let app = host.patch("shop", patch).unwrap();
        (app.placement, app.environments.len())
    };
    let named = json!({"environments": ["local"], "failover": true});
    assert_eq!(placed(named), (Placement::Named, 1));
    let unsaid = json!({"display_name": "x"});
    assert_eq!(placed(unsaid), (Placement::Named, 1));
    let empty = json!({"environments": []});
    assert_eq!(placed(empty), (Placement::Automatic, 1));
    let unknown = host.patch("shop", json!({"environments": ["tokyo"]}));
    let message = unknown.unwrap_err().to_string();
    assert!(
        message.contains("`tokyo`") && message.contains("`local`"),
        "{message}"
    );
}

pub fn amounts_are_bounded(bed: Bed) {
    let host = bed.open();
    host.create("shop", "on_first_visit");
    let names = |count| {
        (0..count)
            .map(|n| format!("d{n}.example"))
            .collect::<Vec<_>>()
    };
    let keys = |count, bytes| {
        let entry = json!({"value": "x".repeat(bytes)});
        (0..count)
            .map(|n| (n.to_string(), entry.clone()))
            .collect::<serde_json::Map<_, _>>()
    };
    let no_keys: serde_json::Map<_, _> = (0..1000).map(|n| (n.to_string(), Value::Null)).collect();
    host.patch(
        "shop",
        json!({"domains": names(100), "outbound_hosts": names(1000)}),
    )
    .unwrap();
    host.patch("shop", json!({"config": keys(1000, 1)}))
        .unwrap();
    host.patch("shop", json!({"config": no_keys})).unwrap();
    for (patch, expected) in [
        (json!({"domains": names(101)}), "domains"),
        (json!({"outbound_hosts": names(1001)}), "outbound_hosts"),
        (json!({"config": keys(1001, 1)}), "config"),
        (json!({"config": keys(17, 64 * 1024)}), "config"),
    ] {
        assert_eq!(field(host.patch("shop", patch)), expected);
    }
}

pub fn unchanged_is_unchanged(bed: Bed) {
    let host = bed.open();
    let app = host.create("shop", "on_first_visit");
    host.visit("shop").unwrap();
    let same = host.patch(
        "shop",
        json!({"path_access": "serve", "limits": {"concurrency": 64}}),
    );
    assert_eq!(same.unwrap().updated_at, app.updated_at);
    host.pause(20);
    assert_eq!(host.runtime.starts_of("shop"), 1);
}
