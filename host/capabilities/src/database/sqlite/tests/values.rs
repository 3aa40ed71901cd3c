//! Values come back as what their columns say.

use super::*;

#[tokio::test]
async fn values_come_back_as_they_went_in() {
    let bed = bed();
    bed.run("CREATE TABLE t (b BOOLEAN, i INTEGER, f REAL, t TEXT, x BLOB, d DATE, s TIMESTAMP)")
        .await;
    let row = vec![
        Value::Boolean(true),
        Value::Int(i64::MAX),
        Value::Float(0.5),
        Value::Text("ä'; DROP TABLE t".into()),
        Value::Bytes(vec![0, 255]),
        Value::Date("2026-11-21".into()),
        Value::Timestamp("2026-11-21T10:00:00Z".into()),
    ];
    let added = bed
        .source
        .execute("INSERT INTO t VALUES (?, ?, ?, ?, ?, ?, ?)", row.clone())
        .await
        .unwrap();
    assert_eq!((added.rows_affected, added.last_insert_id), (1, Some(1)));
    let rows = bed.ask("SELECT * FROM t").await.unwrap();
    assert_eq!(rows.rows, [row]);
    let names: Vec<_> = rows.columns.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, ["b", "i", "f", "t", "x", "d", "s"]);
    let empty = bed.ask("SELECT i FROM t WHERE i IS NULL").await.unwrap();
    assert_eq!((empty.columns.len(), empty.rows.len()), (1, 0));
    let array = vec![Value::Array(Vec::new())];
    let refused = bed.source.query("SELECT ?", array).await;
    assert!(matches!(refused, Err(SqlError::BadParameter(_))));
}

#[tokio::test]
async fn declared_types_come_back_where_values_are_such() {
    let bed = bed();
    bed.run("CREATE TABLE t (j JSON, u UUID, d DECIMAL(10, 2))")
        .await;
    let uuid = "67e55044-10b1-426f-9247-bb680e5fe0c8";
    let rows = [
        [
            Value::Json("{\"a\": [1]}".into()),
            Value::Uuid(uuid.into()),
            Value::Decimal("12.5".into()),
        ],
        [
            Value::Json("5".into()),
            Value::Uuid(uuid.to_uppercase()),
            Value::Decimal("-3".into()),
        ],
        [Value::Null, Value::Null, Value::Null],
        // None of them is what its column says.
        [
            Value::Text("{".into()),
            Value::Text("none".into()),
            Value::Text("much".into()),
        ],
    ];
    for row in &rows {
        let added = bed
            .source
            .execute("INSERT INTO t VALUES (?, ?, ?)", row.to_vec());
        added.await.unwrap();
    }
    let sql = "SELECT * FROM t ORDER BY rowid";
    let whole = bed.ask(sql).await.unwrap();
    assert_eq!(whole.rows, rows);
    let names = |columns: &[lodge_model::Column]| {
        let names = columns.iter().map(|c| c.type_name.clone());
        names.collect::<Vec<_>>()
    };
    assert_eq!(names(&whole.columns), ["JSON", "UUID", "DECIMAL"]);
    let mut cursor = bed.source.read(sql, Vec::new()).await.unwrap();
    assert_eq!(names(&cursor.columns), ["JSON", "UUID", "DECIMAL"]);
    assert_eq!(cursor.batches.next().await.unwrap().unwrap(), rows);
    // An expression has no declared type.
    let text = bed.ask("SELECT j || '' FROM t LIMIT 1").await.unwrap();
    assert_eq!(text.rows, [[Value::Text("{\"a\": [1]}".into())]]);
}
