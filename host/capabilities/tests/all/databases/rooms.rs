//! Rooms of apps' own: made, shared by grant, kept, dropped, taken back.

use super::bed::{Bed, ENGINES};
use super::bounds::nobody_asleep;
use lodge_capabilities::database;
use lodge_model::{
    DataPolicy, DatabaseEngine, DatabaseKind, GrantError, Provider as _, Secret, SourceAccess,
    SqlError, Value,
};

#[tokio::test]
async fn two_apps_share_nothing_but_what_is_granted() {
    for engine in ENGINES {
        let bed = Bed::new(engine);
        let one = bed.grant("one", DatabaseKind::NewDatabase);
        let mut two = bed.grant("two", DatabaseKind::NewDatabase);
        bed.lend(&mut two, "reads", &one, SourceAccess::ReadOnly);
        bed.lend(&mut two, "writes", &one, SourceAccess::ReadWrite);
        // The lender need not have been started: its room is made.
        let second = bed.start(&two).await.unwrap();
        let first = bed.start(&one).await.unwrap();
        first.execute("CREATE TABLE t (a int)").await.unwrap();
        first.execute("INSERT INTO t VALUES (1)").await.unwrap();
        assert!(second.execute("INSERT INTO t VALUES (2)").await.is_err());
        let reads = second.source("reads").await;
        let writes = second.source("writes").await;
        assert_eq!(
            reads.query("SELECT a FROM t", vec![]).await.unwrap().rows,
            [[Value::Int(1)]]
        );
        assert_eq!(
            writes
                .execute("INSERT INTO t VALUES (2)", vec![])
                .await
                .unwrap()
                .rows_affected,
            1
        );
        for bad in [
            "INSERT INTO t VALUES (3)",
            "DROP TABLE t",
            "CREATE TABLE u (a int)",
        ] {
            let refused = reads.execute(bad, vec![]).await;
            assert!(
                matches!(refused, Err(SqlError::Refused(_))),
                "{bad}: {refused:?}"
            );
        }
        if engine == DatabaseEngine::Postgres {
            // Words that the first check lets through: the role has no right.
            let sneaky = reads
                .query(
                    "WITH x AS (INSERT INTO t VALUES (3) RETURNING a) SELECT a FROM x",
                    vec![],
                )
                .await;
            assert!(matches!(sneaky, Err(SqlError::Refused(_))), "{sneaky:?}");
        }
        assert_eq!(first.one("SELECT count(*) FROM t").await, Value::Int(2));
    }
}

#[tokio::test]
async fn a_room_is_kept_or_dropped_as_asked() {
    for engine in ENGINES {
        let bed = Bed::new(engine);
        let grant = bed.grant("a-very-long-name-of-an-app", DatabaseKind::NewDatabase);
        let app = bed.start(&grant).await.unwrap();
        app.execute("CREATE TABLE t (a int)").await.unwrap();
        drop(app);
        bed.provider.remove(&grant, DataPolicy::Keep).await.unwrap();
        let app = bed.start(&grant).await.unwrap();
        assert_eq!(app.one("SELECT count(*) FROM t").await, Value::Int(0));
        drop(app);
        bed.remove(&grant).await;
        // Once more: nothing to be dropped is no failure.
        bed.remove(&grant).await;
        let app = bed.start(&grant).await.unwrap();
        assert!(app.query("SELECT count(*) FROM t", vec![]).await.is_err());
    }
}

