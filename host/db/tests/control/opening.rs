//! Opening, migrating and claiming.

use crate::Place;
use lodge_db::{Database, Error};
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

pub(crate) async fn processes_that_open_together_migrate_once(place: Place) {
    let url = place.url();
    let openings: Vec<_> = (0..8)
        .map(|_| {
            let url = url.clone();
            tokio::spawn(async move { Database::open(&url).await })
        })
        .collect();
    for opening in openings {
        let database = opening.await.unwrap().unwrap();
        database.ping().await.unwrap();
        database.close().await;
    }
}

pub(crate) async fn a_newer_schema_is_refused(place: Place) {
    let database = place.open().await;
    let mut tx = database.begin().await.unwrap();
    sqlx::query("INSERT INTO schema_versions (version, applied_at) VALUES (999, 0)")
        .execute(&mut *tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let refused = Database::open(&place.url()).await.unwrap_err();
    assert!(matches!(refused, Error::Newer { found: 999, .. }));
    assert!(
        refused.to_string().contains("start the newer Lodge"),
        "{refused}"
    );
}

pub(crate) async fn one_process_may_claim_it(place: Place) {
    let (first, second) = (place.open().await, place.open().await);
    let claim = first.claim(Duration::ZERO).await.unwrap();
    let refused = second.claim(Duration::from_millis(250)).await.unwrap_err();
    assert!(matches!(refused, Error::Claimed));
    assert!(refused.to_string().contains("stop that one"), "{refused}");
    drop(claim);
    second.claim(Duration::from_secs(5)).await.unwrap();
}

#[tokio::test]
async fn the_file_is_private_and_durable() {
    let place = Place::sqlite();
    std::fs::write(place.file(), "").unwrap();
    std::fs::set_permissions(place.file(), std::fs::Permissions::from_mode(0o644)).unwrap();
    let database = place.open().await;
    for name in ["lodge.db", "lodge.db-wal"] {
        let file = std::fs::metadata(place.file().with_file_name(name)).unwrap();
        assert_eq!(file.permissions().mode() & 0o777, 0o600, "{name}");
    }
    let mut tx = database.begin().await.unwrap();
    for (pragma, expected) in [("PRAGMA synchronous", 2_i64), ("PRAGMA foreign_keys", 1)] {
        let value: i64 = sqlx::query_scalar(pragma)
            .fetch_one(&mut *tx)
            .await
            .unwrap();
        assert_eq!(value, expected, "{pragma}");
    }
}

#[tokio::test]
async fn what_cannot_be_opened_says_so_without_secrets() {
    for (url, expected) in [
        (
            "postgres://lodge:hunter2@127.0.0.1:1/lodge",
            "postgres://127.0.0.1:1/lodge",
        ),
        (
            "postgres://lodge:hunter2@127.0.0.1:1/lodge",
            "Connection refused",
        ),
        (
            "oracle://lodge:hunter2@db/lodge",
            "must start with `sqlite:` or `postgres:`",
        ),
        ("sqlite::memory:", "it needs a file"),
        (
            "sqlite:/nowhere/lodge.db",
            "/nowhere/lodge.db: No such file",
        ),
    ] {
        let error = Database::open_within(url, Duration::from_millis(600))
            .await
            .unwrap_err();
        let text = format!("{error} {error:?}");
        assert!(text.contains(expected), "{text}");
        assert!(!text.contains("hunter2"), "{text}");
    }
}

#[tokio::test]
async fn paths_may_have_any_characters() {
    let place = Place::sqlite();
    let path = place.file().with_file_name("a b%41?#ü.db");
    let database = Database::open_file(&path).await.unwrap();
    assert_eq!(database.file(), Some(path.as_path()));
    assert!(path.exists());
}
