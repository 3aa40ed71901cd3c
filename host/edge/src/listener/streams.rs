//! One HTTP/2 request's task, cut off when its peer takes nothing.
//!
//! HTTP/2 has a window for each stream: a peer may read one stream and never another, for ever, and
//! with it hold a guest and its turn. The sweep cannot see that, since the connection itself moves.
//! So each request's task is wrapped: the response's body notes, in the thread that polls it, whether
//! the last it did was to hand a frame over ([`Awaits::Peer`]) or to find none ([`Awaits::Guest`]);
//! when a frame was handed over and for the stall limit nobody came for the next, the task ends,
//! which resets the stream and drops the guest. A timer exists only while a peer is waited for.

use std::cell::Cell;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::Sleep;

/// Whom a response's body waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Awaits {
    /// The guest has not given the next frame yet.
    Guest,
    /// The peer has not taken the last frame yet.
    Peer,
}

thread_local! {
    /// What the body that was polled last in this thread noted.
    static NOTED: Cell<Option<Awaits>> = const { Cell::new(None) };
}

/// Notes whom the response's body that is being polled waits for from now on.
pub(crate) fn note(awaits: Awaits) {
    NOTED.set(Some(awaits));
}

/// Spawns requests' tasks, each watched.
#[derive(Debug, Clone)]
pub(super) struct Streams {
    pub(super) stall_timeout: Duration,
}

impl<F> hyper::rt::Executor<F> for Streams
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, task: F) {
        let stall_timeout = self.stall_timeout;
        tokio::spawn(Watched {
            task: Box::pin(task),
            awaits: Awaits::Guest,
            timer: None,
            stall_timeout,
        });
    }
}

struct Watched<F> {
    task: Pin<Box<F>>,
    awaits: Awaits,
    timer: Option<Pin<Box<Sleep>>>,
    stall_timeout: Duration,
}

impl<F: Future<Output = ()>> Future for Watched<F> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        NOTED.set(None);
        if this.task.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        if let Some(awaits) = NOTED.take() {
            // The body was polled: there was progress.
            this.awaits = awaits;
            this.timer = None;
        }
        if this.awaits == Awaits::Guest {
            return Poll::Pending;
        }
        let limit = this.stall_timeout;
        let timer = this
            .timer
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(limit)));
        timer.as_mut().poll(cx)
    }
}
