//! Two edges and the way between them, over real sockets.

mod choice;
mod cost;
mod ended;
mod exchanges;
mod intake;
mod pool;
mod streams;

use crate::support::Host;
use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use lodge_edge::{Forward, ForwardSettings, Intake, Settings};
use lodge_model::{
    AppMeter, BootId, ClusterKey, Control, Endpoint, Forwarding, Phase, ResponseBody, Signer,
    Target, Verifier,
};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

pub(crate) const GRACE: Duration = Duration::from_millis(200);

pub(crate) fn key() -> ClusterKey {
    ClusterKey::new("a key for tests, of 32 characters or more").unwrap()
}

/// Answers with what it was asked.
struct Echo;

#[async_trait]
impl Control for Echo {
    async fn answer(&self, request: Request<Bytes>) -> Response<ResponseBody> {
        let (head, body) = request.into_parts();
        if head.uri.path() == "/.lodge/none" {
            let mut response = crate::support::text("none");
            *response.status_mut() = http::StatusCode::NOT_FOUND;
            return response;
        }
        crate::support::text(format!(
            "{} {} {}",
            head.method,
            head.uri,
            String::from_utf8_lossy(&body)
        ))
    }
}

/// A worker: an edge that takes in what is signed for its boot.
pub(crate) struct Worker {
    pub(crate) host: Host,
    pub(crate) boot: BootId,
    pub(crate) name: &'static str,
}

impl Worker {
    pub(crate) async fn start(name: &'static str) -> Self {
        Self::with(name, Settings::default()).await
    }

    pub(crate) async fn with(name: &'static str, settings: Settings) -> Self {
        let boot = BootId::random().unwrap();
        let host = Host::with(taking_in(boot, settings), GRACE).await;
        Self { host, boot, name }
    }

    pub(crate) fn target(&self) -> Target {
        target(self.name, self.host.at, self.boot)
    }
}

pub(crate) fn taking_in(boot: BootId, settings: Settings) -> Settings {
    Settings {
        intake: Some(Intake {
            verifier: Arc::new(Verifier::new(&key(), boot)),
            control: Arc::new(Echo),
        }),
        ..settings
    }
}

pub(crate) fn target(name: &str, at: SocketAddr, boot: BootId) -> Target {
    Target {
        environment: name.parse().unwrap(),
        url: format!("http://{at}"),
        boot,
    }
}

/// A supervisor: an edge whose apps are elsewhere.
pub(crate) struct Supervisor {
    pub(crate) host: Host,
    pub(crate) forward: Arc<Forward>,
}

impl Supervisor {
    pub(crate) async fn start() -> Self {
        Self::with(Settings::default(), ForwardSettings::default()).await
    }

    pub(crate) async fn with(settings: Settings, forward: ForwardSettings) -> Self {
        let settings = Settings {
            forwards: true,
            ..settings
        };
        let signer = Signer::new(&key(), BootId::random().unwrap());
        Self {
            host: Host::with(settings, GRACE).await,
            forward: Forward::new(signer, forward),
        }
    }

    pub(crate) fn way(&self, id: &str, targets: Vec<Target>) -> Arc<dyn Endpoint> {
        self.forward.endpoint(&id.parse().unwrap(), targets)
    }

    /// An app that these workers have.
    pub(crate) fn app(&self, id: &str, targets: Vec<Target>) -> Arc<AppMeter> {
        self.host.app(id, Phase::Running(self.way(id, targets)))
    }
}

/// A supervisor and a worker with one app.
pub(crate) async fn pair(id: &str, phase: Phase) -> (Supervisor, Worker) {
    let worker = Worker::start("one").await;
    worker.host.app(id, phase);
    let supervisor = Supervisor::start().await;
    supervisor.app(id, vec![worker.target()]);
    (supervisor, worker)
}
