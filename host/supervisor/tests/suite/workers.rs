//! Apps on simulated workers, over a simulated link.

use crate::bed::{Bed, Host};
use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use lodge_model::*;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use tokio::sync::{mpsc, watch};

/// Workers that do what they are told at once, and a link that is as slow to read as a test likes.
pub struct FakeLink {
    say: mpsc::UnboundedSender<FromWorkers>,
    said: tokio::sync::Mutex<mpsc::UnboundedReceiver<FromWorkers>>,
    may_read: watch::Sender<bool>,
    reading: AtomicUsize,
    readings: AtomicUsize,
    publishes: AtomicUsize,
    away: AtomicBool,
    kept: Mutex<HashMap<(EnvironmentName, AppId), (Revision, Report)>>,
}

impl FakeLink {
    pub fn new() -> Arc<Self> {
        let (say, said) = mpsc::unbounded_channel();
        Arc::new(Self {
            say,
            said: tokio::sync::Mutex::new(said),
            may_read: watch::Sender::new(true),
            reading: AtomicUsize::default(),
            readings: AtomicUsize::default(),
            publishes: AtomicUsize::default(),
            away: AtomicBool::default(),
            kept: Mutex::default(),
        })
    }

    fn say(&self, what: FromWorkers) {
        self.say.send(what).unwrap();
    }
}

/// A worker that has just begun.
pub fn registration(name: &str) -> Registration {
    Registration {
        environment: name.parse().unwrap(),
        boot: BootId::random().unwrap(),
        worker_id: name.to_owned(),
        version: "0.1.0".to_owned(),
        url: None,
        proxy_url: format!("http://{name}:13000"),
        heartbeat_ms: 60_000,
        capacity: Capacity::default(),
        started_at: 0,
    }
}

/// What a worker says that has done what it was told.
pub fn done(told: &Specification) -> Report {
    let status = match told.goal {
        Goal::Running => Status::Running,
        Goal::Waiting => Status::Waiting,
        Goal::Stopped | Goal::Gone(_) => Status::Stopped,
    };
    Report {
        app: told.app.clone(),
        observed: Observed {
            environment: told.environment.clone(),
            status,
            since: 1,
            version: None,
            message: None,
        },
        revision: told.revision,
        gone: matches!(told.goal, Goal::Gone(_)),
    }
}

#[async_trait]
impl SupervisorLink for FakeLink {
    async fn next(&self) -> FromWorkers {
        self.said.lock().await.recv().await.unwrap()
    }

    fn lead(&self, _: i64) {}

    async fn publish(&self, told: &Specification) -> Result<(), LinkError> {
        self.publishes.fetch_add(1, SeqCst);
        if self.away.load(SeqCst) {
            return Err(LinkError("Redis is away".to_owned()));
        }
        let report = done(told);
        let key = (told.environment.clone(), told.app.clone());
        self.kept
            .lock()
            .insert(key, (told.revision, report.clone()));
        self.say(FromWorkers::Report(report));
        Ok(())
    }

    async fn forget(&self, environment: &EnvironmentName, app: &AppId) -> Result<(), LinkError> {
        let key = (environment.clone(), app.clone());
        self.kept.lock().remove(&key);
        Ok(())
    }

    async fn published(
        &self,
        environment: &EnvironmentName,
    ) -> Result<HashMap<AppId, Revision>, LinkError> {
        let kept = self.kept.lock();
        let there = kept.iter().filter(|((name, _), _)| name == environment);
        Ok(there
            .map(|((_, app), (at, _))| (app.clone(), *at))
            .collect())
    }

    async fn reports(&self, environment: &EnvironmentName) -> Result<Vec<Report>, LinkError> {
        let reports = {
            let kept = self.kept.lock();
            let there = kept.iter().filter(|((name, _), _)| name == environment);
            there.map(|(_, (_, report))| report.clone()).collect()
        };
        self.readings.fetch_add(1, SeqCst);
        self.reading.fetch_add(1, SeqCst);
        let _ = self.may_read.subscribe().wait_for(|may| *may).await;
        self.reading.fetch_sub(1, SeqCst);
        Ok(reports)
    }

