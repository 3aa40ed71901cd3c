//! One shared instance: its load, its event loop and who drives it.

use super::answer::Answer;
use super::event_loop;
use super::{DEFAULT_REUSE, Job, REQUESTS_AT_ONCE};
use crate::app::{IDLE, RunningApp};
use crate::metered::Metered;
use crate::report::{Broken, write_host_line};
use futures::task::AtomicWaker;
use lodge_model::{FailureKind, LogLevel};
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

/// Times one driver polls again because something happened meanwhile; then the keeper goes on.
const ROUNDS: u32 = 4;

/// An instance that requests share.
pub(super) struct SharedInstance {
    pub(super) app: Arc<RunningApp>,
    driver: Mutex<Driver>,
    load: Mutex<Load>,
    pub(super) signals: Arc<Signals>,
    waker: Waker,
}

/// The event loop and its account.
struct Driver {
    guest: Option<Metered<Result<(), Broken>>>,
    /// CPU and progress when a request last came or went.
    cpu_mark: Duration,
    progress_mark: u64,
}

struct Load {
    mailbox: VecDeque<Job>,
    /// Requests in the mailbox, at work, or with a body under way.
    active: Vec<Arc<Answer>>,
    accepted: u32,
    /// Requests whose visitor left while they were at work.
    abandoned: u32,
    is_open: bool,
    /// What is to end it before its next poll.
    kill: Option<Broken>,
    ended: Option<Result<(), Broken>>,
    last_used: Instant,
}

/// What the event loop, its drivers and its keeper tell each other.
#[derive(Default)]
pub(super) struct Signals {
    /// Instantiated.
    pub(super) started: AtomicBool,
    /// Requests accepted and answered so far.
    pub(super) progress: AtomicU64,
    /// No guest task is under way.
    pub(super) is_quiet: AtomicBool,
    /// It was interrupted in the middle of work.
    pub(super) is_busy: AtomicBool,
    /// Something happened since the last poll began.
    dirty: AtomicBool,
    keeper: AtomicWaker,
}

/// The waker that the event loop is polled with.
struct Rouse(Weak<SharedInstance>);

impl Wake for Rouse {
    fn wake(self: Arc<Self>) {
        if let Some(instance) = self.0.upgrade() {
            instance.rouse();
        }
    }
}

impl SharedInstance {
    /// Makes an instance, with its first request. The request's task drives it at once.
    pub(super) fn start(app: &Arc<RunningApp>, job: Option<Job>) -> Arc<Self> {
        let instance = Arc::new_cyclic(|this: &Weak<Self>| {
            let signals = Arc::new(Signals::default());
            let guest = event_loop::run(app.clone(), this.clone(), signals.clone());
            let driver = Driver {
                guest: Some(Metered::new(
                    Box::pin(guest),
                    app.lane.clone(),
                    app.meter().clone(),
                )),
                cpu_mark: Duration::ZERO,
                progress_mark: 0,
            };
            let load = Load {
                active: job.iter().map(|job| job.answer.clone()).collect(),
                accepted: u32::from(job.is_some()),
                mailbox: job.into_iter().collect(),
                abandoned: 0,
                is_open: true,
                kill: None,
                ended: None,
                last_used: Instant::now(),
            };
            Self {
                app: app.clone(),
                driver: Mutex::new(driver),
                load: Mutex::new(load),
                signals,
                waker: Waker::from(Arc::new(Rouse(this.clone()))),
            }
        });
        tokio::spawn(keep(instance.clone()));
        instance
    }

    /// Takes the request, if there is a place for it.
    pub(super) fn offer(&self, job: &mut Option<Job>) -> bool {
        let limits = self.app.limits();
        let reuse = limits.instance_reuse.unwrap_or(DEFAULT_REUSE);
        let mut load = self.load.lock();
        let at_once = if reuse == 1 { 1 } else { REQUESTS_AT_ONCE };
        if !load.is_open || load.accepted >= reuse || load.active.len() >= at_once {
            return false;
        }
        if let Some(job) = job.take() {
            load.active.push(job.answer.clone());
            load.mailbox.push_back(job);
            load.accepted += 1;
        }
        drop(load);
        self.signals.dirty.store(true, Ordering::SeqCst);
        true
    }

