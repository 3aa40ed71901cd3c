//! A console with a user, a data directory of its own, and a client for it.

mod lines;

use crate::{Addresses, Console, LoginLimits, Settings, ensure_root, router};
use async_trait::async_trait;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::{Router, http};
use futures::future::BoxFuture;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
pub(super) use lines::{Lines, line};
use lodge_db::Database;
use lodge_model::{
    Account, AppId, AppMeter, Capabilities, CompileError, CompileProgress, ConnectionReport,
    DataPolicy, DatabaseEngine, DatabaseReport, DatabaseSpec, Digest, Endpoint, Failure,
    FailureKind, Grant, GrantError, Inspection, JwtAlgorithm, JwtKey, Launch, Limits, Phase,
    Provider, Rejection, RequestBody, RequestId, ResponseBody, Route, RouteSink, Runtime,
    RuntimeFacts, Secret, StartError, Status, World,
};
use lodge_supervisor::{Parts, Supervisor};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tower::ServiceExt as _;

pub(super) const EMAIL: &str = "root@example.com";
pub(super) const PASSWORD: &str = "correct horse battery";
pub(super) const HOST: &str = "127.0.0.1:13001";

/// A console under test.
pub(super) struct TestConsole {
    pub(super) console: Console,
    pub(super) router: Router,
    pub(super) db: Database,
    pub(super) meters: Arc<Meters>,
    pub(super) logs: Arc<Lines>,
    pub(super) token: String,
    _folder: TempDir,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) text: String,
}

impl Answer {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e}: {}", self.text))
    }

    /// The status and the problem's code.
    pub(super) fn problem(&self) -> (u16, String) {
        let kind = self
            .headers
            .get("content-type")
            .and_then(|kind| kind.to_str().ok());
        assert_eq!(kind, Some("application/problem+json"), "{self:?}");
        let body = self.json();
        assert_eq!(body["status"], self.status.as_u16());
        assert_eq!(body["type"], "about:blank");
        for member in ["title", "detail", "code"] {
            assert!(
                body[member].as_str().is_some_and(|text| !text.is_empty()),
                "{body}"
            );
        }
        (
            self.status.as_u16(),
            body["code"].as_str().unwrap().to_owned(),
        )
    }
}

impl TestConsole {
    pub(super) async fn new() -> Self {
        Self::with(Settings::default()).await
    }

    pub(super) async fn with(settings: Settings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let db = Database::open_file(&folder.path().join("lodge.db")).await;
        Self::over(db.unwrap(), folder, settings).await
    }

    /// Over the database at a URL.
    pub(super) async fn at(url: &str) -> Self {
        let db = Database::open(url).await.unwrap();
        Self::over(db, tempfile::tempdir().unwrap(), Settings::default()).await
    }

    async fn over(db: Database, folder: TempDir, settings: Settings) -> Self {
        let logs = Arc::new(Lines::default());
        let meters = Arc::<Meters>::default();
        let supervisor = Supervisor::open(Parts {
            db: db.clone(),
            runtime: Arc::new(Simulated),
            routes: meters.clone(),
            logs: logs.clone(),
            provider: Arc::new(Databases),
            sealer: Arc::new(lodge_harness::TestSealer(1)),
            make_key: Arc::new(make_key),
            key_set: Arc::new(key_set),
            data_dir: folder.path().to_owned(),
            environment: "local".parse().unwrap(),
            cluster: None,
            settings: lodge_supervisor::Settings {
                // By hand, so that no test depends on the clock.
                sample_every: Duration::from_secs(24 * 60 * 60),
                ..lodge_supervisor::Settings::default()
            },
        })
        .await
        .unwrap();
        let cheap = argon2::Params::new(8, 1, 1, None).unwrap();
        let settings = Settings {
            password_params: Some(cheap),
            admin_listen: Some(SocketAddr::from(([127, 0, 0, 1], 13001))),
            wasmtime: "1.2.3",
            addresses: Addresses {
                listen: Some(SocketAddr::from(([127, 0, 0, 1], 13000))),
                apps_domain: None,
            },
            ..settings
        };
        let console = Console::open(db.clone(), supervisor, settings)
            .await
            .unwrap();
        assert!(
            ensure_root(&db, Some(EMAIL), Some(PASSWORD))
                .await
                .unwrap()
                .is_none()
        );
        let router = router(console.clone());
        let mut test = Self {
            console,
            router,
            db,
            meters,
            logs,
            token: String::new(),
            _folder: folder,
        };
        let login = test.login(EMAIL, PASSWORD).await;
        test.token = login.json()["token"].as_str().unwrap().to_owned();
        test
    }

