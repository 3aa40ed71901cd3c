//! Values there and back, and what statements tell.

use super::bed::{App, Bed};
use futures::StreamExt as _;
use lodge_model::{Constraint, DatabaseEngine, Isolation, SourceAccess, SqlError, Value};

fn text(text: &str) -> String {
    text.to_owned()
}

#[tokio::test]
async fn postgres_gives_back_what_it_was_given() {
    let bed = Bed::new(DatabaseEngine::Postgres);
    let app = bed.app("shop").await;
    app.execute(
        "CREATE TABLE v (b bool, i2 int2, i4 int4, i8 int8, f4 real, f8 float8, n numeric, t text, y bytea, d date, \
         tm time, ts timestamp, tz timestamptz, u uuid, j json, jb jsonb, a text[], ia int4[])",
    )
    .await
    .unwrap();
    let values = vec![
        Value::Boolean(true),
        Value::Int(-2),
        Value::Int(4),
        Value::Int(i64::MAX),
        Value::Float(1.5),
        Value::Float(0.1),
        Value::Decimal(text("12345678901234567890.0123456789")),
        Value::Text(text("naïve ☃")),
        Value::Bytes(vec![0, 255]),
        Value::Date(text("2026-11-21")),
        Value::Time(text("13:45:00.250")),
        Value::Timestamp(text("2026-11-21T13:45:00.250")),
        Value::Timestamp(text("2026-11-21T13:45:00Z")),
        Value::Uuid(text("67e55044-10b1-426f-9247-bb680e5fe0c8")),
        Value::Json(text("{\"b\" : 1, \"a\":1.10}")),
        Value::Json(text("{\"a\": [1.10]}")),
        Value::Array(vec![Value::Text(text("x")), Value::Null]),
        Value::Array(vec![Value::Int(1), Value::Int(2)]),
    ];
    let places: Vec<_> = (1..=values.len()).map(|n| format!("${n}")).collect();
    let insert = format!("INSERT INTO v VALUES ({})", places.join(", "));
    let source = app.source("default").await;
    let done = source.execute(&insert, values.clone()).await.unwrap();
    assert_eq!(done.rows_affected, 1);
    let rows = source.query("SELECT * FROM v", Vec::new()).await.unwrap();
    assert_eq!(rows.rows, [values]);
    assert_eq!(rows.columns[6].name, "n");
    assert_eq!(rows.columns[6].type_name, "NUMERIC");
    // Text does where the server knows what it is; null does anywhere.
    let nulls = vec![Value::Null; 18];
    source.execute(&insert, nulls.clone()).await.unwrap();
    let found = source
        .query(
            "SELECT i4 FROM v WHERE u = $1 AND d = $2",
            vec![
                Value::Text(text("67e55044-10b1-426f-9247-bb680e5fe0c8")),
                Value::Text(text("2026-11-21")),
            ],
        )
        .await;
    assert_eq!(found.unwrap().rows, [[Value::Int(4)]]);
}

#[tokio::test]
async fn postgres_has_days_and_types_beyond() {
    let bed = Bed::new(DatabaseEngine::Postgres);
    let app = bed.app("shop").await;
    for (sql, value) in [
        (
            "SELECT 'infinity'::timestamptz",
            Value::Timestamp(text("infinity")),
        ),
        ("SELECT '-infinity'::date", Value::Date(text("-infinity"))),
        (
            "SELECT ARRAY['infinity'::timestamp]",
            Value::Array(vec![Value::Timestamp(text("infinity"))]),
        ),
        (
            "SELECT '290000-01-01'::timestamp",
            Value::Timestamp(text("+262142-12-31")),
        ),
        ("SELECT '24:00'::time", Value::Time(text("24:00:00"))),
        ("SELECT 1.10::numeric", Value::Decimal(text("1.10"))),
        ("SELECT 'NaN'::numeric", Value::Decimal(text("NaN"))),
        ("SELECT pg_sleep(0)", Value::Null),
        ("SELECT 42::oid", Value::Int(42)),
    ] {
        assert_eq!(app.one(sql).await, value, "{sql}");
    }
    app.execute("CREATE TYPE mood AS ENUM ('calm', 'glad')")
        .await
        .unwrap();
    app.execute("CREATE DOMAIN positive AS int4 CHECK (value > 0)")
        .await
        .unwrap();
    let mood = app.query(
        "SELECT $1::mood, $2::positive",
        vec![Value::Text(text("glad")), Value::Int(1)],
    );
    assert_eq!(
        mood.await.unwrap(),
        [[Value::Text(text("glad")), Value::Int(1)]]
    );
    // What has no exact form says what to do; the connection goes on.
    for bad in ["SELECT '1 day'::interval", "SELECT '10.0.0.1'::inet"] {
        let Err(SqlError::Database(said)) = app.query(bad, Vec::new()).await else {
            panic!("{bad}");
        };
        assert!(said.code.is_empty(), "{said:?}");
    }
    for (sql, value, why) in [
        ("SELECT $1::int4", Value::Int(1 << 40), "parameter 1"),
        ("SELECT $1::uuid", Value::Text(text("no")), "no UUID"),
        ("SELECT $1::int4", Value::Text(text("1")), "integer"),
        (
            "SELECT $1::interval",
            Value::Text(text("1 day")),
            "$1::text::interval",
        ),
    ] {
        let Err(SqlError::BadParameter(said)) = app.query(sql, vec![value]).await else {
            panic!("{sql}");
        };
        assert!(said.contains(why), "{said}");
    }
    let none = app.query("SELECT $1::int4", Vec::new()).await;
    assert!(matches!(none, Err(SqlError::BadParameter(_))));
}

