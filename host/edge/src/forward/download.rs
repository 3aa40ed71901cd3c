//! A worker's answer on its way to the visitor: while it is read, it drives the connection that it comes by.

use super::link::Link;
use super::worker::Lease;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use lodge_model::{BodyError, FailureKind, RequestId, ResponseBody};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::Sleep;

type Polled = Poll<Option<Result<Frame<Bytes>, BodyError>>>;

/// An answer's body. Dropped before its end, it ends its connection, and with it the worker's work.
pub(super) struct Download {
    incoming: Incoming,
    /// Until the end: the connection, and the request's place among those to its worker.
    from: Option<(Box<Link>, Lease)>,
    /// The longest silence; none: it may last.
    silence: Option<Duration>,
    timer: Option<Pin<Box<Sleep>>>,
    id: RequestId,
    ended: bool,
}

impl Download {
    /// Binds an answer to its connection; the connection of one without a body is free at once.
    pub(super) fn begin(
        incoming: Incoming,
        link: Box<Link>,
        lease: Lease,
        silence: Option<Duration>,
        id: RequestId,
        cx: &mut Context<'_>,
    ) -> ResponseBody {
        let mut download = Self {
            incoming,
            from: Some((link, lease)),
            silence,
            timer: None,
            id,
            ended: false,
        };
        if download.incoming.is_end_stream() {
            download.finish(cx);
        }
        ResponseBody::new(download)
    }

    /// The answer is whole: the connection goes back, if it can carry another request.
    fn finish(&mut self, cx: &mut Context<'_>) {
        self.timer = None;
        self.ended = true;
        if let Some((mut link, lease)) = self.from.take() {
            link.drive(cx);
            if link.is_ready() {
                lease.give_back(link);
            }
        }
    }

    fn passed(
        &mut self,
        frame: Option<Result<Frame<Bytes>, hyper::Error>>,
        cx: &mut Context<'_>,
    ) -> Polled {
        self.timer = None;
        match frame {
            Some(Ok(frame)) => {
                if self.incoming.is_end_stream() {
                    self.finish(cx);
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Some(Err(error)) => {
                let (reason, by_visitor) = self
                    .from
                    .as_ref()
                    .and_then(|(link, _)| link.why_broken())
                    .unwrap_or_else(|| (error.to_string(), false));
                Poll::Ready(Some(Err(self.broken(reason, by_visitor))))
            }
            None => {
                self.finish(cx);
                Poll::Ready(None)
            }
        }
    }

    fn broken(&mut self, reason: String, by_visitor: bool) -> BodyError {
        self.ended = true;
        let from = self.from.take();
        if by_visitor {
            return BodyError::Connection(reason);
        }
        let environment = from.map(|(_, lease)| lease.worker.environment.to_string());
        tracing::warn!(id = %self.id, environment, reason, "a worker broke off its answer");
        BodyError::Failed(FailureKind::BadGateway.into())
    }

    fn poll_silence(&mut self, cx: &mut Context<'_>) -> Polled {
        let Some(limit) = self.silence else {
            return Poll::Pending;
        };
        let timer = self
            .timer
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(limit)));
        if timer.as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
        let reason = format!("nothing came for {} ms", limit.as_millis());
        Poll::Ready(Some(Err(self.broken(reason, false))))
    }
}

impl Body for Download {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Polled {
        let this = &mut *self;
        if this.ended {
            return Poll::Ready(None);
        }
        if let Poll::Ready(frame) = Pin::new(&mut this.incoming).poll_frame(cx) {
            return this.passed(frame, cx);
        }
        if let Some((link, _)) = &mut this.from {
            link.drive(cx);
        }
        match Pin::new(&mut this.incoming).poll_frame(cx) {
            Poll::Ready(frame) => this.passed(frame, cx),
            Poll::Pending => this.poll_silence(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.ended || self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}
