//! Every bound, exceeded.

use super::bed::{Bed, ENGINES};
use futures::StreamExt as _;
use lodge_model::{DatabaseEngine, DatabaseKind, Isolation, SourceAccess, SqlError, Value};
use std::sync::atomic::Ordering::SeqCst;
use std::time::{Duration, Instant};

pub(super) fn sleep(engine: DatabaseEngine, seconds: u32) -> String {
    match engine {
        DatabaseEngine::Postgres => format!("SELECT pg_sleep({seconds})"),
        _ => format!("SELECT SLEEP({seconds})"),
    }
}

/// Whether a session runs a statement with a sleep of a minute in it.
pub(super) async fn asleep(bed: &Bed) -> bool {
    let sql = match bed.engine {
        DatabaseEngine::Postgres => {
            "DO $$ BEGIN IF EXISTS (SELECT FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%pg_sleep%' \
             AND pid <> pg_backend_pid()) THEN RAISE 'asleep'; END IF; END $$"
        }
        _ => {
            "BEGIN NOT ATOMIC IF EXISTS (SELECT 1 FROM information_schema.PROCESSLIST WHERE INFO LIKE '%SLEEP(60)%' \
             AND ID <> CONNECTION_ID()) \
             THEN SIGNAL SQLSTATE '45000'; END IF; END"
        }
    };
    bed.admin("", sql).await.is_err()
}