#[tokio::test]
async fn mariadb_gives_back_what_it_was_given() {
    let bed = Bed::new(DatabaseEngine::Mariadb);
    let app = bed.app("shop").await;
    app.execute(
        "CREATE TABLE v (id int PRIMARY KEY AUTO_INCREMENT, b boolean, i bigint, un bigint unsigned, f double, \
         n decimal(30,10), t text, c varchar(20) COLLATE utf8mb4_bin, y blob, d date, tm time(6), ts datetime(6), \
         tz timestamp NULL, u uuid, j json)",
    )
    .await
    .unwrap();
    let values = vec![
        Value::Boolean(true),
        Value::Int(i64::MIN),
        Value::Int(7),
        Value::Float(0.1),
        Value::Decimal(text("12345678901234567890.0123456789")),
        Value::Text(text("naïve ☃")),
        Value::Text(text("binary collation")),
        Value::Bytes(vec![0, 255]),
        Value::Date(text("2026-11-21")),
        Value::Time(text("13:45:00.250")),
        Value::Timestamp(text("2026-11-21T13:45:00.250")),
        Value::Timestamp(text("2026-11-21T13:45:00Z")),
        Value::Text(text("67e55044-10b1-426f-9247-bb680e5fe0c8")),
        Value::Text(text("{\"a\":1.10}")),
    ];
    let places = vec!["?"; values.len()].join(", ");
    let insert = format!("INSERT INTO v VALUES (NULL, {places})");
    let source = app.source("default").await;
    let done = source.execute(&insert, values.clone()).await.unwrap();
    assert_eq!((done.rows_affected, done.last_insert_id), (1, Some(1)));
    let rows = source.query("SELECT * FROM v", Vec::new()).await.unwrap();
    assert_eq!(rows.rows[0][1..], values);
    source
        .execute(&insert, vec![Value::Null; 14])
        .await
        .unwrap();
    for (sql, value) in [
        (
            "SELECT CAST(18446744073709551615 AS UNSIGNED)",
            Value::Decimal(text("18446744073709551615")),
        ),
        ("SELECT b'101' + 0", Value::Int(5)),
        ("SELECT TIME '-800:00:01'", Value::Time(text("-800:00:01"))),
        ("SELECT 'a' || 'b'", Value::Text(text("ab"))),
    ] {
        assert_eq!(app.one(sql).await, value, "{sql}");
    }
    let array = app.query("SELECT ?", vec![Value::Array(Vec::new())]).await;
    assert!(matches!(array, Err(SqlError::BadParameter(_))));
}

