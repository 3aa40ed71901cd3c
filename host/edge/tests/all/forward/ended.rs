//! Kept connections that the worker has ended, and requests that may be sent only once.
//!
//! The workers have a runtime of their own, so that the supervisor's stands still while they end their
//! connections: it knows nothing of it when it sends the next requests, as under load.

use super::{Supervisor, target};
use bytes::Bytes;
use futures::future::join_all;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use lodge_model::{BootId, Endpoint, RequestBody, RequestId};
use parking_lot::Mutex;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};

/// Connections that are kept when the worker ends them.
const KEPT: usize = 16;

#[derive(Debug, Clone, Copy, PartialEq)]
enum End {
    Close,
    Reset,
    /// Some word of farewell, then close.
    Farewell,
}

/// An order to end all connections, and whether to go on listening; and where to say that it is done.
type Order = (End, bool, std::sync::mpsc::Sender<()>);

/// A worker of the barest kind, in a thread of its own.
struct Bare {
    at: SocketAddr,
    /// The bodies of all requests.
    got: Arc<Mutex<Vec<String>>>,
    orders: mpsc::UnboundedSender<Order>,
}

impl Bare {
    fn start() -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let at = listener.local_addr().unwrap();
        let got = Arc::<Mutex<Vec<String>>>::default();
        let (orders, taken) = mpsc::unbounded_channel();
        let log = got.clone();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(listen(listener, taken, log));
        });
        Self { at, got, orders }
    }

    /// Ends all connections, while the test's own thread stands still.
    fn end(&self, end: End, listens: bool) {
        let (done, is_done) = std::sync::mpsc::channel();
        self.orders.send((end, listens, done)).unwrap();
        is_done.recv().unwrap();
    }

    fn got(&self) -> Vec<String> {
        let mut got = std::mem::take(&mut *self.got.lock());
        got.sort();
        got
    }
}

async fn listen(
    listener: std::net::TcpListener,
    mut orders: mpsc::UnboundedReceiver<Order>,
    got: Arc<Mutex<Vec<String>>>,
) {
    let mut listener = Some(TcpListener::from_std(listener).unwrap());
    let mut ending = watch::Sender::new(None);
    let accept = async |listener: &Option<TcpListener>| match listener {
        Some(listener) => listener.accept().await.unwrap().0,
        None => std::future::pending().await,
    };
    loop {
        tokio::select! {
            socket = accept(&listener) => {
                tokio::spawn(connection(socket, ending.subscribe(), got.clone()));
            }
            order = orders.recv() => {
                let Some((end, listens, done)) = order else { return };
                if !listens {
                    listener = None;
                }
                ending.send_replace(Some(end));
                ending.closed().await;
                ending = watch::Sender::new(None);
                // The system has to bring it to the other side.
                tokio::time::sleep(Duration::from_millis(20)).await;
                done.send(()).unwrap();
            }
        }
    }
}

async fn connection(
    mut socket: TcpStream,
    mut ending: watch::Receiver<Option<End>>,
    got: Arc<Mutex<Vec<String>>>,
) {
    let mut buffer = Vec::new();
    loop {
        tokio::select! {
            read = socket.read_buf(&mut buffer) => if !read.is_ok_and(|bytes| bytes > 0) { return },
            end = ending.wait_for(Option::is_some) => {
                match *end.unwrap() {
                    Some(End::Reset) => socket.set_zero_linger().unwrap(),
                    Some(End::Farewell) => {
                        let word = b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\n\r\n";
                        assert_eq!(socket.try_write(word).unwrap(), word.len());
                    }
                    _ => {}
                }
                drop(socket);
                return;
            }
        }
        while let Some(body) = whole(&mut buffer) {
            got.lock().push(body);
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
            socket.write_all(answer).await.unwrap();
        }
    }
}

/// Takes the first request, if it is whole, and gives its body.
fn whole(buffer: &mut Vec<u8>) -> Option<String> {
    let text = String::from_utf8(buffer.clone()).unwrap();
    let (head, rest) = text.split_once("\r\n\r\n")?;
    let length = head.split_once("content-length: ").unwrap().1;
    let length: usize = length.lines().next().unwrap().parse().unwrap();
    let body = rest.get(..length)?.to_owned();
    buffer.drain(..head.len() + 4 + length);
    Some(body)
}

/// Posts these bodies at once; what becomes of each.
async fn post(way: &Arc<dyn Endpoint>, bodies: &[String]) -> Vec<StatusCode> {
    let posts = bodies.iter().map(|body| async {
        let whole = Full::new(Bytes::from(body.clone())).map_err(|never| match never {});
        let mut request = Request::new(RequestBody::new(whole));
        *request.method_mut() = Method::POST;
        let response = match way.clone().call(RequestId(1), request).await {
            Ok(response) => response,
            Err(failure) => return failure.kind.status(),
        };
        let status = response.status();
        assert_eq!(response.collect().await.unwrap().to_bytes(), "ok");
        status
    });
    join_all(posts).await
}

fn bodies(round: usize) -> Vec<String> {
    let mut bodies: Vec<_> = (0..KEPT).map(|n| format!("{round} {n}")).collect();
    bodies.sort();
    bodies
}

#[tokio::test]
async fn a_post_is_not_written_to_a_kept_connection_that_has_ended() {
    let worker = Bare::start();
    let supervisor = Supervisor::start().await;
    let way = supervisor.way("shop", vec![target("one", worker.at, BootId([1; 16]))]);
    for (round, end) in [End::Close, End::Reset, End::Farewell]
        .into_iter()
        .cycle()
        .take(30)
        .enumerate()
    {
        // At once, so that each has a connection, and leaves it behind.
        let first = post(&way, &bodies(round)).await;
        assert_eq!(first, [StatusCode::OK; KEPT]);
        worker.end(end, true);
        let statuses = post(&way, &bodies(round)).await;
        assert_eq!(statuses, [StatusCode::OK; KEPT], "{end:?} in round {round}");
        let mut twice = [bodies(round), bodies(round)].concat();
        twice.sort();
        assert_eq!(worker.got(), twice, "each once before and once after");
    }
}

#[tokio::test]
async fn what_an_ended_worker_cannot_get_goes_to_another() {
    for end in [End::Close, End::Reset, End::Farewell] {
        let (one, two) = (Bare::start(), Bare::start());
        let supervisor = Supervisor::start().await;
        let targets = [("one", &one), ("two", &two)]
            .map(|(name, worker)| target(name, worker.at, BootId([1; 16])));
        let way = supervisor.way("shop", targets.to_vec());
        assert_eq!(post(&way, &bodies(0)).await, [StatusCode::OK; KEPT]);
        // It is the client's address that decides, so all came to one of them.
        let (had, other) = match (one.got(), two.got()) {
            (all, none) if none.is_empty() && all == bodies(0) => (one, two),
            (none, all) if none.is_empty() && all == bodies(0) => (two, one),
            split => panic!("{split:?}"),
        };
        had.end(end, false);
        let statuses = post(&way, &bodies(1)).await;
        assert_eq!(statuses, [StatusCode::OK; KEPT], "{end:?}");
        assert_eq!(other.got(), bodies(1));
        assert_eq!(had.got(), [""; 0]);
    }
}
