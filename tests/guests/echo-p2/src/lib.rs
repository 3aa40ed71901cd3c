//! Gives back what it is given, and shows what a guest sees (WASI 0.2).
//! `/bytes?kib=`: so much.
//! Any other path: the request's body as it arrives, and its trailers.

use support_p2::wasip2::http::types::{Headers, IncomingBody, Method, Scheme};
use support_p2::wasip2::io::streams::StreamError;
use support_p2::*;

wasip2::http::proxy::export!(Echo);

struct Echo;

impl Guest for Echo {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let target = target(&request);
        let json = [("content-type", "application/json")];
        match target.path() {
            "/headers" => answer(out, 200, &json, describe(&request).as_bytes()),
            "/env" => answer(out, 200, &json, environment_json().as_bytes()),
            "/head" => greet(&request, out),
            "/bytes" => {
                let body = vec![b'x'; (target.number("kib", 1) as usize) << 10];
                let kind = [("content-type", "application/octet-stream")];
                answer(out, 200, &kind, &body);
            }
            "/redirect" => answer(
                out,
                302,
                &[("location", &target.get("to").unwrap_or_default())],
                b"",
            ),
            "/cookie" => answer(
                out,
                200,
                &[("set-cookie", &target.get("set").unwrap_or_default())],
                b"ok",
            ),
            "/log" => {
                println!("{}", target.get("line").unwrap_or("to stdout".to_owned()));
                eprintln!("{}", target.get("line").unwrap_or("to stderr".to_owned()));
                text(out, "ok");
            }
            path => match path
                .strip_prefix("/status/")
                .and_then(|code| code.parse().ok())
            {
                Some(code) => answer(out, code, &[], b""),
                None => echo(&request, out),
            },
        }
    }
}

/// As a server should: HEAD gets the head that GET would get.
fn greet(request: &IncomingRequest, out: ResponseOutparam) {
    let headers = [("content-type", "text/plain"), ("content-length", "13")];
    match request.method() {
        Method::Head => ResponseOutparam::set(out, Ok(head(200, &headers))),
        _ => answer(out, 200, &headers, b"Hello, World!"),
    }
}

fn echo(request: &IncomingRequest, out: ResponseOutparam) {
    let asked = request.headers();
    let copied = |name: &str| {
        asked
            .get(name)
            .first()
            .map(|value| String::from_utf8_lossy(value).into_owned())
    };
    let kind = copied("content-type").unwrap_or("application/octet-stream".to_owned());
    // Over HTTP/1.1 only trailers that the head announces are sent.
    let announced = copied("trailer");
    let announced = announced.iter().map(|names| ("trailer", names.as_str()));
    let head: Vec<_> = [("content-type", kind.as_str())]
        .into_iter()
        .chain(announced)
        .collect();
    let body = request.consume().unwrap();
    let input = body.stream().unwrap();
    let sending = begin(out, 200, &head);
    loop {
        match input.blocking_read(16 * 1024) {
            Ok(chunk) if !sending.write(&chunk) => return,
            Ok(_) => {}
            Err(StreamError::Closed) => break,
            // A request that breaks off: the answer breaks off too, as it is dropped unfinished.
            Err(StreamError::LastOperationFailed(_)) => return,
        }
    }
    drop(input);
    sending.end(trailers(body));
}

fn trailers(body: IncomingBody) -> Option<Headers> {
    let trailers = IncomingBody::finish(body);
    trailers.subscribe().block();
    let trailers = trailers.get()?.ok()?.ok()??;
    Some(Fields::from_list(&trailers.entries()).unwrap())
}

fn describe(request: &IncomingRequest) -> String {
    let method = match request.method() {
        Method::Other(name) => name,
        method => format!("{method:?}").replace("Method::", "").to_uppercase(),
    };
    let scheme = request.scheme().map(|scheme| match scheme {
        Scheme::Http => "http".to_owned(),
        Scheme::Https => "https".to_owned(),
        Scheme::Other(name) => name,
    });
    request_json(
        &method,
        request.path_with_query().as_deref(),
        request.authority().as_deref(),
        scheme.as_deref(),
        &request.headers().entries(),
    )
}
