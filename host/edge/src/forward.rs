//! The way to apps that run on workers: streams requests and answers over pooled HTTP/1.1 connections.
//!
//! A connection carries one request at a time, so that a slow reader of one app holds up its own answer
//! and nobody else's: there is no window that requests share. No task drives it and no channel lies
//! between: the request's own future, then its answer's body, polls the connection ([`link`]), as guests
//! are polled in their own process. A visitor who goes away drops it, and with it the work at the worker.
//!
//! Each request is signed for the run of the worker it goes to ([`lodge_model::Signer`]). Of several
//! workers one is chosen ([`choose`]); one that cannot be reached is passed over for some seconds, and a
//! request that was not sent is tried at the next ([`way`]). [`attempt`] says which are lost.
//!
//! What bounds it: connections to one worker (with a fair queue, itself timed), time to connect, time until
//! an answer begins (the app's own limit, which the worker keeps, and some seconds), and silence within it.
//!
//! How it fails: what the worker says of a failure is what the visitor gets; a worker that is away is
//! `EnvironmentLost`, one that breaks off `BadGateway`. The reason is logged here.

mod ask;
mod attempt;
mod choose;
mod download;
mod link;
mod way;
mod wire;
mod wish;
mod worker;

pub(crate) use wish::{Wish, set_cookie};

use crate::ids;
use bytes::Bytes;
use http::{Request, Response};
use lodge_model::{
    AppId, BootId, Endpoint, EnvironmentName, Forwarding, LinkError, ResponseBody, Signer, Target,
};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Duration;
use way::Way;
use worker::Worker;

/// How long a worker's own answer may take to begin.
const ASK_TIMEOUT: Duration = Duration::from_secs(10);

/// How requests are sent on.
#[derive(Debug, Clone)]
pub struct ForwardSettings {
    /// Connections to one worker, idle ones included.
    pub connections: usize,
    /// How long a request waits for one of them.
    pub queue_timeout: Duration,
    /// How long an idle connection is kept. Workers keep theirs longer.
    pub idle_timeout: Duration,
    /// How long a connection may take to stand.
    pub connect_timeout: Duration,
    /// What an answer may take to begin, and its body to go on, beyond the app's own limit: the worker
    /// keeps that.
    pub grace: Duration,
    /// How long a worker that could not be reached is passed over.
    pub passed_over: Duration,
}

impl Default for ForwardSettings {
    fn default() -> Self {
        Self {
            connections: 1024,
            queue_timeout: Duration::from_secs(5),
            idle_timeout: Duration::from_secs(90),
            connect_timeout: Duration::from_secs(2),
            grace: Duration::from_secs(5),
            passed_over: Duration::from_secs(5),
        }
    }
}

/// Sends requests to workers.
pub struct Forward {
    signer: Signer,
    settings: Arc<ForwardSettings>,
    workers: Mutex<HashMap<Key, Weak<Worker>>>,
}

/// One run of one worker at one address.
type Key = (EnvironmentName, String, BootId);

impl Forward {
    /// Sends requests that `signer` signs.
    pub fn new(signer: Signer, settings: ForwardSettings) -> Arc<Self> {
        Arc::new(Self {
            signer,
            settings: Arc::new(settings),
            workers: Mutex::default(),
        })
    }

    /// What all ways to a worker share.
    fn worker(&self, target: &Target) -> Arc<Worker> {
        let key = (target.environment.clone(), target.url.clone(), target.boot);
        let mut workers = self.workers.lock();
        if let Some(worker) = workers.get(&key).and_then(Weak::upgrade) {
            return worker;
        }
        workers.retain(|_, worker| worker.strong_count() > 0);
        let signing = self.signer.to(target.boot);
        let worker = Worker::new(target, signing, self.settings.clone());
        workers.insert(key, Arc::downgrade(&worker));
        worker
    }
}

#[async_trait::async_trait]
impl Forwarding for Forward {
    fn endpoint(&self, app: &AppId, targets: Vec<Target>) -> Arc<dyn Endpoint> {
        let workers = targets.iter().map(|target| self.worker(target)).collect();
        Arc::new(Way::new(app, workers))
    }

    async fn ask(
        &self,
        target: &Target,
        request: Request<Bytes>,
    ) -> Result<Response<ResponseBody>, LinkError> {
        let worker = self.worker(target);
        let asking = ask::ask(worker, ids::next(), request);
        match tokio::time::timeout(ASK_TIMEOUT, asking).await {
            Ok(answered) => answered,
            Err(_) => Err(LinkError(format!(
                "the worker {} did not answer within {} s",
                target.environment,
                ASK_TIMEOUT.as_secs()
            ))),
        }
    }
}
