mod bounds;
mod functions;
mod values;

use super::*;
use crate::books::Books;
use lodge_model::{Constraint, Migration};
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

struct Bed {
    source: Arc<SqliteSource>,
    books: Arc<Books>,
    folder: tempfile::TempDir,
}

const SETTINGS: SqliteSettings = SqliteSettings {
    connections: 3,
    statement_timeout: Duration::from_millis(500),
    result_bytes: 1 << 20,
    storage_bytes: 2 << 20,
    read_only: false,
};

fn bed() -> Bed {
    bed_with(|_| {})
}

fn bed_with(change: impl Fn(&mut SqliteSettings)) -> Bed {
    let mut settings = SETTINGS;
    change(&mut settings);
    let folder = tempfile::tempdir().unwrap();
    let books = Arc::new(Books::default());
    books.room.store(64 << 20, Relaxed);
    let path = folder.path().join("database.db");
    Bed {
        source: SqliteSource::new(&path, settings, books.clone()),
        books,
        folder,
    }
}

impl Bed {
    async fn ask(&self, sql: &str) -> Result<Rows, SqlError> {
        self.source.query(sql, Vec::new()).await
    }

    async fn run(&self, sql: &str) {
        let done = self.source.execute(sql, Vec::new()).await;
        done.unwrap_or_else(|e| panic!("{sql}: {e}"));
    }
}

const ENDLESS: &str =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";

#[tokio::test]
async fn an_app_cannot_leave_its_file() {
    let bed = bed();
    let other = bed.folder.path().join("other.db");
    bed.run("CREATE TABLE t (i INTEGER)").await;
    for sql in [
        format!("ATTACH '{}' AS other", other.display()),
        "DETACH main".into(),
        format!("VACUUM INTO '{}'", other.display()),
        "PRAGMA journal_mode = OFF".into(),
        "PRAGMA journal_mode".into(),
        "PRAGMA writable_schema = ON".into(),
        "PRAGMA temp_store_directory = '/tmp'".into(),
        "PRAGMA mmap_size = 1000000000".into(),
        "PRAGMA cache_size = 1000000".into(),
        "PRAGMA max_page_count = 1000000".into(),
        "PRAGMA query_only = OFF".into(),
        "PRAGMA hard_heap_limit = 1".into(),
        "PRAGMA encoding = 'UTF-16'".into(),
        "SELECT * FROM pragma_journal_mode".into(),
        "SELECT * FROM dbstat".into(),
        "CREATE VIRTUAL TABLE s USING dbstat".into(),
        "SELECT fts3_tokenizer('simple')".into(),
        "BEGIN".into(),
        "SAVEPOINT a".into(),
        "SELECT 1; ATTACH 'x' AS y".into(),
    ] {
        let answer = bed.ask(&sql).await;
        assert!(
            matches!(answer, Err(SqlError::Refused(_))),
            "{sql}: {answer:?}"
        );
    }
    for sql in [
        // There is no such function.
        "SELECT load_extension('evil')",
        "SELECT readfile('/etc/passwd')",
        "SELECT writefile('/tmp/x', 'y')",
        "UPDATE sqlite_master SET sql = ''",
        "SELECT * FROM sqlite_dbpage",
    ] {
        assert!(bed.ask(sql).await.is_err(), "{sql}");
    }
    assert!(!other.exists());
    for sql in [
        "PRAGMA table_info(t)",
        "PRAGMA user_version = 3",
        "SELECT name FROM sqlite_master",
    ] {
        bed.ask(sql).await.unwrap_or_else(|e| panic!("{sql}: {e}"));
    }
}

#[tokio::test]
async fn a_statement_without_end_is_ended_and_charged() {
    let bed = bed();
    let begun = Instant::now();
    for sql in [
        ENDLESS,
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n ORDER BY 1",
    ] {
        let ended = bed.ask(sql).await.unwrap_err();
        assert!(matches!(ended, SqlError::TimedOut(_)), "{ended:?}");
    }
    assert!(begun.elapsed() < Duration::from_secs(5));
    let charged = bed.books.cpu.load(Relaxed);
    assert!(charged > 50_000, "{charged} µs of about a second");
    bed.ask("SELECT 1").await.unwrap();
}

