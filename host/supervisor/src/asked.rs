//! What workers are asked for their apps' administrators: logs, and databases as they see them.
//!
//! Asked when somebody wants to know, of the workers that have the app, a few seconds at most; what a
//! worker does not answer is left out, and its answer says so. Followed logs are followed again when a
//! worker comes back.

use crate::cell::Cell;
use crate::logs::LogQuery;
use crate::supervisor::Supervisor;
use bytes::{Bytes, BytesMut};
use futures::StreamExt as _;
use futures::stream::BoxStream;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use lodge_model::{
    DatabaseReport, EnvironmentName, Followed, Forwarding, LogLevel, LogLine, LogSource,
    ResponseBody, Target,
};
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use url::form_urlencoded::Serializer;

/// The longest wait for a worker's whole answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest answer, in bytes.
const MOST: usize = 64 * 1024 * 1024;
/// The longest log line, in bytes of JSON.
const LONGEST_LINE: usize = 1024 * 1024;
/// Lines of a followed log that may wait for a slow reader.
const BACKLOG: usize = 256;
/// The pause before a worker is asked again that broke off.
const AGAIN: Duration = Duration::from_secs(2);

/// A line of a followed log, as a worker says it.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Told {
    Line(LogLine),
    Dropped(u64),
}

impl LogQuery {
    fn parameters(&self) -> Serializer<'static, String> {
        let mut query = Serializer::new(String::new());
        let level = self.level.map(|level| word(&level));
        let source = self.source.map(|source| word(&source));
        let texts = [
            ("level", level),
            ("source", source),
            ("search", self.search.clone()),
        ];
        for (name, value) in texts {
            if let Some(value) = value {
                query.append_pair(name, &value);
            }
        }
        query
    }

    fn whole(&self, limit: usize) -> String {
        let mut query = self.parameters();
        query.append_pair("limit", &limit.to_string());
        if let Some(request) = &self.request {
            query.append_pair("request", request);
        }
        for (name, time) in [("since", self.since), ("until", self.until)] {
            if let Some(time) = time {
                query.append_pair(name, &time.to_string());
            }
        }
        query.finish()
    }
}

/// A word as its serialized form spells it.
fn word(value: &impl serde::Serialize) -> String {
    let text = serde_json::to_string(value).unwrap_or_default();
    text.trim_matches('"').to_owned()
}

impl Supervisor {
    /// The newest lines that the workers of an app have.
    pub(crate) async fn worker_lines(
        &self,
        cell: &Cell,
        query: &LogQuery,
        limit: usize,
    ) -> Vec<LogLine> {
        let path = format!("/.lodge/apps/{}/logs?{}", cell.id, query.whole(limit));
        let mut lines = Vec::new();
        for target in self.hosts_of(cell) {
            match self.ask_worker(&target, Method::GET, &path).await {
                Ok(text) => {
                    let found = text.split(|byte| *byte == b'\n');
                    lines.extend(found.filter_map(|line| serde_json::from_slice(line).ok()));
                }
                Err(why) => lines.push(missing(&target.environment, &why)),
            }
        }
        lines
    }

