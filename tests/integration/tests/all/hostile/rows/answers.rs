//! Bodies, heads and answers.

use super::super::scene::{AT_ONCE, Attack, PATIENCE, Scene};
use super::TRAPPED;
use lodge_harness::{Reply, Visit, eventually};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// All that comes, as it comes.
fn raw(visit: &Visit) -> String {
    let mut bytes = Vec::new();
    // A connection that breaks is an answer, too.
    let _ = visit.begin().unwrap().read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Reads so many bytes and leaves; returns how many came.
fn read_and_leave(visit: &Visit, bytes: u64) -> u64 {
    let socket = visit.begin().unwrap();
    std::io::copy(&mut socket.take(bytes), &mut std::io::sink()).unwrap_or_default()
}

fn visitors_leave(scene: &Scene) {
    eventually("those who left are counted", PATIENCE, || {
        (scene.stat("cancelled") >= AT_ONCE).then_some(())
    });
    scene.is_calm();
}

/// Some read MiB of it and leave, some never read at all.
pub(in super::super) fn endless_body() -> Attack {
    Attack::checked(|scene| {
        let unread: Vec<TcpStream> = (0..AT_ONCE)
            .map(|_| scene.visit().begin().unwrap())
            .collect();
        for read in scene.at_once(|visit| read_and_leave(&visit, 4 << 20)) {
            assert_eq!(read, 4 << 20);
        }
        drop(unread);
        visitors_leave(scene);
    })
    .limit("request_cpu_ms", 20_000)
}

pub(in super::super) fn trickled_body() -> Attack {
    Attack::checked(|scene| {
        for read in scene.at_once(|visit| read_and_leave(&visit, 400)) {
            assert_eq!(read, 400);
        }
        visitors_leave(scene);
    })
    .limit("request_cpu_ms", 5_000)
}

/// Nothing follows what was announced: the rest would be taken for the next answer.
pub(in super::super) fn long_body() -> Attack {
    Attack::checked(|scene| {
        for answer in scene.at_once(|visit| raw(&visit)) {
            assert!(!answer.contains("fake"), "{answer}");
        }
    })
}

/// Broken off, and where nothing of it was sent yet, before its head.
pub(in super::super) fn short_body() -> Attack {
    Attack::checked(|scene| {
        for answer in scene.at_once(|visit| raw(&visit)) {
            let reply = Reply::parse(answer.as_bytes(), false);
            assert!(
                reply.is_none_or(|reply| reply.status == 500 || !reply.whole),
                "{answer}"
            );
        }
        scene.logs("the failure", |line| line["source"] == "host");
    })
}

/// Bodies that fit, are too large, and never end.
pub(in super::super) fn read_all() -> Attack {
    Attack::checked(|scene| {
        let fits = scene.visit().post(vec![b'x'; 1 << 20]).send();
        assert_eq!(fits.text(), "1048576 bytes");
        let huge = scene.visit().post_chunked(&vec![b'x'; 11 << 20], "").send();
        assert_eq!((huge.status, huge.code().as_str()), (413, "body_too_large"));
        for reply in scene.at_once(|visit| trickle(&visit)) {
            assert_eq!(
                (reply.status, reply.code().as_str()),
                (504, "deadline_exceeded")
            );
            scene.logs_reference(&reply);
        }
    })
    .limit("request_timeout_ms", 1_000)
    .limit("request_cpu_ms", 5_000)
}

/// A body of a byte each 20 ms, until there is an answer.
fn trickle(visit: &Visit) -> Reply {
    let endless = visit
        .clone()
        .method("POST")
        .header("transfer-encoding", "chunked");
    let mut socket = endless.begin().unwrap();
    let begin = Instant::now();
    let (mut answer, mut bytes) = (Vec::new(), [0; 4096]);
    socket
        .set_read_timeout(Some(Duration::from_millis(20)))
        .unwrap();
    loop {
        let _ = socket.write_all(b"1\r\nx\r\n");
        match socket.read(&mut bytes) {
            Ok(count @ 1..) => answer.extend_from_slice(&bytes[..count]),
            Err(e) if e.kind() == std::io::ErrorKind::WouldBlock => {}
            _ => return Reply::parse(&answer, false).unwrap(),
        }
        assert!(
            begin.elapsed() < PATIENCE,
            "no answer to a body without end"
        );
    }
}

/// Uploads that nobody reads: the answer is there all the same.
pub(in super::super) fn answer_early() -> Attack {
    Attack::checked(|scene| {
        let replies = scene.at_once(|visit| {
            let mut socket = visit.post(Vec::new()).begin().unwrap();
            let mut answer = Vec::new();
            let _ = socket.read_to_end(&mut answer);
            Reply::parse(&answer, false).unwrap()
        });
        for reply in replies {
            assert_eq!((reply.status, reply.text().as_str()), (200, "ok"));
        }
        for reply in scene.at_once(|visit| upload(&visit)) {
            assert_eq!((reply.status, reply.text().as_str()), (200, "ok"));
        }
    })
}

/// Sends 8 MiB while it reads what comes.
fn upload(visit: &Visit) -> Reply {
    let head = visit
        .clone()
        .method("POST")
        .header("content-length", &(8 << 20).to_string());
    let mut socket = head.begin().unwrap();
    let mut sender = socket.try_clone().unwrap();
    let sending = std::thread::spawn(move || {
        // The host need not take what the guest does not want.
        let _ = sender.write_all(&vec![b'x'; 8 << 20]);
    });
    let mut answer = Vec::new();
    let _ = socket.read_to_end(&mut answer);
    sending.join().unwrap();
    Reply::parse(&answer, false).expect("an answer, whole in front of the unread body")
}

/// What the guest could not add is not there, and what it could is bounded.
pub(in super::super) fn many_headers() -> Attack {
    Attack::checked(|scene| {
        for answer in scene.at_once(|visit| raw(&visit)) {
            let reply = Reply::parse(answer.as_bytes(), false).expect("a well-formed answer");
            assert!(
                reply.head.len() <= 256 << 10,
                "{} bytes of head",
                reply.head.len()
            );
            assert!(matches!(reply.status, 200 | 500), "{}", reply.status);
        }
        // The same of a visitor's.
        let mut visit = scene.visit_with("/ok");
        for n in 0..100_000 {
            visit = visit.header(&format!("x-{n}"), "1");
        }
        let refused = raw(&visit);
        assert!(refused.starts_with("HTTP/1.1 431"), "{refused}");
    })
    .limit("request_cpu_ms", 5_000)
}

/// No name or value of the guest's ends a line, says how long the answer is, or speaks for the connection or the host.
fn is_clean(reply: &Reply, fields: &str) {
    assert_eq!(reply.status, 200, "{}", reply.text());
    for line in fields.lines().skip_while(|line| line.starts_with("HTTP/")) {
        let (name, value) = line.split_once(':').expect("a field");
        let forbidden = [
            "x-injected",
            "keep-alive",
            "upgrade",
            "proxy-connection",
            "host",
            "",
        ];
        assert!(
            !forbidden.contains(&name) && !name.starts_with("x-lodge-"),
            "{line}"
        );
        assert!(!value.contains("x-lodge") || name == "trailer", "{line}");
    }
    for once in [
        "\nconnection: ",
        "\ntransfer-encoding: ",
        "\ncontent-length: ",
    ] {
        assert!(reply.head.matches(once).count() <= 1, "{}", reply.head);
    }
    assert!(
        !reply.head.contains("identity") && !reply.head.contains("length: -"),
        "{}",
        reply.head
    );
}

pub(in super::super) fn inject_headers() -> Attack {
    Attack::checked(|scene| {
        for reply in scene.at_once(|visit| visit.send()) {
            is_clean(&reply, &reply.head);
            assert_eq!(reply.text(), "ok");
        }
    })
}

pub(in super::super) fn inject_trailers() -> Attack {
    Attack::checked(|scene| {
        for reply in scene.at_once(|visit| visit.header("te", "trailers").send()) {
            is_clean(&reply, &reply.trailers);
            let framing = ["content-length", "transfer-encoding", "connection"];
            assert!(
                !framing.iter().any(|name| reply.trailers.contains(name)),
                "{}",
                reply.trailers
            );
        }
    })
}

/// The first answer counts, or none: the second is a trap. An answer that breaks off before any of it was sent is a
/// connection that ends.
pub(in super::super) fn answer_twice() -> Attack {
    Attack::checked(|scene| {
        let replies = scene.at_once(|visit| visit.try_send().ok());
        for reply in replies.into_iter().flatten() {
            let first = reply.status == 200 && reply.text() == "ok";
            assert!(
                first || (reply.status, reply.code().as_str()) == TRAPPED,
                "{}",
                reply.text()
            );
        }
        scene.logs("the trap", |line| line["source"] == "host");
    })
}

/// An answer that was whole stays so. (Where requests share an instance, it may take a later one with it.)
pub(in super::super) fn trap_after() -> Attack {
    Attack::checked(|scene| {
        for reply in scene.at_once(|visit| visit.send()) {
            let whole = reply.status == 200 && reply.whole && reply.text() == "ok";
            assert!(
                whole || (reply.status, reply.code().as_str()) == TRAPPED,
                "{}",
                reply.text()
            );
        }
        scene.logs("the trap", |line| {
            line["source"] == "host" && line["message"].as_str().unwrap().contains("trapped")
        });
    })
}

/// Codes that have no body, or are no answer, are not made to carry another answer.
pub(in super::super) fn odd_status() -> Attack {
    Attack::checked(|scene| {
        for code in [100, 101, 103, 199, 204, 205, 304, 599, 600, 999] {
            let answer = raw(&scene.visit_with(&format!("?code={code}")));
            let Some((head, body)) = answer.split_once("\r\n\r\n") else {
                assert_eq!(answer, "", "{code}: a whole head or nothing");
                continue;
            };
            assert!(
                !head.starts_with("HTTP/1.1 1"),
                "{code}: an answer that is none: {answer}"
            );
            let has_none = ["HTTP/1.1 204", "HTTP/1.1 304"]
                .iter()
                .any(|none| head.starts_with(none));
            assert!(!has_none || body.is_empty(), "{code}: {answer}");
            let framed = ["content-length", "transfer-encoding"];
            assert!(
                has_none || framed.iter().any(|by| head.contains(by)),
                "{code}: {answer}"
            );
        }
    })
}
