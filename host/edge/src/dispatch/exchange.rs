//! One admitted request until its answer has ended: it holds the turn, and says once how it went.

use crate::admission::Turn;
use crate::listener::InFlight;
use crate::respond;
use bytes::Bytes;
use http::{Response, StatusCode, header};
use http_body::{Body, Frame, SizeHint};
use lodge_model::{BodyError, FailureKind, Outcome, RequestId, ResponseBody};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// An admitted request under way. Dropped without a word, it counts as cancelled by its visitor.
pub(crate) struct Exchange {
    id: RequestId,
    turn: Turn,
    recorded: bool,
    _in_flight: InFlight,
}

impl Exchange {
    pub(crate) fn new(id: RequestId, turn: Turn, in_flight: InFlight) -> Self {
        Self {
            id,
            turn,
            recorded: false,
            _in_flight: in_flight,
        }
    }

    /// Ends the exchange with an error page.
    pub(crate) fn failed(mut self, kind: FailureKind, wants_html: bool) -> Response<Answer> {
        self.record(Outcome::Failed(kind));
        respond::failure(kind, self.id, wants_html)
    }

    /// Counts how the request ended; the first word stands.
    fn record(&mut self, outcome: Outcome) {
        if !std::mem::replace(&mut self.recorded, true) {
            self.turn.state().meter.record(outcome);
            tracing::debug!(id = %self.id, app = %self.turn.entry().app, ?outcome, "a request ended");
        }
    }

    /// Binds the exchange to its response's body, which ends it.
    pub(crate) fn answer(
        mut self,
        response: Response<ResponseBody>,
        is_head: bool,
    ) -> Response<Answer> {
        let status = response.status();
        let body = response.body();
        let declared = match response.headers().get(header::CONTENT_LENGTH) {
            Some(length) => length.to_str().ok().and_then(|length| length.parse().ok()),
            None => body.size_hint().exact(),
        };
        let bodiless =
            is_head || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
        if bodiless || body.is_end_stream() {
            self.record(Outcome::Answered(status));
        }
        response.map(|body| {
            Answer::App(Served {
                body,
                exchange: self,
                status,
                declared,
                sent: 0,
            })
        })
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.record(Outcome::Cancelled);
    }
}

/// A response's body.
pub(crate) enum Answer {
    /// The edge's own, whole.
    Own(Option<Bytes>),
    /// An app's.
    App(Served),
}

/// An app's body on its way, with the exchange that it ends.
pub(crate) struct Served {
    body: ResponseBody,
    exchange: Exchange,
    status: StatusCode,
    /// How many bytes the response says it has.
    declared: Option<u64>,
    sent: u64,
}

impl Served {
    fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        match &frame {
            Some(Ok(frame)) => self.sent += frame.data_ref().map_or(0, |data| data.len() as u64),
            Some(Err(error)) => self.exchange.record(match error {
                BodyError::Failed(failure) => Outcome::Failed(failure.kind),
                BodyError::TooLarge => Outcome::Failed(FailureKind::BodyTooLarge),
                BodyError::Connection(_) => Outcome::Cancelled,
            }),
            None => self.exchange.record(Outcome::Answered(self.status)),
        }
        Poll::Ready(frame)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // hyper asks for nothing more once the declared length is there, or the body says it ended.
        let whole = self.declared.is_some_and(|declared| self.sent >= declared);
        if whole || self.body.is_end_stream() {
            self.exchange.record(Outcome::Answered(self.status));
        }
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match self.get_mut() {
            Self::Own(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::App(served) => served.poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Own(bytes) => bytes.is_none(),
            Self::App(served) => served.body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Own(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |b| b.len() as u64)),
            Self::App(served) => served.body.size_hint(),
        }
    }
}
