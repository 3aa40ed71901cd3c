//! Rooms on PostgreSQL.
//!
//! Databases and schemas belong to the host's own role, not to the app's: an app's role cannot let
//! others in, or drop its database. What a role may always change of itself (its password, what its
//! sessions are set to) is as it should be again at the app's next start. The host's role is a member of
//! the apps', so that it may end what they run and drop what they made.

use crate::database::server::provision::{Plan, Room, ask, connect, not_made, run};
use crate::database::server::session::Live;
use aws_lc_rs::{digest, hmac, pbkdf2, rand};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lodge_model::{GrantError, Row, Secret, SqlError, Value};
use sqlx::{Connection as _, Row as _};
use std::num::NonZeroU32;

/// What a room says of itself once it is whole.
const READY: &str = "lodge: ready";
/// What leads out of a database, of a role and of all that it may become: other logins, the server's
/// files and processes, what others run and store. The server's predefined roles all do, but for the one
/// that a database's owner has; so do functions about files, once somebody granted them.
const WAYS_OUT: &str = r"
    SELECT what FROM (
        SELECT number AS place, 'the right ' || what
            || CASE WHEN rolname = current_user THEN '' ELSE ', by its role ' || rolname END AS what
        FROM pg_roles, LATERAL (VALUES (1, rolsuper, 'SUPERUSER'), (2, rolcreaterole, 'CREATEROLE'),
            (3, rolreplication, 'REPLICATION'), (4, rolcreatedb, 'CREATEDB')) AS attribute(number, has, what)
        WHERE has AND pg_has_role(current_user, pg_roles.oid, 'MEMBER')
        UNION ALL SELECT 5, 'the role ' || rolname FROM pg_roles
        WHERE rolname LIKE 'pg\_%' AND rolname <> 'pg_database_owner' AND pg_has_role(current_user, oid, 'MEMBER')
        UNION ALL SELECT 6, 'the right EXECUTE on ' || proname FROM pg_proc
        WHERE pronamespace = 'pg_catalog'::regnamespace AND has_function_privilege(oid, 'EXECUTE')
        AND proname IN ('pg_read_file', 'pg_read_binary_file', 'pg_ls_dir', 'pg_stat_file', 'lo_import', 'lo_export')
    ) AS ways ORDER BY place, what";

/// Makes a room, or what is missing of one.
pub(in crate::database::server) async fn make(
    admin: &mut Live,
    plan: &Plan,
) -> Result<(), GrantError> {
    check(admin, plan.room).await?;
    let mut made = Vec::new();
    match make_all(admin, plan, &mut made).await {
        Ok(()) => Ok(()),
        // Another host of the same key, to which the app was moved, may have completed it meanwhile.
        Err(error) if is_ready(admin, plan).await => Err(error),
        Err(error) => {
            for undo in made.iter().rev() {
                if let Err(left) = run(admin, undo).await {
                    tracing::warn!(%left, "cannot take a half-made database back: {undo}");
                }
            }
            Err(error)
        }
    }
}

