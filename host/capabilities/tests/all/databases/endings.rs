//! What a guest does to have its statement go on after it was given up: the host ends it on the server
//! all the same, and counts its connection until then.

use super::bed::{App, Bed, ENGINES};
use super::bounds::{asleep, nobody_asleep, sleep};
use lodge_model::{
    DatabaseEngine, DatabaseKind, DatabaseSpec, Grant, SourceAccess, SqlError, Value,
};

/// Makes functions that change the password of whoever calls them, and that sleep for ever whatever
/// they are told.
async fn make_tricks(app: &App, engine: DatabaseEngine) {
    let tricks: &[&str] = match engine {
        DatabaseEngine::Postgres => &[
            "CREATE FUNCTION lock_out() RETURNS void LANGUAGE plpgsql AS $$ BEGIN \
             EXECUTE 'ALTER ROLE CURRENT_USER PASSWORD ''x'''; END $$",
            "CREATE FUNCTION stay() RETURNS void LANGUAGE plpgsql AS $$ BEGIN LOOP \
             BEGIN PERFORM pg_sleep(60); EXCEPTION WHEN query_canceled THEN NULL; WHEN others THEN NULL; END; \
             END LOOP; END $$ /* pg_sleep */",
        ],
        _ => &[
            "CREATE PROCEDURE lock_out() BEGIN SET PASSWORD = PASSWORD('x'); SET max_statement_time = 0; END",
            "CREATE PROCEDURE stay() BEGIN DECLARE CONTINUE HANDLER FOR SQLEXCEPTION BEGIN END; \
             WHILE TRUE DO DO SLEEP(60); END WHILE; END",
        ],
    };
    for trick in tricks {
        app.execute(trick).await.unwrap();
    }
}

/// All that it can do beforehand.
async fn lock_out(app: &App, engine: DatabaseEngine) {
    match engine {
        DatabaseEngine::Postgres => {
            let time = "SELECT set_config('statement_timeout', '0', false)";
            app.query(time, vec![]).await.unwrap();
            app.query("SELECT lock_out()", vec![]).await.unwrap();
        }
        _ => drop(app.execute("CALL lock_out()").await.unwrap()),
    }
}

fn stay(engine: DatabaseEngine) -> &'static str {
    match engine {
        DatabaseEngine::Postgres => "SELECT stay() /* pg_sleep */",
        _ => "CALL stay()",
    }
}

fn shop(bed: &Bed, kind: DatabaseKind) -> Grant {
    let mut grant = bed.grant("shop", kind);
    grant.limits.statement_timeout_ms = 700;
    grant.limits.database_connections = 1;
    grant
}

#[tokio::test]
async fn a_role_that_changed_its_password_is_ended_all_the_same() {
    for (engine, kind) in [
        (DatabaseEngine::Postgres, DatabaseKind::NewDatabase),
        (DatabaseEngine::Postgres, DatabaseKind::NewSchema),
        (DatabaseEngine::Mariadb, DatabaseKind::NewDatabase),
    ] {
        for statement in [sleep(engine, 60), stay(engine).to_owned()] {
            let bed = Bed::new(engine);
            let grant = shop(&bed, kind);
            let app = bed.start(&grant).await.unwrap();
            make_tricks(&app, engine).await;
            lock_out(&app, engine).await;
            let ended = app.query(&statement, vec![]).await;
            assert!(matches!(ended, Err(SqlError::TimedOut(_))), "{ended:?}");
            // Whoever has the place next finds the old statement gone. It is a new login, which the role
            // does not get any more.
            let next = app.query("SELECT 1", vec![]).await;
            assert!(!asleep(&bed).await, "{statement}: the place was given away");
            assert!(
                matches!(&next, Err(SqlError::Refused(why)) if why.contains("login")),
                "{next:?}"
            );
            // The app's next start gives it its password back.
            let app = bed.start(&grant).await.unwrap();
            assert_eq!(app.one("SELECT 1").await, Value::Int(1));
            lock_out(&app, engine).await;
            bed.remove(&grant).await;
        }
    }
}

