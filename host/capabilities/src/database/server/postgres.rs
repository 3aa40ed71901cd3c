//! PostgreSQL.
//!
//! A statement is prepared without types for its parameters, so that the server says what they are and
//! values are encoded as that: a text does for a `uuid` or a `date`, a number for any width that holds
//! it.

mod error;
mod numeric;
pub(super) mod provision;
mod scalar;
mod value;

pub(super) use error::driver as driver_error;

use super::address::Address;
use super::provision::ask;
use super::session::{GRACE, Live, Opening, STATEMENTS, Server, Session, SessionId, Sink};
use async_trait::async_trait;
use futures::StreamExt as _;
use lodge_model::{
    DatabaseEngine, DatabaseError, ExecuteOutcome, Isolation, SourceAccess, SqlError, Value,
};
use sqlx::postgres::{PgArguments, PgConnectOptions, PgConnection, PgStatement};
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, Either, Executor as _, Row as _,
    SqlSafeStr as _, Statement as _,
};
use std::path::Path;

/// When a session began, in microseconds: a number, since its text is as a role's settings want it.
const BEGAN: &str = "(extract(epoch FROM backend_start) * 1000000)::int8";

/// A connection to PostgreSQL.
pub(super) struct PostgresSession {
    connection: PgConnection,
    id: SessionId,
    server: Server,
}

/// Connects through the socket in `folder`.
pub(super) async fn connect(
    address: &Address,
    folder: &Path,
    opening: Opening,
) -> Result<PostgresSession, SqlError> {
    let options = PgConnectOptions::new_without_pgpass()
        .host(&address.host)
        .port(address.port)
        .socket(folder)
        .username(&address.user)
        .password(&address.password.0)
        .database(if address.database.is_empty() {
            "postgres"
        } else {
            &address.database
        })
        .ssl_mode(address.tls.into())
        .application_name("lodge")
        .statement_cache_capacity(STATEMENTS)
        .disable_statement_logging();
    let mut connection = options.connect().await.map_err(error::connecting)?;
    let time = (opening.statement_timeout + GRACE).as_millis();
    // A role may set its own search path for good, and have functions of its own answer these.
    let scope = if opening.is_ours { "" } else { "LOCAL " };
    let begin = format!(
        "SET {scope}search_path = pg_catalog; SET statement_timeout = {time}; \
         SET idle_in_transaction_session_timeout = 30000; SET timezone = 'UTC'; \
         SELECT pid::int8, {BEGAN}, current_setting('server_version') \
         FROM pg_stat_activity WHERE pid = pg_backend_pid()"
    );
    let row = connection
        .fetch_one(sqlx::raw_sql(AssertSqlSafe(begin)))
        .await
        .map_err(error::connecting)?;
    let read = || -> Result<(i64, i64, String), sqlx::Error> {
        Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?))
    };
    let (number, began, version) = read().map_err(error::connecting)?;
    Ok(PostgresSession {
        connection,
        id: SessionId {
            number,
            mark: Value::Int(began),
        },
        server: Server {
            engine: DatabaseEngine::Postgres,
            version,
        },
    })
}

/// Has another session end. True: it is gone.
pub(super) async fn end_session(live: &mut Live, id: &SessionId) -> Result<bool, SqlError> {
    // Terminated, not cancelled: a function may catch that it was cancelled. Who may not end a session is
    // not told when it began.
    let sql = format!(
        "SELECT CASE WHEN backend_start IS NOT NULL THEN pg_terminate_backend(pid) END \
         FROM pg_stat_activity WHERE pid = $1::int8 AND COALESCE({BEGAN} = $2::int8, true)"
    );
    let parameters = vec![Value::Int(id.number), id.mark.clone()];
    let there = ask(live, &sql, parameters).await?;
    match there.first().and_then(|row| row.first()) {
        None => Ok(true),
        Some(Value::Null) => Err(SqlError::Refused(
            "the role may not end sessions of the app's role".into(),
        )),
        Some(_) => Ok(false),
    }
}

impl PostgresSession {
    /// Prepares a statement, and makes its values what it wants.
    async fn prepare(
        &mut self,
        sql: &str,
        parameters: Vec<Value>,
    ) -> Result<(PgStatement, PgArguments), SqlError> {
        let sql = AssertSqlSafe(sql.to_owned()).into_sql_str();
        let prepared = self.connection.prepare(sql).await;
        let statement = prepared.map_err(error::of)?;
        let types = match statement.parameters() {
            Some(Either::Left(types)) => types,
            _ => &[],
        };
        let arguments = value::arguments(types, parameters)?;
        Ok((statement, arguments))
    }

    /// A statement that was prepared before the tables changed is prepared anew the next time.
    async fn failed(&mut self, failure: sqlx::Error) -> SqlError {
        let error = error::of(failure);
        match error {
            SqlError::Database(DatabaseError { code, message }) if code == "0A000" => {
                // The server is asked to forget them; if it cannot be, the connection is of no use
                // and says so the next time.
                let _ = self.connection.clear_cached_statements().await;
                if message.contains("cached plan") {
                    return SqlError::Conflict(DatabaseError { code, message });
                }
                SqlError::Database(DatabaseError { code, message })
            }
            other => other,
        }
    }
}

#[async_trait]
impl Session for PostgresSession {
    async fn execute(
        &mut self,
        sql: &str,
        parameters: Vec<Value>,
    ) -> Result<ExecuteOutcome, SqlError> {
        let (prepared, arguments) = self.prepare(sql, parameters).await?;
        let statement = prepared.query_with(arguments);
        match statement.execute(&mut self.connection).await {
            Ok(done) => Ok(ExecuteOutcome {
                rows_affected: done.rows_affected(),
                last_insert_id: None,
            }),
            Err(e) => Err(self.failed(e).await),
        }
    }

    async fn fetch(
        &mut self,
        sql: &str,
        parameters: Vec<Value>,
        sink: &mut (dyn Sink + '_),
    ) -> Result<(), SqlError> {
        let (prepared, arguments) = self.prepare(sql, parameters).await?;
        sink.columns(value::columns(&prepared))?;
        let reader = value::Reader::of(prepared.columns());
        let statement = prepared.query_with(arguments);
        let mut rows = statement.fetch(&mut self.connection);
        let failure = loop {
            match rows.next().await {
                None => return Ok(()),
                Some(Err(failure)) => break failure,
                Some(Ok(row)) => {
                    if sink.row(reader.row(&row)?)? && !sink.flush().await {
                        return Err(SqlError::Unavailable("nobody reads the rows".into()));
                    }
                }
            }
        };
        drop(rows);
        Err(self.failed(failure).await)
    }

    async fn script(&mut self, sql: &str) -> Result<(), SqlError> {
        let script = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
        let done = script.execute(&mut self.connection).await;
        done.map(drop).map_err(error::of)
    }

    async fn begin(&mut self, access: SourceAccess, isolation: Isolation) -> Result<(), SqlError> {
        let access = match access {
            SourceAccess::ReadWrite => "READ WRITE",
            SourceAccess::ReadOnly => "READ ONLY",
        };
        let isolation = match isolation {
            Isolation::EngineDefault => "",
            Isolation::ReadCommitted => " ISOLATION LEVEL READ COMMITTED",
            Isolation::RepeatableRead => " ISOLATION LEVEL REPEATABLE READ",
            Isolation::Serializable => " ISOLATION LEVEL SERIALIZABLE",
        };
        self.script(&format!("BEGIN{isolation} {access}")).await
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
