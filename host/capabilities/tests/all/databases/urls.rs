//! Databases by URL: what an administrator may give an app, and what not.

use super::bed::{Bed, ENGINES};
use lodge_model::{
    DatabaseEngine, DatabaseKind, DatabaseSpec, Grant, GrantError, Provider as _, Secret,
    SourceAccess, SourceGrant, SqlError, Value,
};

pub(super) fn by_url(url: &str) -> DatabaseSpec {
    DatabaseSpec {
        kind: DatabaseKind::NewConnection,
        engine: None,
        url: Some(url.into()),
    }
}

pub(super) async fn guest(bed: &Bed) -> String {
    let sql: &[&str] = match bed.engine {
        DatabaseEngine::Postgres => &[
            "CREATE ROLE guest LOGIN PASSWORD 'g:u/e'",
            "CREATE DATABASE theirs OWNER guest",
        ],
        _ => &[
            "CREATE DATABASE theirs",
            "CREATE USER guest@'%' IDENTIFIED BY 'g:u/e'",
            "GRANT ALL ON theirs.* TO guest@'%'",
        ],
    };
    for sql in sql {
        bed.admin("", sql).await.unwrap();
    }
    let url = bed.server.url("theirs");
    let (scheme, rest) = url.split_once("://").unwrap();
    let (_, place) = rest.rsplit_once('@').unwrap();
    format!("{scheme}://guest:g%3Au%2Fe@{place}")
}

#[tokio::test]
async fn an_app_uses_the_server_of_a_url_for_writing_or_reading() {
    for engine in ENGINES {
        let bed = Bed::new(engine);
        let url = guest(&bed).await;
        let mut grant = bed.grant("shop", DatabaseKind::NewDatabase);
        grant.database = by_url(&url);
        let tested = bed
            .provider
            .test_database(&grant.app, &grant.database)
            .await
            .unwrap();
        assert_eq!(tested.engine, engine);
        assert!(!tested.version.is_empty());
        let source = SourceGrant {
            url: Some(url.clone()),
            access: SourceAccess::ReadOnly,
            ..SourceGrant::default()
        };
        grant.sources.insert("archive".into(), source);
        let app = bed.start(&grant).await.unwrap();
        app.execute("CREATE TABLE t (a int)").await.unwrap();
        app.execute("INSERT INTO t VALUES (1)").await.unwrap();
        let archive = app.source("archive").await;
        assert_eq!(
            archive.query("SELECT a FROM t", vec![]).await.unwrap().rows,
            [[Value::Int(1)]]
        );
        for bad in [
            "INSERT INTO t VALUES (2)",
            "DROP TABLE t",
            "COMMIT",
            "SET TRANSACTION READ WRITE",
        ] {
            let refused = archive.execute(bad, vec![]).await;
            assert!(
                matches!(refused, Err(SqlError::Refused(_))),
                "{bad}: {refused:?}"
            );
        }
        if engine == DatabaseEngine::Postgres {
            // The role may write: the transaction around it may not, whatever the session is told.
            for sneaky in [
                "WITH x AS (INSERT INTO t VALUES (2) RETURNING a) SELECT a FROM x",
                "SELECT set_config('transaction_read_only', 'off', false)",
            ] {
                assert!(archive.query(sneaky, vec![]).await.is_err(), "{sneaky}");
            }
            let default = "SELECT set_config('default_transaction_read_only', 'off', false)";
            let _ = archive.query(default, vec![]).await;
            let again = archive
                .query(
                    "WITH x AS (DELETE FROM t RETURNING a) SELECT a FROM x",
                    vec![],
                )
                .await;
            assert!(matches!(again, Err(SqlError::Refused(_))), "{again:?}");
        }
        assert_eq!(app.one("SELECT count(*) FROM t").await, Value::Int(1));
        // What an administrator gave is not the host's to drop.
        drop((app, archive));
        bed.remove(&grant).await;
        let app = bed.start(&grant).await.unwrap();
        assert_eq!(app.one("SELECT count(*) FROM t").await, Value::Int(1));
    }
}