#[tokio::test]
async fn a_statement_that_nobody_waits_for_is_ended() {
    let bed = bed();
    bed.run("CREATE TABLE t (i INTEGER)").await;
    for _ in 0..SETTINGS.connections {
        let asked = tokio::time::timeout(Duration::from_millis(20), bed.ask(ENDLESS));
        assert!(asked.await.is_err());
    }
    // All connections are free again at once, though each had a statement.
    let begun = Instant::now();
    bed.run("INSERT INTO t VALUES (1)").await;
    assert!(begun.elapsed() < Duration::from_millis(400));
}

#[tokio::test]
async fn values_results_and_the_file_have_their_sizes() {
    let bed = bed();
    for sql in [
        "SELECT zeroblob(1000000000)",
        "SELECT printf('%1000000000d', 1)",
        "SELECT replace(printf('%1000d', 1), ' ', printf('%100000d', 1))",
    ] {
        let refused = bed.ask(sql).await.unwrap_err();
        assert!(
            matches!(refused, SqlError::LimitExceeded(_)),
            "{sql}: {refused:?}"
        );
    }
    let many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 1000) \
                SELECT printf('%2000d', i) FROM n";
    let refused = bed.ask(many).await.unwrap_err().to_string();
    assert!(refused.contains("limits.result_bytes"), "{refused}");
    assert_eq!(bed.books.reserved.load(Relaxed), 0);
    bed.books.room.store(100_000, Relaxed);
    let few = many.replace("1000)", "100)");
    let refused = bed.ask(&few).await.unwrap_err().to_string();
    assert!(refused.contains("limits.memory_bytes"), "{refused}");
    bed.books.room.store(64 << 20, Relaxed);
    for table in ["CREATE TABLE big (x)", "CREATE TEMP TABLE big2 (x)"] {
        bed.run(table).await;
    }
    let mut refused = None;
    for _ in 0..10 {
        let add = bed
            .source
            .execute("INSERT INTO big VALUES (zeroblob(500000))", Vec::new());
        if let Err(e) = add.await {
            refused = Some(e.to_string());
            break;
        }
    }
    let refused = refused.expect("5 MB fit into 2 MiB");
    assert!(refused.contains("limits.storage_bytes"), "{refused}");
}

#[tokio::test]
async fn rows_are_streamed_and_a_reader_may_stop() {
    let bed = bed();
    let rows = |n: u32| {
        format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT {n}) SELECT i FROM n"
        )
    };
    let mut cursor = bed.source.read(&rows(10_000), Vec::new()).await.unwrap();
    assert_eq!(cursor.columns.len(), 1);
    let mut count = 0;
    while let Some(batch) = cursor.batches.next().await {
        count += batch.unwrap().len();
    }
    assert_eq!(count, 10_000);
    drop(cursor);
    for _ in 0..10 {
        let mut cursor = bed.source.read(&rows(u32::MAX), Vec::new()).await.unwrap();
        cursor.batches.next().await.unwrap().unwrap();
    }
    bed.ask("SELECT 1").await.unwrap();
    let mut late = bed
        .source
        .read(&format!("{ENDLESS} UNION ALL SELECT 1"), Vec::new())
        .await
        .unwrap();
    let told = late.batches.next().await.unwrap();
    assert!(matches!(told, Err(SqlError::TimedOut(_))), "{told:?}");
}

#[tokio::test]
async fn transactions_commit_roll_back_and_do_not_leak() {
    let bed = bed();
    bed.run("CREATE TABLE t (i INTEGER UNIQUE)").await;
    let begin = |access| bed.source.begin(access, Isolation::EngineDefault);
    let mut kept = begin(SourceAccess::ReadWrite).await.unwrap();
    kept.execute("INSERT INTO t VALUES (?)", vec![Value::Int(1)])
        .await
        .unwrap();
    let twice = kept.execute("INSERT INTO t VALUES (1)", Vec::new()).await;
    assert!(
        matches!(&twice, Err(SqlError::Constraint(e)) if e.kind == Constraint::Unique),
        "{twice:?}"
    );
    let ended = kept.execute("COMMIT", Vec::new()).await;
    assert!(matches!(ended, Err(SqlError::Refused(_))), "{ended:?}");
    kept.commit().await.unwrap();
    let mut dropped = begin(SourceAccess::ReadWrite).await.unwrap();
    dropped
        .execute("INSERT INTO t VALUES (2)", Vec::new())
        .await
        .unwrap();
    drop(dropped);
    let mut undone = begin(SourceAccess::ReadWrite).await.unwrap();
    undone
        .execute("INSERT INTO t VALUES (3)", Vec::new())
        .await
        .unwrap();
    undone.rollback().await.unwrap();
    let mut reader = begin(SourceAccess::ReadOnly).await.unwrap();
    let written = reader.execute("INSERT INTO t VALUES (4)", Vec::new()).await;
    assert!(written.is_err());
    reader.commit().await.unwrap();
    bed.run("INSERT INTO t VALUES (5)").await;
    let rows = bed.ask("SELECT i FROM t ORDER BY i").await.unwrap().rows;
    assert_eq!(rows, [[Value::Int(1)], [Value::Int(5)]]);
}