async fn make_all(admin: &mut Live, plan: &Plan, made: &mut Vec<String>) -> Result<(), GrantError> {
    let role = quoted(&plan.role);
    let reader = quoted(&plan.reader);
    for (name, password) in [
        (&plan.role, &plan.password),
        (&plan.reader, &plan.reader_password),
    ] {
        let there = exists(admin, "SELECT 1 FROM pg_roles WHERE rolname = $1", name).await?;
        let verb = if there { "ALTER" } else { "CREATE" };
        // Of a role that is there (in a room that was left half made), only superusers may say this, also
        // where it changes nothing.
        let asked = "SELECT 1 FROM pg_roles WHERE rolname = $1 AND rolsuper";
        let plain = there && !exists(admin, asked, name).await?;
        let superuser = if plain { "" } else { "NOSUPERUSER" };
        let verifier = verifier(password)?;
        let sql = format!(
            "{verb} ROLE {} LOGIN {superuser} NOCREATEDB NOCREATEROLE PASSWORD '{verifier}'",
            quoted(name)
        );
        step(admin, "its role", &sql).await?;
        if !there {
            made.push(format!("DROP ROLE IF EXISTS {}", quoted(name)));
        }
        let sql = format!("ALTER ROLE {} RESET ALL", quoted(name));
        step(admin, "its role's settings", &sql).await?;
        join(admin, name).await?;
    }
    if plan.makes_database {
        make_database(admin, plan, made).await?;
    }
    let database = quoted(&plan.database);
    let sql = format!(
        "GRANT CONNECT, TEMPORARY ON DATABASE {database} TO {role}; GRANT CONNECT ON DATABASE {database} TO {reader}; \
         ALTER ROLE {role} IN DATABASE {database} RESET ALL; ALTER ROLE {reader} IN DATABASE {database} RESET ALL"
    );
    step(admin, "its rights", &sql).await?;
    let inside = plan.service.with_login(
        &plan.database,
        &plan.service.user,
        plan.service.password.clone(),
    );
    let mut inside = connect(&inside)
        .await
        .map_err(|e| not_made("entering it", &e))?;
    let schema = match plan.room {
        Room::Database => {
            let sql = format!("GRANT CREATE ON DATABASE {database} TO {role}");
            step(&mut inside, "its rights", &sql).await?;
            "public".to_owned()
        }
        Room::Schema => {
            let asked = "SELECT 1 FROM pg_namespace WHERE nspname = $1";
            let there = exists(&mut inside, asked, &plan.role).await?;
            if !there {
                step(&mut inside, "its schema", &format!("CREATE SCHEMA {role}")).await?;
            }
            let path = format!(
                "ALTER ROLE {role} IN DATABASE {database} SET search_path = {role}; \
                 ALTER ROLE {reader} IN DATABASE {database} SET search_path = {role}"
            );
            step(&mut inside, "its search path", &path).await?;
            role.clone()
        }
    };
    let rights = format!(
        "GRANT USAGE, CREATE ON SCHEMA {schema} TO {role}; GRANT USAGE ON SCHEMA {schema} TO {reader}"
    );
    step(&mut inside, "its rights", &rights).await?;
    let mut own = connect(&plan.address(&plan.role, &plan.password))
        .await
        .map_err(|e| not_made("entering it as its role", &e))?;
    let readers = format!(
        "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO {reader}; \
         ALTER DEFAULT PRIVILEGES GRANT SELECT ON SEQUENCES TO {reader}; \
         ALTER DEFAULT PRIVILEGES GRANT USAGE ON SCHEMAS TO {reader}"
    );
    step(&mut own, "its reader's rights", &readers).await?;
    let mark = match plan.room {
        Room::Database => format!("COMMENT ON DATABASE {database} IS '{READY}'"),
        Room::Schema => format!("COMMENT ON SCHEMA {role} IS '{READY}'"),
    };
    step(&mut inside, "its mark", &mark).await
}

async fn make_database(
    admin: &mut Live,
    plan: &Plan,
    made: &mut Vec<String>,
) -> Result<(), GrantError> {
    let database = quoted(&plan.database);
    let asked = "SELECT 1 FROM pg_database WHERE datname = $1";
    if !exists(admin, asked, &plan.database).await? {
        let sql = format!("CREATE DATABASE {database} TEMPLATE template0 ENCODING 'UTF8'");
        step(admin, "its database", &sql).await?;
        made.push(format!("DROP DATABASE IF EXISTS {database}"));
    }
    let sql = format!("REVOKE ALL ON DATABASE {database} FROM PUBLIC");
    step(admin, "its database's rights", &sql).await
}

/// Makes the host's role a member of an app's, if it is not one (or may do all that already).
async fn join(admin: &mut Live, role: &str) -> Result<(), GrantError> {
    let asked = "SELECT 1 WHERE pg_has_role(current_user, $1::name, 'USAGE')";
    if !exists(admin, asked, role).await? {
        let sql = format!("GRANT {} TO CURRENT_USER", quoted(role));
        step(admin, "joining its role", &sql).await?;
    }
    Ok(())
}

