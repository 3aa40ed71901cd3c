//! Ways out of an app's room: each tried, each refused, with an error that a guest can read; and the
//! app goes on.

use super::bed::{App, Bed};
use lodge_model::{
    DataSource, DatabaseEngine, DatabaseKind, Isolation, SourceAccess, SourceGrant, SqlError, Value,
};

const POSTGRES: &[&str] = &[
    "SET search_path = other",
    "SET ROLE postgres",
    "SET SESSION AUTHORIZATION lodge",
    "RESET ROLE",
    "/* /* */ SELECT */ SET ROLE lodge",
    "COPY (SELECT 1) TO PROGRAM 'id > /tmp/lodge-escaped'",
    "COPY t FROM '/etc/passwd'",
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT pg_ls_dir('/')",
    "SELECT lo_import('/etc/passwd')",
    "SELECT pg_read_binary_file('PG_VERSION')",
    "SELECT rolpassword FROM pg_authid",
    "SELECT set_config('role', 'lodge', false)",
    "SELECT set_config('session_authorization', 'lodge', false)",
    "SELECT * FROM postgres.public.t",
    "CREATE EXTENSION dblink",
    "CREATE EXTENSION adminpack",
    "CREATE ROLE mine",
    "ALTER ROLE CURRENT_USER SUPERUSER",
    "ALTER SYSTEM SET shared_preload_libraries = 'x'",
    "ALTER DATABASE postgres SET search_path = 'x'",
    "CREATE DATABASE mine",
    "DROP DATABASE postgres",
    "GRANT ALL ON DATABASE postgres TO PUBLIC",
    "LOAD 'plpgsql'",
    "CREATE FUNCTION f() RETURNS int LANGUAGE c AS '/lib/x86_64-linux-gnu/libc.so.6', 'getpid'",
    "CREATE LANGUAGE plpython3u",
    "CREATE SERVER s FOREIGN DATA WRAPPER file_fdw",
    "CREATE TABLESPACE s LOCATION '/tmp'",
    "SELECT pg_reload_conf()",
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'lodge'",
    "LISTEN other",
    "BEGIN",
    "DO $$ BEGIN SET ROLE lodge; END $$",
];

const MARIADB: &[&str] = &[
    "USE mysql",
    "SET GLOBAL max_connections = 1",
    "SET ROLE lodge",
    "SELECT * FROM mysql.user",
    "SELECT * FROM mysql.global_priv",
    "SELECT LOAD_FILE('/etc/passwd') INTO OUTFILE '/tmp/lodge-escaped'",
    "SELECT 1 INTO OUTFILE '/tmp/lodge-escaped'",
    "SELECT 1 INTO DUMPFILE '/tmp/lodge-escaped'",
    "LOAD DATA INFILE '/etc/passwd' INTO TABLE t",
    "LOAD DATA LOCAL INFILE '/etc/passwd' INTO TABLE t",
    "/*! SET ROLE lodge */",
    "CREATE DATABASE mine",
    "DROP DATABASE mysql",
    "CREATE USER mine",
    "ALTER USER CURRENT_USER() IDENTIFIED BY 'x'",
    "GRANT ALL ON *.* TO CURRENT_USER()",
    "CREATE FUNCTION f RETURNS INT SONAME 'udf.so'",
    "INSTALL PLUGIN x SONAME 'x.so'",
    "CREATE EVENT e ON SCHEDULE EVERY 1 SECOND DO SELECT 1",
    ELSEWHERE,
    "KILL 1",
    "SHUTDOWN",
    "FLUSH TABLES",
    "EXECUTE IMMEDIATE 'SET ROLE lodge'",
    "BEGIN NOT ATOMIC SELECT 1; END",
    "LOCK TABLES t WRITE",
];

/// No right of a role's stands in its way; within a procedure the session takes no notice of the folder.
const ELSEWHERE: &str =
    "CREATE TABLE lodge_escaped (a int NOT NULL) ENGINE = MyISAM DATA DIRECTORY = '/tmp'";

