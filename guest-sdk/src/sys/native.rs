//! What stands in for the host in native tests. See [`testing`](crate::testing).

pub(crate) mod host;
#[cfg(feature = "testing")]
pub(crate) mod sql;
mod tokens;

use crate::log::Level;
use crate::{Request, Response};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

type Task = Pin<Box<dyn Future<Output = ()>>>;

/// Answers what a test sends.
type Answer = Rc<dyn Fn(Request) -> Response>;

/// One test's world.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) config: BTreeMap<String, String>,
    pub(crate) keys: BTreeMap<String, Vec<u8>>,
    pub(crate) lines: Vec<(Level, String)>,
    pub(crate) answer: Option<Answer>,
    spawned: Vec<Task>,
}

thread_local! {
    pub(crate) static STATE: RefCell<State> = RefCell::default();
}

/// Keeps what should happen after the answer.
pub(crate) fn spawn(task: impl Future<Output = ()> + 'static) {
    STATE.with_borrow_mut(|state| state.spawned.push(Box::pin(task)));
}

/// Runs what was kept, and what that keeps.
pub(crate) fn run_spawned() {
    loop {
        let tasks = STATE.with_borrow_mut(|state| std::mem::take(&mut state.spawned));
        if tasks.is_empty() {
            return;
        }
        for mut task in tasks {
            let mut context = Context::from_waker(Waker::noop());
            for _ in 0..1_000 {
                if let Poll::Ready(()) = task.as_mut().poll(&mut context) {
                    break;
                }
            }
        }
    }
}
