//! Capabilities that remember what was asked of them.

use async_trait::async_trait;
use futures::StreamExt;
use http::{Request, Response};
use lodge_model::*;
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

/// How long a query takes.
const QUERY: Duration = Duration::from_millis(300);
/// How long a statement of a transaction takes.
const STATEMENT: Duration = Duration::from_millis(10);
/// Rows of a batch.
const BATCH: usize = 10;

#[derive(Default)]
pub(super) struct Seen {
    events: Mutex<Vec<String>>,
    /// Queries under way, and the most at one time.
    pub(super) in_flight: AtomicUsize,
    pub(super) most: AtomicUsize,
    /// Batches that were read.
    pub(super) batches: AtomicUsize,
    pub(super) options: Mutex<Option<OutboundOptions>>,
    pub(super) account: Mutex<Option<Arc<dyn Account>>>,
}

impl Seen {
    fn note(&self, event: impl Into<String>) {
        self.events.lock().push(event.into());
    }

    /// What happened since this was last asked.
    pub(super) fn events(&self) -> Vec<String> {
        std::mem::take(&mut *self.events.lock())
    }

    pub(super) fn has(&self, event: &str) -> bool {
        self.events.lock().iter().any(|seen| seen == event)
    }
}

#[derive(Default)]
pub(super) struct FakeProvider {
    pub(super) seen: Arc<Seen>,
    /// What the next `open` fails with.
    pub(super) refuses: Mutex<Option<GrantError>>,
    /// What calls fail with.
    pub(super) outbound: Arc<Mutex<Option<OutboundError>>>,
}

#[async_trait]
impl Provider for FakeProvider {
    async fn open(
        &self,
        grant: &Grant,
        account: Arc<dyn Account>,
    ) -> Result<Capabilities, GrantError> {
        self.seen.note("open");
        if let Some(error) = self.refuses.lock().take() {
            return Err(error);
        }
        *self.seen.account.lock() = Some(account);
        Ok(Capabilities {
            config: Arc::new(grant.config.clone()),
            databases: Arc::new(Databases {
                seen: self.seen.clone(),
                has_one: grant.database.kind != DatabaseKind::None,
            }),
            tokens: Arc::new(Nothing),
            keyvalue: Arc::new(Nothing),
            outbound: Arc::new(Echo(self.seen.clone(), self.outbound.clone())),
        })
    }

    async fn close(&self, _app: &AppId) {
        self.seen.note("close");
    }

    async fn remove(&self, _grant: &Grant, _data: DataPolicy) -> Result<(), GrantError> {
        Ok(())
    }

    fn check_database(&self, _: &lodge_model::DatabaseSpec) -> Result<(), lodge_model::Invalid> {
        Ok(())
    }

    async fn test_database(
        &self,
        _app: &AppId,
        _database: &DatabaseSpec,
    ) -> Result<ConnectionReport, GrantError> {
        Err(GrantError::Refused("nothing to test".into()))
    }

    async fn report_database(
        &self,
        _: &AppId,
        database: &DatabaseSpec,
        _: &Limits,
    ) -> DatabaseReport {
        DatabaseReport::empty(database.kind, Duration::from_millis(100))
    }
}

struct Databases {
    seen: Arc<Seen>,
    has_one: bool,
}

#[async_trait]
impl DataSources for Databases {
    async fn open(&self, name: &str) -> Result<Arc<dyn DataSource>, SqlError> {
        match name {
            "default" if self.has_one => Ok(Arc::new(Source(self.seen.clone()))),
            _ => Err(SqlError::NoSuchSource(name.to_owned())),
        }
    }

    async fn migrate(&self, migrations: Vec<Migration>) -> Result<(), SqlError> {
        for migration in migrations {
            if migration.sql.contains("NONSENSE") {
                let message = format!("migration {}: nonsense", migration.id);
                let code = String::new();
                return Err(SqlError::Database(DatabaseError { code, message }));
            }
            self.seen
                .note(format!("{}: {}", migration.id, migration.sql));
        }
        Ok(())
    }
}

struct Source(Arc<Seen>);

/// Counts a query under way, however it ends.
struct Flight<'a>(&'a Seen);

impl<'a> Flight<'a> {
    fn begin(seen: &'a Seen) -> Self {
        let now = seen.in_flight.fetch_add(1, SeqCst) + 1;
        seen.most.fetch_max(now, SeqCst);
        Self(seen)
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, SeqCst);
    }
}