/// Those that a role may say of itself, or that say nothing: within a function only its rights count, and
/// these lead nowhere.
const HARMLESS: &[&str] = &[
    "SET search_path = other",
    "RESET ROLE",
    "LISTEN other",
    "GRANT ALL ON DATABASE postgres TO PUBLIC",
    "BEGIN NOT ATOMIC SELECT 1; END",
];

fn ways(engine: DatabaseEngine) -> &'static [&'static str] {
    match engine {
        DatabaseEngine::Postgres => POSTGRES,
        _ => MARIADB,
    }
}

/// Each way by itself and within a transaction: refused, with an error that a guest can read.
async fn try_all(source: &dyn DataSource, what: &str) {
    for way in ways(source.engine()) {
        let refused = source.query(way, Vec::new()).await;
        let clear = match &refused {
            Err(SqlError::Refused(why)) => !why.is_empty(),
            Err(SqlError::Database(said)) => said.code.len() == 5 && !said.message.is_empty(),
            _ => false,
        };
        assert!(clear, "{what}: {way}: {refused:?}");
        // Within a transaction it is the same.
        let mut transaction = source
            .begin(SourceAccess::ReadWrite, Isolation::EngineDefault)
            .await
            .unwrap();
        assert!(
            transaction.query(way, Vec::new()).await.is_err(),
            "{what}: {way}"
        );
    }
    if source.engine() == DatabaseEngine::Mariadb {
        let file = source.query("SELECT LOAD_FILE('/etc/passwd')", Vec::new());
        assert_eq!(file.await.unwrap().rows, [[Value::Null]], "{what}");
    }
    nobody_escaped();
}

fn nobody_escaped() {
    for file in ["/tmp/lodge-escaped", "/tmp/lodge_escaped.MYD"] {
        assert!(!std::path::Path::new(file).exists(), "{file}");
    }
}

/// What `GRANT ALL` on a database gives, and rooms that the host makes do not.
fn is_given(way: &str, what: &str) -> bool {
    what.contains("URL") && (way.starts_with("CREATE EVENT") || way.starts_with("LOCK TABLES"))
}

/// Each way where no first word is looked at: in a function, a procedure, text that is executed.
async fn try_within(maker: &dyn DataSource, source: &dyn DataSource, what: &str) {
    let engine = maker.engine();
    let runs: &[(&str, &str)] = match engine {
        DatabaseEngine::Postgres => &[
            (
                "CREATE OR REPLACE FUNCTION go(way text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN EXECUTE way; END $$",
                "SELECT go($1)",
            ),
            (
                "CREATE OR REPLACE PROCEDURE goes(way text) LANGUAGE plpgsql AS $$ BEGIN EXECUTE way; END $$",
                "CALL goes($1)",
            ),
        ],
        _ => &[(
            "CREATE OR REPLACE PROCEDURE goes(way text) EXECUTE IMMEDIATE way",
            "CALL goes(?)",
        )],
    };
    for (make, run) in runs {
        maker.execute(make, Vec::new()).await.unwrap();
        for way in ways(engine) {
            if HARMLESS.contains(way) || is_given(way, what) {
                continue;
            }
            let refused = source.query(run, vec![Value::Text((*way).into())]).await;
            let ignored = *way == ELSEWHERE;
            assert!(
                ignored || refused.is_err(),
                "{what}: {run}: {way}: {refused:?}"
            );
        }
    }
    if engine == DatabaseEngine::Mariadb {
        // Not as text to be executed, which takes fewer kinds of statements, but as they stand.
        for way in ways(engine) {
            let make = format!("CREATE OR REPLACE PROCEDURE stands() BEGIN {way}; END");
            let harmless = HARMLESS.contains(way) || is_given(way, what);
            if !harmless && maker.execute(&make, Vec::new()).await.is_ok() {
                let refused = source.query("CALL stands()", Vec::new()).await;
                assert!(refused.is_err(), "{what}: {way}: {refused:?}");
            }
        }
        let make = "CREATE OR REPLACE FUNCTION file() RETURNS text RETURN LOAD_FILE('/etc/passwd')";
        maker.execute(make, Vec::new()).await.unwrap();
        match source.query("SELECT file()", Vec::new()).await {
            Ok(file) => assert_eq!(file.rows, [[Value::Null]], "{what}"),
            Err(refused) => assert!(matches!(refused, SqlError::Refused(_)), "{refused:?}"),
        }
    }
    nobody_escaped();
}

