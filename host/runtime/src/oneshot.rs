//! WASI 0.2: a request has an instance to itself, fresh or (where the app allows reuse) one that
//! served before.
//!
//! The guest is not a task of its own: its future is polled by whoever waits for the response, and
//! then by whoever reads the response's body ([`crate::body`]). So there is no hand-over between
//! tasks, and a visitor who goes away drops the future and with it the guest.

use crate::app::{IDLE, RunningApp};
use crate::body::{self, GuestBody};
use crate::guest::Guest;
use crate::metered::Metered;
use crate::program::Entry;
use crate::report::Broken;
use http::{Method, Request, Response};
use http_body_util::BodyExt;
use lodge_model::{CallDepth, Failure, FailureKind, RequestBody, RequestId, ResponseBody};
use parking_lot::Mutex;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::Instant;
use tokio_util::sync::WaitForCancellationFutureOwned;
use wasmtime::Store;
use wasmtime_wasi_http::WasiHttpView;
use wasmtime_wasi_http::p2::bindings::Proxy;
use wasmtime_wasi_http::p2::bindings::http::types::{ErrorCode, Scheme};
use wasmtime_wasi_http::p2::body::HyperOutgoingBody;

/// An instance and the store it lives in.
struct Instance {
    store: Store<Guest>,
    proxy: Proxy,
    served: u32,
}

/// What the guest answered, once it did.
type Answer = Arc<Mutex<Option<Result<Response<HyperOutgoingBody>, ErrorCode>>>>;

/// A guest at work on one request.
pub(crate) struct Run {
    app: Arc<RunningApp>,
    id: RequestId,
    guest: Option<Metered<Result<(), Broken>>>,
    ended: Option<Result<(), Broken>>,
    /// Made when first waited for.
    cut_off: Option<Pin<Box<WaitForCancellationFutureOwned>>>,
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
    let answer = Answer::default();
    let mut run = Run::new(
        app.clone(),
        id,
        serve(app.clone(), id, request, answer.clone()),
    );
    let answered = tokio::select! {
        biased;
        answered = poll_fn(|cx| run.poll_answer(cx, &answer)) => answered,
        broken = out_of_time(&app) => Err(broken),
    };
    match answered {
        Ok(response) => Ok(GuestBody::respond(response, run, is_head)),
        Err(broken) => {
            drop(run);
            Err(broken.report(&app.owner, id))
        }
    }
}

/// Resolves when the request has taken too long, or the app is stopped. Not polled, and so no
/// timer made, while the guest answers at its first poll.
async fn out_of_time(app: &RunningApp) -> Broken {
    tokio::select! {
        () = tokio::time::sleep(app.request_timeout()) => Broken::deadline(app.limits()),
        () = app.cut_off.cancelled() => Broken::stopped(),
    }
}

impl Run {
    fn new(
        app: Arc<RunningApp>,
        id: RequestId,
        guest: impl Future<Output = Result<(), Broken>> + Send + 'static,
    ) -> Self {
        let guest = Metered::new(Box::pin(guest), app.lane.clone(), app.meter().clone());
        Self {
            app,
            id,
            guest: Some(guest),
            ended: None,
            cut_off: None,
        }
    }

    pub(crate) fn app(&self) -> &Arc<RunningApp> {
        &self.app
    }

    pub(crate) fn id(&self) -> RequestId {
        self.id
    }

    /// How the guest ended, if it did.
    pub(crate) fn ended(&self) -> Option<&Result<(), Broken>> {
        self.ended.as_ref()
    }

    /// Lets the guest run; ready once it has ended.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(guest) = &mut self.guest else {
            return Poll::Ready(());
        };
        let ended = match guest.poll(cx) {
            Poll::Ready(Ok(ended)) => ended,
            Poll::Ready(Err(_)) => Err(Broken::panicked()),
            Poll::Pending if guest.cpu() > self.app.request_cpu() => {
                Err(Broken::cpu_limit(self.app.limits()))
            }
            Poll::Pending => return Poll::Pending,
        };
        self.guest = None;
        self.ended = Some(ended);
        Poll::Ready(())
    }

    /// Ready once the app is cut off.
    pub(crate) fn poll_cut_off(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let token = &self.app.cut_off;
        let cut_off = self
            .cut_off
            .get_or_insert_with(|| Box::pin(token.clone().cancelled_owned()));
        cut_off.as_mut().poll(cx)
    }

    fn poll_answer(
        &mut self,
        cx: &mut Context<'_>,
        answer: &Answer,
    ) -> Poll<Result<Response<HyperOutgoingBody>, Broken>> {
        let ended = self.poll(cx).is_ready();
        if let Some(Err(broken)) = &self.ended {
            return Poll::Ready(Err(broken.clone()));
        }
        match answer.lock().take() {
            Some(Ok(response)) if response.status().is_informational() => {
                Poll::Ready(Err(Broken::not_final(response.status())))
            }
            Some(Ok(response)) => Poll::Ready(Ok(response)),
            Some(Err(code)) => Poll::Ready(Err(Broken::new(
                FailureKind::NoResponse,
                format!("the guest answered with an error: {code:?}"),
            ))),
            None if ended => Poll::Ready(Err(Broken::new(
                FailureKind::NoResponse,
                "the guest returned without an answer",
            ))),
            None => Poll::Pending,
        }
    }
}