/// Says when it goes.
struct Farewell(Arc<Seen>, &'static str);

impl Drop for Farewell {
    fn drop(&mut self) {
        self.0.note(self.1);
    }
}

fn one(value: Value) -> Rows {
    Rows {
        columns: Vec::new(),
        rows: vec![vec![value]],
    }
}

#[async_trait]
impl DataSource for Source {
    fn engine(&self) -> DatabaseEngine {
        DatabaseEngine::Mariadb
    }

    async fn query(&self, _sql: &str, parameters: Vec<Value>) -> Result<Rows, SqlError> {
        let _flight = Flight::begin(&self.0);
        tokio::time::sleep(QUERY).await;
        Ok(one(parameters.into_iter().next().unwrap_or(Value::Null)))
    }

    async fn execute(&self, _sql: &str, _: Vec<Value>) -> Result<ExecuteOutcome, SqlError> {
        Ok(ExecuteOutcome::default())
    }

    /// `endless` rows, so many `hundreds`, or some and then `broken`.
    async fn read(&self, sql: &str, _parameters: Vec<Value>) -> Result<Cursor, SqlError> {
        let (seen, farewell) = (self.0.clone(), Farewell(self.0.clone(), "cursor dropped"));
        let (batches, error) = match sql {
            "endless" => (usize::MAX, None),
            "broken" => (3, Some(SqlError::TimedOut("statement_timeout_ms".into()))),
            _ => (1_000, None),
        };
        let batch = move |_| {
            let _farewell = &farewell;
            seen.batches.fetch_add(1, SeqCst);
            Ok((0..BATCH).map(|n| vec![Value::Int(n as i64)]).collect())
        };
        let all = futures::stream::iter(0..batches)
            .map(batch)
            .chain(futures::stream::iter(error.map(Err)));
        Ok(Cursor {
            columns: vec![Column {
                name: "n".into(),
                type_name: "INT8".into(),
            }],
            batches: all.boxed(),
        })
    }

    async fn begin(
        &self,
        _access: SourceAccess,
        _isolation: Isolation,
    ) -> Result<Box<dyn Transaction>, SqlError> {
        self.0.note("begun");
        Ok(Box::new(Begun(self.0.clone(), Some("rolled back"))))
    }
}

/// A transaction; what it says when it goes.
struct Begun(Arc<Seen>, Option<&'static str>);

impl Drop for Begun {
    fn drop(&mut self) {
        self.0.events.lock().extend(self.1.map(str::to_owned));
    }
}

#[async_trait]
impl Transaction for Begun {
    async fn query(&mut self, _sql: &str, _parameters: Vec<Value>) -> Result<Rows, SqlError> {
        Ok(Rows::default())
    }

    async fn execute(&mut self, _sql: &str, _: Vec<Value>) -> Result<ExecuteOutcome, SqlError> {
        let _flight = Flight::begin(&self.0);
        tokio::time::sleep(STATEMENT).await;
        Ok(ExecuteOutcome::default())
    }

    async fn commit(mut self: Box<Self>) -> Result<(), SqlError> {
        self.1 = Some("committed");
        Ok(())
    }

    async fn rollback(self: Box<Self>) -> Result<(), SqlError> {
        Ok(())
    }
}

/// Answers with the request's own body, while it is still being sent.
struct Echo(Arc<Seen>, Arc<Mutex<Option<OutboundError>>>);

#[async_trait]
impl Outbound for Echo {
    async fn send(
        &self,
        request: Request<RequestBody>,
        options: OutboundOptions,
    ) -> Result<Response<ResponseBody>, OutboundError> {
        *self.0.options.lock() = Some(options);
        self.0
            .note(format!("{} {}", request.method(), request.uri()));
        match self.1.lock().clone() {
            Some(error) => Err(error),
            None => Ok(Response::new(request.into_body())),
        }
    }
}

/// Tokens and key-value for guests that use neither.
struct Nothing;

impl Tokens for Nothing {
    fn sign(&self, _claims: &str, _options: &SignOptions) -> Result<String, TokenError> {
        Err(TokenError::BadSignature)
    }
    fn verify(&self, _token: &str, _expected: &Expectations) -> Result<String, TokenError> {
        Err(TokenError::BadSignature)
    }
}

fn nothing<T>() -> Result<T, KeyValueError> {
    Err(KeyValueError::Host("there is none".into()))
}

#[async_trait]
impl KeyValue for Nothing {
    fn check_bucket(&self, _: &str) -> Result<(), KeyValueError> {
        nothing()
    }
    async fn get(&self, _: &str, _: &str) -> Result<Option<(Vec<u8>, u64)>, KeyValueError> {
        nothing()
    }
    async fn get_many(
        &self,
        _: &str,
        _: Vec<String>,
    ) -> Result<Vec<Option<Vec<u8>>>, KeyValueError> {
        nothing()
    }
    async fn set_many(&self, _: &str, _: Vec<(String, Vec<u8>)>) -> Result<(), KeyValueError> {
        nothing()
    }
    async fn delete_many(&self, _: &str, _: Vec<String>) -> Result<(), KeyValueError> {
        nothing()
    }
    async fn exists(&self, _: &str, _: &str) -> Result<bool, KeyValueError> {
        nothing()
    }
    async fn list(&self, _: &str, _: Option<String>) -> Result<KeyPage, KeyValueError> {
        nothing()
    }
    async fn increment(&self, _: &str, _: &str, _: i64) -> Result<i64, KeyValueError> {
        nothing()
    }
    async fn swap(&self, _: &str, _: &str, _: Version, _: Vec<u8>) -> Result<bool, KeyValueError> {
        nothing()
    }
}
