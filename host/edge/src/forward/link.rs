//! One connection to a worker, driven by the request that has it.

use super::wire::{Socket, Wire, Word};
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::http1::{Builder, Connection, SendRequest};
use hyper_util::rt::TokioIo;
use lodge_model::{RequestBody, with_causes};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

/// What a connection may hold of an answer that its visitor takes slowly, in bytes; an answer's head must fit.
const BUFFER: usize = 128 * 1024;

/// A connection that stands.
pub(super) struct Link {
    sender: SendRequest<RequestBody>,
    /// Nothing once it has ended.
    http: Option<Connection<TokioIo<Wire>, RequestBody>>,
    /// What is said with the socket, which `http` owns.
    word: Arc<Word>,
    /// Why it ended, if not in good order.
    broken: Option<hyper::Error>,
    /// Since when nobody has it.
    pub(super) idle_since: Instant,
}

/// How sending a request went.
pub(super) enum Exchanged {
    /// An answer began.
    Answered(Response<Incoming>),
    /// Nothing of the request was sent: here it is again.
    Unsent(Request<RequestBody>, String),
    /// The connection ended before an answer began.
    Broken(Break),
}

/// What ended a connection before an answer began.
pub(super) struct Break {
    /// Some byte of an answer came.
    pub(super) heard: bool,
    /// The visitor's body failed, and not the worker.
    pub(super) by_visitor: bool,
    /// Why, for the log.
    pub(super) reason: String,
}

impl Link {
    pub(super) async fn new(socket: Socket) -> hyper::Result<Self> {
        let word = Arc::<Word>::default();
        let io = TokioIo::new(Wire::new(socket, word.clone()));
        let (sender, http) = Builder::new().max_buf_size(BUFFER).handshake(io).await?;
        Ok(Self {
            sender,
            http: Some(http),
            word,
            broken: None,
            idle_since: Instant::now(),
        })
    }

    /// Lets the connection do what it can. It is done with when it has ended.
    pub(super) fn drive(&mut self, cx: &mut Context<'_>) {
        let Some(http) = &mut self.http else { return };
        if let Poll::Ready(ended) = Pin::new(http).poll(cx) {
            self.broken = ended.err();
            // With it go the ends of its channels: whoever waits there is told.
            self.http = None;
        }
    }

    /// Whether the connection can carry the next request.
    pub(super) fn is_ready(&self) -> bool {
        self.http.is_some() && self.sender.is_ready()
    }

    /// Why the connection ended, if that is known, and whether it was the visitor's body that failed.
    pub(super) fn why_broken(&self) -> Option<(String, bool)> {
        let error = self.broken.as_ref()?;
        Some((with_causes(error), error.is_user()))
    }

    /// Makes sure, with one system call, that the worker has not ended the connection before the next
    /// request is sent by it; else that request comes back unsent.
    pub(super) fn look_first(&self) {
        self.word.look();
    }

    /// Sends a request and waits for the beginning of its answer.
    pub(super) async fn exchange(&mut self, request: Request<RequestBody>) -> Exchanged {
        let before = self.word.heard();
        let mut promise = pin!(self.sender.try_send_request(request));
        let answered = std::future::poll_fn(|cx| {
            self.drive(cx);
            promise.as_mut().poll(cx)
        });
        match answered.await {
            Ok(response) => Exchanged::Answered(response),
            Err(mut refused) => match refused.take_message() {
                Some(request) => Exchanged::Unsent(request, with_causes(refused.error())),
                None => Exchanged::Broken(Break {
                    heard: self.word.heard() != before,
                    by_visitor: refused.error().is_user() && self.http.is_none(),
                    reason: with_causes(refused.error()),
                }),
            },
        }
    }
}
