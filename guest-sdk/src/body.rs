//! One body type for requests and responses, so that handlers name no host types and run natively in tests.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, Full, Limited};

use crate::Error;

/// A request's or a response's body: bytes as they come, then perhaps trailers.
#[derive(Debug)]
pub struct Body(UnsyncBoxBody<Bytes, Error>);

impl Body {
    pub fn new<B>(body: B) -> Self
    where
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<Error>,
    {
        Self(body.map_err(Into::into).boxed_unsync())
    }

    pub fn empty() -> Self {
        Self::new(Empty::new())
    }

    /// A body whose pieces are sent as the stream yields them. An error breaks the response off.
    pub fn from_stream<S, B, E>(stream: S) -> Self
    where
        S: Stream<Item = Result<B, E>> + Send + 'static,
        B: Into<Bytes> + 'static,
        E: Into<Error> + 'static,
    {
        Self(StreamBody(Box::pin(stream)).boxed_unsync())
    }

    /// Reads the whole body, at most `limit` bytes of it: a longer one is an error.
    pub async fn bytes(self, limit: usize) -> Result<Bytes, Error> {
        Ok(Limited::new(self.0, limit).collect().await?.to_bytes())
    }
}

impl Default for Body {
    fn default() -> Self {
        Self::empty()
    }
}

macro_rules! from_whole {
    ($($source:ty),*) => {$(
        impl From<$source> for Body {
            fn from(whole: $source) -> Self {
                Self::new(Full::new(Bytes::from(whole)))
            }
        }
    )*};
}
from_whole!(Bytes, Vec<u8>, String, &'static str, &'static [u8]);

impl HttpBody for Body {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        Pin::new(&mut self.0).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}

struct StreamBody<S>(Pin<Box<S>>);

impl<S, B, E> HttpBody for StreamBody<S>
where
    S: Stream<Item = Result<B, E>>,
    B: Into<Bytes>,
    E: Into<Error>,
{
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let next = ready!(self.0.as_mut().poll_next(cx));
        Poll::Ready(next.map(|piece| piece.map(|b| Frame::data(b.into())).map_err(Into::into)))
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    /// For futures that never wait.
    fn now<T>(future: impl Future<Output = T>) -> T {
        let mut future = std::pin::pin!(future);
        match future
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
        {
            Poll::Ready(value) => value,
            Poll::Pending => panic!("it waits"),
        }
    }

    struct Pieces(Vec<Result<&'static str, Error>>);

    impl Stream for Pieces {
        type Item = Result<&'static str, Error>;

        fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
            Poll::Ready(self.0.pop())
        }
    }

    #[test]
    fn a_stream_is_read_up_to_the_limit() {
        let body = || Body::from_stream(Pieces(vec![Ok("lo"), Ok("hel")]));
        assert_eq!(now(body().bytes(5)).unwrap(), "hello");
        assert!(now(body().bytes(4)).is_err());
    }

    #[test]
    fn a_streams_error_is_the_bodys() {
        let body = Body::from_stream(Pieces(vec![Err("broke off".into()), Ok("hel")]));
        assert_eq!(now(body.bytes(100)).unwrap_err().to_string(), "broke off");
    }
}