    /// Whether it works now, so that another instance would answer sooner.
    pub(super) fn is_busy(&self) -> bool {
        self.driver.is_locked() || self.signals.is_busy.load(Ordering::Relaxed)
    }

    /// Requests it has.
    pub(super) fn load(&self) -> usize {
        self.load.lock().active.len()
    }

    /// The next request for the event loop.
    pub(super) fn next_job(&self) -> Option<Job> {
        self.load.lock().mailbox.pop_front()
    }

    /// Whether the event loop may end: closed and without requests.
    pub(super) fn may_end(&self) -> bool {
        let load = self.load.lock();
        let reuse = self.app.limits().instance_reuse.unwrap_or(DEFAULT_REUSE);
        (!load.is_open || load.accepted >= reuse) && load.active.is_empty()
    }

    /// Something happened: whoever drives goes on, or the keeper begins to.
    fn rouse(&self) {
        self.signals.dirty.store(true, Ordering::SeqCst);
        if !self.driver.is_locked() {
            self.signals.keeper.wake();
        }
    }

    /// Lets the event loop go on, unless somebody else is at it; they will see that there is more.
    pub(super) fn drive(&self) {
        for _ in 0..ROUNDS {
            let Some(mut driver) = self.driver.try_lock() else {
                return;
            };
            self.signals.dirty.store(false, Ordering::SeqCst);
            self.poll(&mut driver);
            drop(driver);
            if !self.signals.dirty.load(Ordering::SeqCst) {
                return;
            }
        }
        self.signals.keeper.wake();
    }

    fn poll(&self, driver: &mut Driver) {
        let Some(guest) = &mut driver.guest else {
            return;
        };
        let kill = self.load.lock().kill.take();
        if let Some(broken) = kill {
            driver.guest = None;
            return self.finish(Err(broken));
        }
        let cx = &mut Context::from_waker(&self.waker);
        let again = || self.signals.dirty.swap(false, Ordering::SeqCst);
        let polled = guest.poll_while(cx, again);
        let is_busy = &self.signals.is_busy;
        is_busy.store(guest.is_interrupted(), Ordering::Relaxed);
        match polled {
            Poll::Ready(ended) => {
                driver.guest = None;
                self.finish(ended.unwrap_or_else(|_| Err(Broken::panicked())));
            }
            Poll::Pending => {
                let progress = self.signals.progress.load(Ordering::Relaxed);
                if progress != driver.progress_mark {
                    driver.progress_mark = progress;
                    driver.cpu_mark = guest.cpu();
                }
                if guest.cpu().saturating_sub(driver.cpu_mark) > self.app.request_cpu() {
                    driver.guest = None;
                    self.finish(Err(Broken::cpu_limit(self.app.limits())));
                }
            }
        }
    }

    /// The event loop is gone: its requests fail, those that had not begun go elsewhere.
    fn finish(&self, ended: Result<(), Broken>) {
        let mut load = self.load.lock();
        load.is_open = false;
        let active = std::mem::take(&mut load.active);
        let waiting = std::mem::take(&mut load.mailbox);
        load.ended = Some(ended.clone());
        drop(load);
        self.app.instances.remove(self);
        let gone = Broken::new(
            FailureKind::Internal,
            "the instance ended before the request did",
        );
        let broken = ended.err().unwrap_or(gone);
        // Nobody waits for it, yet its administrator should know. (The host's own reasons are told elsewhere.)
        let is_guests = !matches!(broken.kind, FailureKind::Internal | FailureKind::AppStopped);
        if active.is_empty() && is_guests {
            let cause = format!(
                "work after its requests' end failed ({}): {}",
                broken.kind.code(),
                broken.cause
            );
            write_host_line(&self.app.owner, LogLevel::Error, cause, None);
        }
        for answer in active {
            answer.fail(&broken);
        }
        drop(waiting);
        self.signals.keeper.wake();
    }

