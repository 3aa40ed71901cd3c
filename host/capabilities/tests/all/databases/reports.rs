//! What an administrator is told of a database: sizes that follow what is in it, statements and
//! connections, on every engine.

use super::bed::{Bed, ENGINES};
use crate::outbound::{TestAccount, grant};
use futures::StreamExt as _;
use lodge_capabilities::{HostKey, HostProvider, database, outbound, tokens};
use lodge_model::{
    DatabaseEngine, DatabaseKind, DatabaseReport, DatabaseSpec, Grant, Isolation, JwtAlgorithm,
    Limits, Provider, SourceAccess, SqlError,
};
use std::sync::Arc;
use std::time::Duration;

async fn report(provider: &HostProvider, grant: &Grant) -> DatabaseReport {
    let (app, database, limits) = (&grant.app, &grant.database, &grant.limits);
    provider.report_database(app, database, limits).await
}

/// About 4 MiB of rows, each too short to be compressed.
async fn fill(app: &super::bed::App) {
    app.execute("CREATE TABLE filling (text VARCHAR(2000))")
        .await
        .unwrap();
    let row = format!("('{}')", "x".repeat(1900));
    let insert = format!("INSERT INTO filling VALUES {}", vec![row; 200].join(","));
    for _ in 0..10 {
        app.execute(&insert).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sizes_are_those_of_the_apps_own_rooms() {
    for engine in ENGINES {
        let bed = Bed::new(engine);
        let kinds = match engine {
            DatabaseEngine::Postgres => vec![DatabaseKind::NewDatabase, DatabaseKind::NewSchema],
            _ => vec![DatabaseKind::NewDatabase],
        };
        for (n, kind) in kinds.into_iter().enumerate() {
            let empty = bed.grant(&format!("empty-{n}"), kind);
            let _empty = bed.start(&empty).await.unwrap();
            let grant = bed.grant(&format!("full-{n}"), kind);
            let app = bed.start(&grant).await.unwrap();
            fill(&app).await;
            if engine == DatabaseEngine::Mariadb {
                app.query("ANALYZE TABLE filling", Vec::new()).await.ok();
            }
            let full = report(&bed.provider, &grant).await;
            let size = full.size_bytes.unwrap_or_default();
            assert!((2 << 20..64 << 20).contains(&size), "{kind:?} {full:?}");
            assert_eq!((full.kind, full.engine), (kind, Some(engine)));
            let other = report(&bed.provider, &empty).await;
            assert!(
                other
                    .size_bytes
                    .is_some_and(|bytes| bytes + (2 << 20) < size),
                "{other:?}"
            );
            assert!(full.connections_open >= 1 && full.connections_waiting == 0);
            assert!(full.statements >= 11, "{full:?}");
            // Stopped, it has its size all the same.
            drop(app);
            bed.provider.close(&grant.app).await;
            let stopped = report(&bed.provider, &grant).await;
            assert_eq!(
                (stopped.size_bytes, stopped.connections_open),
                (Some(size), 0)
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_by_url_tells_its_size_or_why_not() {
    for engine in ENGINES {
        let mut bed = Bed::new(engine);
        let owner = bed.grant("owner", DatabaseKind::NewDatabase);
        let app = bed.start(&owner).await.unwrap();
        let mut grant = bed.grant("guest", DatabaseKind::NewConnection);
        bed.admin("", "CREATE DATABASE extern").await.unwrap();
        grant.database.url = Some(bed.server.url("extern"));
        let seen = report(&bed.provider, &grant).await;
        assert!(
            seen.size_bytes.is_some() && seen.problem.is_none(),
            "{seen:?}"
        );
        let url = bed.server.url("extern");
        bed.server.stop();
        let asked = std::time::Instant::now();
        for grant in [&owner, &{
            let mut other = bed.grant("other", DatabaseKind::NewConnection);
            other.database.url = Some(url.replacen("://", "://nobody:s3cret@", 1));
            other
        }] {
            let away = report(&bed.provider, grant).await;
            let why = away.problem.clone().unwrap_or_default();
            assert!(away.size_bytes.is_none() && !why.is_empty(), "{away:?}");
            assert!(!why.contains("s3cret"), "{why}");
        }
        assert!(asked.elapsed() < Duration::from_secs(5));
        drop(app);
    }
}

fn sqlite() -> (tempfile::TempDir, Arc<HostProvider>, Grant) {
    let folder = tempfile::tempdir().unwrap();
    let key = Arc::new(HostKey::open(folder.path()).unwrap());
    let provider = HostProvider::new(
        folder.path(),
        database::Settings::default(),
        outbound::Settings::default(),
        key,
    );
    let limits = Limits {
        database_connections: 2,
        ..Limits::default()
    };
    let mut grant = grant("shop", &[], limits);
    grant.jwt_keys = vec![tokens::generate(JwtAlgorithm::HS256).unwrap()];
    grant.database = DatabaseSpec {
        kind: DatabaseKind::NewDatabase,
        ..DatabaseSpec::default()
    };
    (folder, provider.unwrap(), grant)
}

/// A statement that takes its time.
const SLOW: &str = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n \
                    WHERE i < 1000000) SELECT MAX(i) FROM n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn statements_are_counted_wherever_they_end() {
    let (_folder, provider, grant) = sqlite();
    let before = report(&provider, &grant).await;
    assert_eq!((before.size_bytes, before.statements), (Some(0), 0));
    let account = Arc::<TestAccount>::default();
    let app = provider.open(&grant, account).await.unwrap();
    let source = app.databases.open("default").await.unwrap();
    let none = Vec::new;
    source
        .execute("CREATE TABLE t (i INTEGER UNIQUE)", none())
        .await
        .unwrap();
    source
        .execute("INSERT INTO t VALUES (1)", none())
        .await
        .unwrap();
    let broken = source.execute("INSERT INTO t VALUES (1)", none()).await;
    assert!(matches!(broken, Err(SqlError::Constraint(_))));
    source.query(SLOW, none()).await.unwrap();
    let access = SourceAccess::ReadWrite;
    let begun = source.begin(access, Isolation::EngineDefault).await;
    let mut transaction = begun.unwrap();
    transaction.query(SLOW, none()).await.unwrap();
    assert!(transaction.query("SELECT nothing", none()).await.is_err());
    transaction.rollback().await.unwrap();
    let cursor = source.read("SELECT i FROM t", none()).await.unwrap();
    assert_eq!(cursor.batches.count().await, 1);
    // Given up before its end.
    drop(source.read(SLOW, none()).await.unwrap());
    let long = format!("{SLOW} -- {}", "x".repeat((1 << 20) - 1000));
    source.query(&long, none()).await.unwrap();

    let seen = report(&provider, &grant).await;
    assert_eq!(
        (seen.statements, seen.failed_statements),
        (9, 3),
        "{seen:?}"
    );
    assert_eq!(seen.engine, Some(DatabaseEngine::Sqlite));
    assert_eq!((seen.slow_threshold_ms, seen.connections_limit), (100, 2));
    let slow = seen.slow.iter().find(|slow| slow.sql == SLOW).unwrap();
    assert!(
        slow.count >= 2 && slow.total_ms >= 200 && slow.max_ms >= 100,
        "{slow:?}"
    );
    assert!(seen.slow.iter().all(|slow| slow.sql.chars().count() <= 500));
    assert!(seen.slow.iter().any(|slow| slow.sql.ends_with("xxx")));
    assert!(seen.connections_open >= 1);

    provider
        .remove(&grant, lodge_model::DataPolicy::Drop)
        .await
        .unwrap();
    assert_eq!(report(&provider, &grant).await.statements, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_for_a_connection_is_seen() {
    let (_folder, provider, grant) = sqlite();
    let app = provider
        .open(&grant, Arc::<TestAccount>::default())
        .await
        .unwrap();
    let source = app.databases.open("default").await.unwrap();
    let access = SourceAccess::ReadOnly;
    let one = source
        .begin(access, Isolation::EngineDefault)
        .await
        .unwrap();
    let two = source
        .begin(access, Isolation::EngineDefault)
        .await
        .unwrap();
    let waiting = tokio::spawn(async move { source.query("SELECT 1", Vec::new()).await });
    let seen = loop {
        let seen = report(&provider, &grant).await;
        if seen.connections_waiting > 0 {
            break seen;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    assert_eq!((seen.connections_open, seen.connections_waiting), (2, 1));
    one.rollback().await.unwrap();
    waiting.await.unwrap().unwrap();
    two.rollback().await.unwrap();
    assert_eq!(report(&provider, &grant).await.connections_waiting, 0);
}

#[tokio::test]
async fn an_app_without_a_database_has_zeros() {
    let (_folder, provider, mut grant) = sqlite();
    grant.database = DatabaseSpec::default();
    let seen = report(&provider, &grant).await;
    let empty = DatabaseReport::empty(DatabaseKind::None, Duration::from_millis(100));
    assert_eq!(seen, empty);
}