/// Whether the room was made to its end, and the host may end what runs in it.
pub(in crate::database::server) async fn is_ready(own: &mut Live, plan: &Plan) -> bool {
    let said = match plan.room {
        Room::Database => {
            "(SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = $1)"
        }
        Room::Schema => {
            "(SELECT obj_description(oid, 'pg_namespace') FROM pg_namespace WHERE nspname = $1)"
        }
    };
    let asked = format!(
        "SELECT {said} = '{READY}' AND pg_has_role($2::name, $1::name, 'USAGE') AND pg_has_role($2::name, $3::name, 'USAGE')"
    );
    let names = [&plan.role, &plan.service.user, &plan.reader];
    let names = names.map(|name| Value::Text(name.clone())).to_vec();
    let said = ask(own, &asked, names).await;
    said.is_ok_and(|rows| first(&rows) == Some(&Value::Boolean(true)))
}

/// Drops a room with all that is in it.
pub(in crate::database::server) async fn remove(
    admin: &mut Live,
    plan: &Plan,
) -> Result<(), GrantError> {
    let (role, reader) = (quoted(&plan.role), quoted(&plan.reader));
    let database = quoted(&plan.database);
    let mut roles = Vec::new();
    for name in [&plan.role, &plan.reader] {
        let asked = "SELECT 1 FROM pg_roles WHERE rolname = $1";
        if exists(admin, asked, name).await? {
            join(admin, name).await?;
            roles.push(quoted(name));
        }
    }
    match plan.room {
        Room::Database => {
            let sql = format!("DROP DATABASE IF EXISTS {database} WITH (FORCE)");
            step(admin, "dropping it", &sql).await?;
        }
        Room::Schema => {
            let asked = "SELECT 1 FROM pg_database WHERE datname = $1";
            if exists(admin, asked, &plan.database).await? {
                remove_schema(plan, &roles).await?;
            }
        }
    }
    let sql = format!("DROP ROLE IF EXISTS {role}; DROP ROLE IF EXISTS {reader}");
    step(admin, "dropping its roles", &sql).await
}

async fn remove_schema(plan: &Plan, roles: &[String]) -> Result<(), GrantError> {
    let inside = plan.service.with_login(
        &plan.database,
        &plan.service.user,
        plan.service.password.clone(),
    );
    let mut inside = connect(&inside)
        .await
        .map_err(|e| not_made("entering its database", &e))?;
    // One after the other: PostgreSQL fails to drop what one gave the other for both at once.
    for role in roles {
        let sql = format!("DROP OWNED BY {role} CASCADE");
        step(&mut inside, "dropping it", &sql).await?;
    }
    let sql = format!("DROP SCHEMA IF EXISTS {} CASCADE", quoted(&plan.role));
    step(&mut inside, "dropping it", &sql).await
}

/// Whether the host's role may make rooms.
///
/// # Errors
/// The right that is missing, and how to give it.
pub(in crate::database::server) async fn check(
    admin: &mut Live,
    room: Room,
) -> Result<(), GrantError> {
    let sql = "SELECT rolsuper OR rolcreatedb, rolsuper OR rolcreaterole, \
               has_database_privilege(current_database(), 'CREATE'), rolsuper OR rolinherit, rolname::text, \
               current_database()::text \
               FROM pg_roles WHERE rolname = current_user";
    let rows = ask(admin, sql, Vec::new())
        .await
        .map_err(|e| not_made("asking for one's rights", &e))?;
    let Some(
        [
            Value::Boolean(databases),
            Value::Boolean(roles),
            Value::Boolean(schemas),
            Value::Boolean(inherits),
            name,
            here,
        ],
    ) = rows.first().map(Vec::as_slice)
    else {
        return Err(GrantError::Refused(
            "the server does not tell the role's rights".into(),
        ));
    };
    let (Value::Text(name), Value::Text(here)) = (name, here) else {
        return Err(GrantError::Refused(
            "the server does not tell the role's name".into(),
        ));
    };
    let missing = match room {
        _ if !roles => format!("CREATEROLE: ALTER ROLE {} CREATEROLE", quoted(name)),
        // It is to have the rights of the roles that it makes.
        _ if !inherits => format!("INHERIT: ALTER ROLE {} INHERIT", quoted(name)),
        Room::Database if !databases => format!("CREATEDB: ALTER ROLE {} CREATEDB", quoted(name)),
        Room::Schema if !schemas && !databases => format!(
            "CREATE on its database: GRANT CREATE ON DATABASE {} TO {}",
            quoted(here),
            quoted(name)
        ),
        _ => return Ok(()),
    };
    Err(GrantError::Refused(format!(
        "the role `{name}` of APPS_DATABASE_URL has not the right {missing}"
    )))
}

