//! What the edge costs: the same 13-byte answer from bare hyper on port 14000 and through the edge
//! on port 14001, as the app `hello` by host name and by path.
//!
//! ```text
//! cargo run --release -p lodge-edge --example beside_hyper [APPS]
//! wrk -t1 -c32 -d5 http://127.0.0.1:14000/
//! wrk -t1 -c32 -d5 -H 'Host: hello.localhost' http://127.0.0.1:14001/
//! ```
#![allow(
    clippy::unwrap_used,
    reason = "a measuring tool, not part of the product"
)]

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use lodge_edge::{Edge, Routes, Settings};
use lodge_model::{
    Activator, AppId, Endpoint, Failure, FailureKind, Limits, PathAccess, Phase, RequestBody,
    RequestId, ResponseBody, Route, RouteSink,
};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

const TEXT: Bytes = Bytes::from_static(b"Hello, world!");

struct Hello;

impl Endpoint for Hello {
    fn call(
        self: Arc<Self>,
        _: RequestId,
        _: Request<RequestBody>,
    ) -> BoxFuture<'static, Result<Response<ResponseBody>, Failure>> {
        Box::pin(std::future::ready(Ok(Response::new(ResponseBody::new(
            Full::new(TEXT).map_err(|never| match never {}),
        )))))
    }
}

struct Nobody;

impl Activator for Nobody {
    fn key_set(&self, app: &AppId) -> Option<String> {
        Some(format!("{{\"keys\":[],\"of\":\"{app}\"}}"))
    }

    fn activate(
        &self,
        _: &AppId,
        _: RequestId,
    ) -> BoxFuture<'static, Result<Arc<dyn Endpoint>, Failure>> {
        Box::pin(std::future::ready(Err(FailureKind::AppFailed.into())))
    }
}

fn route(id: &str) -> Route {
    Route {
        app: id.parse().unwrap(),
        domains: Vec::new(),
        path_access: PathAccess::Serve,
        limits: Limits::default(),
        meter: Arc::default(),
        phase: Phase::Running(Arc::new(Hello)),
    }
}

async fn bare(listener: TcpListener) {
    loop {
        let (socket, _) = listener.accept().await.unwrap();
        socket.set_nodelay(true).unwrap();
        let service = hyper::service::service_fn(|_| async {
            Ok::<_, Infallible>(Response::new(Full::new(TEXT)))
        });
        let serving = hyper::server::conn::http1::Builder::new()
            .serve_connection(TokioIo::new(socket), service);
        tokio::spawn(serving);
    }
}

#[tokio::main(worker_threads = 2)]
async fn main() {
    let apps: usize = std::env::args().nth(1).map_or(1, |n| n.parse().unwrap());
    tokio::spawn(bare(TcpListener::bind("127.0.0.1:14000").await.unwrap()));
    let routes = Routes::new();
    let mut all: Vec<Route> = (1..apps).map(|n| route(&format!("app_{n}"))).collect();
    all.push(route("hello"));
    routes.replace_all(all);
    let edge = Edge::new(Settings::default(), routes, Arc::new(Nobody));
    let listener = TcpListener::bind("127.0.0.1:14001").await.unwrap();
    edge.serve(listener, CancellationToken::new(), Duration::from_secs(1))
        .await;
}
