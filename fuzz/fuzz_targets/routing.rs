//! Raw bytes through the whole edge, over a socket: what an app sees of a request, and a visitor of an
//! answer, whatever comes.
//!
//! The first byte says whether the peer is a trusted proxy. Everything after it is what the peer sends
//! before it closes its side; so each run ends by itself.

#![no_main]

use futures::future::BoxFuture;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt as _, Full};
use libfuzzer_sys::fuzz_target;
use lodge_edge::{Edge, Routes, Settings};
use lodge_fuzz::apps::{APPS, APPS_DOMAIN, is_host_name, owner_of, routes};
use lodge_model::{
    Activator, AppId, Endpoint, Failure, FailureKind, Phase, RequestBody, RequestId, ResponseBody,
    RouteSink, TrustedProxies, parse_networks,
};
use std::net::SocketAddr;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

/// Who asks, as the edge sees it.
const PEER: &str = "127.0.0.1";
/// Far beyond what any of this takes.
const HANGS: Duration = Duration::from_secs(10);

static HOST: LazyLock<Host> = LazyLock::new(Host::start);

struct Host {
    runtime: Runtime,
    address: SocketAddr,
    proxies: Arc<TrustedProxies>,
    seen: Arc<Mutex<Vec<Seen>>>,
}

/// A request as its app got it.
struct Seen {
    app: AppId,
    head: http::request::Parts,
}

fuzz_target!(|data: &[u8]| {
    let Some((first, sent)) = data.split_first() else {
        return;
    };
    let trusted = first & 1 == 1;
    let networks = if trusted { &[PEER][..] } else { &[] };
    let networks = parse_networks("", networks).expect("an address");
    HOST.proxies.set(networks);
    let exchange = async { tokio::time::timeout(HANGS, talk(HOST.address, sent)).await };
    let answer = HOST
        .runtime
        .block_on(exchange)
        .expect("the connection ends");
    for Seen { app, head } in HOST.seen.lock().expect("one thread").drain(..) {
        let id = app.as_str();
        assert_eq!(head.uri.authority(), None, "{id} got {head:?}");
        assert!(head.uri.path().starts_with('/'), "{id} got {head:?}");
        no_field_of_lodges(&head.headers);
        forwarded(&head.headers, trusted);
        assert!(leads_to(id, &head.headers, trusted), "{id} got {head:?}");
    }
    set_cookies(&answer);
});

/// Says all of it and reads until the other side closes. An early end is as good.
async fn talk(address: SocketAddr, sent: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    let mut answer = Vec::new();
    {
        let (mut from, mut to) = stream.split();
        let say = async {
            _ = to.write_all(sent).await;
            _ = to.shutdown().await;
        };
        let hear = async { _ = from.read_to_end(&mut answer).await };
        tokio::join!(say, hear);
    }
    answer
}

fn no_field_of_lodges(headers: &HeaderMap) {
    for (name, value) in headers {
        let text = String::from_utf8_lossy(value.as_bytes()).to_ascii_lowercase();
        let own = match name.as_str() {
            "connection"
            | "keep-alive"
            | "proxy-authenticate"
            | "proxy-authorization"
            | "proxy-connection"
            | "transfer-encoding"
            | "upgrade"
            | "expect" => true,
            "te" => text != "trailers",
            "cookie" => text.split(';').any(is_own_cookie),
            name => name.starts_with("x-lodge-"),
        };
        assert!(!own, "an app got {name}: {value:?}");
    }
}

fn is_own_cookie(pair: &str) -> bool {
    let name = pair
        .split('=')
        .next()
        .unwrap_or_default()
        .trim_matches([' ', '\t']);
    ["lodge_", "__host-lodge", "__secure-lodge"]
        .iter()
        .any(|own| name.starts_with(own))
}

/// What an app may rely on.
fn forwarded(headers: &HeaderMap, trusted: bool) {
    let only = |name: &str| {
        let mut values = headers.get_all(name).iter();
        match (values.next(), values.next()) {
            (Some(value), None) => String::from_utf8_lossy(value.as_bytes()).into_owned(),
            _ => panic!("not one {name}: {headers:?}"),
        }
    };
    let (client, proto) = (only("x-forwarded-for"), only("x-forwarded-proto"));
    assert!(
        client == PEER || trusted && client.ends_with(&format!(", {PEER}")),
        "{headers:?}"
    );
    assert!(
        proto == "http" || trusted && proto == "https",
        "{headers:?}"
    );
    assert!(headers.get_all("host").iter().count() <= 1, "{headers:?}");
    if !trusted {
        let ours = ["for", "host", "proto", "prefix"].map(|end| format!("x-forwarded-{end}"));
        for name in headers.keys().map(http::HeaderName::as_str) {
            let theirs = name == "forwarded" || name.starts_with("x-forwarded-");
            assert!(!theirs || ours.iter().any(|own| own == name), "{headers:?}");
        }
        assert!(headers.get_all("x-forwarded-prefix").iter().count() <= 1);
        assert_eq!(headers.get("x-forwarded-host"), headers.get("host"));
    }
}