    /// Lines as the workers of an app have them from now on.
    pub(crate) fn follow_workers(
        &self,
        cell: &Cell,
        query: &LogQuery,
    ) -> BoxStream<'static, Followed> {
        let Some(cluster) = &self.cluster else {
            return futures::stream::empty().boxed();
        };
        let (sender, receiver) = mpsc::channel(BACKLOG);
        let path = format!(
            "/.lodge/apps/{}/logs/live?{}",
            cell.id,
            query.parameters().finish()
        );
        for target in self.hosts_of(cell) {
            let follow = follow(
                cluster.forward.clone(),
                target,
                path.clone(),
                sender.clone(),
            );
            let stop = self.stop.clone();
            self.tasks.spawn(async move {
                stop.run_until_cancelled(follow).await;
            });
        }
        futures::stream::unfold(receiver, async |mut receiver| {
            receiver.recv().await.map(|told| (told, receiver))
        })
        .boxed()
    }

    /// An app's database as the first of its workers that answers sees it.
    pub(crate) async fn worker_database(&self, cell: &Cell) -> DatabaseReport {
        let path = format!("/.lodge/apps/{}/database", cell.id);
        let kind = cell.lock().row.app.database.kind;
        let mut report = DatabaseReport {
            problem: Some(
                "it is asked where the app runs, and no environment of it answers".into(),
            ),
            ..DatabaseReport::empty(kind, Duration::ZERO)
        };
        for target in self.hosts_of(cell) {
            match self.ask_worker(&target, Method::GET, &path).await {
                Ok(text) => match serde_json::from_slice(&text) {
                    Ok(found) => return found,
                    Err(_) => {
                        report.problem = Some(format!(
                            "the environment `{}` speaks another version of Lodge",
                            target.environment
                        ));
                    }
                },
                Err(why) => {
                    report.problem = Some(format!("asked in `{}`: {why}", target.environment));
                }
            }
        }
        report
    }

    /// The workers that answer and where the app is placed.
    pub(crate) fn hosts_of(&self, cell: &Cell) -> Vec<Target> {
        let names: Vec<_> = {
            let state = cell.lock();
            let places = state.remotes.places().iter();
            places.map(|place| place.environment.clone()).collect()
        };
        let found = names.iter().filter_map(|name| self.workers.target(name));
        found
            .filter(|(_, online)| *online)
            .map(|(target, _)| target)
            .collect()
    }

    /// A worker's whole answer, or why there is none.
    pub(crate) async fn ask_worker(
        &self,
        target: &Target,
        method: Method,
        path: &str,
    ) -> Result<Bytes, String> {
        let Some(cluster) = &self.cluster else {
            return Err("this host has no workers".into());
        };
        let asked = timeout(PATIENCE, async {
            let body = open(&*cluster.forward, target, method, path).await?;
            let whole = Limited::new(body, MOST).collect().await;
            let whole = whole.map_err(|error| error.to_string())?;
            Ok(whole.to_bytes())
        });
        asked
            .await
            .unwrap_or_else(|_| Err(format!("no whole answer within {} s", PATIENCE.as_secs())))
    }
}

async fn open(
    forward: &dyn Forwarding,
    target: &Target,
    method: Method,
    path: &str,
) -> Result<ResponseBody, String> {
    let request = Request::builder().method(method).uri(path);
    let request = request.body(Bytes::new());
    let request = request.map_err(|error| error.to_string())?;
    let answer = forward.ask(target, request).await;
    let answer = answer.map_err(|error| error.to_string())?;
    match answer.status() {
        StatusCode::OK => Ok(answer.into_body()),
        StatusCode::NOT_FOUND => Err("it does not know the app yet".into()),
        status => Err(refusal(answer.into_body())
            .await
            .unwrap_or_else(|| format!("it answered with status {status}"))),
    }
}

/// What a worker says for its refusal.
async fn refusal(body: ResponseBody) -> Option<String> {
    #[derive(Deserialize)]
    struct Refusal {
        message: String,
    }
    let text = Limited::new(body, LONGEST_LINE).collect().await.ok()?;
    let refusal: Refusal = serde_json::from_slice(&text.to_bytes()).ok()?;
    Some(refusal.message)
}

async fn follow(
    forward: Arc<dyn Forwarding>,
    target: Target,
    path: String,
    told: mpsc::Sender<Followed>,
) {
    while !told.is_closed() {
        if let Ok(body) = open(&*forward, &target, Method::GET, &path).await
            && follow_once(body, &told).await.is_none()
        {
            return;
        }
        tokio::select! {
            () = sleep(AGAIN) => {}
            () = told.closed() => return,
        }
    }
}

/// None: nobody listens any more.
async fn follow_once(mut body: ResponseBody, told: &mpsc::Sender<Followed>) -> Option<()> {
    let mut text = BytesMut::new();
    loop {
        let frame = tokio::select! {
            frame = body.frame() => frame,
            () = told.closed() => return None,
        };
        let Some(Ok(frame)) = frame else {
            return Some(());
        };
        let Ok(data) = frame.into_data() else {
            continue;
        };
        text.extend_from_slice(&data);
        while let Some(end) = text.iter().position(|byte| *byte == b'\n') {
            let line = text.split_to(end + 1);
            let followed = match serde_json::from_slice(&line) {
                Ok(Told::Line(line)) => Followed::Line(Arc::new(line)),
                Ok(Told::Dropped(count)) => Followed::Dropped(count),
                Err(_) => continue,
            };
            told.send(followed).await.ok()?;
        }
        if text.len() > LONGEST_LINE {
            return Some(());
        }
    }
}

fn missing(environment: &EnvironmentName, why: &str) -> LogLine {
    LogLine {
        time: crate::clock::now_ms(),
        level: LogLevel::Warn,
        source: LogSource::Host,
        message: format!("the log of `{environment}` is not here: {why}"),
        fields: None,
        request: None,
    }
}
