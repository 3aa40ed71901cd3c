//! The keys of apps' tokens.

use super::{grant_of, keys_of};
use crate::bed::{Bed, Host, SEALER, admin, id};
use lodge_model::*;
use lodge_supervisor::{Error, Page};
use serde_json::json;
use std::time::{SystemTime, UNIX_EPOCH};

fn rotate(host: &Host, app: &str, overlap: Option<u64>) {
    let operation = try_rotate(host, app, overlap).unwrap();
    assert_eq!(operation.kind, OperationKind::RotateKey);
    host.done(&operation);
}

fn try_rotate(host: &Host, app: &str, overlap: Option<u64>) -> Result<Operation, Error> {
    let (app, actor) = (id(app), admin());
    host.run(host.supervisor.rotate_key(&app, overlap, &actor))
}

fn rotate_shared(host: &Host, overlap: Option<u64>) -> u64 {
    let actor = admin();
    let rotated = host.supervisor.rotate_shared_key(overlap, &actor);
    host.run(rotated).unwrap().apps
}

fn share(host: &Host, app: &str) {
    host.patch(app, json!({"jwt": {"independent": false}}))
        .unwrap();
}

pub fn a_key_comes_with_the_app(bed: Bed) {
    let host = bed.open();
    host.create("shop", "on_first_visit");
    host.create("other", "on_first_visit");
    let shown = host.supervisor.jwt(&id("shop")).unwrap();
    assert_eq!(
        (shown.independent, shown.algorithm),
        (true, JwtAlgorithm::HS256)
    );
    assert_eq!(shown.keys.len(), 1);
    assert!(!serde_json::to_string(&shown).unwrap().contains("secret of"));
    host.crash();
    // It is the same after a restart, and another app's is another.
    let host = bed.open();
    host.visit("shop").unwrap();
    host.visit("other").unwrap();
    assert_eq!(keys_of(&host, "shop"), [(shown.keys[0].kid.clone(), true)]);
    assert_ne!(keys_of(&host, "other"), keys_of(&host, "shop"));
    let granted = &grant_of(&host, "shop").jwt_keys[0];
    assert_eq!(granted.secret.0, format!("secret of {}", granted.id));
}

pub fn rotations_overlap(bed: Bed) {
    let host = bed.open();
    host.create("shop", "on_first_visit");
    host.visit("shop").unwrap();
    let first = keys_of(&host, "shop")[0].0.clone();
    rotate(&host, "shop", None);
    // The running app was given both, without having been stopped.
    let keys = grant_of(&host, "shop").jwt_keys;
    assert_eq!(
        (keys.len(), keys[0].retired_at, &keys[1].id),
        (2, None, &first)
    );
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs() as i64;
    let left = keys[1].retired_at.unwrap() - now;
    assert!((86_300..=86_401).contains(&left), "{left}");
    // What leaked ends at once, the rotation before included.
    rotate(&host, "shop", Some(0));
    let keys = keys_of(&host, "shop");
    assert!(
        keys.len() == 1 && keys[0].1 && keys[0].0 != first,
        "{keys:?}"
    );

    let too_long = try_rotate(&host, "shop", Some(7_776_001)).unwrap_err();
    assert!(too_long.to_string().contains("overlap_seconds"));
    let (shop, page) = (id("shop"), Page::default());
    let events = host
        .run(host.supervisor.events(&shop, &page))
        .unwrap()
        .items;
    let told = |e: &&lodge_supervisor::AuditEvent| e.action == "app.rotate_key";
    assert_eq!(
        events.iter().filter(told).count(),
        4,
        "accepted and succeeded, twice"
    );
    // A stopped app stays stopped.
    host.done(&host.stop("shop"));
    rotate(&host, "shop", None);
    assert_eq!(host.status("shop"), Status::Stopped);
}

pub fn the_shared_key_is_shared(bed: Bed) {
    let host = bed.open();
    for app in ["a", "b", "alone"] {
        host.create(app, "on_first_visit");
    }
    let own = host.supervisor.jwt(&id("a")).unwrap().keys[0].kid.clone();
    share(&host, "a");
    share(&host, "b");
    for app in ["a", "b", "alone"] {
        host.visit(app).unwrap();
    }
    let (a, b) = (keys_of(&host, "a"), keys_of(&host, "b"));
    assert_eq!(a[0], b[0]);
    // Who was logged in to the app before stays so, for a while.
    assert_eq!(a[1], (own, false));
    let rotated = try_rotate(&host, "a", None);
    assert_eq!(rotated.unwrap_err().code(), "shared_key");

    assert_eq!(rotate_shared(&host, Some(60)), 2);
    host.until("both were given the new key", || {
        let (now_a, now_b) = (keys_of(&host, "a"), keys_of(&host, "b"));
        now_a[0] == now_b[0] && now_a[0] != a[0] && now_a[1] == (a[0].0.clone(), false)
    });
    assert_eq!(host.runtime.starts_of("alone"), 1);
    assert!(keys_of(&host, "alone").iter().all(|key| !a.contains(key)));
    let wrong = json!({"jwt": {"algorithm": "EdDSA"}});
    assert!(
        host.patch("a", wrong)
            .unwrap_err()
            .to_string()
            .contains("jwt.algorithm")
    );
}

