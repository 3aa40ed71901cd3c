//! One admitted request until its answer has ended: it holds the turn, and says once how it went.

use crate::admission::Turn;
use crate::listener::{self, Awaits, InFlight};
use crate::respond::{self, Reader};
use bytes::Bytes;
use http::{Response, StatusCode, header};
use http_body::{Body, Frame, SizeHint};
use lodge_model::{BodyError, FailureKind, Outcome, RequestId, Requests, ResponseBody};
use std::pin::Pin;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll, ready};
use std::time::Instant;

/// An admitted request under way. Dropped without a word, it counts as cancelled by its visitor.
pub(crate) struct Exchange {
    id: RequestId,
    turn: Turn,
    recorded: bool,
    in_flight: InFlight,
    /// When it asked to be admitted.
    arrived: Instant,
    /// Who reads why it failed.
    reader: Reader,
}

impl Exchange {
    pub(crate) fn new(
        id: RequestId,
        turn: Turn,
        in_flight: InFlight,
        arrived: Instant,
        reader: Reader,
    ) -> Self {
        Self {
            id,
            turn,
            recorded: false,
            in_flight,
            arrived,
            reader,
        }
    }

    /// Ends the exchange with an error page.
    pub(crate) fn failed(mut self, kind: FailureKind) -> Response<Answer> {
        self.record(Outcome::Failed(kind));
        self.note_time();
        respond::failure(kind, self.id, self.reader)
    }

    /// Whether the connection carries several requests at once.
    fn is_multiplexed(&self) -> bool {
        self.in_flight.0.multiplexed.load(Relaxed)
    }

    /// Where it is counted.
    fn requests(&self) -> &Requests {
        self.reader.requests(&self.turn.state().meter)
    }

    /// Counts the time until the answer's head, or the failure: what streams after it is the
    /// visitor's pace as much as the app's.
    fn note_time(&self) {
        self.requests().took(self.arrived.elapsed());
    }

    /// Counts how the request ended; the first word stands.
    fn record(&mut self, outcome: Outcome) {
        if !std::mem::replace(&mut self.recorded, true) {
            self.requests().record(outcome);
            tracing::debug!(id = %self.id, app = %self.turn.entry().app, ?outcome, "a request ended");
        }
    }

    /// Binds the exchange to its response's body, which ends it.
    pub(crate) fn answer(
        mut self,
        response: Response<ResponseBody>,
        is_head: bool,
    ) -> Response<Answer> {
        self.note_time();
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
        } else {
            self.turn.begin_answer();
        }
        response.map(|body| {
            Answer::App(Served {
                body,
                exchange: self,
                status,
                declared,
                sent: 0,
                rest: Bytes::new(),
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
    /// The worker's own, to its supervisor; the connection is busy until it ends.
    Control { body: ResponseBody, _busy: InFlight },
}

/// The largest frame that an HTTP/2 stream is given at once, in bytes: one that its peer takes slowly
/// must be seen to move.
const PIECE: usize = 16 * 1024;

/// An app's body on its way, with the exchange that it ends.
pub(crate) struct Served {
    body: ResponseBody,
    exchange: Exchange,
    status: StatusCode,
    /// How many bytes the response says it has.
    declared: Option<u64>,
    sent: u64,
    /// What is left of a frame that is handed over in pieces.
    rest: Bytes,
}

impl Served {
    fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if !self.rest.is_empty() {
            return Poll::Ready(Some(Ok(self.next_piece())));
        }
        listener::note(Awaits::Guest);
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        listener::note(Awaits::Peer);
        match frame {
            Some(Ok(frame)) => Poll::Ready(Some(Ok(self.passed(frame)))),
            Some(Err(error)) => {
                self.exchange.record(match &error {
                    BodyError::Failed(failure) => Outcome::Failed(failure.kind),
                    BodyError::TooLarge => Outcome::Failed(FailureKind::BodyTooLarge),
                    BodyError::Connection(_) => Outcome::Cancelled,
                });
                Poll::Ready(Some(Err(error)))
            }
            None => {
                self.exchange.record(Outcome::Answered(self.status));
                Poll::Ready(None)
            }
        }
    }

    fn passed(&mut self, frame: Frame<Bytes>) -> Frame<Bytes> {
        match frame.into_data() {
            Ok(data) if data.len() > PIECE && self.exchange.is_multiplexed() => {
                self.rest = data;
                self.next_piece()
            }
            Ok(data) => {
                self.sent += data.len() as u64;
                Frame::data(data)
            }
            Err(trailers) => trailers,
        }
    }

    fn next_piece(&mut self) -> Frame<Bytes> {
        listener::note(Awaits::Peer);
        let piece = self.rest.split_to(PIECE.min(self.rest.len()));
        self.sent += piece.len() as u64;
        Frame::data(piece)
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (mut hint, rest) = (self.body.size_hint(), self.rest.len() as u64);
        if let Some(upper) = hint.upper() {
            hint.set_upper(upper.saturating_add(rest));
        }
        hint.set_lower(hint.lower().saturating_add(rest));
        hint
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // hyper asks for nothing more once the declared length is there, or the body says it ended.
        let whole = self.declared.is_some_and(|declared| self.sent >= declared);
        if whole || self.is_end_stream() {
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
            Self::Control { body, .. } => Pin::new(body).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Own(bytes) => bytes.is_none(),
            Self::App(served) => served.is_end_stream(),
            Self::Control { body, .. } => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Own(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |b| b.len() as u64)),
            Self::App(served) => served.size_hint(),
            Self::Control { body, .. } => body.size_hint(),
        }
    }
}
