//! Rows at their edges.

use crate::Place;
use lodge_db::apps::AppRow;
use lodge_db::components::ComponentRow;
use lodge_db::events::{Filter, NewEvent};
use lodge_db::operations::OperationRow;
use lodge_db::{Database, Error, apps, components, events, observed, operations, settings};
use lodge_harness::TestSealer;
use lodge_model::*;
use std::collections::BTreeMap;

const SEALER: TestSealer = TestSealer(1);

pub(crate) fn component() -> ComponentRow {
    ComponentRow {
        component: Component {
            digest: Digest::from_bytes([1; 32]),
            name: "hello".into(),
            version: "1.0.0".into(),
            size: 7,
            world: World::Http03,
            imports: vec!["a:b/c@0.1.0".into()],
            exports: Vec::new(),
            metadata: BTreeMap::from([("authors".into(), "nul\0".into())]),
            status: ComponentStatus::Failed,
            error: Some("its last words: \0".into()),
            compile_ms: Some(3),
            created_at: 5,
        },
        uses_async: true,
    }
}

pub(crate) fn app() -> AppRow {
    let json = serde_json::json!({
        "id": "shop", "display_name": "Shop", "start_mode": "with_host", "environments": ["local"],
        "placement": "named", "failover": true,
        "component": {"name": "hello", "version": "1.0.0", "digest": Digest::from_bytes([1; 32])},
        "database": {"kind": "none"}, "auto_upgrade": false, "jwt": {"independent": true},
        "domains": ["shop.example"], "limits": {}, "outbound_hosts": [], "path_access": "serve",
        "config": {"A": {"value": "nul\0", "secret": true}}, "desired": "running",
        "created_at": 1, "updated_at": 2,
    });
    AppRow {
        app: serde_json::from_value(json).unwrap(),
        generation: 1,
        deleting: None,
    }
}

fn operation(id: &str, finished_at: Option<i64>) -> OperationRow {
    OperationRow {
        operation: Operation {
            id: OperationId::from_text(id),
            kind: OperationKind::Start,
            app: "shop".parse().unwrap(),
            status: OperationStatus::Running,
            progress: None,
            error: Some("nul\0".into()),
            actor: "nul\0".into(),
            created_at: 1,
            finished_at,
        },
        generation: 1,
    }
}

async fn filled(place: &Place) -> Database {
    let database = place.open().await;
    let mut tx = database.begin().await.unwrap();
    components::insert(&mut tx, &component()).await.unwrap();
    apps::insert(&mut tx, &SEALER, &app()).await.unwrap();
    tx.commit().await.unwrap();
    database
}

pub(crate) async fn any_text_is_taken(place: Place) {
    let database = filled(&place).await;
    let mut tx = database.begin().await.unwrap();
    let seen = Observed {
        environment: "local".parse().unwrap(),
        status: Status::Failed,
        since: 1,
        version: None,
        message: Some("trap: \0".into()),
    };
    observed::upsert(&mut tx, &app().app.id, &seen)
        .await
        .unwrap();
    operations::insert(&mut tx, &operation("op_1", None))
        .await
        .unwrap();
    let event = NewEvent {
        actor: "a\0",
        message: Some("b\0"),
        result: "failed",
        ..NewEvent::default()
    };
    events::insert(&mut tx, &event).await.unwrap();
    settings::set(&mut tx, "key", "1").await.unwrap();
    settings::set(&mut tx, "key", "2").await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(
        settings::get(&database, "key").await.unwrap().as_deref(),
        Some("2")
    );
    let kept = observed::all(&database).await.unwrap().remove(0).1;
    assert_eq!(kept.message.as_deref(), Some("trap: \u{fffd}"));
    // What is JSON comes back as it was.
    assert_eq!(apps::all(&database, &SEALER).await.unwrap(), [app()]);
    let kept = components::all(&database).await.unwrap().remove(0);
    assert_eq!(kept.component.metadata, component().component.metadata);
    assert!(kept.uses_async);
}

pub(crate) async fn old_entries_are_pruned(place: Place) {
    let database = filled(&place).await;
    let mut tx = database.begin().await.unwrap();
    for time in [10, 20] {
        let event = NewEvent {
            time,
            app: Some("shop"),
            ..NewEvent::default()
        };
        events::insert(&mut tx, &event).await.unwrap();
        let id = format!("op_{time}");
        operations::insert(&mut tx, &operation(&id, None))
            .await
            .unwrap();
        let id = OperationId::from_text(id);
        operations::finish(&mut tx, &id, OperationStatus::Succeeded, None, time)
            .await
            .unwrap();
        let again = operations::finish(&mut tx, &id, OperationStatus::Failed, None, time);
        assert!(!again.await.unwrap(), "ended twice");
    }
    operations::insert(&mut tx, &operation("op_running", None))
        .await
        .unwrap();
    assert_eq!(events::prune(&mut tx, 20).await.unwrap(), 1);
    assert_eq!(operations::prune(&mut tx, 20).await.unwrap(), 1);
    tx.commit().await.unwrap();
    assert_eq!(
        events::of_app(&database, &app().app.id, None, 9)
            .await
            .unwrap()[0]
            .time,
        20
    );
    assert_eq!(operations::unfinished(&database).await.unwrap().len(), 1);
}

