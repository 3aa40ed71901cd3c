//! Who may be called: names, addresses, and every trick to reach an address that may not be.

use super::parts::{App, Names};
use super::server::Server;
use lodge_capabilities::outbound::{OutboundService, Settings};
use lodge_model::{Limits, OutboundError};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;

fn denied<T>(result: Result<T, OutboundError>) -> String {
    match result {
        Err(OutboundError::Denied(text)) => text,
        Err(error) => panic!("{error:?}"),
        Ok(_) => panic!("it was let through"),
    }
}

/// A process whose operator opened `networks`, and an app that may call `hosts` on any port used.
fn process(names: &Arc<Names>, networks: &[&str], hosts: &[String]) -> (Arc<OutboundService>, App) {
    let service = OutboundService::new(Settings {
        private_networks: networks.iter().map(|n| n.parse().unwrap()).collect(),
        resolver: names.clone(),
        ..Settings::default()
    });
    let app = App::with(&service, "shop", hosts, Limits::default());
    (service, app)
}

#[tokio::test]
async fn only_what_was_granted_is_called() {
    let server = Server::start().await;
    let app = App::new(&server.grant());
    assert_eq!(app.text(&server.uri("/hello")).await, "hello");
    let other = Server::start().await;
    for uri in [
        other.uri("/token?secret=1"),
        "https://example.com/".into(),
        "http://localhost/".into(),
    ] {
        denied(app.get(&uri).await);
    }
    assert_eq!(other.accepted.load(SeqCst), 0);
    let lines = app.logged();
    assert_eq!(lines.len(), 3);
    assert!(
        lines[0].contains(&other.address.to_string()) && !lines[0].contains("token"),
        "{lines:?}"
    );
    denied(App::new(&[]).get(&server.uri("/hello")).await);
}

#[tokio::test]
async fn a_public_name_with_a_private_address_is_refused() {
    let server = Server::start().await;
    let port = server.address.port();
    let hosts = [format!("api.test:{port}"), format!("*.example.com:{port}")];
    let names = Arc::<Names>::default();
    let (_, app) = process(&names, &[], &hosts);
    for address in [
        "127.0.0.1",
        "10.0.0.1",
        "169.254.169.254",
        "::1",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
        "fd00:ec2::254",
        "0.0.0.0",
        "::",
    ] {
        let address = SocketAddr::new(address.parse().unwrap(), port);
        for name in ["api.test", "a.example.com"] {
            names.set(name, &[&[address]]);
            let text = denied(app.get(&format!("http://{name}:{port}/hello")).await);
            assert!(
                !text.contains(&address.ip().to_string()),
                "the address is the administrator's to know"
            );
        }
    }
    assert_eq!(server.accepted.load(SeqCst), 0);
    assert!(app.logged()[0].contains("127.0.0.1"));
}

#[tokio::test]
async fn a_name_reaches_a_private_address_that_was_granted_or_opened() {
    let server = Server::start().await;
    let name = format!("api.test:{}", server.address.port());
    let uri = format!("http://{name}/hello");
    let names = Arc::<Names>::default();
    names.set("api.test", &[&[server.address]]);
    let (_, opened) = process(&names, &["127.0.0.0/8"], std::slice::from_ref(&name));
    assert_eq!(opened.text(&uri).await, "hello");
    let (_, granted) = process(&names, &[], &[name, server.address.to_string()]);
    assert_eq!(granted.text(&uri).await, "hello");
}

#[tokio::test]
async fn a_name_that_changes_its_address_is_checked_at_each_connection() {
    let (good, evil) = ("127.0.0.2", "127.0.0.1");
    let server = Server::on(&format!("{good}:0"), None).await;
    let port = server.address.port();
    let evil = SocketAddr::new(evil.parse().unwrap(), port);
    let names = Arc::<Names>::default();
    names.set("api.test", &[&[server.address], &[evil]]);
    let (_, app) = process(&names, &["127.0.0.2/32"], &[format!("api.test:{port}")]);
    let uri = format!("http://api.test:{port}/drip");
    let held = app.get(&uri).await.unwrap();
    assert_eq!(
        names.lookups.load(SeqCst),
        1,
        "what was looked up is what is connected to"
    );
    // The first connection is busy, so this needs another.
    denied(app.get(&uri).await);
    drop(held);
    // Of several addresses, those that may not be called are passed over.
    names.set("api.test", &[&[evil, server.address]]);
    let response = app.get(&format!("http://api.test:{port}/hello")).await;
    assert_eq!(response.unwrap().status(), 200);
    assert_eq!(server.accepted.load(SeqCst), 2);
}

