//! The request path with real guests of both worlds.

use bytes::Bytes;
use lodge_harness::{Config, Host, Reply, eventually};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(30);
const ECHOES: [&str; 2] = ["echo-p2", "echo-p3"];

fn seen_header<'a>(seen: &'a Value, name: &str) -> Option<&'a str> {
    let headers = seen["headers"].as_array()?.iter();
    headers.into_iter().find(|pair| pair[0] == name)?[1].as_str()
}

#[test]
fn every_way_leads_to_the_app() {
    let mut host = Config::default()
        .variable("APPS_DOMAIN", "apps.example")
        .start();
    for guest in ECHOES {
        let id = guest.replace('-', "_");
        let domain = format!("{guest}.example.com");
        host.deploy_with(guest, &id, json!({ "domains": [domain] }));
        for name in [
            format!("{guest}.localhost:13000"),
            format!("{guest}.apps.example"),
            domain,
        ] {
            let seen = host.visit_host(&name, "/headers?a=%20//b").send().json();
            assert_eq!(seen["path_with_query"], "/headers?a=%20//b", "{name}");
            assert_eq!(
                (&seen["method"], &seen["scheme"]),
                (&json!("GET"), &json!("http")),
                "{name}"
            );
            assert_eq!(seen["authority"], name, "{seen}");
            assert_eq!(seen_header(&seen, "x-forwarded-prefix"), None);
        }
        let seen = host
            .visit(&id, "/headers")
            .header("x-forwarded-for", "9.9.9.9")
            .send()
            .json();
        assert_eq!(seen["path_with_query"], "/headers", "{seen}");
        assert_eq!(
            seen_header(&seen, "x-forwarded-prefix"),
            Some(format!("/apps/{id}").as_str())
        );
        assert_eq!(
            seen_header(&seen, "x-forwarded-for"),
            Some("127.0.0.1"),
            "a client is not believed"
        );
    }
    assert_eq!(host.visit_host("127.0.0.1", "/").send().status, 200);
    assert_eq!(
        host.visit_host("nobody.localhost", "/").send().code(),
        "app_not_found"
    );
    let moved = host.visit("echo_p2", "").send();
    assert_eq!(
        (moved.status, moved.header("location")),
        (308, Some("/apps/echo_p2/"))
    );
}

#[test]
fn a_trusted_proxy_is_believed() {
    let mut host = Config::default()
        .argument("--trusted-proxies")
        .argument("127.0.0.0/8")
        .start();
    host.deploy("echo-p2", "shop");
    let visit = host
        .visit("shop", "/headers")
        .header("x-forwarded-for", "9.9.9.9")
        .header("x-forwarded-proto", "https");
    let seen = visit.send().json();
    assert_eq!(
        seen_header(&seen, "x-forwarded-for"),
        Some("9.9.9.9, 127.0.0.1"),
        "{seen}"
    );
    assert_eq!(seen_header(&seen, "x-forwarded-proto"), Some("https"));
}

#[test]
fn answers_are_made_safe_for_a_shared_origin() {
    let mut host = Host::start();
    for guest in ECHOES {
        host.deploy(guest, guest);
        let reply = host.visit(guest, "/redirect?to=/next").send();
        assert_eq!(
            (reply.status, reply.header("location")),
            (302, Some(format!("/apps/{guest}/next").as_str()))
        );
        let reply = host.visit(guest, "/cookie?set=a%3D1;%20Path%3D/").send();
        assert_eq!(
            reply.header("set-cookie"),
            Some(format!("a=1; Path=/apps/{guest}/").as_str())
        );
        let reply = host
            .visit(guest, "/cookie?set=lodge_session%3Dforged")
            .send();
        assert_eq!(reply.header("set-cookie"), None, "{}", reply.head);
        let seen = host
            .visit(guest, "/headers")
            .header("cookie", "a=1; lodge_session=secret")
            .send()
            .json();
        assert_eq!(seen_header(&seen, "cookie"), Some("a=1"), "{seen}");
    }
}

#[test]
fn heads_trailers_and_large_bodies_pass() {
    let mut host = Host::start();
    for guest in ECHOES {
        host.deploy(guest, guest);
        let reply = host.visit(guest, "/head").method("HEAD").send();
        assert_eq!(
            (
                reply.status,
                reply.header("content-length"),
                reply.body.len()
            ),
            (200, Some("13"), 0),
            "{guest}"
        );
        let visit = host
            .visit(guest, "/")
            .header("te", "trailers")
            .header("trailer", "x-sum");
        let reply = visit.post_chunked(b"some text", "x-sum: 42\r\n").send();
        assert_eq!(
            (reply.text().as_str(), reply.trailers.as_str()),
            ("some text", "x-sum: 42"),
            "{guest}: {}",
            reply.head
        );
        let large: Vec<u8> = (0..5 * 1024 * 1024_u32).map(|n| (n / 7) as u8).collect();
        let reply = upload_and_read(&host, guest, &large);
        assert!(
            reply.whole && reply.body == large,
            "{guest}: {} of {} bytes",
            reply.body.len(),
            large.len()
        );
    }
    let reply = host.visit("echo-p2", "/bytes?kib=1024").send();
    assert_eq!(
        (reply.status, reply.whole, reply.body.len()),
        (200, true, 1 << 20)
    );
}

