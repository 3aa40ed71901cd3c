//! Uses what its host gives it, as the path and the query ask for (WASI 0.2). What failed is the
//! answer's text, with status 400. `/sql?q=`, `/exec?q=`, `/read?q=&stop=` (counts rows, or stops after so many),
//! `/tx?q=&end=commit|rollback|drop|leave|trap|twice|hold` (`twice` commits again; `hold` keeps it open for 12 s), `/hoard?n=` (opens so many sources and keeps
//! them), `/sign?claims=`, `/verify?token=`, `/config?key=`, `/count?key=` (key-value), `/say?line=` (a log line, printed to both outputs, too), `/flood?mib=` (so much of them),
//! `/out?authority=&path=` (an outgoing request), `/again?authority=` (the same path of that host, and so on),
//! `/fetch?to=&pieces=&first_byte_ms=` (posts pieces to a host that echoes, each once the last came back).

use lodge::host::database::{DataSource, Transaction};
use lodge::host::jwt;
use lodge::host::sql::{Access, Isolation, Value};
use std::fmt::Debug;
use support_p2::wasip2::http::outgoing_handler;
use support_p2::wasip2::http::types::{
    IncomingBody, Method, OutgoingRequest, RequestOptions, Scheme,
};
use support_p2::wasip2::io::streams::StreamError;
use support_p2::*;
use wasi::keyvalue::{atomics, store as buckets};
use wasi::logging::logging;

wit_bindgen::generate!({
    path: "../../../wit",
    world: "lodge:host/app",
    generate_all,
});

wasip2::http::proxy::export!(Capable);

struct Capable;

impl Guest for Capable {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let (status, body) = match work(&target(&request)) {
            Ok(text) => (200, text),
            Err(text) => (400, text),
        };
        answer(
            out,
            status,
            &[("content-type", "text/plain")],
            body.as_bytes(),
        );
    }
}

fn work(target: &Target) -> Result<String, String> {
    let get = |name: &str| target.get(name).unwrap_or_default();
    let source = || {
        let name = target.get("source").unwrap_or_else(|| "default".into());
        DataSource::open(&name).map_err(text_of)
    };
    match target.path() {
        "/sql" => {
            let rows = source()?
                .query(&get("q"), &parameters(target))
                .map_err(text_of)?;
            Ok(format!("{:?}", rows.rows))
        }
        "/exec" => {
            let done = source()?
                .execute(&get("q"), &parameters(target))
                .map_err(text_of)?;
            Ok(format!("{}", done.rows_affected))
        }
        "/read" => read(
            &source()?,
            &get("q"),
            target.number("stop", u32::MAX.into()) as usize,
        ),
        "/hoard" => {
            let sources: Result<Vec<_>, _> =
                (0..target.number("n", 10)).map(|_| source()).collect();
            Ok(sources?.len().to_string())
        }
        "/tx" => {
            let transaction = source()?
                .begin(Access::ReadWrite, Isolation::EngineDefault)
                .map_err(text_of)?;
            end(transaction, &get("q"), &get("end"))
        }
        "/fetch" => fetch(target),
        "/sign" => {
            let options = jwt::SignOptions {
                expires_in: Some(target.number("seconds", 60) as u32),
                not_before_in: None,
                issuer: None,
                audience: None,
                subject: None,
            };
            jwt::sign(&get("claims"), &options).map_err(text_of)
        }
        "/verify" => {
            let expected = jwt::Expectations {
                issuer: None,
                audience: None,
                leeway: 0,
            };
            jwt::verify(&get("token"), &expected).map_err(text_of)
        }
        "/config" => {
            let value = wasi::config::store::get(&get("key")).map_err(text_of)?;
            value.ok_or_else(|| "no such key".into())
        }
        "/count" => {
            let bucket = buckets::open("visits").map_err(text_of)?;
            let sum = atomics::increment(&bucket, &get("key"), 1).map_err(text_of)?;
            Ok(sum.to_string())
        }
        "/say" => {
            logging::log(logging::Level::Warn, "capable", &get("line"));
            println!("{}", get("line"));
            eprintln!("{}", get("line"));
            Ok("said".into())
        }
        "/flood" => {
            let line = "x".repeat(60_000);
            for _ in 0..target.number("mib", 1) * 1024 * 1024 / 60_000 {
                logging::log(logging::Level::Info, "flood", &line);
            }
            Ok("said".into())
        }
        "/again" => {
            let authority = get("authority");
            call_out(&authority, &format!("/again?authority={authority}"))
        }
        "/out" => call_out(&get("authority"), &get("path")),
        _ => Ok("capable".into()),
    }
}

