//! Work of the host's on an app's behalf, charged to the app: the CPU time of a task's polls, and of
//! threads that libraries keep for a connection.

use lodge_model::Account;
use parking_lot::Mutex;
use std::fs::File;
use std::future::Future;
use std::os::unix::fs::FileExt as _;
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

/// Another thread's CPU clock, as the kernel shows it (`/proc/…/schedstat`, first number: nanoseconds;
/// proc(5)). Where there is no such file, there is no clock.
pub(crate) struct ThreadClock(File);

impl ThreadClock {
    /// The clock of the thread that calls this.
    pub(crate) fn of_this_thread() -> Option<Self> {
        let thread = rustix::thread::gettid().as_raw_nonzero();
        let file = File::open(format!("/proc/self/task/{thread}/schedstat"));
        file.ok().map(Self)
    }

    /// CPU time that the thread has used; none: it has ended.
    pub(crate) fn read(&self) -> Option<Duration> {
        let mut text = [0; 64];
        let length = self.0.read_at(&mut text, 0).ok()?;
        let text = std::str::from_utf8(text.get(..length)?).ok()?;
        let nanos = text.split(' ').next()?.parse().ok()?;
        Some(Duration::from_nanos(nanos))
    }
}

/// Threads that work for one app, each with what was charged of it.
pub(crate) struct ThreadBook {
    account: Arc<dyn Account>,
    threads: Mutex<Vec<Known>>,
}

struct Known {
    thread: rustix::thread::Pid,
    clock: ThreadClock,
    charged: Duration,
}

impl ThreadBook {
    pub(crate) fn new(account: Arc<dyn Account>) -> Arc<Self> {
        Arc::new(Self {
            account,
            threads: Mutex::default(),
        })
    }

    /// The thread that calls this works for the app from now on. Once is enough; more does no harm.
    pub(crate) fn add_this_thread(&self) {
        let thread = rustix::thread::gettid();
        if self
            .threads
            .lock()
            .iter()
            .any(|known| known.thread == thread)
        {
            return;
        }
        if let Some(clock) = ThreadClock::of_this_thread() {
            let now = clock.read().unwrap_or_default();
            self.threads.lock().push(Known {
                thread,
                clock,
                charged: now,
            });
        }
    }

    /// Charges what the threads have used; those that ended are forgotten.
    pub(crate) fn charge(&self) {
        let mut used = Duration::ZERO;
        self.threads.lock().retain_mut(|known| {
            let Some(now) = known.clock.read() else {
                return false;
            };
            used += now.saturating_sub(known.charged);
            known.charged = now;
            true
        });
        if !used.is_zero() {
            self.account.charge_cpu(used);
        }
    }
}
