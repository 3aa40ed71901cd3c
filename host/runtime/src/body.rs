//! The body of a response whose guest may still be writing it: reading it runs the guest.
//!
//! When a visitor goes away, hyper drops the body and the guest goes with it. When the body has
//! ended and the guest has not, the rest of its work is given a home with an end: a task that
//! lives at most `request_timeout_ms`, of which an app has at most as many as it may serve
//! requests at once.

use crate::oneshot::Run;
use crate::report::{Broken, write_host_line};
use bytes::Bytes;
use http::{HeaderMap, Response, header};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, Empty, Full};
use lodge_model::{BodyError, Failure, FailureKind, LogLevel, ResponseBody};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll};
use tokio::time::Sleep;
use wasmtime_wasi_http::Error as HttpError;
use wasmtime_wasi_http::p2::body::HyperOutgoingBody;

/// A body that its guest may still be writing.
pub(crate) struct GuestBody {
    /// Frames read ahead from `inner`.
    ahead: VecDeque<Result<Frame<Bytes>, HttpError>>,
    inner: HyperOutgoingBody,
    run: Option<Run>,
    /// Runs out when nothing has come for too long. Made when first needed.
    stall: Option<Pin<Box<Sleep>>>,
    /// Bytes still to come, where the guest announced a length.
    remaining: Option<u64>,
    is_head: bool,
}

impl GuestBody {
    /// The response whose head the guest has sent.
    pub(crate) fn respond(
        response: Response<HyperOutgoingBody>,
        run: Run,
        is_head: bool,
    ) -> Response<ResponseBody> {
        let (head, mut inner) = response.into_parts();
        let mut ahead = VecDeque::new();
        if run.ended().is_some() {
            // The guest is done: a short body is there in full, and hyper can send it in one piece.
            match read_ahead(|cx| Pin::new(&mut inner).poll_frame(cx)) {
                ReadAhead::Empty => return Response::from_parts(head, boxed(Empty::new())),
                ReadAhead::Whole(bytes) => {
                    return Response::from_parts(head, boxed(Full::new(bytes)));
                }
                ReadAhead::Part(frames) => ahead = frames,
            }
        }
        let remaining = announced_length(&head.headers);
        let body = Self {
            ahead,
            inner,
            run: Some(run),
            stall: None,
            remaining,
            is_head,
        };
        Response::from_parts(head, body.boxed_unsync())
    }

    /// The inner body's next frame, letting the guest run when there is none yet.
    fn poll_inner(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let broken = |e: HttpError| {
            Broken::new(
                FailureKind::NoResponse,
                format!("the guest broke its answer off: {e:?}"),
            )
        };
        if let Some(frame) = self.ahead.pop_front() {
            return Poll::Ready(Some(frame.map_err(broken)));
        }
        loop {
            match Pin::new(&mut self.inner).poll_frame(cx) {
                Poll::Ready(Some(frame)) => return Poll::Ready(Some(frame.map_err(broken))),
                Poll::Ready(None) => {
                    return Poll::Ready(match self.run.as_ref().and_then(Run::ended) {
                        Some(Err(broken)) => Some(Err(broken.clone())),
                        _ => None,
                    });
                }
                Poll::Pending => {}
            }
            let Some(run) = &mut self.run else {
                return Poll::Ready(None);
            };
            let had_ended = run.ended().is_some();
            let is_over = run.poll(cx).is_ready();
            if had_ended {
                // A channel also says "nothing yet" where its task has had its share of polls (tokio's budget,
                // which tasks that wake one another use up together), and wakes the task for the rest.
                if !tokio::task::coop::has_budget_remaining() {
                    return Poll::Pending;
                }
                // Nothing will come any more, yet the body was not finished: with reuse, the
                // instance lives on and holds it.
                let cause = "the guest returned without finishing its answer's body";
                return Poll::Ready(Some(Err(Broken::new(FailureKind::NoResponse, cause))));
            }
            if !is_over {
                // What the guest wrote just now is there to read.
                return Pin::new(&mut self.inner)
                    .poll_frame(cx)
                    .map(|f| f.map(|f| f.map_err(broken)));
            }
        }
    }

    fn poll_stall(&mut self, cx: &mut Context<'_>) -> Poll<Broken> {
        let Some(run) = &mut self.run else {
            return Poll::Pending;
        };
        let app = run.app();
        let stall = self
            .stall
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(app.request_timeout())));
        if stall.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Broken::stalled(app.limits()));
        }
        if run.poll_cut_off(cx).is_ready() {
            return Poll::Ready(Broken::stopped());
        }
        Poll::Pending
    }

    fn fail(&mut self, broken: &Broken) -> BodyError {
        let failure = match self.run.take() {
            Some(run) => broken.report(&run.app().owner, run.id()),
            None => Failure::from(broken.kind),
        };
        BodyError::Failed(failure)
    }

    fn count(&mut self, frame: &Frame<Bytes>) {
        self.stall = None;
        if let (Some(remaining), Some(data)) = (&mut self.remaining, frame.data_ref()) {
            *remaining = remaining.saturating_sub(data.len() as u64);
        }
    }
}

