//! What stands in for SQLite's functions answers as they do, and ends.

use super::*;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Row as _};

/// A connection with SQLite's own functions.
async fn plain() -> SqliteConnection {
    guard::prepare().unwrap();
    SqliteConnectOptions::new().connect().await.unwrap()
}

/// The type and the bytes of an expression's value, or that it fails.
fn told(expression: &str) -> String {
    format!("SELECT typeof(x) || ':' || hex(x) FROM (SELECT {expression} AS x)")
}

async fn compare(bed: &Bed, plain: &mut SqliteConnection, expression: &str) {
    let sql = told(expression);
    let theirs = sqlx::query(sqlx::AssertSqlSafe(sql.clone()))
        .fetch_one(plain)
        .await;
    let theirs = theirs.map(|row| row.try_get::<Option<String>, _>(0).unwrap());
    let ours = match bed.ask(&sql).await {
        Ok(rows) => Ok(match &rows.rows[0][0] {
            Value::Text(text) => Some(text.clone()),
            _ => None,
        }),
        Err(e) => Err(e),
    };
    match (&theirs, &ours) {
        (Ok(theirs), Ok(ours)) => assert_eq!(theirs, ours, "{expression}"),
        (Err(_), Err(_)) => {}
        _ => panic!("{expression}: {theirs:?}, here {ours:?}"),
    }
}

const CALLS: [&str; 9] = [
    "instr({0}, {1})",
    "replace({0}, {1}, {2})",
    "trim({0}, {1})",
    "ltrim({0}, {1})",
    "rtrim({0}, {1})",
    "unhex({0}, {1})",
    "{0} LIKE {1}",
    "{0} LIKE {1} ESCAPE {2}",
    "{0} GLOB {1}",
];

fn filled(call: &str, values: [&str; 3]) -> String {
    call.replace("{0}", values[0])
        .replace("{1}", values[1])
        .replace("{2}", values[2])
}

#[tokio::test]
async fn functions_answer_as_sqlites_own() {
    let (bed, mut plain) = (bed(), plain().await);
    let values = [
        "NULL",
        "''",
        "x''",
        "'a'",
        "'abcabc'",
        "'bc'",
        "'äöüä'",
        "'ä'",
        "x'C3'",
        "x'A4'",
        "x'C3A400C3A4'",
        "x'616263'",
        "'a' || char(0) || 'b'",
        "12.5",
        "25",
        "'%'",
        "'_b%'",
        "'*[a-c]?'",
        "'6162 63'",
    ];
    for call in CALLS {
        for one in values {
            for other in values {
                for third in ["NULL", "'%'", "'xyz'"] {
                    compare(&bed, &mut plain, &filled(call, [one, other, third])).await;
                    if !call.contains("{2}") {
                        break;
                    }
                }
            }
        }
    }
}

/// A small generator: what fails can be had again.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % sides as u64) as usize
    }

    /// A text of a few of `parts`, now and then a blob of them.
    fn value(&mut self, parts: &[&[u8]], most: usize) -> String {
        let bytes: Vec<u8> = (0..self.throw(most + 1))
            .flat_map(|_| parts[self.throw(parts.len())].to_vec())
            .collect();
        let blob = format!("x'{}'", hex::encode(bytes));
        match self.throw(4) {
            0 => blob,
            _ => format!("CAST({blob} AS TEXT)"),
        }
    }
}

#[tokio::test]
async fn functions_answer_as_sqlites_own_whatever_they_are_given() {
    let (bed, mut plain) = (bed(), plain().await);
    let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
    let letters: [&[u8]; 9] = [
        b"a",
        b"b",
        b"A",
        "ä".as_bytes(),
        "€".as_bytes(),
        "😀".as_bytes(),
        b"\xC3",
        b"\xA4",
        b"0",
    ];
    let signs: [&[u8]; 14] = [
        b"a",
        b"B",
        b"%",
        b"%",
        b"_",
        b"*",
        b"?",
        b"[",
        b"]",
        b"^",
        b"-",
        "ä".as_bytes(),
        b"\xC3",
        b"b",
    ];
    let digits: [&[u8]; 6] = [b"6", b"aF", b" ", "ä".as_bytes(), b"\x00", b"\xF0"];
    for round in 0..6_000 {
        let call = CALLS[round % CALLS.len()];
        let (first, second): (&[&[u8]], &[&[u8]]) = match round % CALLS.len() {
            0..5 => (&letters, &letters),
            5 => (&digits, &digits),
            _ => (&letters, &signs),
        };
        let values = [
            dice.value(first, 8),
            dice.value(second, if round % 2 == 0 { 2 } else { 6 }),
            dice.value(second, 1),
        ];
        let [one, other, third] = &values;
        compare(&bed, &mut plain, &filled(call, [one, other, third])).await;
    }
}

