//! An edge on a port of its own, apps made of closures, and a client that writes bytes.

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use lodge_edge::{Drained, Edge, Routes, Settings};
use lodge_model::{
    Activator, AppId, AppMeter, Endpoint, Failure, FailureKind, Limits, PathAccess, Phase,
    RequestBody, RequestId, ResponseBody, Route, RouteSink,
};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub(crate) type Answer = Result<Response<ResponseBody>, Failure>;

/// An app that is a closure.
pub(crate) struct App<F>(pub F);

impl<F, A> Endpoint for App<F>
where
    F: Fn(Request<RequestBody>) -> A + Send + Sync + 'static,
    A: Future<Output = Answer> + Send + 'static,
{
    fn call(
        self: Arc<Self>,
        _: RequestId,
        request: Request<RequestBody>,
    ) -> BoxFuture<'static, Answer> {
        Box::pin((self.0)(request))
    }
}

/// A phase in which `answer` serves.
pub(crate) fn running<F, A>(answer: F) -> Phase
where
    F: Fn(Request<RequestBody>) -> A + Send + Sync + 'static,
    A: Future<Output = Answer> + Send + 'static,
{
    Phase::Running(Arc::new(App(answer)))
}

pub(crate) fn text(text: impl Into<Bytes>) -> Response<ResponseBody> {
    Response::new(ResponseBody::new(
        Full::new(text.into()).map_err(|never| match never {}),
    ))
}

/// Answers with the request's line and header, a field a line, and its body.
pub(crate) fn mirror() -> Phase {
    running(|request: Request<RequestBody>| async {
        let (parts, body) = request.into_parts();
        let mut seen = format!("{} {}\n", parts.method, parts.uri);
        for (name, value) in &parts.headers {
            seen += &format!("{name}: {}\n", value.to_str().unwrap_or("?"));
        }
        let body = body
            .collect()
            .await
            .map_err(|_| Failure::from(FailureKind::Trap))?;
        seen += &String::from_utf8_lossy(&body.to_bytes());
        Ok(text(seen))
    })
}

/// Starts apps when the test says so.
#[derive(Default)]
pub(crate) struct Starter {
    pub(crate) calls: AtomicUsize,
    pub(crate) go: Notify,
    pub(crate) result: parking_lot::Mutex<Option<Result<Arc<dyn Endpoint>, Failure>>>,
}

struct StarterRef(Arc<Starter>);

impl Activator for StarterRef {
    fn key_set(&self, app: &AppId) -> Option<String> {
        Some(format!("{{\"keys\":[],\"of\":\"{app}\"}}"))
    }

    fn activate(
        &self,
        _: &AppId,
        _: RequestId,
    ) -> BoxFuture<'static, Result<Arc<dyn Endpoint>, Failure>> {
        let starter = self.0.clone();
        starter.calls.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            loop {
                let go = starter.go.notified();
                if let Some(result) = starter.result.lock().clone() {
                    return result;
                }
                go.await;
            }
        })
    }
}

pub(crate) struct Host {
    pub(crate) at: SocketAddr,
    pub(crate) edge: Arc<Edge>,
    pub(crate) routes: Arc<Routes>,
    pub(crate) starter: Arc<Starter>,
    pub(crate) stop: CancellationToken,
    pub(crate) serving: JoinHandle<Drained>,
}

impl Host {
    pub(crate) async fn start() -> Self {
        Self::with(Settings::default(), Duration::from_secs(5)).await
    }

    pub(crate) async fn with(settings: Settings, grace: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let (routes, starter, stop) = (
            Routes::new(),
            Arc::<Starter>::default(),
            CancellationToken::new(),
        );
        let edge = Edge::new(
            settings,
            routes.clone(),
            Arc::new(StarterRef(starter.clone())),
        );
        let serving = tokio::spawn(edge.clone().serve(listener, stop.clone(), grace));
        Self {
            at,
            edge,
            routes,
            starter,
            stop,
            serving,
        }
    }

    /// Adds an app; returns its counters.
    pub(crate) fn app(&self, id: &str, phase: Phase) -> Arc<AppMeter> {
        self.app_with(id, phase, |_| {})
    }

    pub(crate) fn app_with(
        &self,
        id: &str,
        phase: Phase,
        change: impl FnOnce(&mut Route),
    ) -> Arc<AppMeter> {
        let mut route = Route {
            app: id.parse().unwrap(),
            domains: Vec::new(),
            path_access: PathAccess::Serve,
            limits: Limits::default(),
            meter: Arc::default(),
            phase,
        };
        change(&mut route);
        let meter = route.meter.clone();
        self.routes.upsert(route);
        meter
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.at).await.unwrap()
    }

    /// Sends bytes and reads until the edge closes.
    pub(crate) async fn send(&self, bytes: impl AsRef<[u8]>) -> String {
        let mut socket = self.connect().await;
        socket.write_all(bytes.as_ref()).await.unwrap();
        rest(&mut socket).await
    }

    /// One GET on a connection of its own, with further header lines.
    pub(crate) async fn get(&self, host: &str, path: &str, lines: &str) -> String {
        self.send(format!(
            "GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{lines}\r\n"
        ))
        .await
    }
}

/// All that still comes, until the edge closes; at most ten seconds.
pub(crate) async fn rest(socket: &mut TcpStream) -> String {
    let mut all = Vec::new();
    // A reset after the answer is an end, too.
    let read = tokio::time::timeout(Duration::from_secs(10), socket.read_to_end(&mut all)).await;
    assert!(
        read.is_ok(),
        "the edge keeps the connection open; so far: {}",
        String::from_utf8_lossy(&all)
    );
    String::from_utf8_lossy(&all).into_owned()
}

/// Reads until `end` has come.
pub(crate) async fn until(socket: &mut TcpStream, end: &str) -> String {
    let mut all = Vec::new();
    while !String::from_utf8_lossy(&all).contains(end) {
        let mut byte = [0; 4096];
        let read = tokio::time::timeout(Duration::from_secs(10), socket.read(&mut byte)).await;
        let count = read
            .unwrap_or_else(|_| panic!("no {end:?} in {:?}", String::from_utf8_lossy(&all)))
            .unwrap();
        assert!(
            count > 0,
            "closed before {end:?}: {:?}",
            String::from_utf8_lossy(&all)
        );
        all.extend_from_slice(&byte[..count]);
    }
    String::from_utf8(all).unwrap()
}

/// Waits until something becomes true, five seconds at most.
pub(crate) async fn eventually(what: &str, mut is_true: impl FnMut() -> bool) {
    for _ in 0..500 {
        if is_true() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never became true: {what}");
}