pub(crate) async fn entries_are_found_quickly_among_many(place: Place) {
    let database = filled(&place).await;
    let mut tx = database.begin().await.unwrap();
    // Numbers from 1 to MANY, in both dialects.
    sqlx::query(
        "INSERT INTO events (time, actor, action, app, result) \
         WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 100000) \
         SELECT n, 'user-' || (n % 1000), 'app.start', 'app-' || (n % 1000), 'accepted' FROM n",
    )
    .execute(&mut *tx)
    .await
    .unwrap();
    let event = NewEvent {
        actor: "Root@Example.com",
        action: "app.stop",
        subject: Some("50%_off!"),
        result: "succeeded",
        address: Some("2001:db8::1"),
        ..NewEvent::default()
    };
    events::insert(&mut tx, &event).await.unwrap();
    tx.commit().await.unwrap();
    let find = async |filter: Filter<'_>, before| {
        events::list(&database, &filter, before, 50).await.unwrap()
    };
    let newest = find(Filter::default(), None).await;
    assert_eq!(newest[0].address.as_deref(), Some("2001:db8::1"));
    assert_eq!(newest.len(), 50);
    let next = find(Filter::default(), Some(newest[49].id)).await;
    assert!(next[0].id < newest[49].id && next[0].address.is_none());
    let by = |actor| Filter {
        actor,
        ..Filter::default()
    };
    assert_eq!(find(by(Some("user-7")), None).await.len(), 50);
    assert_eq!(find(by(Some("Root@Example.com")), None).await.len(), 1);
    let with = |search| Filter {
        search,
        ..Filter::default()
    };
    for text in ["root@EXAMPLE", "50%_OFF!", "APP.STOP", "%_", "!"] {
        assert_eq!(find(with(Some(text)), None).await.len(), 1, "{text}");
    }
    assert!(find(with(Some("5_%")), None).await.is_empty());
    if database.dialect() == lodge_db::Dialect::Sqlite {
        for (condition, index) in [("actor = 'a'", "events_actor"), ("app = 'a'", "events_app")] {
            let sql = format!(
                "EXPLAIN QUERY PLAN SELECT * FROM events WHERE id < 9 AND {condition} \
                 ORDER BY id DESC LIMIT 9"
            );
            let plan = sqlx::query(sqlx::AssertSqlSafe(sql))
                .fetch_one(database.reader())
                .await
                .unwrap();
            let plan: String = sqlx::Row::get(&plan, "detail");
            assert!(plan.contains(index), "{plan}");
        }
    }
}

pub(crate) async fn a_change_from_an_old_generation_is_refused(place: Place) {
    let database = filled(&place).await;
    let mut tx = database.begin().await.unwrap();
    let mut row = app();
    row.generation = 2;
    row.app.domains = vec!["other.example".into()];
    row.deleting = Some(DataPolicy::Keep);
    assert!(apps::update(&mut tx, &SEALER, &row, 1).await.unwrap());
    assert!(!apps::update(&mut tx, &SEALER, &app(), 1).await.unwrap());
    tx.commit().await.unwrap();
    let kept = apps::get(&database, &SEALER, &row.app.id).await.unwrap();
    assert_eq!(kept, Some(row));
}

pub(crate) async fn late_reports_of_removed_apps_are_dropped(place: Place) {
    let database = filled(&place).await;
    let mut tx = database.begin().await.unwrap();
    assert!(apps::delete(&mut tx, &app().app.id).await.unwrap());
    let seen = Observed {
        environment: "local".parse().unwrap(),
        status: Status::Running,
        since: 1,
        version: None,
        message: None,
    };
    observed::upsert(&mut tx, &app().app.id, &seen)
        .await
        .unwrap();
    components::delete(&mut tx, component().component.digest)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert!(observed::all(&database).await.unwrap().is_empty());
    // What is referred to stays.
    let database = filled(&place).await;
    let mut tx = database.begin().await.unwrap();
    let used = components::delete(&mut tx, component().component.digest).await;
    assert!(matches!(used, Err(Error::Referenced(_))), "{used:?}");
    drop(tx);
    let mut tx = database.begin().await.unwrap();
    assert!(matches!(
        apps::insert(&mut tx, &SEALER, &app()).await,
        Err(Error::Taken(_))
    ));
}

pub(crate) async fn unreadable_rows_are_named(place: Place) {
    let database = filled(&place).await;
    let mut tx = database.begin().await.unwrap();
    sqlx::query("UPDATE apps SET spec = '{\"config\": \"s3cret\"}'")
        .execute(&mut *tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let error = apps::all(&database, &SEALER).await.unwrap_err().to_string();
    assert!(
        error.contains("`apps` holds an unreadable `spec` in row `shop`"),
        "{error}"
    );
    assert!(!error.contains("s3cret"), "{error}");
}