#[tokio::test]
async fn what_leads_further_is_refused_and_says_why() {
    for engine in ENGINES {
        let bed = Bed::new(engine);
        let good = guest(&bed).await;
        let all = bed.server.url(if engine == DatabaseEngine::Postgres {
            "postgres"
        } else {
            "mysql"
        });
        for (url, why) in [
            (all.clone(), "Make a"),
            (good.replace("theirs", ""), "names no database"),
            (
                good.replace("g%3Au%2Fe", "wrong-password"),
                "refuses the login",
            ),
            (format!("{good}?sslrootcert=/etc/shadow"), "sslrootcert"),
            (
                good.replace("127.0.0.1", "nowhere.invalid"),
                "nowhere.invalid",
            ),
        ] {
            let refused = bed
                .provider
                .test_database(&"shop".parse().unwrap(), &by_url(&url))
                .await;
            let text = refused.unwrap_err().to_string();
            assert!(text.contains(why), "{text}");
            assert!(
                !text.contains("wrong-password") && !text.contains("p@ss"),
                "{text}"
            );
        }
    }
}

#[tokio::test]
async fn the_control_database_is_refused_by_whatever_address() {
    // A server whose `control` is the host's own.
    let server = lodge_harness::postgres::Postgres::start().unwrap();
    let control = server.create_database("control").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let settings = lodge_capabilities::database::Settings {
        service: Some(Secret(control.clone())),
        control: Some(Secret(control.clone())),
        ..Default::default()
    };
    let key = std::sync::Arc::new(lodge_capabilities::HostKey::open(folder.path()).unwrap());
    let outbound = lodge_capabilities::outbound::Settings::default();
    let provider =
        lodge_capabilities::HostProvider::new(folder.path(), settings, outbound, key).unwrap();
    let id: lodge_model::AppId = "shop".parse().unwrap();
    for url in [
        control.clone(),
        control.replace("127.0.0.1", "localhost"),
        control.replace("127.0.0.1", "127.1"),
        control.replace("127.0.0.1", "[::ffff:127.0.0.1]"),
        control.replace("postgres://", "postgresql://"),
        control.replace("/control", "/%63ontrol"),
        format!("{control}?sslmode=disable"),
    ] {
        let refused = provider.test_database(&id, &by_url(&url)).await;
        let Err(GrantError::Refused(why)) = refused else {
            panic!("{url}: {refused:?}");
        };
        assert!(why.contains("control database"), "{url}: {why}");
    }
    // Schemas are not made in it either.
    let mut grant: Grant = crate::outbound::grant("shop", &[], lodge_model::Limits::default());
    grant.jwt_keys =
        vec![lodge_capabilities::tokens::generate(lodge_model::JwtAlgorithm::HS256).unwrap()];
    grant.database = DatabaseSpec {
        kind: DatabaseKind::NewSchema,
        engine: None,
        url: None,
    };
    let account = std::sync::Arc::<crate::outbound::TestAccount>::default();
    let opened = provider.open(&grant, account).await.unwrap();
    let source = opened.databases.open("default").await.unwrap();
    let here = source
        .query("SELECT current_database()::text", vec![])
        .await
        .unwrap();
    assert_ne!(here.rows, [[Value::Text("control".into())]]);
}