    async fn remove(&self, _: &EnvironmentName) -> Result<(), LinkError> {
        Ok(())
    }
}

/// Leads nowhere.
pub struct NoWay;

#[async_trait]
impl Forwarding for NoWay {
    fn endpoint(&self, _: &AppId, _: Vec<Target>) -> Arc<dyn Endpoint> {
        Arc::new(crate::fake::FakeEndpoint)
    }

    async fn ask(
        &self,
        _: &Target,
        _: Request<Bytes>,
    ) -> Result<Response<ResponseBody>, LinkError> {
        Err(LinkError("there is nobody".to_owned()))
    }
}

/// With 20 workers, and an app on the first.
fn open(bed: &mut Bed, link: &Arc<FakeLink>) -> Host {
    let ours = Arc::clone(link);
    bed.link = Some(Box::new(move || ours.clone()));
    let host = bed.open();
    link.say(FromWorkers::Connected);
    for n in 0..20 {
        link.say(FromWorkers::Joined(registration(&format!("w{n}"))));
    }
    host.until("all have joined", || {
        host.supervisor.environments().len() == 20 && link.readings.load(SeqCst) == 20
    });
    host.component("hello", "1.0.0");
    host.create_from(serde_json::json!({
        "id": "shop", "component": {"name": "hello"}, "start_mode": "with_host", "desired": "running",
        "environments": ["w0"],
    }))
    .unwrap();
    host.until_status("shop", Status::Running);
    host
}

/// A Redis that is slow to read holds up nobody but who has to be read.
pub fn commands_pass_those_who_are_caught_up_with(mut bed: Bed) {
    let link = FakeLink::new();
    let host = open(&mut bed, &link);
    link.may_read.send_replace(false);
    let before = link.readings.load(SeqCst);
    link.say(FromWorkers::Connected);
    host.until("some are read", || link.reading.load(SeqCst) == 8);
    host.done(&host.stop("shop"));
    host.done(&host.start("shop"));
    assert_eq!(host.status("shop"), Status::Running);
    assert_eq!(link.reading.load(SeqCst), 8, "no more than that at once");

    // Asked for again: those that wait are read once, those that are read once more.
    link.say(FromWorkers::Connected);
    link.say(FromWorkers::Connected);
    host.done(&host.stop("shop"));
    link.may_read.send_replace(true);
    let all = before + 20 + 8;
    host.until("all are read", || link.readings.load(SeqCst) >= all);
    host.pause(50);
    assert_eq!(link.readings.load(SeqCst), all);
    // What was read before the commands undid nothing.
    assert_eq!(host.status("shop"), Status::Stopped);
}

/// 20,000 apps that try again every 2 s would be a burden while nothing can come of it.
pub fn nobody_is_told_anything_while_redis_is_away(mut bed: Bed) {
    let link = FakeLink::new();
    let host = open(&mut bed, &link);
    link.away.store(true, SeqCst);
    link.say(FromWorkers::Disconnected {
        reason: "cut off".to_owned(),
    });
    host.until("it is noticed", || host.supervisor.link_problem().is_some());
    let before = link.publishes.load(SeqCst);
    let stop = host.stop("shop");
    host.until("it waits", || {
        let stop = host.run(host.supervisor.operation(&stop.id)).unwrap();
        let progress = stop.progress.unwrap_or_default();
        progress == "waits for Redis: cut off"
    });
    assert_eq!(link.publishes.load(SeqCst), before);
    link.away.store(false, SeqCst);
    link.say(FromWorkers::Connected);
    host.done(&stop);
    assert_eq!(host.status("shop"), Status::Stopped);
}
