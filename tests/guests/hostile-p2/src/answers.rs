//! Behaviours that abuse bodies and answers, or what goes on around them.

use std::mem::forget;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use support_p2::wasip2::http::outgoing_handler;
use support_p2::wasip2::http::types::{IncomingBody, OutgoingRequest, Scheme};
use support_p2::*;

const PLAIN: [(&str, &str); 1] = [("content-type", "text/plain")];

pub(crate) fn endless_body(_: IncomingRequest, out: ResponseOutparam) {
    let sending = begin(out, 200, &PLAIN);
    while sending.write(&[b'x'; 4096]) {}
}

/// A byte each 20 ms, for ever.
pub(crate) fn trickled_body(_: IncomingRequest, out: ResponseOutparam) {
    let sending = begin(out, 200, &PLAIN);
    while sending.write(b".") {
        sleep_ms(20);
    }
}

/// More than it announced.
pub(crate) fn long_body(_: IncomingRequest, out: ResponseOutparam) {
    let sending = begin(out, 200, &[("content-length", "4")]);
    sending.write(b"four");
    sending.write(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nfake");
    sending.end(None);
}

/// Less than it announced.
pub(crate) fn short_body(_: IncomingRequest, out: ResponseOutparam) {
    let sending = begin(out, 200, &[("content-length", "1000")]);
    sending.write(b"four");
    sending.end(None);
}

/// Honest: answers when it has read all, with how much that was.
pub(crate) fn read_all(request: IncomingRequest, out: ResponseOutparam) {
    let body = request.consume().unwrap();
    let stream = body.stream().unwrap();
    let mut read = 0;
    while let Ok(bytes) = stream.blocking_read(64 << 10) {
        read += bytes.len();
    }
    drop(stream);
    _ = IncomingBody::finish(body);
    text(out, &format!("{read} bytes"));
}

/// Answers before it has read anything, which it never does.
pub(crate) fn answer_early(request: IncomingRequest, out: ResponseOutparam) {
    text(out, "ok");
    forget(request);
}

pub(crate) fn never_answer(_: IncomingRequest, out: ResponseOutparam) {
    forget(out);
    loop {
        sleep_ms(3_600_000);
    }
}

pub(crate) fn answer_twice(_: IncomingRequest, out: ResponseOutparam) {
    let handle = out.handle();
    text(out, "ok");
    // SAFETY: it is not: the handle went with the first answer. That is what the host must see.
    let again = unsafe { ResponseOutparam::from_handle(handle) };
    ResponseOutparam::set(again, Ok(head(200, &PLAIN)));
}

pub(crate) fn trap_after(_: IncomingRequest, out: ResponseOutparam) {
    text(out, "ok");
    // Time for the host to have sent it.
    sleep_ms(50);
    panic!("after the answer");
}

/// Thousands of outgoing requests, none waited for; then it answers.
pub(crate) fn outgoing(request: IncomingRequest, out: ResponseOutparam) {
    let target = target(&request);
    let authority = target.get("to");
    for _ in 0..target.number("n", 3_000) {
        let request = OutgoingRequest::new(Fields::new());
        request.set_scheme(Some(&Scheme::Http)).unwrap();
        request.set_authority(authority.as_deref()).unwrap();
        request.set_path_with_query(Some("/")).unwrap();
        match outgoing_handler::handle(request, None) {
            Ok(coming) => forget(coming),
            Err(error) => drop(error),
        }
    }
    text(out, "ok");
}

/// Leaves 100 resources behind with each request: a reused instance dies of it one day.
pub(crate) fn leak(_: IncomingRequest, out: ResponseOutparam) {
    for _ in 0..100 {
        forget(Fields::new());
    }
    text(out, "ok");
}

/// How many requests this instance has had.
pub(crate) fn remember(_: IncomingRequest, out: ResponseOutparam) {
    static SERVED: AtomicU32 = AtomicU32::new(0);
    text(out, &format!("{}", SERVED.fetch_add(1, Relaxed) + 1));
}

pub(crate) fn huge_panic(_: IncomingRequest, _: ResponseOutparam) {
    panic!("{}", "a huge message ".repeat(300_000));
}

/// 8 MiB to each output without the end of a line.
pub(crate) fn long_line(_: IncomingRequest, out: ResponseOutparam) {
    let text_of_a_line = "x".repeat(1 << 20);
    for _ in 0..8 {
        print!("{text_of_a_line}");
        eprint!("{text_of_a_line}");
    }
    text(out, "ok");
}
