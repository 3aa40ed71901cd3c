//! Where a shared instance puts a request's answer, and its failure.

use crate::report::Broken;
use futures::task::AtomicWaker;
use http::Response;
use lodge_model::{FailureKind, RequestId};
use parking_lot::Mutex;
use std::sync::Arc;
use std::task::{Poll, Waker};
use wasmtime_wasi_http::WasiBody;

/// One request's answer.
pub(super) struct Answer {
    pub(super) id: RequestId,
    state: Mutex<State>,
    waker: AtomicWaker,
}

#[derive(Default)]
struct State {
    head: Option<Result<Response<WasiBody>, Broken>>,
    /// What ended the instance while the body was under way.
    broken: Option<Broken>,
}

impl Answer {
    pub(super) fn new(id: RequestId) -> Arc<Self> {
        Arc::new(Self {
            id,
            state: Mutex::default(),
            waker: AtomicWaker::new(),
        })
    }

    pub(super) fn register(&self, waker: &Waker) {
        self.waker.register(waker);
    }

    /// The instance answers.
    pub(super) fn set(&self, head: Result<Response<WasiBody>, Broken>) {
        self.state.lock().head = Some(head);
        self.waker.wake();
    }

    /// The instance is gone.
    pub(super) fn fail(&self, broken: &Broken) {
        let mut state = self.state.lock();
        state.broken = Some(broken.clone());
        drop(state);
        self.waker.wake();
    }

    /// The head, once it is there.
    pub(super) fn poll_head(&self) -> Poll<Result<Response<WasiBody>, Broken>> {
        let mut state = self.state.lock();
        if let Some(broken) = &state.broken {
            return Poll::Ready(Err(broken.clone()));
        }
        match state.head.take() {
            Some(head) => Poll::Ready(head),
            None => Poll::Pending,
        }
    }

    /// What ended the instance, if something did.
    pub(super) fn broken(&self) -> Option<Broken> {
        self.state.lock().broken.clone()
    }
}

/// The guest answered with an error instead of a response.
pub(super) fn refused(code: &dyn std::fmt::Debug) -> Broken {
    Broken::new(
        FailureKind::NoResponse,
        format!("the guest answered with an error: {code:?}"),
    )
}