#[tokio::test]
async fn schemas_share_a_database_and_nothing_else() {
    let bed = Bed::new(DatabaseEngine::Postgres);
    let one = bed.grant("one", DatabaseKind::NewSchema);
    let mut two = bed.grant("two", DatabaseKind::NewSchema);
    bed.lend(&mut two, "reads", &one, SourceAccess::ReadOnly);
    let first = bed.start(&one).await.unwrap();
    let second = bed.start(&two).await.unwrap();
    assert_eq!(
        first.one("SELECT current_database()").await,
        second.one("SELECT current_database()").await
    );
    first.execute("CREATE TABLE t (a int)").await.unwrap();
    first.execute("INSERT INTO t VALUES (1)").await.unwrap();
    let Value::Text(schema) = first.one("SELECT current_schema()::text").await else {
        panic!("no schema");
    };
    let named = format!("SELECT a FROM {schema}.t");
    let refused = second.query(&named, vec![]).await;
    assert!(matches!(refused, Err(SqlError::Refused(_))), "{refused:?}");
    let public = second.execute("CREATE TABLE public.t (a int)").await;
    assert!(matches!(public, Err(SqlError::Refused(_))), "{public:?}");
    let reads = second.source("reads").await;
    assert_eq!(
        reads.query("SELECT a FROM t", vec![]).await.unwrap().rows,
        [[Value::Int(1)]]
    );
    assert!(matches!(
        reads.execute("DELETE FROM t", vec![]).await,
        Err(SqlError::Refused(_))
    ));
    drop((first, second, reads));
    bed.remove(&one).await;
    let first = bed.start(&one).await.unwrap();
    assert!(
        first.query("SELECT a FROM t", vec![]).await.is_err(),
        "dropped"
    );
}

#[tokio::test]
async fn what_the_services_role_lacks_is_named() {
    let bed = Bed::new(DatabaseEngine::Postgres);
    bed.admin("postgres", "CREATE ROLE weak LOGIN PASSWORD 'weak'")
        .await
        .unwrap();
    bed.admin(
        "postgres",
        "CREATE ROLE plain LOGIN PASSWORD 'plain' CREATEDB CREATEROLE",
    )
    .await
    .unwrap();
    let url = |user: &str| {
        let url = bed.server.url("postgres");
        let (_, place) = url.rsplit_once('@').unwrap();
        Secret(format!("postgres://{user}:{user}@{place}"))
    };
    let host = |user: &str| {
        let settings = database::Settings {
            service: Some(url(user)),
            ..Default::default()
        };
        provider(settings)
    };
    let (weak, _folder) = host("weak");
    let grant = bed.grant("shop", DatabaseKind::NewDatabase);
    let spec = grant.database.clone();
    for refused in [
        weak.open(
            &grant,
            std::sync::Arc::<crate::outbound::TestAccount>::default(),
        )
        .await
        .map(drop),
        weak.test_database(&grant.app, &spec).await.map(drop),
    ] {
        let Err(GrantError::Refused(why)) = refused else {
            panic!("{refused:?}");
        };
        assert!(
            why.contains("CREATEROLE") && why.contains("\"weak\""),
            "{why}"
        );
    }
    // With just these rights, all of it works.
    let (plain, _folder) = host("plain");
    plain.test_database(&grant.app, &spec).await.unwrap();
    for kind in [DatabaseKind::NewDatabase, DatabaseKind::NewSchema] {
        let mut grant = bed.grant("shop", kind);
        grant.limits.statement_timeout_ms = 700;
        let opened = plain.open(
            &grant,
            std::sync::Arc::<crate::outbound::TestAccount>::default(),
        );
        let source = opened
            .await
            .unwrap()
            .databases
            .open("default")
            .await
            .unwrap();
        source
            .execute("CREATE TABLE t (a int)", vec![])
            .await
            .unwrap();
        source
            .query("SELECT pg_sleep(60)", vec![])
            .await
            .unwrap_err();
        nobody_asleep(&bed, "a timeout").await;
        drop(source);
        plain.remove(&grant, DataPolicy::Drop).await.unwrap();
    }
    let left = "SELECT FROM pg_roles WHERE rolname LIKE 'lodge\\_%'";
    bed.admin(
        "postgres",
        &format!("DO $$ BEGIN IF EXISTS ({left}) THEN RAISE 'left'; END IF; END $$"),
    )
    .await
    .unwrap();
}

pub(super) fn provider(
    settings: database::Settings,
) -> (
    std::sync::Arc<lodge_capabilities::HostProvider>,
    tempfile::TempDir,
) {
    let folder = tempfile::tempdir().unwrap();
    let key = std::sync::Arc::new(lodge_capabilities::HostKey::open(folder.path()).unwrap());
    let outbound = lodge_capabilities::outbound::Settings::default();
    let provider = lodge_capabilities::HostProvider::new(folder.path(), settings, outbound, key);
    (provider.unwrap(), folder)
}

