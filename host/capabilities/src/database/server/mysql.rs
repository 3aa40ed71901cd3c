//! MySQL and MariaDB, which speak one protocol.

mod error;
pub(super) mod provision;
mod value;

use super::address::Address;
use super::provision::ask;
use super::session::{Live, Opening, STATEMENTS, Server, Session, SessionId, Sink};
use async_trait::async_trait;
use futures::StreamExt as _;
use lodge_model::{DatabaseEngine, ExecuteOutcome, Isolation, SourceAccess, SqlError, Value};
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection};
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, Row as _, SqlSafeStr as _,
    Statement as _,
};
use std::path::Path;

/// A connection to MySQL or MariaDB.
pub(super) struct MysqlSession {
    connection: MySqlConnection,
    id: SessionId,
    server: Server,
}

/// Connects through a socket.
pub(super) async fn connect(
    address: &Address,
    socket: &Path,
    opening: Opening,
) -> Result<MysqlSession, SqlError> {
    let mut options = MySqlConnectOptions::new()
        .host(&address.host)
        .port(address.port)
        .socket(socket)
        .username(&address.user)
        .password(&address.password.0)
        .ssl_mode(address.tls.into())
        .statement_cache_capacity(STATEMENTS)
        .disable_statement_logging();
    if !address.database.is_empty() {
        options = options.database(&address.database);
    }
    let mut connection = options.connect().await.map_err(error::connecting)?;
    let about = "SELECT CONNECTION_ID(), CAST(USER() AS CHAR), CAST(VERSION() AS CHAR)";
    let row = connection
        .fetch_one(sqlx::query(about))
        .await
        .map_err(error::connecting)?;
    let read = || -> Result<(u64, String, String), sqlx::Error> {
        Ok((
            row.try_get_unchecked(0)?,
            row.try_get_unchecked(1)?,
            row.try_get_unchecked(2)?,
        ))
    };
    let (number, user, version) = read().map_err(error::connecting)?;
    let engine = if version.contains("MariaDB") {
        DatabaseEngine::Mariadb
    } else {
        DatabaseEngine::Mysql
    };
    // What the server allows a reading statement, should this host be gone.
    let time = opening.statement_timeout + super::session::GRACE;
    let bound = match engine {
        DatabaseEngine::Mariadb => format!("max_statement_time = {}", time.as_secs_f64()),
        _ => format!("max_execution_time = {}", time.as_millis()),
    };
    // Tables are where the server puts them ([`super::words::stays_home`]).
    let bound = format!("SET {bound}, sql_mode = CONCAT(@@sql_mode, ',NO_DIR_IN_CREATE')");
    connection
        .execute(sqlx::raw_sql(AssertSqlSafe(bound)))
        .await
        .map_err(error::connecting)?;
    Ok(MysqlSession {
        connection,
        id: SessionId {
            number: i64::try_from(number).unwrap_or(0),
            mark: Value::Text(
                user.rsplit_once('@')
                    .map_or("", |(name, _)| name)
                    .to_owned(),
            ),
        },
        server: Server { engine, version },
    })
}

/// Has another session end. True: it is gone. Its number is not used again before the server restarts;
/// then it may be somebody else's.
pub(super) async fn end_session(live: &mut Live, id: &SessionId) -> Result<bool, SqlError> {
    let sql = "SELECT 1 FROM information_schema.PROCESSLIST WHERE ID = ? AND USER = ?";
    let there = ask(live, sql, vec![Value::Int(id.number), id.mark.clone()]).await?;
    if there.is_empty() {
        return Ok(true);
    }
    match live.session.script(&format!("KILL {}", id.number)).await {
        // It is gone already: "Unknown thread id".
        Err(SqlError::Database(said)) if said.message.contains("thread id") => Ok(true),
        done => done.map(|()| false),
    }
}

#[async_trait]
impl Session for MysqlSession {
    async fn execute(
        &mut self,
        sql: &str,
        parameters: Vec<Value>,
    ) -> Result<ExecuteOutcome, SqlError> {
        let arguments = value::arguments(parameters)?;
        let statement = sqlx::query_with(AssertSqlSafe(sql.to_owned()), arguments);
        let done = statement.execute(&mut self.connection).await;
        let done = done.map_err(error::of)?;
        let id = i64::try_from(done.last_insert_id()).ok();
        Ok(ExecuteOutcome {
            rows_affected: done.rows_affected(),
            last_insert_id: id.filter(|id| *id != 0),
        })
    }

    async fn fetch(
        &mut self,
        sql: &str,
        parameters: Vec<Value>,
        sink: &mut (dyn Sink + '_),
    ) -> Result<(), SqlError> {
        let prepared = AssertSqlSafe(sql.to_owned()).into_sql_str();
        let statement = self.connection.prepare(prepared).await;
        let columns = value::columns(statement.map_err(error::of)?.columns());
        sink.columns(columns)?;
        let arguments = value::arguments(parameters)?;
        let statement = sqlx::query_with(AssertSqlSafe(sql.to_owned()), arguments);
        let mut rows = statement.fetch(&mut self.connection);
        while let Some(row) = rows.next().await {
            let row = row.map_err(error::of)?;
            if sink.row(value::row(&row)?)? && !sink.flush().await {
                return Err(SqlError::Unavailable("nobody reads the rows".into()));
            }
        }
        Ok(())
    }

    async fn script(&mut self, sql: &str) -> Result<(), SqlError> {
        let script = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
        let done = script.execute(&mut self.connection).await;
        done.map(drop).map_err(error::of)
    }

    async fn begin(&mut self, access: SourceAccess, isolation: Isolation) -> Result<(), SqlError> {
        let isolation = match isolation {
            Isolation::EngineDefault => None,
            Isolation::ReadCommitted => Some("READ COMMITTED"),
            Isolation::RepeatableRead => Some("REPEATABLE READ"),
            Isolation::Serializable => Some("SERIALIZABLE"),
        };
        if let Some(level) = isolation {
            self.script(&format!("SET TRANSACTION ISOLATION LEVEL {level}"))
                .await?;
        }
        let access = match access {
            SourceAccess::ReadWrite => "READ WRITE",
            SourceAccess::ReadOnly => "READ ONLY",
        };
        self.script(&format!("START TRANSACTION {access}")).await
    }

    async fn ping(&mut self) -> bool {
        self.connection.ping().await.is_ok()
    }

    fn id(&self) -> &SessionId {
        &self.id
    }

    fn server(&self) -> &Server {
        &self.server
    }

    fn shrink(&mut self) {
        self.connection.shrink_buffers();
    }
}
