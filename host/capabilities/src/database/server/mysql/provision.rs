//! Rooms on MySQL and MariaDB.

use crate::database::server::provision::{Plan, Room, ask, not_made, run};
use crate::database::server::session::Live;
use lodge_model::{GrantError, Row, Value};

/// What an app may do in its own database. No events, which run when nobody looks, and nothing of the
/// server's.
const RIGHTS: &str = "SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, REFERENCES, INDEX, ALTER, \
                      CREATE TEMPORARY TABLES, EXECUTE, CREATE VIEW, SHOW VIEW, CREATE ROUTINE, ALTER ROUTINE, TRIGGER";

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
        "CREATE USER"
    } else if !has("CREATE", true) || !has("SELECT", true) {
        "ALL PRIVILEGES … WITH GRANT OPTION"
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
    let rights = rights(live).await?;
    let out = |(name, _): &&(String, bool)| {
        matches!(
            name.as_str(),
            "FILE" | "SUPER" | "PROCESS" | "SHUTDOWN" | "CREATE USER" | "RELOAD"
        )
    };
    match rights.iter().find(out) {
        Some((way, _)) => Err(GrantError::Refused(format!(
            "the user of the URL has the right {way} on *.*: with it, an app could reach beyond its database. Make a \
             user for the app: CREATE USER …, GRANT ALL ON its database"
        ))),
        None => Ok(()),
    }
}

/// The rights on everything, and whether they can be passed on.
async fn rights(live: &mut Live) -> Result<Vec<(String, bool)>, GrantError> {
    let sql = "SELECT CAST(PRIVILEGE_TYPE AS CHAR), IS_GRANTABLE = 'YES' FROM information_schema.USER_PRIVILEGES \
               WHERE GRANTEE = CONCAT('''', REPLACE(CURRENT_USER(), '@', '''@'''), '''')";
    let rows = ask(live, sql, Vec::new())
        .await
        .map_err(|e| not_made("asking for one's rights", &e))?;
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