    /// Few attempts, so that tests reach the limit.
    pub(super) async fn strict(per_address: u32, per_account: u32) -> Self {
        let window = Duration::from_secs(60);
        let login_limits = LoginLimits {
            per_address,
            per_account,
            window,
        };
        Self::with(Settings {
            login_limits,
            ..Settings::default()
        })
        .await
    }

    pub(super) async fn login(&self, email: &str, password: &str) -> Answer {
        let body = json!({ "email": email, "password": password });
        self.send(request(Method::POST, "/api/auth/login", Some(&body)))
            .await
    }

    pub(super) async fn send(&self, request: Request<Body>) -> Answer {
        read(self.router.clone().oneshot(request).await.unwrap()).await
    }

    /// With the root user's token.
    pub(super) async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        self.call_with(method, path, body, &[]).await
    }

    pub(super) async fn call_with(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
        headers: &[(&'static str, &str)],
    ) -> Answer {
        let mut request = request(method, path, body.as_ref());
        let bearer = format!("Bearer {}", self.token);
        request
            .headers_mut()
            .insert("authorization", bearer.parse().unwrap());
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        self.send(request).await
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, None).await
    }

    pub(super) async fn upload(&self, query: &str, bytes: impl Into<Body>) -> Answer {
        let request = Request::post(format!("/api/components{query}"))
            .header("host", HOST)
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", "application/wasm")
            .extension(ConnectInfo(SocketAddr::from(([192, 0, 2, 1], 5000))))
            .body(bytes.into())
            .unwrap();
        self.send(request).await
    }

    /// An uploaded, compiled component's digest.
    pub(super) async fn component(&self) -> String {
        let answer = self.upload("", "\0asm hello 1.0").await;
        let digest = answer.json()["digest"].as_str().unwrap().to_owned();
        let compiled = self
            .get(&format!("/api/components/{digest}?wait_ms=30000"))
            .await;
        assert_eq!(compiled.json()["status"], "ready");
        digest
    }

    /// Creates an app of that component.
    pub(super) async fn app(&self, id: &str) -> Answer {
        let digest = self.component().await;
        let body = json!({ "id": id, "component": { "digest": digest } });
        self.call(Method::POST, "/api/apps", Some(body)).await
    }
}

pub(super) fn request(method: Method, path: &str, body: Option<&Value>) -> Request<Body> {
    let builder = Request::builder()
        .method(method)
        .uri(path)
        .header("host", HOST)
        .extension(ConnectInfo(SocketAddr::from(([192, 0, 2, 1], 5000))));
    match body {
        Some(body) => builder
            .header("content-type", "application/json")
            .body(Body::from(body.to_string()))
            .unwrap(),
        None => builder.body(Body::empty()).unwrap(),
    }
}

async fn read(response: Response<Body>) -> Answer {
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    Answer {
        status: parts.status,
        headers: parts.headers,
        text,
    }
}

/// Runs nothing: takes bytes such as `\0asm name version` for a component, and every app for
/// running.
struct Simulated;

#[async_trait]
impl Runtime for Simulated {
    async fn inspect(&self, wasm: &Path) -> Result<Inspection, Rejection> {
        let bytes = tokio::fs::read(wasm).await.unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some(rest) = text.strip_prefix("\0asm") else {
            return Err(Rejection {
                code: "not_wasm".into(),
                message: "this is no WebAssembly: build the guest for wasm32-wasip2".into(),
                unknown_imports: Vec::new(),
            });
        };
        if rest.contains("imports") {
            return Err(Rejection {
                code: "unknown_imports".into(),
                message: "it imports what Lodge does not offer".into(),
                unknown_imports: vec!["acme:gpu/compute".into()],
            });
        }
        let mut words = rest.split_whitespace().map(str::to_owned);
        Ok(Inspection {
            world: World::Http02,
            uses_async: false,
            imports: Vec::new(),
            exports: vec!["wasi:http/incoming-handler@0.2.6".into()],
            name: words.next(),
            version: words.next(),
            metadata: Default::default(),
        })
    }

