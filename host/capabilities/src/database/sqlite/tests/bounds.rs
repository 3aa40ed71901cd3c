//! Places and memory, each exceeded.

use super::*;
use std::sync::atomic::AtomicBool;

/// A lease whose connection has a function, as it were, that runs until told: SQLite asks no handler while
/// it compares, and has no way to end it.
async fn endless(bed: &Bed) -> (Lease, Arc<AtomicBool>) {
    let told = Arc::new(AtomicBool::new(false));
    let mut lease = Lease::take(&bed.source.pool).await.unwrap();
    let mut handle = lease.sqlite().unwrap().lock_handle().await.unwrap();
    let until = told.clone();
    let compare = move |one: &str, other: &str| {
        while !until.load(Relaxed) {
            std::hint::spin_loop();
        }
        one.cmp(other)
    };
    handle.create_collation("endless", compare).unwrap();
    drop(handle);
    lease.begin(false);
    (lease, told)
}

const COMPARES: &str = "SELECT i FROM t ORDER BY i COLLATE endless";

async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    for _ in 0..600 {
        if is_so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("not within 30 s: {what}");
}

#[tokio::test]
async fn a_place_is_taken_and_charged_until_its_statement_has_ended() {
    let bed = bed_with(|settings| {
        settings.connections = 1;
        settings.statement_timeout = Duration::from_millis(200);
    });
    bed.run("CREATE TABLE t (i)").await;
    bed.run("INSERT INTO t VALUES ('a'), ('b')").await;
    for waits in [true, false] {
        let (mut lease, told) = endless(&bed).await;
        let begun = Instant::now();
        let asked = async {
            let rows = lease.query(COMPARES, Vec::new()).await;
            lease.end(rows)
        };
        if waits {
            let late = asked.await;
            assert!(matches!(late, Err(SqlError::TimedOut(_))), "{late:?}");
            assert!(begun.elapsed() < Duration::from_secs(5));
        } else {
            // The request's deadline drops it all.
            let short = Duration::from_millis(50);
            assert!(tokio::time::timeout(short, asked).await.is_err());
        }
        assert_eq!(bed.source.open_connections().open, 1);
        let refused = bed.ask("SELECT 1").await.unwrap_err().to_string();
        assert!(refused.contains("limits.database_connections"), "{refused}");
        let before = bed.books.cpu.load(Relaxed);
        until("its CPU is charged", async || {
            bed.books.cpu.load(Relaxed) > before + 50_000
        })
        .await;
        told.store(true, Relaxed);
        until("its place is free", async || {
            bed.ask("SELECT 1").await.is_ok()
        })
        .await;
    }
}

#[tokio::test]
async fn a_transaction_ends_with_a_statement_that_was_ended() {
    let bed = bed();
    bed.run("CREATE TABLE t (i)").await;
    let begun = bed
        .source
        .begin(SourceAccess::ReadWrite, Isolation::EngineDefault);
    let mut transaction = begun.await.unwrap();
    transaction
        .execute("INSERT INTO t VALUES (1)", Vec::new())
        .await
        .unwrap();
    let ended = transaction.query(ENDLESS, Vec::new()).await;
    assert!(matches!(ended, Err(SqlError::TimedOut(_))), "{ended:?}");
    let late = transaction.execute("INSERT INTO t VALUES (2)", Vec::new());
    let late = late.await.unwrap_err().to_string();
    assert!(late.contains("rolled back"), "{late}");
    assert!(transaction.commit().await.is_err());
    let rows = bed.ask("SELECT i FROM t").await.unwrap().rows;
    assert!(rows.is_empty(), "{rows:?}");
}

