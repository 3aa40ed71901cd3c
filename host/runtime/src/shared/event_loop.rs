//! The future that is a shared instance: makes it, then takes requests and runs their guest tasks
//! in Wasmtime's event loop until the instance is closed.
//!
//! Wasmtime offers a handler that does this (`ProxyHandler`), but it spawns its own tasks, whose
//! polls could neither pass the gate nor be timed.

use super::Job;
use super::answer::refused;
use super::instance::{SharedInstance, Signals};
use crate::app::RunningApp;
use crate::body::to_guest_error;
use crate::guest::Guest;
use crate::program::Entry;
use crate::report::Broken;
use futures::stream::{FuturesUnordered, Stream};
use http::Uri;
use http::uri::{Authority, Scheme};
use http_body_util::BodyExt;
use lodge_model::{CallDepth, FailureKind};
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use wasmtime::Result;
use wasmtime::component::Accessor;
use wasmtime_wasi_http::p3::Request as GuestRequest;
use wasmtime_wasi_http::p3::bindings::Service;
use wasmtime_wasi_http::{Error as HttpError, WasiHttpView};

type IoDone = Pin<Box<dyn Future<Output = std::result::Result<(), HttpError>> + Send>>;

/// Makes an instance and serves its requests until it is closed.
pub(super) async fn run(
    app: Arc<RunningApp>,
    instance: Weak<SharedInstance>,
    signals: Arc<Signals>,
) -> std::result::Result<(), Broken> {
    let Entry::Service(pre) = &app.program.entry else {
        return Err(Broken::new(
            FailureKind::Internal,
            "not a WASI 0.3 component",
        ));
    };
    let mut store = app.new_store().await?;
    let service = match pre.instantiate_async(&mut store).await {
        Ok(service) => service,
        Err(e) => {
            return Err(Broken::from_guest(
                &e,
                store.data().memory.denied(),
                app.limits(),
            ));
        }
    };
    app.note_started(store.data());
    signals.started.store(true, Relaxed);
    let served = store
        .run_concurrent(async |accessor| serve(accessor, &service, &instance, &signals).await)
        .await
        .and_then(|served| served);
    served.map_err(|e| Broken::from_guest(&e, store.data().memory.denied(), app.limits()))
}

async fn serve(
    accessor: &Accessor<Guest>,
    service: &Service,
    instance: &Weak<SharedInstance>,
    signals: &Signals,
) -> Result<()> {
    let entry = *service.wasi_http_handler().func_handle().func();
    let mut at_work = pin!(FuturesUnordered::new());
    poll_fn(|cx| {
        loop {
            match poll_next(at_work.as_mut(), cx) {
                Poll::Ready(Some(Ok(()))) => {
                    signals.progress.fetch_add(1, Relaxed);
                    continue;
                }
                Poll::Ready(Some(Err(trap))) => return Poll::Ready(Err(trap)),
                Poll::Ready(None) | Poll::Pending => {}
            }
            let Some(instance) = instance.upgrade() else {
                return Poll::Ready(Ok(()));
            };
            let is_ready = accessor
                .poll_ready_for_concurrent_call(entry, cx)
                .is_ready();
            if is_ready && let Some(job) = instance.next_job() {
                signals.progress.fetch_add(1, Relaxed);
                at_work.push(one(accessor, service, job));
                continue;
            }
            if at_work.is_empty() {
                accessor.with(|mut store| store.get().forget_depth());
            }
            let is_quiet = at_work.is_empty() && accessor.poll_no_interesting_tasks(cx).is_ready();
            signals.is_quiet.store(is_quiet, Relaxed);
            if is_quiet && instance.may_end() {
                return Poll::Ready(Ok(()));
            }
            return Poll::Pending;
        }
    })
    .await
}

fn poll_next<S: Stream>(stream: Pin<&mut S>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
    stream.poll_next(cx)
}

/// HTTP/1.1 has the authority in a header that guests are not shown: put it where they look.
fn absolute<B>(mut request: http::Request<B>) -> http::Request<B> {
    let header = |name: &str| request.headers().get(name);
    let host = header("host").and_then(|host| Authority::try_from(host.as_bytes()).ok());
    let is_https = header("x-forwarded-proto").is_some_and(|proto| proto == "https");
    let mut parts = std::mem::take(request.uri_mut()).into_parts();
    parts.authority = parts.authority.or(host);
    let has_path = parts.path_and_query.is_some();
    if parts.authority.is_some() && has_path {
        parts.scheme = Some(if is_https {
            Scheme::HTTPS
        } else {
            Scheme::HTTP
        });
    }
    // The parts come from a valid URI and are complete; if not, the guest sees none.
    *request.uri_mut() = Uri::from_parts(parts).unwrap_or_default();
    request
}

/// One request. An error is a trap, and the end of the instance.
async fn one(accessor: &Accessor<Guest>, service: &Service, job: Job) -> Result<()> {
    let Job { request, answer } = job;
    let (request, io_done) = accessor.with(|mut store| {
        let guest: &mut Guest = store.get();
        guest.begin_request(answer.id, request.extensions().get::<CallDepth>());
        let request = absolute(request).map(|body| body.map_err(to_guest_error).boxed_unsync());
        let (request, io_done) = GuestRequest::from_http(guest.http().hooks, request);
        // Boxed at once: its type is tied to the hooks' borrow, though the future is not.
        let io_done: IoDone = Box::pin(io_done);
        guest
            .http()
            .table
            .push(request)
            .map(|request| (request, io_done))
    })?;
    let answered = service
        .wasi_http_handler()
        .call_handle(accessor, request)
        .await?;
    let head = match answered {
        Ok(response) => accessor.with(|mut store| {
            let response = store.get().http().table.delete(response)?;
            response.into_http_with_getter(&mut store, io_done, Guest::http)
        }),
        Err(code) => {
            answer.set(Err(refused(&code)));
            return Ok(());
        }
    };
    match head {
        Ok(head) if head.status().is_informational() => {
            answer.set(Err(Broken::not_final(head.status())));
        }
        Ok(head) => answer.set(Ok(head)),
        Err(e) => answer.set(Err(refused(&e))),
    }
    Ok(())
}
