//! A supervisor's component library, or a component store: a real HTTP server that can misbehave.

use super::specs::digest;
use bytes::Bytes;
use futures::stream;
use http::{Request, Response, StatusCode, header};
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use lodge_model::Digest;
use parking_lot::Mutex;
use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;
use tokio::net::TcpListener;

type Body = UnsyncBoxBody<Bytes, io::Error>;

/// What it does with a request instead of answering it.
#[derive(Debug, Clone)]
pub enum Quirk {
    /// Breaks the connection after so many bytes of the body.
    CutAfter(usize),
    /// Says nothing more after so many bytes of the body.
    SilentAfter(usize),
    /// Sends these bytes, as if they were the component.
    Instead(Vec<u8>),
    /// Sends bytes without end or length.
    Endless,
    /// Answers with this status.
    Status(u16),
    /// Knows no ranges.
    WholeAlways,
}

#[derive(Default)]
pub struct Library {
    pub components: Mutex<HashMap<Digest, Vec<u8>>>,
    /// For the next requests.
    pub quirks: Mutex<VecDeque<Quirk>>,
    /// Of each request: where it began, and its signature.
    pub asked: Mutex<Vec<(usize, String)>>,
    pub under_way: AtomicUsize,
}

pub struct Server {
    pub library: Arc<Library>,
    pub url: String,
    _tokio: tokio::runtime::Runtime,
}

impl Server {
    /// Knows the components of versions 1.0.0 and 2.0.0.
    pub fn start() -> Self {
        let tokio = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let library = Arc::<Library>::default();
        for version in ["1.0.0", "2.0.0"] {
            library.add(super::specs::bytes(version));
        }
        let listener = tokio.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio.spawn(serve(listener, Arc::clone(&library)));
        Self {
            library,
            url,
            _tokio: tokio,
        }
    }
}

impl Library {
    pub fn add(&self, bytes: Vec<u8>) -> Digest {
        let digest = digest(&bytes);
        self.components.lock().insert(digest, bytes);
        digest
    }

    pub fn misbehave(&self, quirks: impl IntoIterator<Item = Quirk>) {
        self.quirks.lock().extend(quirks);
    }

    pub fn requests(&self) -> usize {
        self.asked.lock().len()
    }

    fn answer(&self, request: &Request<Incoming>) -> Response<Body> {
        let headers = request.headers();
        let text = |name: &str| headers.get(name).map(|v| v.to_str().unwrap().to_owned());
        let from = text("range").map_or(0, |range| {
            let from = range.strip_prefix("bytes=").unwrap();
            from.strip_suffix('-').unwrap().parse().unwrap()
        });
        let signature = text("x-test-signature").unwrap_or_default();
        self.asked.lock().push((from, signature));
        let quirk = self.quirks.lock().pop_front();
        // As a supervisor, and as an S3 server with the bucket `components`.
        let path = request.uri().path();
        let stored = path.strip_prefix("/components/lodge/");
        let digest = path
            .strip_prefix("/cluster/components/")
            .or_else(|| stored?.strip_suffix(".wasm"));
        let found = digest.and_then(|digest| {
            let components = self.components.lock();
            components.get(&digest.parse().ok()?).cloned()
        });
        let Some(bytes) = found else {
            return plain(StatusCode::NOT_FOUND);
        };
        match quirk {
            Some(Quirk::Status(status)) => plain(StatusCode::from_u16(status).unwrap()),
            Some(Quirk::Instead(bytes)) => send(&bytes, from, None),
            Some(Quirk::WholeAlways) => send(&bytes, 0, None),
            Some(Quirk::CutAfter(after)) => send(&bytes, from, Some((after, true))),
            Some(Quirk::SilentAfter(after)) => send(&bytes, from, Some((after, false))),
            Some(Quirk::Endless) => Response::new(endless()),
            None => send(&bytes, from, None),
        }
    }
}

fn plain(status: StatusCode) -> Response<Body> {
    let body = Full::default().map_err(|never| match never {});
    let mut response = Response::new(body.boxed_unsync());
    *response.status_mut() = status;
    response
}

/// The bytes from there on; ends too early if `end` says so, with a cut or with silence.
fn send(bytes: &[u8], from: usize, end: Option<(usize, bool)>) -> Response<Body> {
    let rest = bytes.get(from..).unwrap_or_default().to_vec();
    let mut response = Response::builder().header(header::CONTENT_LENGTH, rest.len());
    if from > 0 {
        let range = format!("bytes {from}-{}/{}", bytes.len() - 1, bytes.len());
        response = response.status(206).header(header::CONTENT_RANGE, range);
    }
    let sent = end.map_or(rest.len(), |(after, _)| after.min(rest.len()));
    let chunks = rest[..sent].chunks(10_000).map(Bytes::copy_from_slice);
    let frames: Vec<_> = chunks.map(|chunk| Ok(Frame::data(chunk))).collect();
    let frames = stream::iter(frames);
    let ending = stream::once(async move {
        match end {
            // A moment, so that what was sent is not cut off too.
            Some((_, true)) => tokio::time::sleep(Duration::from_millis(5)).await,
            _ => std::future::pending().await,
        }
        Err(io::Error::other("cut"))
    });
    use futures::StreamExt;
    let body = match end {
        None => BodyExt::boxed_unsync(StreamBody::new(frames)),
        Some(_) => BodyExt::boxed_unsync(StreamBody::new(frames.chain(ending))),
    };
    response.body(body).unwrap()
}

fn endless() -> Body {
    let chunks = stream::repeat_with(|| Ok(Frame::data(Bytes::from(vec![7; 10_000]))));
    BodyExt::boxed_unsync(StreamBody::new(chunks))
}

async fn serve(listener: TcpListener, library: Arc<Library>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let library = Arc::clone(&library);
        tokio::spawn(async move {
            library.under_way.fetch_add(1, SeqCst);
            let service = service_fn(|request| {
                let answer = library.answer(&request);
                async { Ok::<_, Infallible>(answer) }
            });
            let connection = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service);
            let _ = connection.await;
            library.under_way.fetch_sub(1, SeqCst);
        });
    }
}