#[tokio::test]
async fn a_room_that_a_lost_host_left_half_made_is_completed() {
    let bed = Bed::new(DatabaseEngine::Postgres);
    let role = "CREATE ROLE plain LOGIN PASSWORD 'plain' CREATEDB CREATEROLE";
    bed.admin("postgres", role).await.unwrap();
    let url = bed.server.url("postgres");
    let (_, place) = url.rsplit_once('@').unwrap();
    let settings = database::Settings {
        service: Some(Secret(format!("postgres://plain:plain@{place}"))),
        ..Default::default()
    };
    let (plain, _folder) = provider(settings);
    let grant = bed.grant("shop", DatabaseKind::NewDatabase);
    let account = std::sync::Arc::<crate::outbound::TestAccount>::default();
    drop(plain.open(&grant, account.clone()).await.unwrap());
    // Without its mark it is half made: the mark comes last.
    let unmark = "DO $$ DECLARE name text; BEGIN \
         SELECT datname INTO STRICT name FROM pg_database WHERE datname LIKE 'lodge\\_%'; \
         EXECUTE format('COMMENT ON DATABASE %I IS NULL', name); END $$";
    bed.admin("postgres", unmark).await.unwrap();
    let again = plain.open(&grant, account).await;
    assert!(again.is_ok(), "{:?}", again.map(drop));
}

#[tokio::test]
async fn a_half_made_room_is_taken_back() {
    let bed = Bed::new(DatabaseEngine::Postgres);
    // A role that may make roles and databases, but not enter those: the server lets it in nowhere else.
    bed.admin(
        "postgres",
        "CREATE ROLE half LOGIN PASSWORD 'half' CREATEDB CREATEROLE CONNECTION LIMIT 1",
    )
    .await
    .unwrap();
    let url = bed.server.url("postgres");
    let (_, place) = url.rsplit_once('@').unwrap();
    let settings = database::Settings {
        service: Some(Secret(format!("postgres://half:half@{place}"))),
        ..Default::default()
    };
    let (half, _folder) = provider(settings);
    let grant = bed.grant("shop", DatabaseKind::NewDatabase);
    let failed = half
        .open(
            &grant,
            std::sync::Arc::<crate::outbound::TestAccount>::default(),
        )
        .await;
    assert!(matches!(failed.map(drop), Err(GrantError::Unavailable(_))));
    for left in [
        "SELECT FROM pg_roles WHERE rolname LIKE 'lodge\\_%'",
        "SELECT FROM pg_database WHERE datname LIKE 'lodge\\_%'",
    ] {
        bed.admin(
            "postgres",
            &format!("DO $$ BEGIN IF EXISTS ({left}) THEN RAISE 'left'; END IF; END $$"),
        )
        .await
        .unwrap();
    }
}

/// A host whose service is entered as `name`, whose password is its name.
fn host_as(
    bed: &Bed,
    name: &str,
) -> (
    std::sync::Arc<lodge_capabilities::HostProvider>,
    tempfile::TempDir,
) {
    let url = bed.server.url("");
    let (_, place) = url.rsplit_once('@').unwrap();
    provider(database::Settings {
        service: Some(Secret(format!("mariadb://{name}:{name}@{place}"))),
        ..Default::default()
    })
}

