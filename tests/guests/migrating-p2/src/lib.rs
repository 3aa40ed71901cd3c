//! Lists migrations (WASI 0.2), as its configuration's `migrate` asks: `good` (the default), `bad` (the second fails),
//! `order`, `trap`, `spin`, `grow`, `flood` (more than there may be). `/`: the last row that they left.

use exports::lodge::host::migrations::Migration;
use lodge::host::database::DataSource;
use support_p2::*;

wit_bindgen::generate!({
    path: "../../../wit",
    inline: "
        package test:migrating;
        world migrating {
            import lodge:host/database@0.1.0;
            import wasi:config/store@0.2.0-rc.1;
            export lodge:host/migrations@0.1.0;
        }
    ",
    world: "test:migrating/migrating",
    generate_all,
});

wasip2::http::proxy::export!(Migrating);
export!(Migrating);

struct Migrating;

impl Guest for Migrating {
    fn handle(_request: IncomingRequest, out: ResponseOutparam) {
        let source = DataSource::open("default").unwrap();
        text(
            out,
            &format!("{:?}", source.query("SELECT x FROM made", &[])),
        );
    }
}

impl exports::lodge::host::migrations::Guest for Migrating {
    fn list_migrations(engine: String) -> Vec<Migration> {
        let how = wasi::config::store::get("migrate")
            .unwrap()
            .unwrap_or_default();
        let table = migration("0001_table", "CREATE TABLE made (x VARCHAR(40))");
        let row = format!("INSERT INTO made VALUES ('for {engine}')");
        match how.as_str() {
            "bad" => vec![table, migration("0002_bad", "CREATE NONSENSE")],
            "order" => vec![migration("0002_row", &row), table],
            "trap" => panic!("no migrations today"),
            "spin" => spin(),
            "grow" => grow_for_ever(),
            "flood" => (0..20_000)
                .map(|n| migration(&format!("{n:06}"), "SELECT 1"))
                .collect(),
            _ => vec![table, migration("0002_row", &row)],
        }
    }
}

fn migration(id: &str, sql: &str) -> Migration {
    Migration {
        id: id.to_owned(),
        sql: sql.to_owned(),
    }
}