/// A right given to the URL's login, how the refusal names it, and how it is taken again.
const WAYS_OUT: [&[[&str; 3]]; 2] = [
    &[
        [
            "ALTER ROLE guest SUPERUSER",
            "SUPERUSER",
            "ALTER ROLE guest NOSUPERUSER",
        ],
        [
            "ALTER ROLE guest CREATEROLE",
            "CREATEROLE",
            "ALTER ROLE guest NOCREATEROLE",
        ],
        [
            "ALTER ROLE guest CREATEDB",
            "CREATEDB",
            "ALTER ROLE guest NOCREATEDB",
        ],
        [
            "ALTER ROLE guest REPLICATION",
            "REPLICATION",
            "ALTER ROLE guest NOREPLICATION",
        ],
        // What it may become counts as what it is.
        [
            "GRANT lodge TO guest",
            "SUPERUSER, by its role lodge",
            "REVOKE lodge FROM guest",
        ],
        [
            "CREATE ROLE boss CREATEROLE NOLOGIN; GRANT boss TO guest; ALTER ROLE guest NOINHERIT",
            "CREATEROLE, by its role boss",
            "DROP ROLE boss; ALTER ROLE guest INHERIT",
        ],
        [
            "GRANT pg_read_server_files TO guest",
            "pg_read_server_files",
            "REVOKE pg_read_server_files FROM guest",
        ],
        [
            "GRANT pg_read_all_data TO guest",
            "pg_read_all_data",
            "REVOKE pg_read_all_data FROM guest",
        ],
        [
            "GRANT pg_write_all_data TO guest",
            "pg_write_all_data",
            "REVOKE pg_write_all_data FROM guest",
        ],
        [
            "GRANT pg_signal_backend TO guest",
            "pg_signal_backend",
            "REVOKE pg_signal_backend FROM guest",
        ],
        [
            "GRANT pg_read_all_stats TO guest",
            "pg_read_all_stats",
            "REVOKE pg_read_all_stats FROM guest",
        ],
        [
            "GRANT EXECUTE ON FUNCTION pg_read_file(text) TO guest",
            "EXECUTE on pg_read_file",
            "REVOKE EXECUTE ON FUNCTION pg_read_file(text) FROM guest",
        ],
    ],
    &[
        [
            "GRANT FILE ON *.* TO guest@'%'",
            "FILE on *.*",
            "REVOKE FILE ON *.* FROM guest@'%'",
        ],
        [
            "GRANT SELECT ON *.* TO guest@'%'",
            "SELECT on *.*",
            "REVOKE SELECT ON *.* FROM guest@'%'",
        ],
        [
            "GRANT PROCESS ON *.* TO guest@'%'",
            "PROCESS on *.*",
            "REVOKE PROCESS ON *.* FROM guest@'%'",
        ],
        [
            "GRANT CONNECTION ADMIN ON *.* TO guest@'%'",
            "CONNECTION ADMIN on *.*",
            "REVOKE CONNECTION ADMIN ON *.* FROM guest@'%'",
        ],
        [
            "GRANT INSERT ON mysql.* TO guest@'%'",
            "INSERT on mysql",
            "REVOKE INSERT ON mysql.* FROM guest@'%'",
        ],
        [
            "GRANT SELECT ON `m%`.* TO guest@'%'",
            "SELECT on mysql",
            "REVOKE SELECT ON `m%`.* FROM guest@'%'",
        ],
        [
            "GRANT SELECT ON mysql.global_priv TO guest@'%'",
            "SELECT on mysql",
            "REVOKE SELECT ON mysql.global_priv FROM guest@'%'",
        ],
        [
            "CREATE ROLE boss; GRANT boss TO guest@'%'",
            "the role boss",
            "DROP ROLE boss",
        ],
    ],
];

#[tokio::test]
async fn every_right_that_leads_further_is_named() {
    for (engine, ways) in ENGINES.into_iter().zip(WAYS_OUT) {
        let bed = Bed::new(engine);
        let spec = by_url(&guest(&bed).await);
        let id = "shop".parse().unwrap();
        for [given, named, taken] in ways {
            bed.admin("theirs", given).await.unwrap();
            let refused = bed.provider.test_database(&id, &spec).await;
            let Err(GrantError::Refused(why)) = refused else {
                panic!("{given}: {refused:?}");
            };
            assert!(
                why.contains(named) && why.contains("Make a"),
                "{given}: {why}"
            );
            bed.admin("theirs", taken).await.unwrap();
            bed.provider.test_database(&id, &spec).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_users_rights_are_found_whatever_its_name() {
    let bed = Bed::new(DatabaseEngine::Mariadb);
    bed.admin("", "CREATE DATABASE theirs; CREATE USER 'g@h'@'%' IDENTIFIED BY 'g'; GRANT ALL ON theirs.* TO 'g@h'@'%'")
        .await
        .unwrap();
    let url = bed.server.url("theirs");
    let (_, place) = url.rsplit_once('@').unwrap();
    let spec = by_url(&format!("mariadb://g%40h:g@{place}"));
    let id = "shop".parse().unwrap();
    bed.provider.test_database(&id, &spec).await.unwrap();
    bed.admin("", "GRANT FILE ON *.* TO 'g@h'@'%'")
        .await
        .unwrap();
    let refused = bed.provider.test_database(&id, &spec).await;
    assert!(
        matches!(&refused, Err(GrantError::Refused(why)) if why.contains("FILE")),
        "{refused:?}"
    );
}