/// The neighbour's room, by its full name, and as if it were one's own.
async fn try_next_door(source: &dyn DataSource, neighbour: &App, what: &str) {
    let home = match source.engine() {
        DatabaseEngine::Postgres => "SELECT current_database()::text || '.' || current_schema()",
        _ => "SELECT DATABASE()",
    };
    let Value::Text(theirs) = neighbour.one(home).await else {
        panic!("no home");
    };
    let own = source.query(home, Vec::new()).await.unwrap().rows;
    assert_ne!(own, [[Value::Text(theirs.clone())]], "{what}");
    let place = theirs.rsplit('.').next().unwrap_or_default();
    for name in [theirs.as_str(), place] {
        for table in ["secret", "t"] {
            let sql = format!("SELECT * FROM {name}.{table}");
            let refused = source.query(&sql, Vec::new()).await;
            // `public` is everybody's name for what is one's own.
            let own = place == "public" && name == place;
            assert!(own || refused.is_err(), "{what}: {sql}: {refused:?}");
        }
    }
    if source.engine() != DatabaseEngine::Postgres {
        return;
    }
    // A path may say what it likes: the names on it are not found.
    let mut transaction = source
        .begin(SourceAccess::ReadOnly, Isolation::EngineDefault)
        .await
        .unwrap();
    let path = format!("SELECT set_config('search_path', '{place}, pg_catalog', false)");
    transaction.query(&path, Vec::new()).await.unwrap();
    let found = transaction.query("SELECT * FROM secret", Vec::new()).await;
    assert!(found.is_err(), "{what}: {found:?}");
}

/// An app's own database, and what two others are granted of it.
async fn try_room(engine: DatabaseEngine, kind: DatabaseKind) {
    let bed = Bed::new(engine);
    let (own, mut reader, mut writer) = (
        bed.grant("shop", kind),
        bed.grant("reader", kind),
        bed.grant("writer", kind),
    );
    bed.lend(&mut reader, "other", &own, SourceAccess::ReadOnly);
    bed.lend(&mut writer, "other", &own, SourceAccess::ReadWrite);
    let neighbour = bed.start(&bed.grant("other", kind)).await.unwrap();
    neighbour
        .execute("CREATE TABLE secret (a int)")
        .await
        .unwrap();
    let app = bed.start(&own).await.unwrap();
    app.execute("CREATE TABLE t (a text)").await.unwrap();
    let (reader, writer) = (
        bed.start(&reader).await.unwrap(),
        bed.start(&writer).await.unwrap(),
    );
    let owned = app.source("default").await;
    for (source, what) in [
        (owned.clone(), "its own"),
        (writer.source("other").await, "granted for writing"),
        (reader.source("other").await, "granted for reading"),
    ] {
        try_all(&*source, what).await;
        try_within(&*owned, &*source, what).await;
        try_next_door(&*source, &neighbour, what).await;
    }
    // The app goes on.
    app.execute("INSERT INTO t VALUES ('x')").await.unwrap();
}

