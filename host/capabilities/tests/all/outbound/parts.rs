//! What a test of outgoing HTTP is made of: an app, its account, names.

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Empty, Full};
use lodge_capabilities::outbound::{OutboundService, Resolver, Settings};
use lodge_model::{
    Account, AppMeter, DatabaseSpec, Grant, Limits, LogLevel, Outbound, OutboundError,
    OutboundOptions, RequestBody, ResponseBody, Turn,
};
use parking_lot::Mutex;
use std::collections::{BTreeMap, HashMap};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

/// An account with a budget, that keeps what was logged.
pub(crate) struct TestAccount {
    meter: AppMeter,
    pub(crate) budget: AtomicU64,
    pub(crate) reserved: AtomicU64,
    pub(crate) peak: AtomicU64,
    /// In microseconds.
    pub(crate) cpu: AtomicU64,
    pub(crate) lines: Mutex<Vec<String>>,
}

impl Default for TestAccount {
    fn default() -> Self {
        Self {
            meter: AppMeter::default(),
            budget: AtomicU64::new(u64::MAX),
            reserved: AtomicU64::default(),
            peak: AtomicU64::default(),
            cpu: AtomicU64::default(),
            lines: Mutex::default(),
        }
    }
}

impl Account for TestAccount {
    fn charge_cpu(&self, used: Duration) {
        let micros = u64::try_from(used.as_micros()).unwrap_or(u64::MAX);
        self.cpu.fetch_add(micros, SeqCst);
    }

    fn next_turn(&self, last: Option<Turn>, _: &dyn Fn() -> bool) -> Option<Turn> {
        last
    }

    fn end_turn(&self, _: Turn) {}

    fn try_reserve(&self, bytes: u64) -> bool {
        let now = self.reserved.fetch_add(bytes, SeqCst) + bytes;
        if now > self.budget.load(SeqCst) {
            self.reserved.fetch_sub(bytes, SeqCst);
            return false;
        }
        self.peak.fetch_max(now, SeqCst);
        true
    }

    fn release(&self, bytes: u64) {
        self.reserved.fetch_sub(bytes, SeqCst);
    }

    fn log(&self, _: LogLevel, message: String) {
        self.lines.lock().push(message);
    }

    fn meter(&self) -> &AppMeter {
        &self.meter
    }
}

/// Names and the answers that each lookup gets in turn; the last one stays. A name without answers
/// is never answered; one that is not there does not exist.
#[derive(Default)]
pub(crate) struct Names {
    answers: Mutex<HashMap<String, Vec<Vec<SocketAddr>>>>,
    pub(crate) lookups: AtomicUsize,
}

impl Names {
    pub(crate) fn set(&self, name: &str, answers: &[&[SocketAddr]]) {
        let answers = answers.iter().map(|answer| answer.to_vec()).collect();
        self.answers.lock().insert(name.into(), answers);
    }
}

#[async_trait]
impl Resolver for Names {
    async fn resolve(&self, name: &str, _: u16) -> io::Result<Vec<SocketAddr>> {
        self.lookups.fetch_add(1, SeqCst);
        let answer = match self.answers.lock().get_mut(name) {
            None => return Err(io::Error::other("no such name")),
            Some(answers) if answers.is_empty() => None,
            Some(answers) if answers.len() == 1 => Some(answers[0].clone()),
            Some(answers) => Some(answers.remove(0)),
        };
        match answer {
            Some(answer) => Ok(answer),
            None => std::future::pending().await,
        }
    }
}

pub(crate) fn grant(app: &str, hosts: &[String], limits: Limits) -> Grant {
    Grant {
        app: app.parse().unwrap(),
        database: DatabaseSpec::default(),
        source_databases: Default::default(),
        sources: BTreeMap::new(),
        jwt_keys: Vec::new(),
        config: BTreeMap::new(),
        outbound_hosts: hosts.to_vec(),
        limits,
    }
}

/// One app and its way out.
pub(crate) struct App {
    pub(crate) account: Arc<TestAccount>,
    pub(crate) out: Arc<dyn Outbound>,
}

impl App {
    pub(crate) fn with(
        service: &Arc<OutboundService>,
        id: &str,
        hosts: &[String],
        limits: Limits,
    ) -> Self {
        let account = Arc::<TestAccount>::default();
        let out = service.open(&grant(id, hosts, limits), account.clone());
        let out = out.unwrap();
        Self { account, out }
    }

    /// An app `shop` that may call `hosts`, in a process of its own.
    pub(crate) fn new(hosts: &[String]) -> Self {
        let service = OutboundService::new(Settings::default());
        Self::with(&service, "shop", hosts, Limits::default())
    }

    pub(crate) async fn send(
        &self,
        request: Request<RequestBody>,
    ) -> Result<Response<ResponseBody>, OutboundError> {
        self.out.send(request, OutboundOptions::default()).await
    }

    pub(crate) async fn get(&self, uri: &str) -> Result<Response<ResponseBody>, OutboundError> {
        self.send(get(uri)).await
    }

    /// The text of a GET's response.
    pub(crate) async fn text(&self, uri: &str) -> String {
        text(self.get(uri).await.unwrap()).await
    }

    pub(crate) fn logged(&self) -> Vec<String> {
        self.account.lines.lock().clone()
    }
}

pub(crate) fn get(uri: &str) -> Request<RequestBody> {
    Request::get(uri).body(empty()).unwrap()
}

pub(crate) fn empty() -> RequestBody {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
}

pub(crate) fn full(text: impl Into<Bytes>) -> RequestBody {
    Full::new(text.into())
        .map_err(|never| match never {})
        .boxed_unsync()
}

pub(crate) async fn text(response: Response<ResponseBody>) -> String {
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Asks again until it is so; ten seconds at most.
pub(crate) async fn until(what: &str, is_so: impl Fn() -> bool) {
    for _ in 0..500 {
        if is_so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{what}");
}
