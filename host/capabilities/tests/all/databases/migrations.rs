//! Migrations on servers: once, in order, by one host at a time.

use super::bed::{Bed, ENGINES};
use lodge_model::{DatabaseEngine, DatabaseKind, Isolation, Migration, SourceAccess, Value};

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
async fn a_neighbours_locks_hold_no_migration_up() {
    for (engine, kind) in [
        (DatabaseEngine::Postgres, DatabaseKind::NewSchema),
        (DatabaseEngine::Mariadb, DatabaseKind::NewDatabase),
    ] {
        let bed = Bed::new(engine);
        let mut grant = bed.grant("shop", kind);
        grant.limits.statement_timeout_ms = 3_000;
        let app = bed.start(&grant).await.unwrap();
        let neighbour = bed.start(&bed.grant("other", kind)).await.unwrap();
        let databases = &app.capabilities.databases;
        let mut all = vec![migration("0001", "CREATE TABLE t (a int)")];
        databases.migrate(all.clone()).await.unwrap();
        let home = match engine {
            DatabaseEngine::Postgres => "SELECT current_schema()::text",
            _ => "SELECT DATABASE()",
        };
        let Value::Text(home) = app.one(home).await else {
            panic!("no home");
        };
        let (locks, table): (Vec<String>, String) = match engine {
            // All advisory locks of the database are everybody's to take, and `pg_locks` shows which are held.
            DatabaseEngine::Postgres => {
                let lock =
                    "CREATE FUNCTION lock_it() RETURNS void LANGUAGE plpgsql AS $$ BEGIN EXECUTE";
                let lock = format!("{lock} 'LOCK TABLE {home}.lodge_migrations'; END $$");
                neighbour.execute(&lock).await.unwrap();
                (
                    vec![
                        format!("SELECT pg_advisory_lock({})", 0x6c6f_6467_656d_6967_i64),
                        "SELECT pg_advisory_lock(n) FROM generate_series(1, 1000) n".to_owned(),
                    ],
                    "SELECT lock_it()".to_owned(),
                )
            }
            // What can be guessed.
            _ => (
                vec![
                    format!("SELECT GET_LOCK(CONCAT('lodge:', MD5('{home}')), 0)"),
                    format!("SELECT GET_LOCK('lodge:{home}', 0)"),
                ],
                format!("SELECT * FROM {home}.lodge_migrations FOR UPDATE"),
            ),
        };
        assert!(neighbour.query(&table, vec![]).await.is_err(), "{table}");
        let source = neighbour.source("default").await;
        let mut held = source
            .begin(SourceAccess::ReadWrite, Isolation::EngineDefault)
            .await
            .unwrap();
        for lock in locks {
            held.query(&lock, vec![]).await.unwrap();
        }
        all.push(migration("0002", "INSERT INTO t VALUES (1)"));
        databases.migrate(all).await.unwrap();
        assert_eq!(app.one("SELECT count(*) FROM t").await, Value::Int(1));
        held.rollback().await.unwrap();
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
