//! Behaviours that abuse heads and trailers.

use support_p3::wasip3::{wit_future, wit_stream};
use support_p3::*;

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
pub(crate) async fn many_headers(_: Request) -> Answer {
    let headers = Fields::new();
    let taken = (0..100_000)
        .take_while(|n| headers.append(&format!("x-{n}"), b"1").is_ok())
        .count();
    // Another name for the same: 100,000 values.
    let more = (0..100_000)
        .take_while(|_| headers.append("x-0", b"").is_ok())
        .count();
    println!("{taken} names and {more} values were taken");
    Ok(respond(headers))
}

/// What of it is taken.
fn injected() -> Fields {
    let fields = Fields::new();
    for (name, value) in INJECTED {
        _ = fields.append(name, value);
    }
    fields
}

pub(crate) async fn inject_headers(_: Request) -> Answer {
    Ok(respond(injected()))
}

fn respond(headers: Fields) -> Response {
    let (mut stream, contents) = wit_stream::new();
    let (trailers, trailers_read) = wit_future::new(|| Ok(None));
    let (response, _sent) = Response::new(headers, Some(contents), trailers_read);
    spawn_local(async move {
        stream.write_all(b"ok".to_vec()).await;
        drop(stream);
        _ = trailers.write(Ok(None)).await;
    });
    response
}

pub(crate) async fn inject_trailers(_: Request) -> Answer {
    let names = "x-one, x-five, x-lodge-failure, content-length, transfer-encoding, connection, te";
    let (response, mut sending) = begin(200, &[("trailer", names)]);
    spawn_local(async move {
        sending.write(b"ok".to_vec()).await;
        sending.end(Ok(Some(injected()))).await;
    });
    Ok(response)
}

/// The status `?code=`, with a body that looks like another answer.
pub(crate) async fn odd_status(request: Request) -> Answer {
    let code = target(&request).number("code", 100) as u16;
    let text = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nfake";
    answer(code, &[], text)
}
