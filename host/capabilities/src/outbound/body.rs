//! Bodies on their way out and back: passed on piece by piece, counted, never collected.

use super::charge::Held;
use super::refusals::Refusals;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use lodge_model::{BodyError, RequestBody, ResponseBody};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep};

/// A request's body on its way out, with what it may still send.
pub(super) struct Sent {
    body: RequestBody,
    left: u64,
}

impl Sent {
    pub(super) fn new(body: RequestBody, most: u64) -> Self {
        Self { body, left: most }
    }
}

impl Body for Sent {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if let Some(Ok(frame)) = &frame
            && let Some(data) = frame.data_ref()
        {
            match self.left.checked_sub(data.len() as u64) {
                Some(left) => self.left = left,
                None => return Poll::Ready(Some(Err(BodyError::TooLarge))),
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// What bounds a response's body.
pub(super) struct Bounds {
    /// Bytes in all.
    pub(super) most: u64,
    /// The longest silence.
    pub(super) silence: Duration,
}

/// A response's body on its way to the guest. It keeps what the call holds until its end.
pub(super) struct Received {
    /// None: it has ended.
    body: Option<(ResponseBody, Held)>,
    bounds: Bounds,
    seen: u64,
    /// Runs while the guest waits.
    timer: Pin<Box<Sleep>>,
    waiting: bool,
    refusals: Refusals,
}

impl Received {
    pub(super) fn new(body: ResponseBody, held: Held, bounds: Bounds, refusals: Refusals) -> Self {
        Self {
            body: Some((body, held)),
            timer: Box::pin(sleep(bounds.silence)),
            bounds,
            seen: 0,
            waiting: false,
            refusals,
        }
    }

    /// Ends it: the connection closes, and the place is free.
    fn break_off(&mut self, why: BodyError) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        self.body = None;
        Poll::Ready(Some(Err(why)))
    }

    fn poll_silence(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if !std::mem::replace(&mut self.waiting, true) {
            let deadline = Instant::now() + self.bounds.silence;
            self.timer.as_mut().reset(deadline);
        }
        self.timer.as_mut().poll(cx)
    }
}

impl Body for Received {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = &mut *self;
        let Some((body, _)) = &mut this.body else {
            return Poll::Ready(None);
        };
        let Poll::Ready(frame) = Pin::new(body).poll_frame(cx) else {
            ready!(this.poll_silence(cx));
            let silence = this.bounds.silence.as_millis();
            let why = format!("nothing came for {silence} ms");
            return this.break_off(BodyError::Connection(why));
        };
        this.waiting = false;
        match frame {
            None => {
                this.body = None;
                Poll::Ready(None)
            }
            Some(Err(error)) => this.break_off(error),
            Some(Ok(frame)) => {
                this.seen += frame.data_ref().map_or(0, |data| data.len() as u64);
                if this.seen > this.bounds.most {
                    let why = format!(
                        "the response has more than {} bytes, the most that is passed on",
                        this.bounds.most
                    );
                    this.refusals
                        .tell(|| format!("an outgoing call was broken off: {why}"));
                    return this.break_off(BodyError::Connection(why));
                }
                Poll::Ready(Some(Ok(frame)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body
            .as_ref()
            .is_none_or(|(body, _)| body.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        match &self.body {
            Some((body, _)) => body.size_hint(),
            None => SizeHint::with_exact(0),
        }
    }
}