#[tokio::test]
async fn a_statement_whose_row_cannot_be_told_is_ended_and_its_connection_not_used_again() {
    let bed = bed_with(|settings| settings.statement_timeout = Duration::from_millis(200));
    // The second row never comes: sqlx's thread notices nothing.
    let sql = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) \
               SELECT CAST(x'ff' AS TEXT) FROM c WHERE x = 1";
    bed.ask(sql).await.unwrap_err();
    let begun = Instant::now();
    while bed.source.open_connections().open > 0 {
        assert!(begun.elapsed() < Duration::from_secs(5), "it goes on");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_transaction_ends_with_a_call_that_was_given_up() {
    let bed = bed();
    let begun = bed
        .source
        .begin(SourceAccess::ReadWrite, Isolation::EngineDefault);
    let mut transaction = begun.await.unwrap();
    let call = transaction.query(ENDLESS, Vec::new());
    let short = Duration::from_millis(50);
    assert!(tokio::time::timeout(short, call).await.is_err());
    // Behind the first, it would be prepared as the host's own by what follows.
    let late = transaction.execute("PRAGMA max_page_count = 4294967294", Vec::new());
    let late = late.await.unwrap_err().to_string();
    assert!(late.contains("was given up"), "{late}");
    assert!(transaction.commit().await.is_err());
    until("its place is free", async || {
        bed.ask("SELECT 1").await.is_ok()
    })
    .await;
}

/// Memory of this process that is in use, in bytes.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/statm").unwrap();
    status.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
}

#[tokio::test]
async fn memory_is_the_apps_before_it_is_taken() {
    let bed = bed_with(|settings| {
        settings.result_bytes = 16 << 20;
        settings.statement_timeout = Duration::from_secs(20);
    });
    bed.ask("SELECT 1").await.unwrap();
    let before = resident();
    let grown = || resident().saturating_sub(before) >> 20;
    let rows = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 50) SELECT";
    // Nobody reads them.
    let mut cursor = bed
        .source
        .read(&format!("{rows} randomblob(4000000) FROM n"), Vec::new())
        .await
        .unwrap();
    cursor.batches.next().await.unwrap().unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(grown() < 40, "{} MiB", grown());
    // They wait for their reader, and are not refused for being many.
    let mut count = 1;
    while let Some(batch) = cursor.batches.next().await {
        count += batch.unwrap().len();
    }
    assert_eq!(count, 50);
    drop(cursor);
    let columns = vec!["randomblob(4000000)"; 200].join(", ");
    for sql in [
        format!("SELECT {columns}"),
        format!("{rows} json_group_array(printf('%8000000d', i)) FROM n"),
        "SELECT json_pretty('[' || replace(hex(zeroblob(20000)), '00', '1,') || '1]', printf('%100000s', ' '))".into(),
        format!("SELECT concat({})", vec!["printf('%15000000d', 1)"; 50].join(", ")),
    ] {
        let refused = bed.ask(&sql).await;
        let limit = matches!(&refused, Err(SqlError::LimitExceeded(why)) if why.contains("memory"));
        assert!(limit, "{:.80}: {:?}", sql, refused.err());
        assert!(grown() < 128, "{:.80}: {} MiB", sql, grown());
    }
    until("all of it is given back", async || {
        bed.books.reserved.load(Relaxed) == 0
    })
    .await;
    let columns = vec!["1"; 201].join(", ");
    let refused = bed.ask(&format!("SELECT {columns}")).await.unwrap_err();
    assert!(
        refused.to_string().contains("too many columns"),
        "{refused}"
    );
}

#[tokio::test]
async fn a_sort_writes_only_so_much() {
    let bed = bed_with(|settings| {
        settings.statement_timeout = Duration::from_secs(20);
        settings.storage_bytes = 8 << 20;
    });
    let sorted = |count: u32| {
        format!(
            "SELECT count(*) FROM (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT {count}) \
             SELECT randomblob(1000) AS x FROM n ORDER BY x LIMIT -1 OFFSET 1)"
        )
    };
    bed.ask(&sorted(3_000)).await.unwrap();
    for sql in [
        sorted(30_000),
        sorted(30_000).replace("ORDER BY x", "GROUP BY x"),
        sorted(30_000)
            .replace("SELECT randomblob", "SELECT DISTINCT randomblob")
            .replace("ORDER BY x", ""),
    ] {
        let refused = bed.ask(&sql).await.unwrap_err();
        let limit =
            matches!(&refused, SqlError::LimitExceeded(why) if why.contains("storage_bytes"));
        assert!(limit, "{sql}: {refused:?}");
    }
}
