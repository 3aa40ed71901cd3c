//! The body of a response from a shared instance: reading it lets the instance go on.

use super::Visit;
use crate::body::{ReadAhead, announced_length, boxed, no_body, read_ahead};
use crate::report::Broken;
use bytes::Bytes;
use http::Response;
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, Empty, Full};
use lodge_model::{BodyError, FailureKind, ResponseBody};
use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::time::Sleep;
use wasmtime_wasi_http::{Error as HttpError, WasiBody};

struct SharedBody {
    /// Frames read ahead from `inner`.
    ahead: VecDeque<Result<Frame<Bytes>, HttpError>>,
    inner: WasiBody,
    visit: Visit,
    /// Runs out when nothing has come for too long. Made when first needed.
    stall: Option<Pin<Box<Sleep>>>,
    /// Bytes still to come, where the guest announced a length.
    remaining: Option<u64>,
    is_head: bool,
}

/// The response whose head the guest has sent.
pub(super) fn respond(
    response: Response<WasiBody>,
    mut visit: Visit,
    is_head: bool,
) -> Response<ResponseBody> {
    let (head, mut inner) = response.into_parts();
    // A short body is often there in full, and hyper can send it in one piece.
    let ahead = match read_ahead(|cx| poll_driven(&mut inner, &visit, cx)) {
        // The body goes first: only then does the guest learn that it was sent, and can end.
        ReadAhead::Empty => {
            drop(inner);
            visit.end();
            return Response::from_parts(head, boxed(Empty::new()));
        }
        ReadAhead::Whole(bytes) => {
            drop(inner);
            visit.end();
            return Response::from_parts(head, boxed(Full::new(bytes)));
        }
        ReadAhead::Part(frames) => frames,
    };
    let remaining = announced_length(&head.headers);
    let body = SharedBody {
        ahead,
        inner,
        visit,
        stall: None,
        remaining,
        is_head,
    };
    Response::from_parts(head, body.boxed_unsync())
}

/// The next frame; when there is none yet, the instance goes on and then one more look.
fn poll_driven(
    inner: &mut WasiBody,
    visit: &Visit,
    cx: &mut Context<'_>,
) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
    if let Poll::Ready(frame) = Pin::new(&mut *inner).poll_frame(cx) {
        return Poll::Ready(frame);
    }
    visit.instance.drive();
    Pin::new(inner).poll_frame(cx)
}

impl SharedBody {
    fn fail(&mut self, broken: &Broken) -> BodyError {
        BodyError::Failed(broken.report(&self.visit.instance.app.owner, self.visit.answer.id))
    }

    fn poll_stall(&mut self, cx: &mut Context<'_>) -> Poll<Broken> {
        let app = &self.visit.instance.app;
        let stall = self
            .stall
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(app.request_timeout())));
        stall
            .as_mut()
            .poll(cx)
            .map(|()| Broken::stalled(app.limits()))
    }
}

impl Body for SharedBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = &mut *self;
        this.visit.answer.register(cx.waker());
        let next = match this.ahead.pop_front() {
            Some(frame) => Poll::Ready(Some(frame)),
            None => poll_driven(&mut this.inner, &this.visit, cx),
        };
        match next {
            Poll::Ready(Some(Ok(frame))) => {
                this.stall = None;
                if let (Some(remaining), Some(data)) = (&mut this.remaining, frame.data_ref()) {
                    *remaining = remaining.saturating_sub(data.len() as u64);
                }
                Poll::Ready(Some(Ok(frame)))
            }
            // An instance that is cut off ends its bodies as if they were done: ask it first.
            Poll::Ready(ended) => match (this.visit.answer.broken(), ended) {
                (Some(broken), _) => Poll::Ready(Some(Err(this.fail(&broken)))),
                (None, Some(Err(e))) => {
                    let cause = format!("the guest broke its answer off: {e:?}");
                    Poll::Ready(Some(Err(
                        this.fail(&Broken::new(FailureKind::NoResponse, cause))
                    )))
                }
                (None, _) => {
                    this.inner = no_body();
                    this.visit.end();
                    Poll::Ready(None)
                }
            },
            Poll::Pending => match this.visit.answer.broken() {
                Some(broken) => Poll::Ready(Some(Err(this.fail(&broken)))),
                None => this
                    .poll_stall(cx)
                    .map(|broken| Some(Err(this.fail(&broken)))),
            },
        }
    }

    fn size_hint(&self) -> SizeHint {
        self.remaining
            .map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

impl Drop for SharedBody {
    fn drop(&mut self) {
        // Unread to the end, but in full: for HEAD nothing is read, and with an announced length
        // hyper stops reading when it has that much. Else the visitor went away.
        if self.is_head || self.remaining == Some(0) {
            self.visit.end();
        }
    }
}