/// What every engine tells in the same words.
async fn errors_and_transactions(app: &App, places: [&str; 2]) {
    let source = app.source("default").await;
    let one = places[0];
    app.execute("CREATE TABLE parent (id int PRIMARY KEY)")
        .await
        .unwrap();
    app.execute(
        "CREATE TABLE child (id int PRIMARY KEY, p int NOT NULL, CONSTRAINT child_p FOREIGN KEY (p) REFERENCES parent (id), \
         CONSTRAINT child_ok CHECK (id < 10))",
    )
    .await
    .unwrap();
    app.execute("INSERT INTO parent VALUES (1)").await.unwrap();
    for (sql, kind) in [
        ("INSERT INTO parent VALUES (1)", Constraint::Unique),
        ("INSERT INTO child VALUES (1, 2)", Constraint::ForeignKey),
        ("INSERT INTO child VALUES (1, NULL)", Constraint::NotNull),
        ("INSERT INTO child VALUES (10, 1)", Constraint::Check),
    ] {
        let Err(SqlError::Constraint(broken)) = app.execute(sql).await else {
            panic!("{sql}");
        };
        assert_eq!(broken.kind, kind, "{sql}: {broken:?}");
        assert!(broken.error.code.len() == 5, "{broken:?}");
    }
    let wrong = app.execute("SELECT nonsense FROM parent").await;
    assert!(matches!(wrong, Err(SqlError::Database(said)) if said.code.starts_with("42")));
    // Two statements in one text.
    assert!(app.execute("SELECT 1; SELECT 2").await.is_err());
    // Dropped: rolled back. Committed: there.
    let begin = || source.begin(SourceAccess::ReadWrite, Isolation::Serializable);
    let mut transaction = begin().await.unwrap();
    let insert = format!("INSERT INTO parent VALUES ({one})");
    transaction
        .execute(&insert, vec![Value::Int(2)])
        .await
        .unwrap();
    drop(transaction);
    let mut transaction = begin().await.unwrap();
    transaction
        .execute(&insert, vec![Value::Int(3)])
        .await
        .unwrap();
    let seen = transaction
        .query("SELECT id FROM parent ORDER BY id", Vec::new())
        .await
        .unwrap();
    assert_eq!(seen.rows, [[Value::Int(1)], [Value::Int(3)]]);
    transaction.commit().await.unwrap();
    assert_eq!(app.one("SELECT count(*) FROM parent").await, Value::Int(2));
    let mut reading = source
        .begin(SourceAccess::ReadOnly, Isolation::EngineDefault)
        .await
        .unwrap();
    let refused = reading.execute(&insert, vec![Value::Int(4)]).await;
    assert!(matches!(refused, Err(SqlError::Refused(_))), "{refused:?}");
    reading.rollback().await.unwrap();
    // Rows in batches, more of them than one holds.
    for n in 0..5 {
        let sql = format!(
            "INSERT INTO parent SELECT id + 100 * {} FROM parent WHERE id < 100000",
            1 << n
        );
        app.execute(&sql).await.unwrap();
    }
    let mut cursor = source
        .read("SELECT a.id, b.id FROM parent a, parent b", Vec::new())
        .await
        .unwrap();
    assert_eq!(cursor.columns.len(), 2);
    let mut count = 0;
    while let Some(batch) = cursor.batches.next().await {
        count += batch.unwrap().len();
    }
    assert_eq!(count, 64 * 64);
    let wrong = source.read("SELECT nonsense", Vec::new()).await;
    assert!(matches!(wrong, Err(SqlError::Database(_))));
}

#[tokio::test]
async fn postgres_tells_what_went_wrong_and_keeps_transactions() {
    let bed = Bed::new(DatabaseEngine::Postgres);
    let app = bed.app("shop").await;
    errors_and_transactions(&app, ["$1", "$2"]).await;
    // A transaction of which a statement failed does not commit, and says so.
    let source = app.source("default").await;
    let mut transaction = source
        .begin(SourceAccess::ReadWrite, Isolation::EngineDefault)
        .await
        .unwrap();
    transaction
        .execute("INSERT INTO parent VALUES (-1)", Vec::new())
        .await
        .unwrap();
    transaction
        .execute("SELECT nonsense", Vec::new())
        .await
        .unwrap_err();
    assert!(
        matches!(transaction.commit().await, Err(SqlError::Database(said)) if said.code == "25P02")
    );
    // A table that changes under a prepared statement: once again, and it is there.
    let ask = || app.query("SELECT * FROM parent LIMIT 1", Vec::new());
    ask().await.unwrap();
    app.execute("ALTER TABLE parent ADD more text")
        .await
        .unwrap();
    assert!(matches!(ask().await, Err(SqlError::Conflict(_))));
    assert_eq!(ask().await.unwrap()[0].len(), 2);
}

#[tokio::test]
async fn mariadb_tells_what_went_wrong_and_keeps_transactions() {
    let bed = Bed::new(DatabaseEngine::Mariadb);
    errors_and_transactions(&bed.app("shop").await, ["?", "?"]).await;
}
