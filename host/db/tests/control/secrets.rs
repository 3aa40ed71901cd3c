//! Secrets at rest.

use crate::Place;
use crate::rows::{app, component};
use lodge_db::apps::AppRow;
use lodge_db::keys::KeyRow;
use lodge_db::{Database, Error, apps, components, keys, sealing};
use lodge_harness::TestSealer;
use lodge_model::*;
use std::path::Path;

const SEALER: TestSealer = TestSealer(1);
/// In every secret of these tests.
const MARK: &str = "hunter2";

fn with_secrets() -> AppRow {
    let mut row = app();
    let url = format!("postgres://u:{MARK}@h/d");
    row.app.database = DatabaseSpec {
        kind: DatabaseKind::NewConnection,
        engine: None,
        url: Some(url.clone()),
    };
    let source = SourceGrant {
        url: Some(url),
        ..SourceGrant::default()
    };
    row.app.data_sources.insert("other".into(), source);
    for (key, secret) in [("SECRET", true), ("PLAIN", false)] {
        let value = Some(if secret {
            MARK.into()
        } else {
            "public-text".to_owned()
        });
        row.app
            .config
            .insert(key.into(), ConfigEntry { value, secret });
    }
    row
}

fn key(kid: &str, app: Option<&str>, created_at: i64) -> KeyRow {
    KeyRow {
        app: app.map(|app| app.parse().unwrap()),
        kid: kid.into(),
        algorithm: JwtAlgorithm::EdDSA,
        secret: Secret(format!("{MARK}-{kid}")),
        created_at,
        retired_at: None,
    }
}

async fn filled(place: &Place) -> Database {
    let database = place.open().await;
    let mut tx = database.begin().await.unwrap();
    components::insert(&mut tx, &component()).await.unwrap();
    apps::insert(&mut tx, &SEALER, &with_secrets())
        .await
        .unwrap();
    for key in [key("k1", Some("shop"), 1), key("k2", None, 2)] {
        keys::insert(&mut tx, &SEALER, &key).await.unwrap();
    }
    tx.commit().await.unwrap();
    database
}

/// Every byte of the database: its files, or its tables as text.
async fn bytes_of(place: &Place, database: &Database) -> String {
    let mut all = String::new();
    if database.file().is_some() {
        for name in ["lodge.db", "lodge.db-wal"] {
            let bytes = std::fs::read(place.file().with_file_name(name)).unwrap_or_default();
            all += &String::from_utf8_lossy(&bytes);
        }
        return all;
    }
    for query in [
        "SELECT CAST(a AS TEXT) AS t FROM apps a",
        "SELECT CAST(k AS TEXT) AS t FROM app_keys k",
        "SELECT CAST(s AS TEXT) AS t FROM settings s",
    ] {
        let rows: Vec<String> = sqlx::query_scalar(query)
            .fetch_all(database.reader())
            .await
            .unwrap();
        all += &rows.concat();
    }
    all
}

pub(crate) async fn the_database_holds_none_in_the_clear(place: Place) {
    let database = filled(&place).await;
    sealing::check(&database, &SEALER).await.unwrap();
    let bytes = bytes_of(&place, &database).await;
    assert!(bytes.contains("public-text") && bytes.contains(SEALED));
    assert!(!bytes.contains(MARK), "a secret is in the clear");
    assert_eq!(
        apps::all(&database, &SEALER).await.unwrap(),
        [with_secrets()]
    );
    let kept = keys::all(&database, &SEALER).await.unwrap();
    assert_eq!(kept, [key("k2", None, 2), key("k1", Some("shop"), 1)]);
    assert!(!format!("{kept:?} {:?}", with_secrets()).contains(MARK));
}