/// Sends and reads at once, as a client must whose answer begins before its body has ended.
fn upload_and_read(host: &Host, app: &str, body: &[u8]) -> Reply {
    let mut socket = TcpStream::connect(host.apps).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let head = format!(
        "POST /apps/{app}/ HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let (mut sender, body) = (socket.try_clone().unwrap(), body.to_vec());
    let sending = std::thread::spawn(move || {
        sender.write_all(head.as_bytes()).unwrap();
        sender.write_all(&body).unwrap();
    });
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).unwrap();
    sending.join().unwrap();
    Reply::parse(&answer, false).unwrap()
}

#[test]
fn events_come_one_by_one_and_a_visitor_who_leaves_ends_them() {
    let mut host = Host::start();
    for guest in ["sse-p2", "sse-p3"] {
        host.deploy(guest, guest);
        let mut socket = host.visit(guest, "/?ms=20").begin().unwrap();
        let mut seen = String::new();
        while !seen.contains("data: 5\n") {
            let mut bytes = [0; 1024];
            let count = socket.read(&mut bytes).unwrap();
            assert!(count > 0, "{guest} ended: {seen}");
            seen += &String::from_utf8_lossy(&bytes[..count]);
        }
        let api = host.api();
        assert_eq!(api.stats(guest)["in_flight"], 1, "{guest}");
        drop(socket);
        eventually("the guest is cancelled", PATIENCE, || {
            (api.stats(guest)["in_flight"] == 0).then_some(())
        });
        assert_eq!(
            (
                &api.stats(guest)["cancelled"],
                &api.stats(guest)["answered"]
            ),
            (&json!(1), &json!(0)),
            "{guest}"
        );
        eventually("its instance is gone", PATIENCE, || {
            (guest == "sse-p3" || api.stats(guest)["instances"] == 0).then_some(())
        });
    }
}

#[test]
fn failures_are_pages_for_people_and_json_for_programs() {
    let mut host = Host::start();
    host.deploy("panic-p2", "shop");
    let json = host.visit("shop", "/").send();
    assert_eq!(
        json.header("content-type"),
        Some("application/problem+json")
    );
    let page = host
        .visit("shop", "/")
        .header("accept", "text/html,application/xhtml+xml,*/*;q=0.8")
        .send();
    let text = page.text();
    assert_eq!(
        (page.status, page.header("content-type")),
        (500, Some("text/html; charset=utf-8"))
    );
    assert!(
        text.contains("app_trapped") && text.contains("reference") && !text.contains("on purpose"),
        "{text}"
    );
    let head = host.visit("shop", "/").method("HEAD").send();
    assert_eq!((head.status, head.body.len()), (500, 0));
}

#[test]
fn one_connection_serves_requests_sent_ahead_of_each_other() {
    let mut host = Host::start();
    host.deploy("hello-p2", "shop");
    let mut socket = TcpStream::connect(host.apps).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let one = "GET / HTTP/1.1\r\nhost: shop.localhost\r\n\r\n";
    let last = "GET / HTTP/1.1\r\nhost: shop.localhost\r\nconnection: close\r\n\r\n";
    socket.write_all((one.repeat(9) + last).as_bytes()).unwrap();
    let mut answers = String::new();
    socket.read_to_string(&mut answers).unwrap();
    assert_eq!(answers.matches("Hello, World!").count(), 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn http2_by_prior_knowledge_multiplexes() {
    let host = tokio::task::spawn_blocking(|| {
        let mut host = Host::start();
        host.deploy("echo-p2", "p2");
        host.deploy("echo-p3", "p3");
        host
    });
    let host = host.await.unwrap();
    let socket = tokio::net::TcpStream::connect(host.apps).await.unwrap();
    let (client, connection) = h2::client::handshake(socket).await.unwrap();
    tokio::spawn(connection);
    let mut client = client.ready().await.unwrap();
    let mut answers = Vec::new();
    for n in 0..20 {
        let name = if n % 2 == 0 { "p2" } else { "p3" };
        let request = http::Request::post(format!("http://{name}.localhost/"))
            .body(())
            .unwrap();
        client = client.ready().await.unwrap();
        let (answer, mut upload) = client.send_request(request, false).unwrap();
        upload
            .send_data(Bytes::from(format!("body {n}")), true)
            .unwrap();
        answers.push(answer);
    }
    for (n, answer) in answers.into_iter().enumerate() {
        let (head, mut body) = answer.await.unwrap().into_parts();
        let mut text = Vec::new();
        while let Some(data) = body.data().await {
            text.extend_from_slice(&data.unwrap());
        }
        assert_eq!(
            (head.status.as_u16(), String::from_utf8(text).unwrap()),
            (200, format!("body {n}"))
        );
    }
}