impl Body for GuestBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match self.poll_inner(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                self.count(&frame);
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(broken))) => Poll::Ready(Some(Err(self.fail(&broken)))),
            Poll::Ready(None) => {
                if let Some(run) = self.run.take() {
                    linger(run, None);
                }
                Poll::Ready(None)
            }
            Poll::Pending => match self.poll_stall(cx) {
                Poll::Ready(broken) => Poll::Ready(Some(Err(self.fail(&broken)))),
                Poll::Pending => Poll::Pending,
            },
        }
    }

    fn size_hint(&self) -> SizeHint {
        self.remaining
            .map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

impl Drop for GuestBody {
    fn drop(&mut self) {
        // Unread to the end, but in full: for HEAD nothing is read, and with an announced length
        // hyper stops reading when it has that much. Else the visitor went away.
        let is_complete = self.is_head || self.remaining == Some(0);
        if is_complete && let Some(run) = self.run.take() {
            let inner = std::mem::replace(&mut self.inner, no_body());
            linger(run, Some(inner));
        }
    }
}

/// Lets a guest finish after its response's end, within bounds; `unread` is read and thrown away.
fn linger(mut run: Run, mut unread: Option<HyperOutgoingBody>) {
    if run.ended().is_some() {
        return;
    }
    let app = run.app().clone();
    let most = app.limits().concurrency as usize;
    if app.lingering.fetch_add(1, Relaxed) >= most {
        app.lingering.fetch_sub(1, Relaxed);
        let cause = format!(
            "work after the response's end was cut off: {most} requests already do such work"
        );
        write_host_line(&app.owner, LogLevel::Warn, cause, Some(run.id()));
        return;
    }
    tokio::spawn(async move {
        let finished = poll_fn(|cx| {
            if let Some(body) = &mut unread {
                while let Poll::Ready(frame) = Pin::new(&mut *body).poll_frame(cx) {
                    if !matches!(frame, Some(Ok(_))) {
                        break;
                    }
                }
            }
            run.poll(cx)
        });
        let in_time = tokio::select! {
            () = finished => true,
            () = tokio::time::sleep(app.request_timeout()) => false,
            () = app.cut_off.cancelled() => false,
        };
        if let Some(Err(broken)) = run.ended() {
            broken.report(&app.owner, run.id());
        } else if !in_time {
            let cause = "work after the response's end was cut off: it took too long, or the app was stopped";
            write_host_line(&app.owner, LogLevel::Warn, cause.to_owned(), Some(run.id()));
        }
        drop(run);
        app.lingering.fetch_sub(1, Relaxed);
    });
}

/// Frames read before a response is handed on: data, data, trailers.
const FRAMES_AHEAD: usize = 4;

/// What is in a body already.
pub(crate) enum ReadAhead {
    Empty,
    Whole(Bytes),
    Part(VecDeque<Result<Frame<Bytes>, HttpError>>),
}

/// Reads what is there without waiting, a few frames at most.
pub(crate) fn read_ahead(
    mut poll_frame: impl FnMut(&mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, HttpError>>>,
) -> ReadAhead {
    let cx = &mut Context::from_waker(std::task::Waker::noop());
    let mut frames = VecDeque::new();
    while frames.len() < FRAMES_AHEAD {
        match poll_frame(cx) {
            Poll::Ready(Some(frame)) => frames.push_back(frame),
            Poll::Ready(None) if frames.is_empty() => return ReadAhead::Empty,
            Poll::Ready(None) if frames.len() == 1 => break,
            Poll::Ready(None) | Poll::Pending => return ReadAhead::Part(frames),
        }
    }
    match frames.pop_front() {
        Some(Ok(frame)) if frames.is_empty() && frame.is_data() => {
            ReadAhead::Whole(frame.into_data().unwrap_or_default())
        }
        Some(first) => {
            frames.push_front(first);
            ReadAhead::Part(frames)
        }
        None => ReadAhead::Empty,
    }
}

/// The length that a guest announced, in bytes.
pub(crate) fn announced_length(headers: &HeaderMap) -> Option<u64> {
    headers
        .get(header::CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .parse()
        .ok()
}

pub(crate) fn boxed(
    body: impl Body<Data = Bytes, Error = std::convert::Infallible> + Send + 'static,
) -> ResponseBody {
    body.map_err(|never| match never {}).boxed_unsync()
}

/// Nothing, in place of a body that was taken.
pub(crate) fn no_body() -> HyperOutgoingBody {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
}

/// What a guest sees of a request body that broke off.
pub(crate) fn to_guest_error(error: BodyError) -> HttpError {
    match error {
        BodyError::TooLarge => HttpError::HttpRequestBodySize(None),
        BodyError::Connection(_) | BodyError::Failed(_) => HttpError::ConnectionTerminated,
    }
}
