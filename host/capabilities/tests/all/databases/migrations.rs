//! Migrations on servers: once, in order, by one host at a time.

use super::bed::{Bed, ENGINES};
use lodge_model::{DatabaseEngine, Migration, Value};

fn migration(id: &str, sql: &str) -> Migration {
    Migration {
        id: id.into(),
        sql: sql.into(),
    }
}

#[tokio::test]
async fn migrations_run_once_even_if_two_start() {
    for engine in ENGINES {
        let bed = Bed::new(engine);
        let (app, other) = (bed.app("shop").await, bed.app("shop").await);
        let all = vec![
            migration(
                "0001_t",
                "CREATE TABLE t (a int); INSERT INTO t VALUES (1);",
            ),
            migration(
                "0002_more",
                "INSERT INTO t VALUES (2); INSERT INTO t SELECT a + 10 FROM t",
            ),
        ];
        let run = |app: &super::bed::App| {
            let databases = app.capabilities.databases.clone();
            let all = all.clone();
            async move { databases.migrate(all).await }
        };
        let (one, two) = tokio::join!(run(&app), run(&other));
        one.unwrap();
        two.unwrap();
        run(&app).await.unwrap();
        assert_eq!(app.one("SELECT count(*) FROM t").await, Value::Int(4));
        let changed = vec![migration("0001_t", "CREATE TABLE t (a int, b int)")];
        let refused = app
            .capabilities
            .databases
            .migrate(changed)
            .await
            .unwrap_err();
        assert!(refused.to_string().contains("0001_t"), "{refused}");
    }
}

#[tokio::test]
async fn a_migration_that_fails_leaves_nothing_or_a_mark() {
    for engine in ENGINES {
        let bed = Bed::new(engine);
        let app = bed.app("shop").await;
        let bad = || {
            vec![migration(
                "0001",
                "CREATE TABLE t (a int); INSERT INTO nowhere VALUES (1)",
            )]
        };
        let good = || vec![migration("0001", "CREATE TABLE IF NOT EXISTS t (a int)")];
        let databases = &app.capabilities.databases;
        let failed = databases.migrate(bad()).await.unwrap_err().to_string();
        assert!(
            failed.contains("migration 0001") && failed.contains("nowhere"),
            "{failed}"
        );
        if engine == DatabaseEngine::Postgres {
            databases.migrate(good()).await.unwrap();
            continue;
        }
        assert!(
            failed.contains("`lodge app clear-migration shop`"),
            "{failed}"
        );
        // No version starts, not even one that knows nothing of it.
        for version in [good(), vec![migration("0001_other", "SELECT 1")]] {
            let marked = databases.migrate(version).await.unwrap_err().to_string();
            assert!(
                marked.contains("migration 0001: it broke off before")
                    && marked.contains("`lodge app clear-migration shop`"),
                "{marked}"
            );
        }
        assert_eq!(
            bed.clear("shop", false).await.unwrap().as_deref(),
            Some("0001")
        );
        assert_eq!(bed.clear("shop", false).await.unwrap(), None);
        databases.migrate(good()).await.unwrap();
        // The rest of another one is done by hand: it is not run, whatever its text by then.
        let two = |sql| [good(), vec![migration("0002", sql)]].concat();
        databases.migrate(two("CREATE NONSENSE")).await.unwrap_err();
        assert_eq!(
            bed.clear("shop", true).await.unwrap().as_deref(),
            Some("0002")
        );
        databases
            .migrate(two("CREATE NONSENSE AGAIN"))
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_mark_is_not_taken_off_while_migrations_run() {
    let bed = Bed::new(DatabaseEngine::Mariadb);
    let app = bed.app("shop").await;
    assert_eq!(
        bed.clear("shop", false).await.unwrap(),
        None,
        "nothing ran yet"
    );
    let databases = app.capabilities.databases.clone();
    let slow = tokio::spawn(async move {
        databases
            .migrate(vec![migration("0001", "SELECT SLEEP(3)")])
            .await
    });
    let marked = "SELECT 1 FROM lodge_migrations WHERE dirty";
    // The table is not there at first.
    while !app
        .query(marked, Vec::new())
        .await
        .is_ok_and(|rows| !rows.is_empty())
    {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let refused = bed.clear("shop", false).await.unwrap_err().to_string();
    assert!(refused.contains("run just now"), "{refused}");
    slow.await.unwrap().unwrap();
}
