//! A connection to a server, whatever its make: what the rest of this module asks of an engine.

use super::address::Address;
use super::gauge::Gauge;
use super::{mysql, postgres, relay};
use async_trait::async_trait;
use lodge_model::{
    Account, Column, DatabaseEngine, ExecuteOutcome, Isolation, Row, SourceAccess, SqlError, Value,
};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(10);
/// How often one looks whether a session that was told to end has ended, and how long between.
const LOOKS: u32 = 20;
const LOOK: Duration = Duration::from_millis(25);
/// Prepared statements that a connection keeps.
pub(super) const STATEMENTS: usize = 64;
/// What the server itself allows a statement beyond its time, should this host be gone.
pub(super) const GRACE: Duration = Duration::from_secs(5);

/// How a session begins.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Opening {
    /// What the server is told about statements' run time.
    pub(crate) statement_timeout: Duration,
    /// Size of the largest result, in bytes.
    pub(crate) result_bytes: u64,
    /// It is the host's own: names in its statements are the server's, whatever others made under them.
    pub(crate) is_ours: bool,
}

/// A connection.
#[async_trait]
pub(crate) trait Session: Send + Sync {
    /// One statement whose rows are not wanted.
    async fn execute(
        &mut self,
        sql: &str,
        parameters: Vec<Value>,
    ) -> Result<ExecuteOutcome, SqlError>;

    /// One statement, its rows given to `sink`.
    async fn fetch(
        &mut self,
        sql: &str,
        parameters: Vec<Value>,
        sink: &mut (dyn Sink + '_),
    ) -> Result<(), SqlError>;

    /// Statements without parameters, one after the other, none of them prepared.
    async fn script(&mut self, sql: &str) -> Result<(), SqlError>;

    /// Begins a transaction.
    async fn begin(&mut self, access: SourceAccess, isolation: Isolation) -> Result<(), SqlError>;

    /// Whether the server still answers.
    async fn ping(&mut self) -> bool;

    /// Which session of the server's it is.
    fn id(&self) -> &SessionId;

    /// What the server said of itself.
    fn server(&self) -> &Server;

    /// Gives memory back that a large result took.
    fn shrink(&mut self);
}

/// Takes a result.
#[async_trait]
pub(crate) trait Sink: Send {
    /// The result's columns: once, before the rows.
    fn columns(&mut self, columns: Vec<Column>) -> Result<(), SqlError>;

    /// A row. True: [`flush`](Self::flush) is wanted before the next.
    fn row(&mut self, row: Row) -> Result<bool, SqlError>;

    /// Passes on what was gathered. False: no more rows are wanted.
    async fn flush(&mut self) -> bool;
}

/// A session as the server knows it. Numbers are used again by the server, so that when it began, or
/// whose it is, is part of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SessionId {
    pub(super) number: i64,
    /// PostgreSQL: when it began, in microseconds; MySQL and MariaDB: its user.
    pub(super) mark: Value,
}

/// A server as it tells of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Server {
    pub(crate) engine: DatabaseEngine,
    pub(crate) version: String,
}

/// A session and what it receives.
pub(crate) struct Live {
    pub(crate) session: Box<dyn Session>,
    pub(super) gauge: Arc<Gauge>,
}

/// Connects. What is received is counted against `account`.
///
/// # Errors
/// The server is not reached, or does not let one in: [`SqlError::Unavailable`],
/// [`SqlError::Refused`].
pub(crate) async fn connect(
    address: &Address,
    opening: Opening,
    account: Arc<dyn Account>,
) -> Result<Live, SqlError> {
    let gauge = Gauge::new(account.clone(), opening.result_bytes);
    let connecting = async {
        let door = relay::open(address, gauge.clone(), account).await;
        let door = door.map_err(|why| unreached(address, &why))?;
        let folder: &Path = door.folder();
        let session: Box<dyn Session> = match address.engine {
            DatabaseEngine::Postgres => {
                Box::new(postgres::connect(address, folder, opening).await?)
            }
            DatabaseEngine::Mysql | DatabaseEngine::Mariadb => {
                let socket = folder.join(relay::socket_name(address));
                Box::new(mysql::connect(address, &socket, opening).await?)
            }
            DatabaseEngine::Sqlite => {
                return Err(SqlError::Refused("an SQLite file has no server".into()));
            }
        };
        Ok(session)
    };
    match tokio::time::timeout(CONNECT, connecting).await {
        Ok(session) => Ok(Live {
            session: session?,
            gauge,
        }),
        Err(_) => Err(unreached(
            address,
            &format!("no answer within {} s", CONNECT.as_secs()),
        )),
    }
}

/// Has the server end a session, whatever it is doing, through another one of somebody who may. True:
/// the server has it no more. False: it was told to, and has it yet.
///
/// # Errors
/// Any of [`SqlError`]; the session may be gone already, which is none.
pub(super) async fn end_on_server(
    by: &Address,
    id: &SessionId,
    account: Arc<dyn Account>,
) -> Result<bool, SqlError> {
    let opening = Opening {
        statement_timeout: CONNECT,
        result_bytes: 0,
        is_ours: true,
    };
    let mut live = connect(by, opening, account).await?;
    for _ in 0..LOOKS {
        let gone = match by.engine {
            DatabaseEngine::Postgres => postgres::end_session(&mut live, id).await?,
            _ => mysql::end_session(&mut live, id).await?,
        };
        if gone {
            return Ok(true);
        }
        tokio::time::sleep(LOOK).await;
    }
    Ok(false)
}

fn unreached(address: &Address, why: &str) -> SqlError {
    let why = if why.starts_with(&address.server()) {
        why.to_owned()
    } else {
        format!("{}: {why}", address.server())
    };
    SqlError::Unavailable(format!("the database server cannot be reached: {why}"))
}
