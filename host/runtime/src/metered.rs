//! Polls a guest: in turns of its app's lane, timed on the thread's CPU clock ([`crate::cpu_clock`]), and with panics
//! caught.
//!
//! CPU time, not wall time: on a busy machine a guest that was preempted would pay for its
//! neighbours. (Fastly's Viceroy times polls in the same place.)

use crate::cpu_clock::Stopwatch;
use crate::gate::{Lane, Ticket, nanos};
use crate::ticker::EPOCH;
use lodge_model::AppMeter;
use std::cell::Cell;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

/// A guest's future panicked: a fault of the host's own code, contained to this guest.
#[derive(Debug)]
pub(crate) struct Panicked;

thread_local! {
    /// Whether an epoch ended in the middle of the work of the guest that this thread polls.
    static INTERRUPTED: Cell<bool> = const { Cell::new(false) };
    /// When the turn of that guest began.
    static BEGUN: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// A guest that has waited for its host finds that an epoch ended meanwhile. That is no reason to end a turn which
/// has lasted no longer than this.
const HARDLY_BEGUN: Duration = Duration::from_micros(100);

/// To be told when an epoch ends in the middle of a guest's work, on the thread that polls it. True: its turn is over.
pub(crate) fn interrupt() -> bool {
    let is_over = BEGUN
        .get()
        .is_none_or(|begun| begun.elapsed() >= HARDLY_BEGUN);
    INTERRUPTED.set(is_over);
    is_over
}

/// A guest's future on the heap, with what it used.
pub(crate) struct Metered<T> {
    /// None once it has ended: its memory is given back within the last turn.
    future: Option<Pin<Box<dyn Future<Output = T> + Send>>>,
    lane: Arc<Lane>,
    meter: Arc<AppMeter>,
    ticket: Option<Ticket>,
    waiting_since: Option<Instant>,
    /// An epoch ended in the middle of its work, and it has not gone on since.
    is_interrupted: bool,
    cpu: Duration,
}

impl<T> Metered<T> {
    pub(crate) fn new(
        future: Pin<Box<dyn Future<Output = T> + Send>>,
        lane: Arc<Lane>,
        meter: Arc<AppMeter>,
    ) -> Self {
        Self {
            future: Some(future),
            lane,
            meter,
            ticket: None,
            waiting_since: None,
            is_interrupted: false,
            cpu: Duration::ZERO,
        }
    }

    /// CPU used so far.
    pub(crate) fn cpu(&self) -> Duration {
        self.cpu
    }

    /// Whether it is in the middle of work.
    pub(crate) fn is_interrupted(&self) -> bool {
        self.is_interrupted
    }

    /// Polls the guest if it has a turn. Never again after it was ready.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, Panicked>> {
        self.poll_while(cx, || false)
    }

    /// As [`poll`](Self::poll), and again within the same turn while `again` says that there is
    /// more to do: a guest that needs several polls need not queue for each. An epoch bounds it.
    pub(crate) fn poll_while(
        &mut self,
        cx: &mut Context<'_>,
        again: impl Fn() -> bool,
    ) -> Poll<Result<T, Panicked>> {
        let Some(future) = self.future.as_mut() else {
            return Poll::Pending;
        };
        if !self.lane.try_turn(&mut self.ticket, cx.waker()) {
            self.waiting_since.get_or_insert_with(Instant::now);
            return Poll::Pending;
        }
        if let Some(since) = self.waiting_since.take() {
            count_waiting(&self.meter, &self.lane, since.elapsed());
        }
        INTERRUPTED.set(false);
        let watch = Stopwatch::start();
        BEGUN.set(Some(watch.started()));
        let polled = loop {
            let poll = AssertUnwindSafe(|| future.as_mut().poll(cx));
            match std::panic::catch_unwind(poll) {
                Ok(Poll::Pending) if !INTERRUPTED.get() && watch.used() < EPOCH && again() => {}
                Ok(Poll::Pending) => break Poll::Pending,
                Ok(Poll::Ready(value)) => break Poll::Ready(Ok(value)),
                Err(_) => break Poll::Ready(Err(Panicked)),
            }
        };
        if polled.is_ready() {
            drop_quietly(&mut self.future);
        }
        let used = watch.used();
        self.is_interrupted = polled.is_pending() && INTERRUPTED.get();
        if self.is_interrupted {
            self.ticket = Some(self.lane.end_turn_and_queue(used, cx.waker()));
        } else {
            self.lane.end_turn(used);
        }
        self.count(used);
        if self.is_interrupted {
            // The kernel would leave the core to this thread for some milliseconds more. A turn is over: whoever waits
            // for the core, above all the thread that reads sockets, is not to wait for longer than one. Nobody has been
            // given this guest's turn yet, who would wait with this thread.
            std::thread::yield_now();
        }
        polled
    }

    fn count(&mut self, used: Duration) {
        self.cpu += used;
        self.meter.cpu_nanos.fetch_add(nanos(used), Relaxed);
    }
}

impl<T> Drop for Metered<T> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            self.lane.leave(ticket);
        }
        if self.future.is_some() {
            let watch = Stopwatch::start();
            drop_quietly(&mut self.future);
            let used = watch.used();
            self.lane.charge(used);
            self.count(used);
        }
    }
}

/// Work for an app has waited for its turn, and now knows how much of that was due to the app's cap.
pub(crate) fn count_waiting(meter: &AppMeter, lane: &Lane, waited: Duration) {
    meter.throttled_nanos.fetch_add(nanos(waited), Relaxed);
    let capped = nanos(lane.take_capped());
    meter.capped_nanos.fetch_add(capped, Relaxed);
}

/// Drops a guest; a panic in its teardown stays here.
fn drop_quietly<T>(future: &mut Option<T>) {
    let future = future.take();
    if std::panic::catch_unwind(AssertUnwindSafe(|| drop(future))).is_err() {
        tracing::error!("dropping a guest panicked; its slot may be lost");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epochs_end_ends_no_turn_that_has_hardly_begun() {
        BEGUN.set(Some(Instant::now() + Duration::from_secs(60)));
        assert!(!interrupt());
        assert!(!INTERRUPTED.get());
        BEGUN.set(Instant::now().checked_sub(HARDLY_BEGUN));
        assert!(interrupt());
        assert!(INTERRUPTED.get());
    }
}
