//! Rooms on MySQL and MariaDB.

use crate::database::server::provision::{Plan, Room, ask, not_made, run};
use crate::database::server::session::Live;
use lodge_model::{GrantError, Row, SqlError, Value};

/// What an app may do in its own database. No events, which run when nobody looks, and nothing of the
/// server's.
const RIGHTS: &str = "SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, REFERENCES, INDEX, ALTER, \
                      CREATE TEMPORARY TABLES, EXECUTE, CREATE VIEW, SHOW VIEW, CREATE ROUTINE, ALTER ROUTINE, TRIGGER";
/// The user as the tables of rights have it. Its name may have an `@` in it, its host has none.
const ME: &str = "CONCAT(QUOTE(LEFT(CURRENT_USER(), CHAR_LENGTH(CURRENT_USER()) \
                  - CHAR_LENGTH(SUBSTRING_INDEX(CURRENT_USER(), '@', -1)) - 1)), \
                  '@', QUOTE(SUBSTRING_INDEX(CURRENT_USER(), '@', -1)))";
/// What lets one end others' sessions: MariaDB's name, MySQL's, and the one that both had before.
const ENDS_SESSIONS: [&str; 3] = ["CONNECTION ADMIN", "CONNECTION_ADMIN", "SUPER"];
/// Rights on everything that lead nowhere; all others reach beyond one database.
const HARMLESS: [&str; 2] = ["USAGE", "SHOW DATABASES"];

/// Makes a room, or what is missing of one.
pub(in crate::database::server) async fn make(
    admin: &mut Live,
    plan: &Plan,
) -> Result<(), GrantError> {
    if plan.room == Room::Schema {
        return Err(GrantError::Refused(
            "database.kind: `new_schema` is for PostgreSQL only".into(),
        ));
    }
    check(admin).await?;
    let asked = "SELECT 1 FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ?";
    let there = ask(admin, asked, vec![Value::Text(plan.database.clone())])
        .await
        .map_err(|e| not_made("looking for it", &e))?;
    let made = make_all(admin, plan).await;
    if made.is_err() && there.is_empty() {
        let undone = remove(admin, plan).await;
        if let Err(left) = undone {
            tracing::warn!(%left, "cannot take a half-made database back");
        }
    }
    made
}

async fn make_all(admin: &mut Live, plan: &Plan) -> Result<(), GrantError> {
    let database = quoted(&plan.database);
    let sql = format!("CREATE DATABASE IF NOT EXISTS {database} CHARACTER SET utf8mb4");
    step(admin, "its database", &sql).await?;
    // In a grant, a name is a pattern.
    let pattern = quoted(&plan.database.replace('_', "\\_"));
    for (name, password, rights) in [
        (&plan.reader, &plan.reader_password, "SELECT, SHOW VIEW"),
        (&plan.role, &plan.password, RIGHTS),
    ] {
        let user = user(name);
        // Derived passwords have no quotes in them.
        let password = &password.0;
        let sql = format!("CREATE USER IF NOT EXISTS {user} IDENTIFIED BY '{password}'");
        step(admin, "its user", &sql).await?;
        let sql = format!("ALTER USER {user} IDENTIFIED BY '{password}'");
        step(admin, "its user", &sql).await?;
        let sql = format!("GRANT {rights} ON {pattern}.* TO {user}");
        step(admin, "its rights", &sql).await?;
    }
    Ok(())
}

/// Drops a room with all that is in it.
pub(in crate::database::server) async fn remove(
    admin: &mut Live,
    plan: &Plan,
) -> Result<(), GrantError> {
    let sql = format!("DROP DATABASE IF EXISTS {}", quoted(&plan.database));
    step(admin, "dropping it", &sql).await?;
    let sql = format!(
        "DROP USER IF EXISTS {}, {}",
        user(&plan.role),
        user(&plan.reader)
    );
    step(admin, "dropping its users", &sql).await
}

