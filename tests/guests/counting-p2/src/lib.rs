//! Keeps count in its own database (WASI 0.2), so that effects are seen where they happen. A migration writes a row that
//! no key holds to being one; `/visit?n=` writes the number of a visit, likewise, and answers `noted`; anything
//! else: its configuration's `mark`.

use exports::lodge::host::migrations::Migration;
use lodge::host::database::DataSource;
use lodge::host::sql::Value;
use support_p2::*;

wit_bindgen::generate!({
    path: "../../../wit",
    inline: "
        package test:counting;
        world counting {
            import lodge:host/database@0.1.0;
            import wasi:config/store@0.2.0-rc.1;
            export lodge:host/migrations@0.1.0;
        }
    ",
    world: "test:counting/counting",
    generate_all,
});

wasip2::http::proxy::export!(Counting);
export!(Counting);

struct Counting;

impl Guest for Counting {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let target = target(&request);
        let done = match target.path() {
            "/visit" => note(target.number("n", 0)),
            _ => wasi::config::store::get("mark")
                .map(Option::unwrap_or_default)
                .map_err(|error| format!("{error:?}")),
        };
        let (status, body) = match done {
            Ok(text) => (200, text),
            Err(text) => (500, text),
        };
        answer(
            out,
            status,
            &[("content-type", "text/plain")],
            body.as_bytes(),
        );
    }
}

fn note(number: u64) -> Result<String, String> {
    let source = DataSource::open("default").map_err(|error| format!("{error:?}"))?;
    let sql = format!("INSERT INTO visits VALUES ({number})");
    let no_values: &[Value] = &[];
    source
        .execute(&sql, no_values)
        .map_err(|error| format!("{error:?}"))?;
    Ok("noted".into())
}

impl exports::lodge::host::migrations::Guest for Counting {
    fn list_migrations(_engine: String) -> Vec<Migration> {
        let statements = [
            ("0001_tables", "CREATE TABLE made (x VARCHAR(40))"),
            ("0002_visits", "CREATE TABLE visits (n BIGINT)"),
            ("0003_row", "INSERT INTO made VALUES ('once')"),
        ];
        let list = statements.iter().map(|(id, sql)| Migration {
            id: (*id).to_owned(),
            sql: (*sql).to_owned(),
        });
        list.collect()
    }
}