    /// The request has had its response in full.
    pub(super) fn leave(&self, answer: &Arc<Answer>) {
        let mut load = self.load.lock();
        load.active.retain(|other| !Arc::ptr_eq(other, answer));
        load.last_used = Instant::now();
        let is_last = load.active.is_empty() && load.abandoned > 0;
        drop(load);
        if is_last {
            self.kill(abandoned());
        } else if self.signals.dirty.load(Ordering::SeqCst) || self.may_end() {
            // Also to let an instance that has served its number end now, not when it is idle.
            self.drive();
        }
    }

    /// The request's visitor left. What it began cannot be cancelled alone (wasmtime#11833), so
    /// the instance takes no more requests and ends with the last that is still wanted.
    pub(super) fn abandon(&self, answer: &Arc<Answer>) {
        let mut load = self.load.lock();
        let before = load.mailbox.len();
        load.mailbox.retain(|job| !Arc::ptr_eq(&job.answer, answer));
        let had_begun = load.mailbox.len() == before;
        load.active.retain(|other| !Arc::ptr_eq(other, answer));
        load.last_used = Instant::now();
        if had_begun {
            load.abandoned += 1;
            load.is_open = false;
        }
        let is_last = load.active.is_empty() && load.abandoned > 0;
        drop(load);
        if is_last {
            self.kill(abandoned());
        }
    }

    /// Takes no more requests; ends when those it has are done.
    pub(super) fn close(&self) {
        self.load.lock().is_open = false;
        self.rouse();
    }

    /// Ends it before its next poll.
    pub(super) fn kill(&self, broken: Broken) {
        let mut load = self.load.lock();
        load.is_open = false;
        load.kill = Some(broken);
        drop(load);
        self.rouse();
    }

    /// Ready once it can take requests, or never will.
    pub(super) fn poll_started(&self, cx: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        self.drive();
        if self.signals.started.load(Ordering::Relaxed) {
            return Poll::Ready(Ok(()));
        }
        match &self.load.lock().ended {
            Some(Err(broken)) => Poll::Ready(Err(broken.clone())),
            _ => {
                // The keeper drives on; look again when this task is next scheduled.
                cx.waker().wake_by_ref();
                Poll::Pending
            }
        }
    }

    fn has_ended(&self) -> bool {
        self.load.lock().ended.is_some()
    }

    /// What the keeper does about an instance without requests.
    fn retire_if_idle(&self) {
        let load = self.load.lock();
        let idle = load.last_used.elapsed();
        if !load.active.is_empty() || idle < IDLE {
            return;
        }
        drop(load);
        if self.signals.is_quiet.load(Ordering::Relaxed) {
            self.close();
        } else if idle > self.app.request_timeout() {
            let cause = "work after its requests' end was cut off: it took too long (limits.request_timeout_ms)";
            write_host_line(&self.app.owner, LogLevel::Warn, cause.to_owned(), None);
            self.kill(abandoned());
        }
    }
}

fn abandoned() -> Broken {
    Broken::new(
        FailureKind::Internal,
        "nobody waits for the instance any more",
    )
}

/// Drives an instance when no request's task does, and sees to its end.
async fn keep(instance: Arc<SharedInstance>) {
    let mut cut_off = pin!(instance.app.cut_off.cancelled());
    let mut is_cut_off = false;
    let mut timer = pin!(tokio::time::sleep(IDLE));
    poll_fn(|cx| {
        instance.signals.keeper.register(cx.waker());
        if !is_cut_off && cut_off.as_mut().poll(cx).is_ready() {
            is_cut_off = true;
            instance.kill(Broken::stopped());
        }
        instance.drive();
        if instance.has_ended() {
            return Poll::Ready(());
        }
        while timer.as_mut().poll(cx).is_ready() {
            timer.as_mut().reset(tokio::time::Instant::now() + IDLE);
            instance.retire_if_idle();
        }
        Poll::Pending
    })
    .await;
}
