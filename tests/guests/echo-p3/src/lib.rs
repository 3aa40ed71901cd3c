//! Gives back what it is given, and shows what a guest sees (WASI 0.3). `/pass` hands the request's own
//! stream and trailers to the answer; any other path copies the body as it arrives, and its trailers.

use support_p3::wasip3::http::types::{Method, Scheme};
use support_p3::wasip3::wit_bindgen::StreamResult;
use support_p3::wasip3::wit_future;
use support_p3::*;

wasip3::http::service::export!(Echo);

struct Echo;

impl Guest for Echo {
    async fn handle(request: Request) -> Answer {
        let target = target(&request);
        let json = [("content-type", "application/json")];
        match target.path() {
            "/headers" => answer(200, &json, describe(&request)),
            "/env" => answer(200, &json, environment_json()),
            "/head" => greet(&request),
            "/redirect" => answer(
                302,
                &[("location", &target.get("to").unwrap_or_default())],
                "",
            ),
            "/cookie" => answer(
                200,
                &[("set-cookie", &target.get("set").unwrap_or_default())],
                "ok",
            ),
            "/log" => {
                println!("{}", target.get("line").unwrap_or("to stdout".to_owned()));
                eprintln!("{}", target.get("line").unwrap_or("to stderr".to_owned()));
                text("ok")
            }
            "/pass" => Ok(pass(request)),
            path => match path
                .strip_prefix("/status/")
                .and_then(|code| code.parse().ok())
            {
                Some(code) => answer(code, &[], ""),
                None => Ok(echo(request)),
            },
        }
    }
}

/// As a server should: HEAD gets the head that GET would get.
fn greet(request: &Request) -> Answer {
    let headers = [("content-type", "text/plain"), ("content-length", "13")];
    match request.get_method() {
        Method::Head => head(200, &headers),
        _ => answer(200, &headers, "Hello, World!"),
    }
}

fn echo(request: Request) -> Response {
    let asked = request.get_headers();
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
    let (response, mut sending) = begin(200, &head);
    let (_read, result) = wit_future::new(|| Ok(()));
    let (mut stream, trailers) = Request::consume_body(request, result);
    spawn_local(async move {
        loop {
            let (result, chunk) = stream.read(Vec::with_capacity(16 * 1024)).await;
            match result {
                StreamResult::Complete(_) if !sending.write(chunk).await => return,
                StreamResult::Complete(_) => {}
                StreamResult::Dropped | StreamResult::Cancelled => break,
            }
        }
        sending.end(trailers.await).await;
    });
    response
}

fn pass(request: Request) -> Response {
    let (_read, result) = wit_future::new(|| Ok(()));
    let (stream, trailers) = Request::consume_body(request, result);
    Response::new(Fields::new(), Some(stream), trailers).0
}

fn describe(request: &Request) -> String {
    let method = match request.get_method() {
        Method::Other(name) => name,
        method => format!("{method:?}").replace("Method::", "").to_uppercase(),
    };
    let scheme = request.get_scheme().map(|scheme| match scheme {
        Scheme::Http => "http".to_owned(),
        Scheme::Https => "https".to_owned(),
        Scheme::Other(name) => name,
    });
    request_json(
        &method,
        request.get_path_with_query().as_deref(),
        request.get_authority().as_deref(),
        scheme.as_deref(),
        &request.get_headers().copy_all(),
    )
}