#[tokio::test]
async fn unusual_spellings_reach_nothing() {
    let server = Server::start().await;
    let port = server.address.port();
    // The check of grants takes none of these as a name.
    let service = OutboundService::new(Settings::default());
    for host in ["2130706433", "0x7f.1", "127.1", "0177.0.0.1"] {
        let grant = super::parts::grant("shop", &[host.into()], Limits::default());
        assert!(
            service
                .open(&grant, Arc::<super::parts::TestAccount>::default())
                .is_err(),
            "{host}"
        );
    }
    let app = App::new(&server.grant());
    for host in [
        "2130706433",
        "0x7f.1",
        "0x7f000001",
        "127.1",
        "0177.0.0.1",
        "127.0.0.1.",
    ] {
        denied(app.get(&format!("http://{host}:{port}/hello")).await);
    }
    for host in [
        "[::1]",
        "[::]",
        "[::7f00:1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "0.0.0.0",
    ] {
        denied(app.get(&format!("http://{host}:{port}/hello")).await);
    }
    // The same address in the form of IPv6 is the same.
    assert_eq!(
        app.text(&format!("http://[::ffff:127.0.0.1]:{port}/hello"))
            .await,
        "hello"
    );
}

#[tokio::test]
async fn lodges_own_are_refused_whatever_was_granted() {
    let server = Server::on("0.0.0.0:0", None).await;
    let port = server.address.port();
    let hosts: Vec<String> = [
        "127.0.0.1",
        "127.0.0.9",
        "[::1]",
        "0.0.0.0",
        "[::]",
        "api.test",
        "[64:ff9b::7f00:1]",
    ]
    .iter()
    .map(|host| format!("{host}:{port}"))
    .collect();
    let names = Arc::<Names>::default();
    names.set("api.test", &[&[SocketAddr::from(([127, 0, 0, 5], port))]]);
    let (service, app) = process(&names, &["0.0.0.0/0", "::/0"], &hosts);
    assert_eq!(
        app.text(&format!("http://127.0.0.9:{port}/hello")).await,
        "hello"
    );
    // Bound to all interfaces, so any local address reaches it.
    service.forbid(server.address);
    // An app that starts now, without the connection from before.
    let app = App::with(&service, "blog", &hosts, Limits::default());
    for host in &hosts {
        denied(app.get(&format!("http://{host}/hello")).await);
    }
    assert_eq!(server.accepted.load(SeqCst), 1);
    assert!(app.logged()[0].contains("belongs to Lodge itself"));
}

#[tokio::test]
async fn a_forbidden_address_elsewhere_is_refused_in_every_form() {
    let service = OutboundService::new(Settings {
        forbidden: vec!["192.0.2.7:5432".parse().unwrap()],
        private_networks: vec!["0.0.0.0/0".parse().unwrap()],
        ..Settings::default()
    });
    let hosts: Vec<String> = [
        "192.0.2.7",
        "[64:ff9b::c000:207]",
        "[2002:c000:207::]",
        "[::c000:207]",
        "127.0.0.1",
    ]
    .iter()
    .map(|host| format!("{host}:5432"))
    .collect();
    let app = App::with(&service, "shop", &hosts, Limits::default());
    for host in &hosts {
        let text = denied(app.get(&format!("http://{host}/")).await);
        assert!(text.contains("Lodge itself"), "{host}: {text}");
    }
}

#[tokio::test]
async fn redirects_are_the_guests_to_follow_and_checked_again() {
    let server = Server::start().await;
    let app = App::new(&server.grant());
    let to = "http://169.254.169.254/latest/meta-data/";
    let response = app
        .get(&server.uri(&format!("/redirect?{to}")))
        .await
        .unwrap();
    assert_eq!(response.status(), 302);
    assert_eq!(response.headers()["location"], to);
    denied(app.get(to).await);
}

#[tokio::test]
async fn refusals_do_not_flood_the_log() {
    let app = App::new(&[]);
    for _ in 0..100 {
        denied(app.get("http://example.com/").await);
    }
    assert_eq!(app.logged().len(), 10);
}

#[tokio::test]
async fn unknown_names_and_closed_ports_are_told_apart() {
    let names = Arc::<Names>::default();
    names.set("nothing.test", &[&[]]);
    let closed = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let hosts = [
        "missing.test".to_owned(),
        "nothing.test".into(),
        closed.to_string(),
    ];
    let (_, app) = process(&names, &[], &hosts);
    for name in ["missing.test", "nothing.test"] {
        let missing = app.get(&format!("http://{name}/")).await;
        assert!(
            matches!(missing, Err(OutboundError::NameNotFound(_))),
            "{name}"
        );
    }
    let refused = app.get(&format!("http://{closed}/")).await;
    assert!(matches!(refused, Err(OutboundError::Refused(_))));
}
