//! Behaviours that abuse bodies and answers, or what goes on around them.

use std::mem::forget;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use support_p3::wasip3::http::client;
use support_p3::wasip3::http::types::Scheme;
use support_p3::wasip3::wit_bindgen::StreamResult;
use support_p3::wasip3::wit_future;
use support_p3::*;

const PLAIN: [(&str, &str); 1] = [("content-type", "text/plain")];

pub(crate) async fn endless_body(_: Request) -> Answer {
    let (response, mut sending) = begin(200, &PLAIN);
    spawn_local(async move { while sending.write(vec![b'x'; 64 << 10]).await {} });
    Ok(response)
}

/// A byte each 20 ms, for ever.
pub(crate) async fn trickled_body(_: Request) -> Answer {
    let (response, mut sending) = begin(200, &PLAIN);
    spawn_local(async move {
        while sending.write(b".".to_vec()).await {
            sleep_ms(20).await;
        }
    });
    Ok(response)
}

/// More than it announced.
pub(crate) async fn long_body(_: Request) -> Answer {
    let text = "fourHTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nfake";
    answer(200, &[("content-length", "4")], text)
}

/// Less than it announced.
pub(crate) async fn short_body(_: Request) -> Answer {
    answer(200, &[("content-length", "1000")], "four")
}

/// Honest: answers when it has read all, with how much that was.
pub(crate) async fn read_all(request: Request) -> Answer {
    let (_read, result) = wit_future::new(|| Ok(()));
    let (mut stream, _trailers) = Request::consume_body(request, result);
    let mut read = 0;
    loop {
        let (result, bytes) = stream.read(Vec::with_capacity(64 << 10)).await;
        match result {
            StreamResult::Complete(_) => read += bytes.len(),
            StreamResult::Dropped | StreamResult::Cancelled => break,
        }
    }
    text(format!("{read} bytes"))
}

/// Answers before it has read anything, which it never does.
pub(crate) async fn answer_early(request: Request) -> Answer {
    forget(request);
    text("ok")
}

pub(crate) async fn never_answer(_: Request) -> Answer {
    loop {
        sleep_ms(3_600_000).await;
    }
}

pub(crate) async fn trap_after(_: Request) -> Answer {
    let (response, mut sending) = begin(200, &PLAIN);
    spawn_local(async move {
        sending.write(b"ok".to_vec()).await;
        sending.end(Ok(None)).await;
        // Time for the host to have sent it.
        sleep_ms(50).await;
        panic!("after the answer");
    });
    Ok(response)
}

/// Thousands of outgoing requests, none waited for; then it answers.
pub(crate) async fn outgoing(request: Request) -> Answer {
    let target = target(&request);
    let authority = target.get("to");
    for _ in 0..target.number("n", 3_000) {
        let (_, trailers) = wit_future::new(|| Ok(None));
        let (request, _sent) = Request::new(Fields::new(), None, trailers, None);
        request.set_scheme(Some(&Scheme::Http)).unwrap();
        request.set_authority(authority.as_deref()).unwrap();
        request.set_path_with_query(Some("/")).unwrap();
        spawn_local(async move {
            forget(client::send(request).await);
        });
    }
    sleep_ms(10).await;
    text("ok")
}

/// Leaves 100 resources behind with each request: a reused instance dies of it one day.
pub(crate) async fn leak(_: Request) -> Answer {
    for _ in 0..100 {
        forget(Fields::new());
    }
    text("ok")
}

/// How many requests this instance has had.
pub(crate) async fn remember(_: Request) -> Answer {
    static SERVED: AtomicU32 = AtomicU32::new(0);
    text(format!("{}", SERVED.fetch_add(1, Relaxed) + 1))
}

pub(crate) async fn huge_panic(_: Request) -> Answer {
    panic!("{}", "a huge message ".repeat(300_000));
}

/// 8 MiB to each output without the end of a line.
pub(crate) async fn long_line(_: Request) -> Answer {
    let text_of_a_line = "x".repeat(1 << 20);
    for _ in 0..8 {
        print!("{text_of_a_line}");
        eprint!("{text_of_a_line}");
    }
    text("ok")
}
