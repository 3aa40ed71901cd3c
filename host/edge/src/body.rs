//! Bodies on their way through: counted, bounded, and never left waiting for ever.

use crate::listener::Conn;
use bytes::Bytes;
use futures::task::AtomicWaker;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use lodge_model::{BodyError, RequestBody};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::Sleep;

/// The body of a request that has none. Boxing it allocates nothing.
pub(crate) struct NoBody;

impl Body for NoBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        Poll::Ready(None)
    }

    fn is_end_stream(&self) -> bool {
        true
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(0)
    }
}

/// Tells the request's future that its body passed the limit, wherever the body is being read.
#[derive(Default)]
pub(crate) struct Overflow {
    passed: AtomicBool,
    waker: AtomicWaker,
}

impl Overflow {
    fn set(&self) {
        self.passed.store(true, Ordering::Release);
        self.waker.wake();
    }

    /// Whether the limit was passed.
    pub(crate) fn has_passed(&self) -> bool {
        self.passed.load(Ordering::Acquire)
    }

    /// Ends once the limit was passed.
    pub(crate) fn poll(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.waker.register(cx.waker());
        if self.has_passed() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

/// A request's body as the guest reads it.
pub(crate) struct Upload {
    incoming: Incoming,
    conn: Arc<Conn>,
    /// Bytes that may still come.
    left: u64,
    /// True once the end, or an error, was handed over.
    ended: bool,
    overflow: Arc<Overflow>,
    stall: Option<Pin<Box<Sleep>>>,
}

impl Upload {
    /// Lets `limit` bytes through.
    pub(crate) fn boxed(
        incoming: Incoming,
        limit: u64,
        conn: Arc<Conn>,
        overflow: Arc<Overflow>,
    ) -> RequestBody {
        let upload = Self {
            incoming,
            conn,
            left: limit,
            ended: false,
            overflow,
            stall: None,
        };
        RequestBody::new(upload)
    }

    fn stall_timeout(&self) -> Duration {
        self.conn.edge.settings.stall_timeout
    }

    /// Counts one frame.
    fn pass(&mut self, frame: Frame<Bytes>) -> Result<Frame<Bytes>, BodyError> {
        self.stall = None;
        let bytes = frame.data_ref().map_or(0, |data| data.len() as u64);
        match self.left.checked_sub(bytes) {
            Some(left) => {
                self.left = left;
                Ok(frame)
            }
            None => {
                self.ended = true;
                self.conn.unread.store(true, Ordering::Relaxed);
                self.overflow.set();
                Err(BodyError::TooLarge)
            }
        }
    }

    fn poll_stall(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let limit = self.stall_timeout();
        let timer = self
            .stall
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(limit)));
        if timer.as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
        self.ended = true;
        self.conn.unread.store(true, Ordering::Relaxed);
        let message = format!(
            "the request's body stood still for {} ms",
            limit.as_millis()
        );
        Poll::Ready(Some(Err(BodyError::Connection(message))))
    }
}

impl Body for Upload {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = &mut *self;
        if this.ended {
            return Poll::Ready(None);
        }
        match Pin::new(&mut this.incoming).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => Poll::Ready(Some(this.pass(frame))),
            Poll::Ready(Some(Err(error))) => {
                this.ended = true;
                Poll::Ready(Some(Err(BodyError::Connection(error.to_string()))))
            }
            Poll::Ready(None) => {
                this.ended = true;
                Poll::Ready(None)
            }
            Poll::Pending => this.poll_stall(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.ended || self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if !self.is_end_stream() {
            self.conn.unread.store(true, Ordering::Relaxed);
        }
    }
}