#[tokio::test]
async fn what_the_services_user_lacks_on_mariadb_is_named() {
    const ROOMS: &str = "SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, REFERENCES, INDEX, ALTER, \
                         CREATE TEMPORARY TABLES, EXECUTE, CREATE VIEW, SHOW VIEW, CREATE ROUTINE, ALTER ROUTINE";
    let bed = Bed::new(DatabaseEngine::Mariadb);
    bed.admin("", "CREATE USER plain@'%' IDENTIFIED BY 'plain'")
        .await
        .unwrap();
    let (plain, _folder) = host_as(&bed, "plain");
    let mut grant = bed.grant("shop", DatabaseKind::NewDatabase);
    grant.limits.statement_timeout_ms = 700;
    let account = std::sync::Arc::<crate::outbound::TestAccount>::default();
    for (missing, given) in [
        ("CREATE USER", "CREATE USER"),
        ("SELECT … WITH GRANT OPTION", ROOMS),
        ("TRIGGER … WITH GRANT OPTION", "TRIGGER"),
        ("PROCESS", "PROCESS"),
        ("CONNECTION ADMIN", "CONNECTION ADMIN"),
    ] {
        let tested = plain.test_database(&grant.app, &grant.database).await;
        let opened = plain.open(&grant, account.clone()).await;
        for refused in [tested.map(drop), opened.map(drop)] {
            let Err(GrantError::Refused(why)) = refused else {
                panic!("{missing}: {refused:?}");
            };
            assert!(why.contains(missing), "{missing}: {why}");
        }
        let option = if missing.contains("OPTION") {
            "WITH GRANT OPTION"
        } else {
            ""
        };
        let sql = format!("GRANT {given} ON *.* TO plain@'%' {option}");
        bed.admin("", &sql).await.unwrap();
    }
    // With just these rights, all of it works.
    plain
        .test_database(&grant.app, &grant.database)
        .await
        .unwrap();
    let opened = plain.open(&grant, account).await.unwrap();
    let source = opened.databases.open("default").await.unwrap();
    source
        .execute("CREATE TABLE t (a int)", vec![])
        .await
        .unwrap();
    source.query("SELECT SLEEP(60)", vec![]).await.unwrap_err();
    nobody_asleep(&bed, "a timeout").await;
    plain.remove(&grant, DataPolicy::Drop).await.unwrap();
    assert_eq!(left_on_mariadb(&bed).await, None);
}

#[tokio::test]
async fn a_half_made_room_on_mariadb_is_taken_back() {
    use sqlx::{Connection as _, Executor as _, Row as _};
    let bed = Bed::new(DatabaseEngine::Mariadb);
    // The database can be made, and no user: somebody holds the table of those, until the host is told no.
    let url = bed.server.url("").replace("mariadb://", "mysql://");
    let mut holder = sqlx::MySqlConnection::connect(&url).await.unwrap();
    let lock = "FLUSH TABLES mysql.global_priv WITH READ LOCK";
    holder.execute(sqlx::raw_sql(lock)).await.unwrap();
    let grant = bed.grant("shop", DatabaseKind::NewDatabase);
    let refuse = async {
        let sql = "SELECT ID FROM information_schema.PROCESSLIST WHERE INFO LIKE 'CREATE USER%'";
        let waiting = loop {
            if let Some(row) = holder.fetch_optional(sqlx::raw_sql(sql)).await.unwrap() {
                break row.get::<i64, _>(0);
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        };
        assert!(
            left_on_mariadb(&bed).await.is_some(),
            "the database is there"
        );
        let kill = sqlx::AssertSqlSafe(format!("KILL QUERY {waiting}"));
        holder.execute(sqlx::raw_sql(kill)).await.unwrap();
        holder.close().await.unwrap();
    };
    let (failed, ()) = tokio::join!(bed.start(&grant), refuse);
    let failed = failed.map(drop);
    assert!(
        matches!(&failed, Err(GrantError::Unavailable(why)) if why.contains("its user")),
        "{failed:?}"
    );
    assert_eq!(left_on_mariadb(&bed).await, None);
    bed.start(&grant).await.unwrap();
    assert!(left_on_mariadb(&bed).await.is_some());
}

/// A database or a user of an app's that the server has.
async fn left_on_mariadb(bed: &Bed) -> Option<String> {
    let sql = "BEGIN NOT ATOMIC DECLARE found TEXT; \
               SELECT GROUP_CONCAT(name) INTO found FROM ( \
               SELECT SCHEMA_NAME AS name FROM information_schema.SCHEMATA UNION ALL SELECT User FROM mysql.user) AS names \
               WHERE name LIKE 'lodge\\_%'; \
               IF found IS NOT NULL THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = found; END IF; END";
    bed.admin("", sql).await.err().map(|e| e.to_string())
}