    async fn ensure_compiled(
        &self,
        _: Digest,
        _: bool,
        _: &Path,
        progress: &(dyn Fn(CompileProgress) + Sync),
    ) -> Result<(), CompileError> {
        progress(CompileProgress::Compiling);
        Ok(())
    }

    async fn remove_compiled(&self, _: Digest) {}

    async fn ensure_running(
        &self,
        _: Launch,
        report: &(dyn Fn(Status) + Sync),
    ) -> Result<Arc<dyn Endpoint>, StartError> {
        report(Status::Starting);
        Ok(Arc::new(Nothing))
    }

    async fn ensure_stopped(&self, _: &AppId, _: Duration) {}

    fn facts(&self) -> RuntimeFacts {
        RuntimeFacts {
            instance_slots: 100,
            memory_bytes: 1 << 30,
            guest_cores: 3.0,
            pagemap_scan: true,
            memory_mappings: 1,
        }
    }
}

struct Nothing;

impl Endpoint for Nothing {
    fn call(
        self: Arc<Self>,
        _: RequestId,
        _: Request<RequestBody>,
    ) -> BoxFuture<'static, Result<Response<ResponseBody>, Failure>> {
        Box::pin(async { Err(FailureKind::NoResponse.into()) })
    }
}

/// The meters of apps, as the edge has them.
#[derive(Default)]
pub(super) struct Meters(parking_lot::Mutex<HashMap<AppId, Arc<AppMeter>>>);

impl Meters {
    pub(super) fn of(&self, app: &str) -> Arc<AppMeter> {
        self.0.lock()[&app.parse::<AppId>().unwrap()].clone()
    }
}

impl RouteSink for Meters {
    fn replace_all(&self, _: Vec<Route>) {}
    fn upsert(&self, route: Route) {
        self.0.lock().insert(route.app, route.meter);
    }
    fn remove(&self, _: &AppId) {}
    fn set_phase(&self, _: &AppId, _: Phase) {}
}

/// Databases that are there if their URL says so, and a driver that quotes URLs.
struct Databases;

#[async_trait]
impl Provider for Databases {
    async fn open(&self, _: &Grant, _: Arc<dyn Account>) -> Result<Capabilities, GrantError> {
        Err(GrantError::Unavailable("nothing runs here".into()))
    }

    async fn close(&self, _: &AppId) {}

    async fn remove(&self, _: &Grant, _: DataPolicy) -> Result<(), GrantError> {
        Ok(())
    }

    fn check_database(&self, _: &lodge_model::DatabaseSpec) -> Result<(), lodge_model::Invalid> {
        Ok(())
    }

    async fn test_database(
        &self,
        _: &AppId,
        database: &DatabaseSpec,
    ) -> Result<ConnectionReport, GrantError> {
        let url = database.url.clone().unwrap_or_default();
        match url.ends_with("/there") {
            true => Ok(ConnectionReport {
                engine: DatabaseEngine::Postgres,
                version: "17.5".into(),
                elapsed_ms: 3,
            }),
            false => Err(GrantError::Unavailable(format!("no answer from {url}"))),
        }
    }

    async fn check_service(&self) -> Result<(), GrantError> {
        let text = "no answer from postgres://lodge:hunter2@db/apps";
        Err(GrantError::Unavailable(text.into()))
    }

    async fn report_database(
        &self,
        _: &AppId,
        database: &DatabaseSpec,
        _: &Limits,
    ) -> DatabaseReport {
        let empty = DatabaseReport::empty(database.kind, Duration::from_millis(100));
        let url = database.url.clone().unwrap_or_default();
        let problem = (!url.is_empty()).then(|| format!("no answer from {url}"));
        DatabaseReport { problem, ..empty }
    }
}

fn make_key(algorithm: JwtAlgorithm) -> Result<JwtKey, String> {
    static MADE: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(1);
    let number = MADE.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
    Ok(JwtKey {
        id: format!("kid-{number}"),
        algorithm,
        secret: Secret(format!("very-secret-key-{number}")),
        retired_at: None,
    })
}

fn key_set(keys: &[JwtKey]) -> Value {
    let public = keys.iter().filter(|k| k.algorithm != JwtAlgorithm::HS256);
    json!({ "keys": public.map(|k| json!({ "kid": k.id })).collect::<Vec<_>>() })
}