pub(crate) async fn rows_in_the_clear_are_sealed_at_the_next_write(place: Place) {
    let database = filled(&place).await;
    let mut row = with_secrets();
    // As an older Lodge has written it.
    let spec = serde_json::json!({
        "environments": ["local"], "database": {"kind": "new_connection", "url": row.app.database.url},
        "jwt": {"independent": true}, "domains": row.app.domains, "limits": row.app.limits,
        "config": {"SECRET": {"value": MARK, "secret": true}}, "path_access": "serve",
    });
    let mut tx = database.begin().await.unwrap();
    sqlx::query("UPDATE apps SET spec = $1")
        .bind(spec.to_string())
        .execute(&mut *tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let old = apps::get(&database, &SEALER, &row.app.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(old.app.config["SECRET"].value.as_deref(), Some(MARK));
    assert_eq!(old.app.database.url, row.app.database.url);
    assert_eq!(old.app.jwt, JwtSpec::default());

    row.generation = 2;
    let mut tx = database.begin().await.unwrap();
    assert!(apps::update(&mut tx, &SEALER, &row, 1).await.unwrap());
    tx.commit().await.unwrap();
    database.close().await;
    // Closed, so that the journal is part of the file: what was there before is overwritten.
    let database = place.open().await;
    assert!(!bytes_of(&place, &database).await.contains(MARK));
    assert_eq!(apps::all(&database, &SEALER).await.unwrap(), [row]);
}

pub(crate) async fn another_key_is_refused(place: Place) {
    let database = filled(&place).await;
    sealing::check(&database, &SEALER).await.unwrap();
    sealing::check(&database, &SEALER).await.unwrap();
    let other = TestSealer(2);
    for error in [
        sealing::check(&database, &other).await.unwrap_err(),
        apps::all(&database, &other).await.unwrap_err(),
        keys::all(&database, &other).await.unwrap_err(),
    ] {
        assert!(matches!(error, Error::WrongKey { .. }), "{error}");
        let text = error.to_string();
        for part in ["host.key", "LODGE_SECRET_KEY", "put back"] {
            assert!(text.contains(part), "{text}");
        }
        assert!(!text.contains(MARK) && !text.contains("  "), "{text}");
    }
}

pub(crate) async fn a_secret_opens_only_in_its_place(place: Place) {
    let database = filled(&place).await;
    let mut tx = database.begin().await.unwrap();
    // Whoever may write to the database makes one app's key another's.
    sqlx::query("UPDATE app_keys SET app = 'shop' WHERE app IS NULL")
        .execute(&mut *tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let error = keys::all(&database, &SEALER).await.unwrap_err();
    assert!(error.to_string().contains("app_keys/shop/k2"), "{error}");
}

pub(crate) async fn keys_are_retired_and_removed(place: Place) {
    let database = filled(&place).await;
    let shop: AppId = "shop".parse().unwrap();
    let mut tx = database.begin().await.unwrap();
    keys::retire(&mut tx, Some(&shop), 100).await.unwrap();
    keys::insert(&mut tx, &SEALER, &key("k3", Some("shop"), 3))
        .await
        .unwrap();
    // Sooner counts, later does not.
    keys::retire(&mut tx, Some(&shop), 50).await.unwrap();
    keys::retire(&mut tx, Some(&shop), 70).await.unwrap();
    assert_eq!(keys::prune(&mut tx, 49).await.unwrap(), 0);
    tx.commit().await.unwrap();
    let retired = async || {
        let rows = keys::all(&database, &SEALER).await.unwrap();
        rows.into_iter()
            .map(|row| (row.kid, row.retired_at))
            .collect::<Vec<_>>()
    };
    let at = |kid: &str, time| (kid.to_owned(), time);
    let all = [at("k3", Some(50)), at("k2", None), at("k1", Some(50))];
    assert_eq!(retired().await, all);
    let mut tx = database.begin().await.unwrap();
    assert_eq!(keys::prune(&mut tx, 50).await.unwrap(), 2);
    keys::retire(&mut tx, None, 60).await.unwrap();
    keys::insert(&mut tx, &SEALER, &key("k4", Some("shop"), 4))
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(retired().await, [at("k4", None), at("k2", Some(60))]);
    // They go with their app.
    let mut tx = database.begin().await.unwrap();
    apps::delete(&mut tx, &shop).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(retired().await, [at("k2", Some(60))]);
}

#[tokio::test]
async fn an_older_schema_gets_the_table_of_keys() {
    let place = Place::sqlite();
    let old = include_str!("../../migrations/0001_control.sql");
    let old = old.replace("{identity}", "INTEGER PRIMARY KEY AUTOINCREMENT");
    let url = format!("{}?mode=rwc", place.url());
    sqlx::any::install_default_drivers();
    let pool = sqlx::AnyPool::connect(&url).await.unwrap();
    let versions = "CREATE TABLE schema_versions (version BIGINT PRIMARY KEY, applied_at BIGINT NOT \
                    NULL); INSERT INTO schema_versions VALUES (1, 0);";
    for text in [old.as_str(), versions] {
        let sql = sqlx::AssertSqlSafe(text.to_owned());
        sqlx::raw_sql(sql).execute(&pool).await.unwrap();
    }
    pool.close().await;
    assert!(Path::new(&place.file()).exists());
    let database = place.open().await;
    assert!(keys::all(&database, &SEALER).await.unwrap().is_empty());
}
