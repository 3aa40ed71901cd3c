//! Behaviours that abuse heads and trailers.

use support_p2::*;

/// Names and values that an app may not send, or that would end a head early.
const INJECTED: [(&str, &[u8]); 16] = [
    ("x-one", b"a\r\nx-injected: 1"),
    ("x-two", b"a\nx-injected: 1"),
    ("x-three", b"a\0b"),
    ("x-four\r\nx-injected", b"1"),
    ("x-five: a\r\nx-injected", b"1"),
    ("", b"1"),
    ("connection", b"x-lodge-failure, close"),
    ("keep-alive", b"timeout=1000"),
    ("transfer-encoding", b"chunked, identity"),
    ("upgrade", b"websocket"),
    ("proxy-connection", b"keep-alive"),
    ("proxy-authenticate", b"Basic"),
    ("te", b"trailers"),
    ("host", b"quiet.localhost"),
    ("content-length", b"-1"),
    ("x-lodge-failure", b"internal"),
];

/// As many headers as it is given, of 100,000.
pub(crate) fn many_headers(_: IncomingRequest, out: ResponseOutparam) {
    let headers = Fields::new();
    let taken = (0..100_000)
        .take_while(|n| headers.append(&format!("x-{n}"), b"1").is_ok())
        .count();
    // Another name for the same: 100,000 values.
    let more = (0..100_000)
        .take_while(|_| headers.append("x-0", b"").is_ok())
        .count();
    println!("{taken} names and {more} values were taken");
    let response = OutgoingResponse::new(headers);
    let body = response.body().unwrap();
    ResponseOutparam::set(out, Ok(response));
    _ = OutgoingBody::finish(body, None);
}

/// What of it is taken; the body says how many.
fn injected() -> (Fields, usize) {
    let fields = Fields::new();
    let taken = INJECTED
        .iter()
        .filter(|(name, value)| fields.append(name, value).is_ok())
        .count();
    (fields, taken)
}

pub(crate) fn inject_headers(_: IncomingRequest, out: ResponseOutparam) {
    let (fields, _) = injected();
    let response = OutgoingResponse::new(fields);
    let body = response.body().unwrap();
    ResponseOutparam::set(out, Ok(response));
    let stream = body.write().unwrap();
    _ = stream.blocking_write_and_flush(b"ok");
    drop(stream);
    _ = OutgoingBody::finish(body, None);
}

pub(crate) fn inject_trailers(_: IncomingRequest, out: ResponseOutparam) {
    let names = "x-one, x-five, x-lodge-failure, content-length, transfer-encoding, connection, te";
    let sending = begin(out, 200, &[("trailer", names)]);
    sending.write(b"ok");
    let (fields, _) = injected();
    sending.end(Some(fields));
}

/// The status `?code=`, with a body that looks like another answer.
pub(crate) fn odd_status(request: IncomingRequest, out: ResponseOutparam) {
    let code = target(&request).number("code", 100) as u16;
    answer(
        out,
        code,
        &[],
        b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nfake",
    );
}
