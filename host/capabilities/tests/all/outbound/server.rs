//! A server to be called: HTTP/1 and HTTP/2, plain or with TLS.

use bytes::Bytes;
use futures::{StreamExt, stream};
use http::{Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

type Body = UnsyncBoxBody<Bytes, Infallible>;

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) accepted: Arc<AtomicUsize>,
    pub(crate) open: Arc<AtomicUsize>,
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::on("127.0.0.1:0", None).await
    }

    pub(crate) async fn on(address: &str, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (accepted, open) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let (counter, opened) = (accepted.clone(), open.clone());
        tokio::spawn(async move {
            while let Ok((stream, peer)) = listener.accept().await {
                counter.fetch_add(1, SeqCst);
                opened.fetch_add(1, SeqCst);
                let (tls, opened) = (tls.clone(), opened.clone());
                tokio::spawn(async move {
                    match tls {
                        None => serve(stream, peer).await,
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                serve(stream, peer).await;
                            }
                        }
                    }
                    opened.fetch_sub(1, SeqCst);
                });
            }
        });
        Self {
            address,
            accepted,
            open,
        }
    }

    /// Says `answer` to whoever has asked something, and hangs up.
    pub(crate) async fn raw(answer: &'static [u8]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let _ = stream.read(&mut [0; 4096]).await;
                    let _ = stream.write_all(answer).await;
                });
            }
        });
        Self {
            address,
            accepted: Arc::default(),
            open: Arc::default(),
        }
    }

    pub(crate) fn grant(&self) -> Vec<String> {
        vec![self.address.to_string()]
    }

    pub(crate) fn uri(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin + 'static, peer: SocketAddr) {
    let service =
        service_fn(move |request| async move { Ok::<_, Infallible>(answer(request, peer).await) });
    let builder = Builder::new(TokioExecutor::new());
    let _ = builder
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn answer(request: Request<Incoming>, peer: SocketAddr) -> Response<Body> {
    match request.uri().path() {
        "/hello" => text("hello"),
        "/peer" => text(peer.to_string()),
        "/echo" => text(request.into_body().collect().await.unwrap().to_bytes()),
        "/head" => text(format!("{:?} {:?}", request.uri(), request.headers())),
        "/redirect" => {
            let to = request.uri().query().unwrap().to_owned();
            let mut response = text("");
            *response.status_mut() = StatusCode::FOUND;
            response
                .headers_mut()
                .insert("location", to.parse().unwrap());
            response
        }
        "/drain" => {
            let mut body = request.into_body();
            while let Some(Ok(_)) = body.frame().await {}
            text("drained")
        }
        "/silent" => std::future::pending().await,
        "/drip" => Response::new(stream_of(stream::iter(["drop"]).chain(stream::pending()))),
        "/endless" => {
            static CHUNK: [u8; 65536] = [b'x'; 65536];
            Response::new(stream_of(stream::repeat(&CHUNK[..])))
        }
        _ => {
            let mut response = text("not here");
            *response.status_mut() = StatusCode::NOT_FOUND;
            response
        }
    }
}

fn text(text: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(Full::new(text.into()).boxed_unsync());
    response
        .headers_mut()
        .insert("keep-alive", "timeout=5".parse().unwrap());
    response
}

fn stream_of<T>(chunks: impl stream::Stream<Item = T> + Send + 'static) -> Body
where
    Bytes: From<T>,
{
    let frames = chunks.map(|chunk| Ok(Frame::data(Bytes::from(chunk))));
    StreamBody::new(frames).boxed_unsync()
}