#[tokio::test]
async fn connections_are_bounded_and_an_idle_transaction_gives_way() {
    let bed = bed();
    let mut open = Vec::new();
    for _ in 0..SETTINGS.connections {
        let tx = bed
            .source
            .begin(SourceAccess::ReadOnly, Isolation::EngineDefault);
        open.push(tx.await.unwrap());
    }
    let refused = bed.ask("SELECT 1").await.unwrap_err().to_string();
    assert!(refused.contains("limits.database_connections"), "{refused}");
    tokio::time::sleep(Duration::from_millis(10_200)).await;
    bed.ask("SELECT 1").await.unwrap();
    let late = open.remove(0).query("SELECT 1", Vec::new()).await;
    assert!(matches!(late, Err(SqlError::LimitExceeded(_))), "{late:?}");
    assert!(bed.books.lines.lock()[0].contains("rolled back"));
}

fn migration(id: &str, sql: &str) -> Migration {
    Migration {
        id: id.into(),
        sql: sql.into(),
    }
}

#[tokio::test]
async fn migrations_run_once_in_order_and_whole() {
    let bed = bed();
    let first = migration(
        "0001",
        "CREATE TABLE a (i); INSERT INTO a VALUES (1); CREATE TABLE b (i)",
    );
    let both = |second: &str| vec![first.clone(), migration("0002", second)];
    let (one, other) = tokio::join!(
        bed.source.run_migrations(vec![first.clone()]),
        bed.source.run_migrations(vec![first.clone()])
    );
    one.and(other).unwrap();
    let broken = bed
        .source
        .run_migrations(both(
            "INSERT INTO b VALUES (1); INSERT INTO missing VALUES (1)",
        ))
        .await
        .unwrap_err()
        .to_string();
    assert!(
        broken.contains("0002") && broken.contains("missing"),
        "{broken}"
    );
    let count = |table: &str| format!("SELECT count(*) FROM {table}");
    assert_eq!(bed.ask(&count("b")).await.unwrap().rows, [[Value::Int(0)]]);
    for escape in ["ATTACH 'x' AS y", "COMMIT; BEGIN"] {
        assert!(
            bed.source.run_migrations(both(escape)).await.is_err(),
            "{escape}"
        );
    }
    bed.source
        .run_migrations(both("INSERT INTO b VALUES (1)"))
        .await
        .unwrap();
    assert_eq!(bed.ask(&count("a")).await.unwrap().rows, [[Value::Int(1)]]);
    assert_eq!(bed.ask(&count("b")).await.unwrap().rows, [[Value::Int(1)]]);
    let changed = bed
        .source
        .run_migrations(vec![migration("0001", "SELECT 1")])
        .await;
    assert!(changed.unwrap_err().to_string().contains("0001"));
    let unordered = vec![migration("2", ""), migration("1", "")];
    assert!(bed.source.run_migrations(unordered).await.is_err());
}

/// Not even for whoever would get around the authorizer.
#[tokio::test]
async fn sqlite_was_built_without_extension_loading() {
    let bed = bed();
    let sql = "SELECT sqlite_compileoption_used('OMIT_LOAD_EXTENSION')";
    let used = bed.source.query(sql, Vec::new()).await.unwrap();
    assert_eq!(used.rows, [[Value::Int(1)]]);
}

/// Each of them is too short for the progress handler.
#[tokio::test]
async fn many_short_statements_are_charged() {
    let bed = bed();
    for n in 0..2_000 {
        bed.ask(&format!("SELECT {n}")).await.unwrap();
    }
    let charged = bed.books.cpu.load(Relaxed);
    assert!((2_000..20_000_000).contains(&charged), "{charged} µs");
}