/// A login that an administrator gave the URL of.
async fn try_url(engine: DatabaseEngine) {
    let bed = Bed::new(engine);
    let url = super::urls::guest(&bed).await;
    let neighbour = bed.app("other").await;
    neighbour
        .execute("CREATE TABLE secret (a int)")
        .await
        .unwrap();
    let mut grant = bed.grant("shop", DatabaseKind::NewConnection);
    grant.database.engine = None;
    grant.database.url = Some(url.clone());
    let archive = SourceGrant {
        url: Some(url),
        access: SourceAccess::ReadOnly,
        ..SourceGrant::default()
    };
    grant.sources.insert("archive".into(), archive);
    let app = bed.start(&grant).await.unwrap();
    app.execute("CREATE TABLE t (a text)").await.unwrap();
    let own = app.source("default").await;
    for (source, what) in [
        (own.clone(), "by URL"),
        (app.source("archive").await, "by URL, for reading"),
    ] {
        try_all(&*source, what).await;
        try_within(&*own, &*source, what).await;
        try_next_door(&*source, &neighbour, what).await;
    }
    app.execute("INSERT INTO t VALUES ('x')").await.unwrap();
}

#[tokio::test]
async fn no_way_out_of_a_postgres_schema() {
    try_room(DatabaseEngine::Postgres, DatabaseKind::NewSchema).await;
}

#[tokio::test]
async fn no_way_out_of_a_database_by_url() {
    try_url(DatabaseEngine::Postgres).await;
    try_url(DatabaseEngine::Mariadb).await;
}

#[tokio::test]
async fn no_way_out_of_a_postgres_database() {
    try_room(DatabaseEngine::Postgres, DatabaseKind::NewDatabase).await;
    // Its login works nowhere else either.
    let bed = Bed::new(DatabaseEngine::Postgres);
    let (app, _other) = (bed.app("shop").await, bed.app("other").await);
    let Value::Text(role) = app.one("SELECT current_user::text").await else {
        panic!("no role");
    };
    let rights = format!(
        "DO $$ BEGIN IF (SELECT bool_or(has_database_privilege('{role}', datname, 'CONNECT')) FROM pg_database \
         WHERE datname LIKE 'lodge%other') THEN RAISE 'may connect'; END IF; END $$"
    );
    bed.admin("postgres", &rights).await.unwrap();
    // Nor does it own what it lives in: it lets nobody in, and does not throw it away.
    let owner = "SELECT pg_get_userbyid(datdba)::text = current_user::text FROM pg_database WHERE datname = current_database()";
    assert_eq!(app.one(owner).await, Value::Boolean(false));
}

#[tokio::test]
async fn no_way_out_of_a_mariadb_database() {
    try_room(DatabaseEngine::Mariadb, DatabaseKind::NewDatabase).await;
}

/// Migrations are not looked at word by word: only the role's rights keep them in.
#[tokio::test]
async fn no_way_out_within_migrations() {
    for (engine, kind) in [
        (DatabaseEngine::Postgres, DatabaseKind::NewDatabase),
        (DatabaseEngine::Postgres, DatabaseKind::NewSchema),
        (DatabaseEngine::Mariadb, DatabaseKind::NewDatabase),
    ] {
        let bed = Bed::new(engine);
        let app = bed.start(&bed.grant("shop", kind)).await.unwrap();
        let databases = &app.capabilities.databases;
        app.execute("CREATE TABLE t (a text)").await.unwrap();
        let ways = ways(engine).iter().filter(|way| !HARMLESS.contains(way));
        for way in ways {
            let mut scripts = Vec::new();
            // In a transaction, which it is in, it is but a warning.
            if *way != "BEGIN" {
                scripts.push(format!("CREATE TABLE u (a int); {way};"));
            }
            if engine == DatabaseEngine::Postgres {
                let block = format!("DO $block$ BEGIN EXECUTE $way${way}$way$; END $block$");
                scripts.push(block);
            }
            for sql in scripts {
                let migration = lodge_model::Migration {
                    id: "0001".into(),
                    sql,
                };
                let refused = databases.migrate(vec![migration]).await;
                assert!(refused.is_err(), "{way}");
                // What broke off, MariaDB keeps.
                let _ = app.execute("DROP TABLE u").await;
                app.execute("DELETE FROM lodge_migrations").await.unwrap();
            }
        }
        nobody_escaped();
    }
}
