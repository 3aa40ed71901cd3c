//! The socket of a connection to a worker: what comes from it is counted, and it can be looked at.
//!
//! The look is for an idle connection that the worker may have ended. What the runtime knows of a socket
//! is as old as its last turn at the system's events, which under load lies a whole round of tasks back:
//! until then a read is `Pending` although the end has come. So where it matters the system is asked
//! itself, in the very read that hyper makes before it writes a request's first byte.

use hyper_rustls::MaybeHttpsStream;
use hyper_util::rt::TokioIo;
use rustix::io::Errno;
use rustix::net::{RecvFlags, recv};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// The socket, with or without TLS.
pub(super) type Socket = MaybeHttpsStream<TokioIo<TcpStream>>;

/// What a connection's owner and its socket tell each other.
#[derive(Default)]
pub(super) struct Word {
    heard: AtomicU64,
    look: AtomicBool,
}

impl Word {
    /// Bytes that came from the worker.
    pub(super) fn heard(&self) -> u64 {
        self.heard.load(Relaxed)
    }

    /// Has the next read that finds nothing look whether that is so. Only where nothing may come: what
    /// the worker says unasked ends the connection, too.
    pub(super) fn look(&self) {
        self.look.store(true, Relaxed);
    }
}

/// The socket, as hyper has it.
pub(super) struct Wire {
    socket: TokioIo<Socket>,
    word: Arc<Word>,
}

impl Wire {
    pub(super) fn new(socket: Socket, word: Arc<Word>) -> Self {
        Self {
            socket: TokioIo::new(socket),
            word,
        }
    }

    fn tcp(&self) -> &TcpStream {
        match self.socket.inner() {
            Socket::Http(tcp) => tcp.inner(),
            Socket::Https(tls) => tls.inner().get_ref().0.inner().inner(),
        }
    }
}

/// Whether the peer has ended a connection on which it has nothing to say: pending if not, otherwise the
/// end of the stream, or why it broke.
fn ended(socket: &TcpStream) -> Poll<io::Result<()>> {
    match recv(socket, &mut [0; 1], RecvFlags::PEEK | RecvFlags::DONTWAIT) {
        Err(Errno::AGAIN) => Poll::Pending,
        Err(broken) => Poll::Ready(Err(broken.into())),
        Ok((_, 0)) => Poll::Ready(Ok(())),
        Ok(_) => Poll::Ready(Err(io::Error::other("it spoke without being asked"))),
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.socket).poll_read(cx, buffer);
        if polled.is_pending() && self.word.look.swap(false, Relaxed) {
            return ended(self.tcp());
        }
        let bytes = buffer.filled().len() - before;
        if bytes > 0 {
            self.word.heard.fetch_add(bytes as u64, Relaxed);
        }
        polled
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}
