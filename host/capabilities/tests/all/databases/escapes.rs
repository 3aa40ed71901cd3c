//! Ways out of an app's room: each tried, each refused, with an error that a guest can read; and the
//! app goes on.

use super::bed::Bed;
use lodge_model::{DatabaseEngine, DatabaseKind, Isolation, SourceAccess, SqlError, Value};

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
    "CREATE TABLE f (a int) ENGINE = CSV DATA DIRECTORY = '/tmp'",
    "KILL 1",
    "SHUTDOWN",
    "FLUSH TABLES",
    "EXECUTE IMMEDIATE 'SET ROLE lodge'",
    "BEGIN NOT ATOMIC SELECT 1; END",
    "LOCK TABLES t WRITE",
];

async fn try_all(bed: &Bed, ways: &[&str]) {
    let app = bed.app("shop").await;
    let neighbour = bed.app("other").await;
    app.execute("CREATE TABLE t (a text)").await.unwrap();
    neighbour
        .execute("CREATE TABLE secret (a int)")
        .await
        .unwrap();
    let source = app.source("default").await;
    for way in ways {
        let refused = app.query(way, Vec::new()).await;
        let clear = match &refused {
            Err(SqlError::Refused(why)) => !why.is_empty(),
            Err(SqlError::Database(said)) => said.code.len() == 5 && !said.message.is_empty(),
            _ => false,
        };
        assert!(clear, "{way}: {refused:?}");
        // Within a transaction it is the same.
        let mut transaction = source
            .begin(SourceAccess::ReadWrite, Isolation::EngineDefault)
            .await
            .unwrap();
        assert!(transaction.query(way, Vec::new()).await.is_err(), "{way}");
    }
    assert!(!std::path::Path::new("/tmp/lodge-escaped").exists());
    // The neighbour's room, by its full name.
    let home = |app| async move {
        let sql = match bed.engine {
            DatabaseEngine::Postgres => "SELECT current_database()::text",
            _ => "SELECT DATABASE()",
        };
        match super::bed::App::one(app, sql).await {
            Value::Text(name) => name,
            other => panic!("{other:?}"),
        }
    };
    let (own, others) = (home(&app).await, home(&neighbour).await);
    assert_ne!(own, others);
    for name in [
        format!("{others}.secret"),
        format!("{others}.public.secret"),
    ] {
        assert!(
            app.query(&format!("SELECT * FROM {name}"), Vec::new())
                .await
                .is_err(),
            "{name}"
        );
    }
    // The app goes on.
    app.execute("INSERT INTO t VALUES ('x')").await.unwrap();
}

#[tokio::test]
async fn no_way_out_of_a_postgres_database() {
    let bed = Bed::new(DatabaseEngine::Postgres);
    try_all(&bed, POSTGRES).await;
    // Its login works nowhere else either.
    let app = bed.app("shop").await;
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
    try_all(&Bed::new(DatabaseEngine::Mariadb), MARIADB).await;
}

#[tokio::test]
async fn no_way_out_within_migrations() {
    for (engine, ways) in [
        (
            DatabaseEngine::Postgres,
            &[
                "SET ROLE lodge",
                "COPY (SELECT 1) TO PROGRAM 'id'",
                "CREATE EXTENSION dblink",
            ],
        ),
        (
            DatabaseEngine::Mariadb,
            &[
                "USE mysql",
                "SELECT 1 INTO OUTFILE '/tmp/lodge-escaped'",
                "CREATE DATABASE mine",
            ],
        ),
    ] {
        let bed = Bed::new(engine);
        for (number, way) in ways.iter().enumerate() {
            let grant = bed.grant(&format!("app{number}"), DatabaseKind::NewDatabase);
            let app = bed.start(&grant).await.unwrap();
            let migration = lodge_model::Migration {
                id: "0001".into(),
                sql: format!("CREATE TABLE t (a int); {way};"),
            };
            let refused = app.capabilities.databases.migrate(vec![migration]).await;
            assert!(refused.is_err(), "{way}");
        }
    }
}
