//! WASI 0.3: requests share instances, several at once in each.
//!
//! An instance's event loop ([`event_loop`]) is one future, polled under a lock by whoever needs it
//! to go on ([`instance`]): mostly the task that waits for a response or reads its body, so that a
//! request that needs no waiting is answered without a hand-over between tasks; else the instance's
//! keeper, a task that also watches over its end.
//!
//! A request goes to an instance that waits for something, then to a new one if there is room,
//! then to the least loaded. What one request does to its instance, all requests of that instance
//! suffer: a trap or the CPU limit ends it, and each of its requests fails with that cause.

mod answer;
mod body;
mod event_loop;
mod instance;

use crate::app::RunningApp;
use crate::report::Broken;
use answer::Answer;
use http::{Method, Request, Response};
use instance::SharedInstance;
use lodge_model::{Failure, RequestBody, RequestId, ResponseBody};
use parking_lot::Mutex;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use wasmtime_wasi_http::WasiBody;

/// Requests that one instance serves at once; `wasmtime serve` has the same default.
const REQUESTS_AT_ONCE: usize = 16;
/// Requests that one instance serves before it is replaced, if the app does not say;
/// `wasmtime serve` has the same default.
const DEFAULT_REUSE: u32 = 128;

/// A request on its way to an instance.
struct Job {
    request: Request<RequestBody>,
    answer: Arc<Answer>,
}

/// An app's instances.
#[derive(Default)]
pub(crate) struct Instances {
    list: Mutex<Vec<Arc<SharedInstance>>>,
}

/// Serves one request.
///
/// # Errors
/// Why no answer began; the cause is in the app's log.
pub(crate) async fn call(
    app: Arc<RunningApp>,
    id: RequestId,
    request: Request<RequestBody>,
) -> Result<Response<ResponseBody>, Failure> {
    let is_head = request.method() == Method::HEAD;
    let answer = Answer::new(id);
    let instance = app.instances.place(
        &app,
        Job {
            request,
            answer: answer.clone(),
        },
    );
    let mut visit = Visit {
        instance,
        answer,
        is_over: false,
    };
    let answered = tokio::select! {
        biased;
        answered = poll_fn(|cx| visit.poll_answer(cx)) => answered,
        () = tokio::time::sleep(app.request_timeout()) => Err(Broken::deadline(app.limits())),
    };
    match answered {
        Ok(response) => Ok(body::respond(response, visit, is_head)),
        Err(broken) => {
            drop(visit);
            Err(broken.report(&app.owner, id))
        }
    }
}

/// Tries one instance.
///
/// # Errors
/// Why there is none.
pub(crate) async fn probe(app: &Arc<RunningApp>) -> Result<(), Broken> {
    let instance = SharedInstance::start(app, None);
    app.instances.list.lock().push(instance.clone());
    let started = poll_fn(|cx| instance.poll_started(cx));
    match tokio::time::timeout(app.request_timeout(), started).await {
        Ok(started) => started,
        Err(_) => {
            let broken = Broken::deadline(app.limits());
            instance.kill(broken.clone());
            Err(broken)
        }
    }
}

impl Instances {
    /// Finds the request an instance.
    fn place(&self, app: &Arc<RunningApp>, job: Job) -> Arc<SharedInstance> {
        let mut list = self.list.lock();
        let mut job = Some(job);
        // The first that waits, so that the others fall idle and go.
        for instance in list.iter().filter(|instance| !instance.is_busy()) {
            if instance.offer(&mut job) {
                return instance.clone();
            }
        }
        if !app.has_room() {
            let mut by_load: Vec<_> = list.iter().collect();
            by_load.sort_by_key(|instance| instance.load());
            if let Some(instance) = by_load
                .into_iter()
                .find(|instance| instance.offer(&mut job))
            {
                return instance.clone();
            }
        }
        let instance = SharedInstance::start(app, job);
        list.push(instance.clone());
        instance
    }

    fn remove(&self, gone: &SharedInstance) {
        self.list
            .lock()
            .retain(|instance| !std::ptr::eq(&raw const **instance, gone));
    }

    /// Closes all instances: each ends once its requests have.
    pub(crate) fn retire_all(&self) {
        let all: Vec<_> = self.list.lock().clone();
        for instance in all {
            instance.close();
        }
    }
}

/// A request in its instance. Dropped before its end, it is abandoned.
struct Visit {
    instance: Arc<SharedInstance>,
    answer: Arc<Answer>,
    is_over: bool,
}

impl Visit {
    fn poll_answer(&mut self, cx: &mut Context<'_>) -> Poll<Result<Response<WasiBody>, Broken>> {
        self.answer.register(cx.waker());
        self.instance.drive();
        self.answer.poll_head()
    }

    /// The request has had its response in full.
    fn end(&mut self) {
        if !self.is_over {
            self.is_over = true;
            self.instance.leave(&self.answer);
        }
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        if !self.is_over {
            self.instance.abandon(&self.answer);
        }
    }
}