/// Whether the host's user may make rooms.
///
/// # Errors
/// The right that is missing.
pub(in crate::database::server) async fn check(admin: &mut Live) -> Result<(), GrantError> {
    let rights = rights(admin).await?;
    let has = |right: &str, grantable: bool| {
        let fits = |(name, passes_on): &(String, bool)| name == right && (*passes_on || !grantable);
        rights.iter().any(fits)
    };
    let missing = if !has("CREATE USER", false) {
        "CREATE USER".to_owned()
    } else if let Some(right) = RIGHTS.split(", ").find(|right| !has(right, true)) {
        format!("{right} … WITH GRANT OPTION")
    } else if !has("PROCESS", false) {
        // Without it, it does not see which sessions there are.
        "PROCESS".to_owned()
    } else if !ENDS_SESSIONS.iter().any(|right| has(right, false)) {
        let [mariadb, mysql, _] = ENDS_SESSIONS;
        format!("{mariadb} ({mysql} on MySQL)")
    } else {
        return Ok(());
    };
    Err(GrantError::Refused(format!(
        "the user of APPS_DATABASE_URL has not the right {missing} on *.*: GRANT it, or give the URL of one who has"
    )))
}

/// Whether an app may be given this user.
///
/// # Errors
/// It leads out of its database.
pub(in crate::database::server) async fn check_guest(live: &mut Live) -> Result<(), GrantError> {
    let global = rights(live).await?;
    let global = global.into_iter().map(|(name, _)| name);
    let mut ways = global.filter(|name| !HARMLESS.contains(&name.as_str()));
    let way = match ways.next() {
        Some(way) => Some(format!("the right {way} on *.*")),
        None => inner_way(live).await?,
    };
    match way {
        Some(way) => Err(GrantError::Refused(format!(
            "the user of the URL has {way}: with it, an app could reach beyond its database. Make a user for the app: \
             CREATE USER …, GRANT ALL ON its database"
        ))),
        None => Ok(()),
    }
}

/// Rights on the server's own tables (who may log in, what others run), and roles, whose rights a user may
/// take on whenever it likes and is not told before.
async fn inner_way(live: &mut Live) -> Result<Option<String>, GrantError> {
    let tables = format!(
        "SELECT CONCAT('the right ', PRIVILEGE_TYPE, ' on ', inner_one) FROM \
         (SELECT 'mysql' AS inner_one UNION SELECT 'performance_schema') AS inner_ones JOIN \
         (SELECT GRANTEE, PRIVILEGE_TYPE, TABLE_SCHEMA FROM information_schema.SCHEMA_PRIVILEGES \
         UNION SELECT GRANTEE, PRIVILEGE_TYPE, TABLE_SCHEMA FROM information_schema.TABLE_PRIVILEGES) AS rights \
         ON inner_one LIKE TABLE_SCHEMA WHERE GRANTEE = {ME}"
    );
    let roles = "SELECT CONCAT('the role ', ROLE_NAME) FROM information_schema.APPLICABLE_ROLES";
    for sql in [tables.as_str(), roles] {
        match ask(live, sql, Vec::new()).await {
            Ok(rows) => {
                if let Some(Value::Text(way)) = rows.first().and_then(|row| row.first()) {
                    return Ok(Some(way.clone()));
                }
            }
            // A server that has no roles has no such table.
            Err(SqlError::Database(said)) if said.message.contains("(1109)") => {}
            Err(error) => return Err(not_made("asking for the user's rights", &error)),
        }
    }
    Ok(None)
}

/// The rights on everything, and whether they can be passed on.
async fn rights(live: &mut Live) -> Result<Vec<(String, bool)>, GrantError> {
    let sql = format!(
        "SELECT CAST(PRIVILEGE_TYPE AS CHAR), IS_GRANTABLE = 'YES' FROM information_schema.USER_PRIVILEGES WHERE GRANTEE = {ME}"
    );
    let unknown = |e| not_made("asking for the user's rights", &e);
    let rows = ask(live, &sql, Vec::new()).await.map_err(unknown)?;
    if rows.is_empty() {
        // Whoever has none has `USAGE`.
        return Err(GrantError::Refused(
            "the server does not tell the user's rights".into(),
        ));
    }
    Ok(rows.into_iter().filter_map(right).collect())
}

fn right(row: Row) -> Option<(String, bool)> {
    match <[Value; 2]>::try_from(row).ok()? {
        [Value::Text(name), Value::Int(grantable)] => Some((name, grantable != 0)),
        [Value::Text(name), Value::Boolean(grantable)] => Some((name, grantable)),
        _ => None,
    }
}

async fn step(live: &mut Live, what: &str, sql: &str) -> Result<(), GrantError> {
    run(live, sql).await.map_err(|e| not_made(what, &e))
}

fn user(name: &str) -> String {
    format!("'{}'@'%'", name.replace('\'', "''"))
}

fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}
