//! Visitors of one app: one who comes at fixed times whatever happens, and crowds who come again as soon as they were
//! answered or turned away.

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use hyper::Request;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use lodge_bench::figures::Figures;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};

type Connections = Client<HttpConnector, Empty<Bytes>>;

/// A visit that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where an app is visited.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) at: SocketAddr,
    pub(crate) app: &'static str,
    pub(crate) path: String,
}

impl Place {
    pub(crate) fn new(at: SocketAddr, app: &'static str, path: &str) -> Self {
        let path = path.to_owned();
        Self { at, app, path }
    }

    fn request(&self) -> Request<Empty<Bytes>> {
        Request::get(format!("http://{}{}", self.at, self.path))
            .header("host", format!("{}.localhost", self.app))
            .body(Empty::new())
            .unwrap()
    }
}

/// What a quiet app's visitor saw.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// From when the visit was sent until it was answered, in milliseconds.
    pub(crate) times: Figures,
    /// Visits that were not answered 200.
    pub(crate) failed: u64,
}

/// Visits at fixed times, `per_second` of them, for `time`. A visit that is late makes none later: what is measured is
/// what visitors notice who know nothing of each other.
pub(crate) async fn visit_steadily(place: &Place, per_second: u64, time: Duration) -> Seen {
    let connections = connections();
    let pace = Duration::from_secs(1) / u32::try_from(per_second).unwrap();
    let start = Instant::now() + Duration::from_millis(10);
    let mut due = interval_at(start, pace);
    due.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut visits = Vec::new();
    for _ in 0..time.as_secs() * per_second {
        due.tick().await;
        let (connections, request) = (connections.clone(), place.request());
        visits.push(tokio::spawn(async move {
            let sent = Instant::now();
            let answered = answer(&connections, request).await == Some(200);
            (answered, sent.elapsed())
        }));
    }
    let mut seen = Seen::default();
    for visit in visits {
        match visit.await.unwrap() {
            (true, took) => seen.times.add_time(took),
            (false, _) => seen.failed += 1,
        }
    }
    seen
}

/// A crowd; gone when dropped.
pub(crate) struct Crowd {
    over: Arc<AtomicBool>,
}

impl Crowd {
    /// So many at once, each again and again.
    pub(crate) fn at_once(place: &Place, visitors: usize) -> Self {
        let crowd = Self::new();
        let connections = connections();
        for _ in 0..visitors {
            let (place, connections) = (place.clone(), connections.clone());
            let over = crowd.over.clone();
            tokio::spawn(async move {
                while !over.load(Relaxed) {
                    let status = timeout(PATIENCE, visit(&connections, &place, &over)).await;
                    if status != Ok(Some(200)) {
                        // Who was turned away comes again, but does not hammer.
                        tokio::time::sleep(Duration::from_millis(5)).await;
                    }
                }
            });
        }
        crowd
    }

    /// So many a second, however many wait already.
    pub(crate) fn flood(place: &Place, per_second: u64) -> Self {
        let crowd = Self::new();
        let (place, connections, over) = (place.clone(), connections(), crowd.over.clone());
        tokio::spawn(async move {
            // In bursts of 10 ms: a timer cannot do better.
            let mut due = tokio::time::interval(Duration::from_millis(10));
            while !over.load(Relaxed) {
                due.tick().await;
                for _ in 0..per_second / 100 {
                    let (connections, request) = (connections.clone(), place.request());
                    tokio::spawn(async move { answer(&connections, request).await });
                }
            }
        });
        crowd
    }

    fn new() -> Self {
        Self {
            over: Arc::default(),
        }
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        self.over.store(true, Relaxed);
    }
}

fn connections() -> Connections {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    Client::builder(TokioExecutor::new()).build(connector)
}

async fn answer(connections: &Connections, request: Request<Empty<Bytes>>) -> Option<u16> {
    let whole = async {
        let response = connections.request(request).await.ok()?;
        let status = response.status().as_u16();
        response.into_body().collect().await.ok()?;
        Some(status)
    };
    timeout(PATIENCE, whole).await.ok()?
}

/// As [`answer`], reading a body without end until the crowd is over.
async fn visit(connections: &Connections, place: &Place, over: &AtomicBool) -> Option<u16> {
    let response = connections.request(place.request()).await.ok()?;
    let status = response.status().as_u16();
    let mut body = response.into_body();
    while let Some(frame) = body.frame().await {
        frame.ok()?;
        if over.load(Relaxed) {
            return None;
        }
    }
    Some(status)
}