fn read(source: &DataSource, sql: &str, stop: usize) -> Result<String, String> {
    let cursor = source.read(sql, &[]).map_err(text_of)?;
    let mut count = 0;
    loop {
        let rows = cursor.next(100).map_err(text_of)?;
        count += rows.len();
        if rows.is_empty() || count >= stop {
            return Ok(count.min(stop).to_string());
        }
    }
}

fn end(transaction: Transaction, sql: &str, how: &str) -> Result<String, String> {
    let done = transaction.execute(sql, &[]).map_err(text_of)?;
    match how {
        "commit" => transaction.commit().map_err(text_of)?,
        "rollback" => transaction.rollback().map_err(text_of)?,
        "twice" => {
            transaction.commit().map_err(text_of)?;
            transaction.commit().map_err(text_of)?;
        }
        "drop" => drop(transaction),
        "trap" => std::process::abort(),
        "hold" => {
            sleep_ms(12_000);
            drop(transaction);
        }
        _ => std::mem::forget(transaction),
    }
    Ok(done.rows_affected.to_string())
}

fn call_out(authority: &str, path: &str) -> Result<String, String> {
    let request = OutgoingRequest::new(Fields::new());
    request.set_scheme(Some(&Scheme::Http)).unwrap();
    request.set_authority(Some(authority)).unwrap();
    request.set_path_with_query(Some(path)).unwrap();
    let sent = outgoing_handler::handle(request, None).map_err(text_of)?;
    sent.subscribe().block();
    let response = sent.get().unwrap().unwrap().map_err(text_of)?;
    let body = response.consume().unwrap();
    let stream = body.stream().unwrap();
    let mut bytes = Vec::new();
    while let Ok(piece) = stream.blocking_read(64 << 10) {
        bytes.extend(piece);
    }
    let text = String::from_utf8_lossy(&bytes).into_owned();
    Ok(format!("{} {text}", response.status()))
}

fn fetch(target: &Target) -> Result<String, String> {
    let request = OutgoingRequest::new(Fields::new());
    request.set_method(&Method::Post).unwrap();
    request.set_scheme(Some(&Scheme::Http)).unwrap();
    request.set_authority(target.get("to").as_deref()).unwrap();
    request.set_path_with_query(Some("/echo")).unwrap();
    let options = RequestOptions::new();
    let first_byte = target.number("first_byte_ms", 5_000) * 1_000_000;
    options.set_first_byte_timeout(Some(first_byte)).unwrap();
    let body = request.body().unwrap();
    let output = body.write().unwrap();
    let coming = outgoing_handler::handle(request, Some(options)).map_err(text_of)?;
    coming.subscribe().block();
    let response = coming.get().unwrap().unwrap().map_err(text_of)?;
    let echoed = response.consume().unwrap();
    let input = echoed.stream().unwrap();
    for n in 0..target.number("pieces", 0) {
        let piece = format!("piece {n}");
        output.subscribe().block();
        output.check_write().map_err(text_of)?;
        output.write(piece.as_bytes()).map_err(text_of)?;
        let back = input.blocking_read(100).map_err(text_of)?;
        if back != piece.as_bytes() {
            return Err(format!("{piece} came back as {back:?}"));
        }
    }
    drop(output);
    OutgoingBody::finish(body, None).map_err(text_of)?;
    let end = input.blocking_read(100);
    drop(input);
    _ = IncomingBody::finish(echoed);
    match end {
        Err(StreamError::Closed) => Ok(response.status().to_string()),
        more => Err(format!("{more:?} after the end")),
    }
}

/// `?p=` is a text, `?n=` a number, `?kib=` a text of that size.
fn parameters(target: &Target) -> Vec<Value> {
    let text = target.get("p").map(Value::Text);
    let number = target.get("n").and_then(|n| n.parse().ok()).map(Value::Int);
    let large = target.get("kib").and_then(|kib| kib.parse().ok());
    let large = large.map(|kib: usize| Value::Text("x".repeat(kib * 1024)));
    text.into_iter().chain(number).chain(large).collect()
}

fn text_of(error: impl Debug) -> String {
    format!("{error:?}")
}