/// As large as a value may be; each took SQLite's own from seconds to hours.
#[tokio::test]
async fn functions_of_large_values_end_in_time() {
    let bed = bed_with(|settings| {
        settings.result_bytes = 16 << 20;
        settings.statement_timeout = Duration::from_secs(20);
    });
    let a = |n: u32| format!("replace(hex(zeroblob({})), '0', 'a')", n / 2);
    let many = "(SELECT group_concat(char(i + 1000), '') FROM (WITH RECURSIVE n(i) AS \
                (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 20000) SELECT i FROM n))";
    for (sql, result) in [
        (
            format!("instr({}, {} || 'b')", a(8_000_000), a(4_000_000)),
            0,
        ),
        (
            format!(
                "length(replace({}, {} || 'b', 'c'))",
                a(8_000_000),
                a(4_000_000)
            ),
            8_000_000,
        ),
        (
            format!(
                "length(trim(replace({}, 'a', char(21000)) || 'b', {many}))",
                a(2_000_000)
            ),
            1,
        ),
        (
            format!(
                "length(unhex(replace({}, 'aa', 'a' || char(21000)), {many})) IS NULL",
                a(2_000_000)
            ),
            1,
        ),
    ] {
        let rows = bed.ask(&format!("SELECT {sql}")).await;
        let rows = rows.unwrap_or_else(|e| panic!("{sql}: {e}"));
        assert_eq!(rows.rows, [[Value::Int(result)]], "{sql}");
    }
    assert_eq!(bed.books.reserved.load(Relaxed) >> 20, 0);
}

#[tokio::test]
async fn a_pattern_is_given_up_in_time() {
    let bed = bed_with(|settings| settings.result_bytes = 16 << 20);
    for operator in ["LIKE '%' ||", "GLOB '*' ||"] {
        let tail = if operator.starts_with('L') {
            "b%"
        } else {
            "b*"
        };
        let one = format!(
            "replace(hex(zeroblob(8000000)), '0', 'a') {operator} replace(hex(zeroblob(450)), '0', 'a') || '{tail}'"
        );
        let begun = Instant::now();
        let ended = bed.ask(&format!("SELECT {one}")).await.unwrap_err();
        assert!(matches!(ended, SqlError::TimedOut(_)), "{ended:?}");
        assert!(begun.elapsed() < Duration::from_secs(5), "{operator}");
    }
    let long = "SELECT 'a' LIKE replace(hex(zeroblob(501)), '0', 'a')";
    let refused = bed.ask(long).await.unwrap_err().to_string();
    assert!(refused.contains("1000 bytes"), "{refused}");
}

/// Arrays within arrays, as SQLite's binary JSON: before each its size.
fn deep(depth: usize) -> Value {
    let mut size = 1_u32;
    let mut headers = vec![vec![0x0B]];
    for _ in 0..depth {
        let header = match size {
            0..=11 => vec![(size as u8) << 4 | 0x0B],
            _ => [vec![0xEB], size.to_be_bytes().to_vec()].concat(),
        };
        size += header.len() as u32;
        headers.push(header);
    }
    headers.reverse();
    Value::Bytes(headers.concat())
}

/// It would end the process: SQLite's own went down as deep as the path said.
#[tokio::test]
async fn json_goes_only_so_deep() {
    let bed = bed_with(|settings| settings.result_bytes = 16 << 20);
    let steps = |step: &str| format!("'$' || replace(hex(zeroblob(200000)), '00', '{step}')");
    for (sql, parameters) in [
        (format!("json_set('{{}}', {}, 1)", steps(".a")), vec![]),
        (format!("json_set('[]', {}, 1)", steps("[0]")), vec![]),
        ("json(?)".into(), vec![deep(200_000)]),
        ("json_array(json(?))".into(), vec![deep(200_000)]),
        (
            format!("json_extract(?, {})", steps("[0]")),
            vec![deep(200_000)],
        ),
        (
            format!("json_set(?, {}, 1)", steps("[0]")),
            vec![deep(200_000)],
        ),
        (
            format!("json_remove(?, {})", steps("[0]")),
            vec![deep(200_000)],
        ),
        ("json_pretty(?)".into(), vec![deep(200_000)]),
        ("max(fullkey) FROM json_tree(?)".into(), vec![deep(200_000)]),
    ] {
        let asked = bed.source.query(&format!("SELECT {sql}"), parameters).await;
        assert!(asked.is_err(), "{sql}: {asked:?}");
    }
    bed.ask("SELECT 1").await.unwrap();
    let refused = bed.ask("SELECT json_patch('{}', '{}')").await.unwrap_err();
    assert!(
        matches!(&refused, SqlError::Refused(why) if why.contains("json_set")),
        "{refused:?}"
    );
}
