//! Work of the host's on an app's behalf: the CPU time of its polls is charged to the app.

use lodge_model::Account;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

/// A future whose polls an app pays for. It is for what runs in tasks of the host's own: what a guest
/// awaits is charged with the guest's polls.
pub(crate) struct Charged<F> {
    work: Pin<Box<F>>,
    account: Arc<dyn Account>,
}

impl<F: Future> Charged<F> {
    pub(crate) fn new(account: Arc<dyn Account>, work: F) -> Self {
        Self {
            work: Box::pin(work),
            account,
        }
    }
}

impl<F: Future> Future for Charged<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let before = thread_cpu();
        let polled = self.work.as_mut().poll(context);
        self.account.charge_cpu(thread_cpu().saturating_sub(before));
        polled
    }
}

/// CPU time that this thread has used.
pub(crate) fn thread_cpu() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(
        u64::try_from(time.tv_sec).unwrap_or(0),
        u32::try_from(time.tv_nsec).unwrap_or(0),
    )
}
