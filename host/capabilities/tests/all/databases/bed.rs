//! A host's databases on one server, and apps that use them.

use crate::outbound::{TestAccount, grant};
use lodge_capabilities::{HostKey, HostProvider, database, outbound, tokens};
use lodge_harness::{mariadb::Mariadb, postgres::Postgres};
use lodge_model::{
    Capabilities, DataPolicy, DataSource, DatabaseEngine, DatabaseKind, DatabaseSpec, Grant,
    GrantError, JwtAlgorithm, Limits, Provider as _, Row, Secret, SourceAccess, SourceGrant,
    SqlError, Value,
};
use std::sync::Arc;

pub(super) const ENGINES: [DatabaseEngine; 2] = [DatabaseEngine::Postgres, DatabaseEngine::Mariadb];

pub(super) enum Server {
    Postgres(Postgres),
    Mariadb(Mariadb),
}

impl Server {
    pub(super) fn start(engine: DatabaseEngine) -> Self {
        match engine {
            DatabaseEngine::Postgres => Self::Postgres(Postgres::start().unwrap()),
            _ => Self::Mariadb(Mariadb::start().unwrap()),
        }
    }

    /// The URL of a database, or of none, for somebody who may do everything.
    pub(super) fn url(&self, database: &str) -> String {
        match self {
            Self::Postgres(server) => server.url(database),
            Self::Mariadb(server) => server.url(database),
        }
    }

    pub(super) fn stop(&mut self) {
        match self {
            Self::Postgres(server) => server.stop(),
            Self::Mariadb(server) => server.stop(),
        }
    }

    pub(super) fn restart(&mut self) {
        match self {
            Self::Postgres(server) => server.restart().unwrap(),
            Self::Mariadb(server) => server.restart().unwrap(),
        }
    }
}

/// A host whose service of apps' databases is `server`.
pub(super) struct Bed {
    pub(super) server: Server,
    pub(super) engine: DatabaseEngine,
    pub(super) provider: Arc<HostProvider>,
    _folder: tempfile::TempDir,
}

/// An app that was started.
pub(super) struct App {
    pub(super) account: Arc<TestAccount>,
    pub(super) capabilities: Capabilities,
}

impl Bed {
    pub(super) fn new(engine: DatabaseEngine) -> Self {
        Self::with(engine, |_| {})
    }

    pub(super) fn with(
        engine: DatabaseEngine,
        change: impl FnOnce(&mut database::Settings),
    ) -> Self {
        let server = Server::start(engine);
        let folder = tempfile::tempdir().unwrap();
        let mut settings = database::Settings {
            service: Some(Secret(server.url(""))),
            ..database::Settings::default()
        };
        change(&mut settings);
        let key = Arc::new(HostKey::open(folder.path()).unwrap());
        let outbound = outbound::Settings::default();
        let provider = HostProvider::new(folder.path(), settings, outbound, key).unwrap();
        Self {
            server,
            engine,
            provider,
            _folder: folder,
        }
    }

    pub(super) fn grant(&self, id: &str, kind: DatabaseKind) -> Grant {
        let mut grant = grant(id, &[], Limits::default());
        grant.jwt_keys = vec![tokens::generate(JwtAlgorithm::HS256).unwrap()];
        grant.database = DatabaseSpec {
            kind,
            engine: Some(self.engine),
            url: None,
        };
        grant
    }

    /// Also grants the database of another app.
    pub(super) fn lend(&self, grant: &mut Grant, name: &str, owner: &Grant, access: SourceAccess) {
        grant
            .source_databases
            .insert(owner.app.clone(), owner.database.clone());
        let source = SourceGrant {
            app: Some(owner.app.clone()),
            access,
            ..SourceGrant::default()
        };
        grant.sources.insert(name.into(), source);
    }

    pub(super) async fn start(&self, grant: &Grant) -> Result<App, GrantError> {
        let account = Arc::<TestAccount>::default();
        let capabilities = self.provider.open(grant, account.clone()).await?;
        Ok(App {
            account,
            capabilities,
        })
    }

    /// An app with a database of its own.
    pub(super) async fn app(&self, id: &str) -> App {
        let grant = self.grant(id, DatabaseKind::NewDatabase);
        self.start(&grant).await.unwrap()
    }

    /// Takes the mark off the app's migration that broke off.
    pub(super) async fn clear(&self, id: &str, done: bool) -> Result<Option<String>, GrantError> {
        let grant = self.grant(id, DatabaseKind::NewDatabase);
        self.provider
            .clear_migration(&grant.app, &grant.database, done)
            .await
    }

    pub(super) async fn remove(&self, grant: &Grant) {
        self.provider.remove(grant, DataPolicy::Drop).await.unwrap();
    }

    /// Statements of somebody who may do everything, in the database of this name.
    pub(super) async fn admin(&self, database: &str, sql: &str) -> Result<(), sqlx::Error> {
        use sqlx::{AssertSqlSafe, Connection as _, Executor as _};
        let database = match (self.engine, database) {
            (DatabaseEngine::Postgres, "") => "postgres",
            (_, named) => named,
        };
        let url = self.server.url(database).replace("mariadb://", "mysql://");
        let script = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
        match self.engine {
            DatabaseEngine::Postgres => {
                let mut connection = sqlx::PgConnection::connect(&url).await?;
                connection.execute(script).await.map(drop)
            }
            _ => {
                let mut connection = sqlx::MySqlConnection::connect(&url).await?;
                connection.execute(script).await.map(drop)
            }
        }
    }
}

impl App {
    pub(super) async fn source(&self, name: &str) -> Arc<dyn DataSource> {
        self.capabilities.databases.open(name).await.unwrap()
    }

    pub(super) async fn query(&self, sql: &str, values: Vec<Value>) -> Result<Vec<Row>, SqlError> {
        let rows = self.source("default").await.query(sql, values).await;
        rows.map(|rows| rows.rows)
    }

    pub(super) async fn execute(&self, sql: &str) -> Result<u64, SqlError> {
        let done = self.source("default").await.execute(sql, Vec::new()).await;
        done.map(|done| done.rows_affected)
    }

    /// The only value of the only row.
    pub(super) async fn one(&self, sql: &str) -> Value {
        self.query(sql, Vec::new()).await.unwrap()[0][0].clone()
    }
}