/// The guest's whole work on one request.
async fn serve(
    app: Arc<RunningApp>,
    id: RequestId,
    request: Request<RequestBody>,
    answer: Answer,
) -> Result<(), Broken> {
    let mut instance = match app.idle.take() {
        Some(instance) => instance,
        None => instantiate(&app).await?,
    };
    let depth = request.extensions().get::<CallDepth>();
    let guest = instance.store.data_mut();
    guest.forget_depth();
    guest.begin_request(id, depth);
    let result = handle(&mut instance, request, answer).await;
    instance.served += 1;
    match result {
        Ok(()) => {
            if instance.served < app.limits().instance_reuse.unwrap_or(1) {
                app.idle.put(&app, instance);
            }
            Ok(())
        }
        Err(e) => Err(Broken::from_guest(
            &e,
            instance.store.data().memory.denied(),
            app.limits(),
        )),
    }
}

async fn handle(
    instance: &mut Instance,
    request: Request<RequestBody>,
    answer: Answer,
) -> wasmtime::Result<()> {
    let is_https = request
        .headers()
        .get("x-forwarded-proto")
        .is_some_and(|proto| proto == "https");
    let scheme = if is_https {
        Scheme::Https
    } else {
        Scheme::Http
    };
    let request = request.map(|body| body.map_err(body::to_guest_error).boxed_unsync());
    let mut http = instance.store.data_mut().http();
    let request = http.new_incoming_request(scheme, request)?;
    let out = http.new_response_outparam_from_callback(move |value| {
        *answer.lock() = Some(value);
    })?;
    let handler = instance.proxy.wasi_http_incoming_handler();
    handler.call_handle(&mut instance.store, request, out).await
}

async fn instantiate(app: &RunningApp) -> Result<Instance, Broken> {
    let Entry::Proxy(pre) = &app.program.entry else {
        return Err(Broken::new(
            FailureKind::Internal,
            "not a WASI 0.2 component",
        ));
    };
    let mut store = app.new_store().await?;
    match pre.instantiate_async(&mut store).await {
        Ok(proxy) => {
            app.note_started(store.data());
            Ok(Instance {
                store,
                proxy,
                served: 0,
            })
        }
        Err(e) => Err(Broken::from_guest(
            &e,
            store.data().memory.denied(),
            app.limits(),
        )),
    }
}

/// Tries one instance.
///
/// # Errors
/// Why there is none.
pub(crate) async fn probe(app: &Arc<RunningApp>) -> Result<(), Broken> {
    let trial = app.clone();
    run_to_end(app, async move { instantiate(&trial).await.map(drop) }).await
}

/// Lets a guest run outside of any request, within the limits of one.
///
/// # Errors
/// Its own, or the limit that it met.
pub(crate) async fn run_to_end(
    app: &Arc<RunningApp>,
    guest: impl Future<Output = Result<(), Broken>> + Send + 'static,
) -> Result<(), Broken> {
    let mut run = Run::new(app.clone(), RequestId(0), guest);
    let ended = poll_fn(|cx| run.poll(cx));
    if tokio::time::timeout(app.request_timeout(), ended)
        .await
        .is_err()
    {
        return Err(Broken::deadline(app.limits()));
    }
    run.ended.take().unwrap_or(Ok(()))
}

/// Instances between two requests, newest first.
#[derive(Default)]
pub(crate) struct IdleInstances {
    waiting: Mutex<Vec<(Instance, Instant)>>,
    sweeping: AtomicBool,
}

impl IdleInstances {
    fn take(&self) -> Option<Instance> {
        self.waiting.lock().pop().map(|(instance, _)| instance)
    }

    fn put(&self, app: &Arc<RunningApp>, mut instance: Instance) {
        instance.store.data_mut().memory.forget_denied();
        if app.cut_off.is_cancelled() {
            return;
        }
        self.waiting.lock().push((instance, Instant::now()));
        if !self.sweeping.swap(true, Relaxed) {
            tokio::spawn(sweep(app.clone()));
        }
    }

    pub(crate) fn clear(&self) {
        let all = std::mem::take(&mut *self.waiting.lock());
        drop(all);
    }
}

/// Gives up instances that stood idle, until there are none.
async fn sweep(app: Arc<RunningApp>) {
    loop {
        tokio::time::sleep(IDLE).await;
        let mut waiting = app.idle.waiting.lock();
        // The oldest are at the front.
        let expired = waiting
            .iter()
            .take_while(|(_, since)| since.elapsed() >= IDLE)
            .count();
        let dropped: Vec<_> = waiting.drain(..expired).collect();
        if waiting.is_empty() {
            app.idle.sweeping.store(false, Relaxed);
            return;
        }
        drop(waiting);
        drop(dropped);
    }
}