pub(super) async fn nobody_asleep(bed: &Bed, after: &str) {
    for _ in 0..100 {
        if !asleep(bed).await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("a statement still runs on the server: {after}");
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_ended_on_the_server() {
    for engine in ENGINES {
        let bed = Bed::new(engine);
        let mut grant = bed.grant("shop", DatabaseKind::NewDatabase);
        grant.limits.statement_timeout_ms = 700;
        let app = bed.start(&grant).await.unwrap();
        // The guest's own session believes that it has all the time of the world.
        for sql in match engine {
            DatabaseEngine::Postgres => {
                &["SELECT set_config('statement_timeout', '0', false)"] as &[_]
            }
            _ => &[
                "CREATE PROCEDURE take_time() SET max_statement_time = 0",
                "CALL take_time()",
            ],
        } {
            app.query(sql, vec![]).await.unwrap();
        }
        if engine == DatabaseEngine::Mariadb {
            assert_eq!(
                app.one("SELECT @@max_statement_time = 0").await,
                Value::Int(1)
            );
        }
        let begun = Instant::now();
        let ended = app.query(&sleep(engine, 60), vec![]).await;
        assert!(matches!(ended, Err(SqlError::TimedOut(_))), "{ended:?}");
        assert!(begun.elapsed() < Duration::from_secs(5));
        nobody_asleep(&bed, "a timeout").await;
        // Nobody waits for it any more: a query, a cursor, a transaction.
        let source = app.source("default").await;
        let sql = sleep(engine, 60);
        let short = Duration::from_millis(200);
        assert!(
            tokio::time::timeout(short, source.query(&sql, vec![]))
                .await
                .is_err()
        );
        nobody_asleep(&bed, "a query given up").await;
        let cursor = source
            .read(
                &format!(
                    "SELECT 1 UNION ALL {}",
                    sql.replace("SELECT ", "SELECT 1 FROM (SELECT ") + ") x"
                ),
                vec![],
            )
            .await;
        assert!(asleep(&bed).await);
        drop(cursor);
        nobody_asleep(&bed, "a cursor given up").await;
        let mut transaction = source
            .begin(SourceAccess::ReadWrite, Isolation::EngineDefault)
            .await
            .unwrap();
        assert!(
            tokio::time::timeout(short, transaction.query(&sql, vec![]))
                .await
                .is_err()
        );
        drop(transaction);
        nobody_asleep(&bed, "a transaction given up").await;
        assert_eq!(app.one("SELECT 1 + 1").await, Value::Int(2));
    }
}

#[tokio::test]
async fn a_huge_value_never_fills_the_host() {
    for engine in ENGINES {
        let bed = Bed::new(engine);
        let mut grant = bed.grant("shop", DatabaseKind::NewDatabase);
        grant.limits.result_bytes = 1 << 20;
        grant.limits.statement_timeout_ms = 30_000;
        let app = bed.start(&grant).await.unwrap();
        let source = app.source("default").await;
        let before = resident();
        let bombs: &[&str] = match engine {
            DatabaseEngine::Postgres => &[
                // As large as the server makes one.
                "SELECT repeat('x', 1000000000)",
                "SELECT repeat('x', 50000000), repeat('y', 50000000)",
            ],
            // One value is bounded by the server's packets; a row is not.
            _ => &[
                "SELECT REPEAT('x', 15000000), REPEAT('y', 15000000), REPEAT('z', 15000000), REPEAT('a', 15000000)",
            ],
        };
        for bomb in bombs {
            let refused = source.query(bomb, vec![]).await;
            assert!(
                matches!(refused, Err(SqlError::LimitExceeded(_))),
                "{bomb}: {:?}",
                refused.err()
            );
            let mut cursor = source.read(bomb, vec![]).await.unwrap();
            let refused = cursor.batches.next().await.unwrap();
            assert!(matches!(refused, Err(SqlError::LimitExceeded(_))), "{bomb}");
        }
        let grown = resident().saturating_sub(before);
        assert!(grown < 32 << 20, "{grown} bytes");
        // Many rows: whole they are too many, as a stream they are not.
        let many = match engine {
            DatabaseEngine::Postgres => "SELECT n FROM generate_series(1, 200000) n",
            _ => "SELECT seq FROM seq_1_to_200000",
        };
        let whole = source.query(many, vec![]).await;
        assert!(
            matches!(whole, Err(SqlError::LimitExceeded(_))),
            "{:?}",
            whole.err()
        );
        let mut cursor = source.read(many, vec![]).await.unwrap();
        let mut count = 0;
        while let Some(batch) = cursor.batches.next().await {
            count += batch.unwrap().len();
        }
        assert_eq!(count, 200_000);
        assert!(app.account.cpu.load(SeqCst) > 0, "nothing was charged");
        // What the host held was the app's, and is given back.
        app.account.budget.store(256 << 10, SeqCst);
        let poor = source.query("SELECT repeat('x', 900000)", vec![]).await;
        assert!(
            matches!(&poor, Err(SqlError::LimitExceeded(why)) if why.contains("memory")),
            "{:?}",
            poor.err()
        );
        app.account.budget.store(u64::MAX, SeqCst);
        source
            .query("SELECT repeat('x', 900000)", vec![])
            .await
            .unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert_eq!(app.account.reserved.load(SeqCst), 0);
    }
}

/// Resident memory of this process, in bytes.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/statm").unwrap();
    status.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
}

#[tokio::test]
async fn connections_are_counted_by_app_and_by_server() {
    for engine in ENGINES {
        let bed = Bed::with(engine, |settings| settings.server_connections = 4);
        let start = async |id: &str| {
            let mut grant = bed.grant(id, DatabaseKind::NewDatabase);
            grant.limits.database_connections = 3;
            grant.limits.statement_timeout_ms = 1_000;
            bed.start(&grant).await.unwrap()
        };
        let (one, two) = (start("one").await, start("two").await);
        let begin = async |app: &super::bed::App| {
            let source = app.source("default").await;
            source
                .begin(SourceAccess::ReadWrite, Isolation::EngineDefault)
                .await
        };
        let mut held = Vec::new();
        for _ in 0..3 {
            held.push(begin(&one).await.unwrap());
        }
        let fourth = begin(&one).await.err();
        assert!(
            matches!(&fourth, Some(SqlError::LimitExceeded(why)) if why.contains("database_connections")),
            "{fourth:?}"
        );
        // The neighbour has the server's last place, and no second one until somebody is done.
        let other = begin(&two).await.unwrap();
        let full = begin(&two).await.err();
        assert!(
            matches!(&full, Some(SqlError::LimitExceeded(why)) if why.contains("others")),
            "{full:?}"
        );
        drop(held);
        let second = begin(&two).await.unwrap();
        drop((other, second));
        // Idle connections of one app make room for another.
        for _ in 0..3 {
            one.one("SELECT 1").await;
        }
        let again: Vec<_> = (0..3).map(|_| begin(&two)).collect();
        for begun in futures::future::join_all(again).await {
            begun.unwrap();
        }
    }
}

#[tokio::test]
async fn a_transaction_that_stands_still_is_rolled_back() {
    tokio::join!(
        stands_still(DatabaseEngine::Postgres),
        stands_still(DatabaseEngine::Mariadb)
    );
}

async fn stands_still(engine: DatabaseEngine) {
    let bed = Bed::new(engine);
    let app = bed.app("shop").await;
    app.execute("CREATE TABLE t (a int)").await.unwrap();
    let source = app.source("default").await;
    let mut transaction = source
        .begin(SourceAccess::ReadWrite, Isolation::EngineDefault)
        .await
        .unwrap();
    transaction
        .execute("INSERT INTO t VALUES (1)", vec![])
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_millis(10_500)).await;
    let late = transaction
        .execute("INSERT INTO t VALUES (2)", vec![])
        .await;
    assert!(matches!(late, Err(SqlError::LimitExceeded(_))), "{late:?}");
    assert!(
        app.account
            .lines
            .lock()
            .iter()
            .any(|line| line.contains("stood still"))
    );
    assert_eq!(app.one("SELECT count(*) FROM t").await, Value::Int(0));
}