/// A room is a neighbour's to read, and the reader changes its password: by a function of the owner's.
#[tokio::test]
async fn a_reader_that_changed_its_password_finds_its_way_back() {
    let bed = Bed::new(DatabaseEngine::Postgres);
    let owner = bed.grant("owner", DatabaseKind::NewDatabase);
    let app = bed.start(&owner).await.unwrap();
    make_tricks(&app, bed.engine).await;
    let mut reader = shop(&bed, DatabaseKind::NewDatabase);
    bed.lend(&mut reader, "other", &owner, SourceAccess::ReadOnly);
    let reads = bed.start(&reader).await.unwrap();
    let other = reads.source("other").await;
    let time = "SELECT set_config('statement_timeout', '0', false)";
    other.query(time, vec![]).await.unwrap();
    other.query("SELECT lock_out()", vec![]).await.unwrap();
    let slept = other.query("SELECT pg_sleep(60)", vec![]).await;
    assert!(matches!(slept, Err(SqlError::TimedOut(_))), "{slept:?}");
    nobody_asleep(&bed, "a reader's timeout").await;
    let again = bed.start(&reader).await.unwrap();
    let other = again.source("other").await;
    other.query("SELECT 1", vec![]).await.unwrap();
}

/// PostgreSQL: a role's settings are its own to change. None of them hides a session.
#[tokio::test]
async fn a_roles_settings_hide_no_session() {
    let bed = Bed::new(DatabaseEngine::Postgres);
    let app = bed.start(&shop(&bed, DatabaseKind::NewDatabase)).await;
    let app = app.unwrap();
    for sql in [
        "CREATE FUNCTION pg_backend_pid() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE VIEW pg_stat_activity AS SELECT 1 AS pid, TIMESTAMPTZ '2020-01-01' AS backend_start",
        "CREATE FUNCTION hide() RETURNS void LANGUAGE plpgsql AS $$ BEGIN \
         EXECUTE 'ALTER ROLE CURRENT_USER SET search_path = public, pg_catalog'; \
         EXECUTE 'ALTER ROLE CURRENT_USER SET datestyle = German'; \
         EXECUTE 'ALTER ROLE CURRENT_USER SET timezone = ''Asia/Tokyo'''; END $$",
    ] {
        app.execute(sql).await.unwrap();
    }
    app.query("SELECT hide()", vec![]).await.unwrap();
    // Its sessions from now on are as it set them.
    app.query("SELECT pg_sleep(60)", vec![]).await.unwrap_err();
    nobody_asleep(&bed, "the first timeout").await;
    assert_eq!(app.one("SELECT pg_backend_pid()").await, Value::Int(1));
    let ended = app.query("SELECT pg_sleep(60)", vec![]).await;
    assert!(matches!(ended, Err(SqlError::TimedOut(_))), "{ended:?}");
    let next = app.query("SELECT 1", vec![]).await;
    assert!(!asleep(&bed).await, "the place was given away: {next:?}");
    next.unwrap();
}

/// By URL there is nobody else who could: what cannot be ended keeps its place, and the app's log says so.
#[tokio::test]
async fn what_cannot_be_ended_keeps_its_place() {
    for engine in ENGINES {
        let bed = Bed::new(engine);
        let mut grant = shop(&bed, DatabaseKind::NewConnection);
        grant.database = DatabaseSpec {
            kind: DatabaseKind::NewConnection,
            engine: None,
            url: Some(super::urls::guest(&bed).await),
        };
        let app = bed.start(&grant).await.unwrap();
        make_tricks(&app, engine).await;
        lock_out(&app, engine).await;
        let ended = app.query(&sleep(engine, 60), vec![]).await;
        assert!(matches!(ended, Err(SqlError::TimedOut(_))), "{ended:?}");
        let told = |line: &String| line.contains("cannot be ended") && line.contains("login");
        for _ in 0..20 {
            let next = app.query("SELECT 1", vec![]).await;
            assert!(
                matches!(&next, Err(SqlError::LimitExceeded(why)) if why.contains("database_connections")),
                "{next:?}"
            );
            if app.account.lines.lock().iter().any(told) {
                break;
            }
        }
        assert!(app.account.lines.lock().iter().any(told));
        assert!(asleep(&bed).await);
        // An administrator sets the password again.
        let sql = match engine {
            DatabaseEngine::Postgres => "ALTER ROLE guest PASSWORD 'g:u/e'",
            _ => "ALTER USER guest@'%' IDENTIFIED BY 'g:u/e'",
        };
        bed.admin("", sql).await.unwrap();
        for _ in 0..60 {
            // Waits for the place.
            if app.query("SELECT 1", vec![]).await.is_ok() {
                break;
            }
        }
        assert_eq!(app.one("SELECT 1").await, Value::Int(1));
        assert!(!asleep(&bed).await);
    }
}
