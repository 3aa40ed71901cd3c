//! TLS and HTTP/2. The certificate is for `api.test`, and no system trusts it.

use super::parts::{App, Names, text};
use super::server::Server;
use http::Version;
use lodge_capabilities::outbound::{OutboundService, Settings};
use lodge_model::{Limits, OutboundError};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, LazyLock};
use tokio_rustls::TlsAcceptor;

/// Made for this run: no key is kept.
static MADE: LazyLock<rcgen::CertifiedKey<rcgen::KeyPair>> =
    LazyLock::new(|| rcgen::generate_simple_self_signed(["api.test".to_owned()]).unwrap());

fn certificate() -> CertificateDer<'static> {
    MADE.cert.der().clone()
}

async fn server(protocols: &[&str]) -> Server {
    let key = PrivateKeyDer::try_from(MADE.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate()], key)
        .unwrap();
    config.alpn_protocols = protocols.iter().map(|p| p.as_bytes().to_vec()).collect();
    Server::on("127.0.0.1:0", Some(TlsAcceptor::from(Arc::new(config)))).await
}

/// An app that may call the server by two names, and trusts it or not.
fn app(server: &Server, trusts: bool) -> App {
    let mut roots = RootCertStore::empty();
    if trusts {
        roots.add(certificate()).unwrap();
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let names = Arc::<Names>::default();
    names.set("api.test", &[&[server.address]]);
    names.set("other.test", &[&[server.address]]);
    let service = OutboundService::new(Settings {
        private_networks: vec!["127.0.0.0/8".parse().unwrap()],
        resolver: names,
        tls: Some(tls),
        ..Settings::default()
    });
    let hosts = ["api.test", "other.test"].map(|name| format!("{name}:{}", server.address.port()));
    App::with(&service, "shop", &hosts, Limits::default())
}

fn uri(server: &Server, name: &str, path: &str) -> String {
    format!("https://{name}:{}{path}", server.address.port())
}

#[tokio::test]
async fn http_2_is_spoken_where_it_is_and_shares_a_connection() {
    let server = server(&["h2", "http/1.1"]).await;
    let app = app(&server, true);
    let dripping = app.get(&uri(&server, "api.test", "/drip")).await.unwrap();
    assert_eq!(dripping.version(), Version::HTTP_2);
    let head = app.text(&uri(&server, "api.test", "/head")).await;
    assert!(
        head.contains(&format!("api.test:{}", server.address.port())),
        "{head}"
    );
    assert_eq!(server.accepted.load(SeqCst), 1);
    // What the connection's own task did is the app's to pay for.
    assert!(app.account.cpu.load(SeqCst) > 0, "nothing was charged");
}

#[tokio::test]
async fn http_1_is_spoken_where_it_is_not() {
    for protocols in [&["http/1.1"][..], &[]] {
        let server = server(protocols).await;
        let response = app(&server, true)
            .get(&uri(&server, "api.test", "/hello"))
            .await
            .unwrap();
        assert_eq!(response.version(), Version::HTTP_11);
        assert_eq!(text(response).await, "hello");
    }
}

#[tokio::test]
async fn certificates_are_checked() {
    let server = server(&["h2"]).await;
    let failed = async |trusts, name| {
        let answer = app(&server, trusts)
            .get(&uri(&server, name, "/hello"))
            .await;
        assert!(
            matches!(answer, Err(OutboundError::Tls(_))),
            "{name}: {:?}",
            answer.err()
        );
    };
    failed(false, "api.test").await;
    failed(true, "other.test").await;
    let plain = Server::raw(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    let answer = App::new(&plain.grant())
        .get(&format!("https://{}/", plain.address))
        .await;
    assert!(
        matches!(answer, Err(OutboundError::Tls(_))),
        "no TLS there: {:?}",
        answer.err()
    );
    let silent = Server::raw(b"").await;
    let answer = App::new(&silent.grant())
        .get(&format!("https://{}/", silent.address))
        .await;
    assert!(
        matches!(answer, Err(OutboundError::Tls(_))),
        "hangs up: {:?}",
        answer.err()
    );
}