/// Whether the app's own host name, or its path, was asked for.
fn leads_to(id: &str, headers: &HeaderMap, trusted: bool) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let host = match text("x-forwarded-host").filter(|_| trusted) {
        Some(hosts) => hosts.split(',').next().map(str::trim),
        None => text("host"),
    };
    let name = host.map(bare_name).unwrap_or_default();
    assert!(name.is_empty() || is_host_name(&name), "{headers:?}");
    if let Some(owner) = owner_of(&name) {
        return owner == id;
    }
    // What only apps have names below is nobody's but theirs.
    let apart = name.ends_with(".localhost") || name.ends_with(&format!(".{APPS_DOMAIN}"));
    let app = APPS.iter().find(|app| app.id == id);
    let prefixes = app
        .into_iter()
        .flat_map(|app| [app.id, app.label])
        .map(|n| format!("/apps/{n}"));
    let by_path = text("x-forwarded-prefix").is_some_and(|found| {
        prefixes
            .into_iter()
            .any(|own| found == own || trusted && found.ends_with(&own))
    });
    by_path && !apart && id != "hidden"
}

/// A host name in lower case, without port and final dot.
fn bare_name(host: &str) -> String {
    let lower = host.to_ascii_lowercase();
    if lower.starts_with('[') {
        return lower
            .split_inclusive(']')
            .next()
            .unwrap_or_default()
            .to_owned();
    }
    let name = lower.split(':').next().unwrap_or_default();
    name.strip_suffix('.').unwrap_or(name).to_owned()
}

/// Apps here answer with the cookies that they are asked for: none may be Lodge's or a neighbour's.
fn set_cookies(answer: &[u8]) {
    let text = String::from_utf8_lossy(answer).to_ascii_lowercase();
    for line in text
        .split("\r\n")
        .filter_map(|line| line.strip_prefix("set-cookie:"))
    {
        assert!(!is_own_cookie(line), "a visitor got {line:?}");
        let attributes = line
            .split(';')
            .skip(1)
            .filter_map(|attribute| attribute.split_once('='));
        for (name, value) in attributes {
            let domain = name.trim_matches([' ', '\t']) == "domain";
            let value = value.trim_matches([' ', '\t']).trim_start_matches('.');
            assert!(
                !domain || value.is_empty() || owner_of(&bare_name(value)).is_some(),
                "{line:?}"
            );
        }
    }
}

impl Host {
    fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let listener = runtime
            .block_on(TcpListener::bind((PEER, 0)))
            .expect("a port");
        let address = listener.local_addr().expect("bound");
        let proxies = Arc::new(TrustedProxies::default());
        let settings = Settings {
            apps_domain: Some(APPS_DOMAIN.to_owned()),
            trusted_proxies: proxies.clone(),
            forwards: true,
            ..Settings::default()
        };
        let seen = Arc::new(Mutex::default());
        let table = Routes::new();
        table.replace_all(routes(|app| {
            Phase::Running(Arc::new(App {
                id: app.clone(),
                seen: Arc::clone(&seen),
            }))
        }));
        let edge = Edge::new(settings, table, Arc::new(NobodyWaits));
        runtime.spawn(edge.serve(listener, Default::default(), Duration::ZERO));
        Self {
            runtime,
            address,
            proxies,
            seen,
        }
    }
}

/// Remembers what it got, and answers with the cookies that `x-cookie` fields hold and the length of the body it got.
struct App {
    id: AppId,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Endpoint for App {
    fn call(
        self: Arc<Self>,
        _: RequestId,
        request: Request<RequestBody>,
    ) -> BoxFuture<'static, Result<Response<ResponseBody>, Failure>> {
        let (head, body) = request.into_parts();
        let mut response = Response::new(());
        for cookie in head.headers.get_all("x-cookie") {
            response.headers_mut().append("set-cookie", cookie.clone());
        }
        let app = self.id.clone();
        self.seen
            .lock()
            .expect("one thread")
            .push(Seen { app, head });
        Box::pin(async move {
            let body = body.collect().await.map_err(|_| FailureKind::BadRequest)?;
            // Not the body itself: it could look like a field of the answer.
            let length = body.to_bytes().len().to_string();
            Ok(response.map(|()| {
                Full::new(length.into())
                    .map_err(|never| match never {})
                    .boxed_unsync()
            }))
        })
    }
}

struct NobodyWaits;

impl Activator for NobodyWaits {
    fn activate(
        &self,
        _: &AppId,
        _: RequestId,
    ) -> BoxFuture<'static, Result<Arc<dyn Endpoint>, Failure>> {
        Box::pin(async { Err(FailureKind::AppFailed.into()) })
    }

    fn key_set(&self, app: &AppId) -> Option<String> {
        Some(format!("{{\"keys\":[],\"app\":\"{app}\"}}"))
    }
}