/// Whether an app may be given this role.
///
/// # Errors
/// It leads out of its database.
pub(in crate::database::server) async fn check_guest(live: &mut Live) -> Result<(), GrantError> {
    let rows = ask(live, WAYS_OUT, Vec::new()).await.map_err(|e| {
        GrantError::Unavailable(format!("the server does not tell the role's rights: {e}"))
    })?;
    match first(&rows) {
        Some(Value::Text(way)) => Err(GrantError::Refused(format!(
            "the role of the URL has {way}: with it, an app could reach beyond its database. Make a role for the app: \
             CREATE ROLE … LOGIN, and give it its database"
        ))),
        _ => Ok(()),
    }
}

/// Whether a connection leads to the database of a URL, by whatever way.
pub(in crate::database::server) async fn is_same(
    live: &mut Live,
    url: &str,
) -> Result<bool, GrantError> {
    const WHICH: &str =
        "SELECT system_identifier::text, current_database()::text FROM pg_control_system()";
    let away = |why: String| {
        GrantError::Unavailable(format!(
            "cannot tell it from the host's control database: {why}"
        ))
    };
    let there = ask(live, WHICH, Vec::new())
        .await
        .map_err(|e| away(e.to_string()))?;
    // Errors of the driver may quote a URL.
    let mut control = sqlx::PgConnection::connect(url)
        .await
        .map_err(|_| away("the control database cannot be reached".into()))?;
    let here = sqlx::query(WHICH)
        .fetch_one(&mut control)
        .await
        .map_err(|e| away(e.to_string()))?;
    let here = [0, 1].map(|index| here.try_get::<String, _>(index).map(Value::Text).ok());
    let [Some(system), Some(database)] = here else {
        return Err(away("it does not say which it is".into()));
    };
    Ok(there.first() == Some(&vec![system, database]))
}

async fn step(live: &mut Live, what: &str, sql: &str) -> Result<(), GrantError> {
    run(live, sql).await.map_err(|e| not_made(what, &e))
}

async fn exists(live: &mut Live, sql: &str, name: &str) -> Result<bool, GrantError> {
    let rows = ask(live, sql, vec![Value::Text(name.to_owned())]).await;
    rows.map(|rows| !rows.is_empty())
        .map_err(|e: SqlError| not_made("looking for it", &e))
}

fn first(rows: &[Row]) -> Option<&Value> {
    rows.first().and_then(|row| row.first())
}

/// A name, quoted (<https://www.postgresql.org/docs/current/sql-syntax-lexical.html>).
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// What the server stores of a password (SCRAM-SHA-256, RFC 5803), so that the password itself is in
/// no statement, and so in no log of the server's.
fn verifier(password: &Secret) -> Result<String, GrantError> {
    const ITERATIONS: NonZeroU32 = NonZeroU32::new(4096).expect("it is not zero");
    let mut salt = [0; 16];
    rand::fill(&mut salt)
        .map_err(|_| GrantError::Unavailable("the system gives no random bytes".into()))?;
    let mut salted = [0; 32];
    pbkdf2::derive(
        pbkdf2::PBKDF2_HMAC_SHA256,
        ITERATIONS,
        &salt,
        password.0.as_bytes(),
        &mut salted,
    );
    let key = hmac::Key::new(hmac::HMAC_SHA256, &salted);
    let client = hmac::sign(&key, b"Client Key");
    let stored = digest::digest(&digest::SHA256, client.as_ref());
    let server = hmac::sign(&key, b"Server Key");
    Ok(format!(
        "SCRAM-SHA-256${ITERATIONS}:{}${}:{}",
        STANDARD.encode(salt),
        STANDARD.encode(stored),
        STANDARD.encode(server)
    ))
}