pub fn another_algorithm_is_another_key(bed: Bed) {
    let host = bed.open();
    host.create("shop", "on_first_visit");
    host.visit("shop").unwrap();
    let first = keys_of(&host, "shop")[0].0.clone();
    host.patch("shop", json!({"jwt": {"algorithm": "EdDSA"}}))
        .unwrap();
    host.until("it was given the new key", || {
        keys_of(&host, "shop").len() == 2
    });
    let keys = grant_of(&host, "shop").jwt_keys;
    let algorithms: Vec<_> = keys.iter().map(|key| key.algorithm).collect();
    assert_eq!(algorithms, [JwtAlgorithm::EdDSA, JwtAlgorithm::HS256]);
    assert_eq!((keys[0].retired_at, &keys[1].id), (None, &first));
    let shown = host.supervisor.jwt(&id("shop")).unwrap();
    assert_eq!(shown.jwks, json!({"keys": [{"kid": keys[0].id}]}));
    // What does not touch the keys leaves them.
    host.patch("shop", json!({"jwt": {"independent": true}}))
        .unwrap();
    assert_eq!(host.supervisor.jwt(&id("shop")).unwrap(), shown);
}

pub fn leaving_the_shared_key_ends_its_tokens(bed: Bed) {
    let host = bed.open();
    host.create("shop", "on_first_visit");
    share(&host, "shop");
    host.visit("shop").unwrap();
    let shared = keys_of(&host, "shop")[0].0.clone();
    host.patch("shop", json!({"jwt": {"independent": true}}))
        .unwrap();
    host.until("it has a key of its own", || {
        let keys = keys_of(&host, "shop");
        keys[0].1 && keys.iter().all(|(kid, _)| *kid != shared)
    });
}

pub fn retired_keys_are_removed(bed: Bed) {
    let host = bed.open();
    host.create("shop", "on_first_visit");
    rotate(&host, "shop", Some(0));
    rotate(&host, "shop", None);
    host.crash();
    // The first look for what is old comes with the start.
    let host = bed.open();
    host.until("the key without overlap is gone", || {
        let kept = host.run(lodge_db::keys::all(&host.db, &SEALER)).unwrap();
        kept.len() == 2
    });
    host.done(&host.delete("shop", DataPolicy::Keep));
    let kept = host.run(lodge_db::keys::all(&host.db, &SEALER)).unwrap();
    assert!(kept.is_empty());
}

pub fn apps_of_an_older_lodge_get_a_key(bed: Bed) {
    let host = bed.open();
    host.create("shop", "on_first_visit");
    host.create("sharing", "on_first_visit");
    share(&host, "sharing");
    host.run(async {
        let mut tx = host.db.begin().await.unwrap();
        sqlx::query("DELETE FROM app_keys")
            .execute(&mut *tx)
            .await
            .unwrap();
        tx.commit().await.unwrap();
    });
    host.crash();
    let host = bed.open();
    for app in ["shop", "sharing"] {
        host.visit(app).unwrap();
        assert!(keys_of(&host, app)[0].1, "{app}");
    }
    assert_eq!(
        host.run(lodge_db::keys::all(&host.db, &SEALER))
            .unwrap()
            .len(),
        2
    );
}

pub fn a_key_that_cannot_be_made_changes_nothing(bed: Bed) {
    let host = bed.open();
    let app = host.create("shop", "on_first_visit");
    let refused = host.patch("shop", json!({"jwt": {"algorithm": "RS256"}}));
    assert_eq!(refused.unwrap_err().code(), "internal");
    assert_eq!(host.supervisor.app(&id("shop")).unwrap(), app);
    let new = json!({"id": "new", "component": {"name": "hello"}, "jwt": {"algorithm": "RS256"}});
    assert_eq!(host.create_from(new).unwrap_err().code(), "internal");
    assert!(host.supervisor.app(&id("new")).is_err());
}
