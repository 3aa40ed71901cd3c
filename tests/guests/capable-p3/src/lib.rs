//! Uses the asynchronous database (WASI 0.3). What failed is the answer's text, with status 400.
//! `/sql?q=`, `/exec?q=`, `/read?q=&stop=` (streams and counts rows, or stops after so many), `/many?n=&kib=` (so many statements at
//! once, each with a text of that size; tells how many were answered), `/tx?q=&end=commit|rollback|drop|trap|leave|twice` (`twice` commits
//! again), `/together?n=` (so many statements of one transaction at once), `/out?authority=&path=` (an outgoing request),
//! `/fetch?to=&pieces=` (posts pieces to a host that echoes, each once the last came back), `/say?line=` (a log line,
//! printed to both outputs, too).

mod fetch;

use lodge::host::database_async::{DataSource, Transaction};
use lodge::host::sql::{Access, Engine, Isolation, Value};
use std::fmt::Debug;
use support_p3::wasip3::http::client;
use support_p3::wasip3::http::types::Scheme;
use support_p3::wasip3::wit_future as http_future;
use support_p3::*;

wit_bindgen::generate!({
    path: "../../../wit",
    world: "lodge:host/app-async",
    generate_all,
});

wasip3::http::service::export!(Capable);

struct Capable;

impl Guest for Capable {
    async fn handle(request: Request) -> support_p3::Answer {
        match work(&target(&request)).await {
            Ok(body) => text(body),
            Err(body) => answer(400, &[("content-type", "text/plain")], body),
        }
    }
}

async fn work(target: &Target) -> Result<String, String> {
    if target.path() == "/fetch" {
        return fetch::post(target).await;
    }
    let sql = target.get("q").unwrap_or_default();
    if target.path() == "/out" {
        return call_out(target).await;
    }
    if target.path() == "/say" {
        let line = target.get("line").unwrap_or_default();
        wasi::logging::logging::log(wasi::logging::logging::Level::Warn, "capable", &line);
        println!("{line}");
        eprintln!("{line}");
        return Ok("said".into());
    }
    let source = DataSource::open("default".into()).await.map_err(text_of)?;
    match target.path() {
        "/sql" => {
            let rows = source.query(sql, Vec::new()).await.map_err(text_of)?;
            Ok(format!("{:?}", rows.rows))
        }
        "/exec" => {
            let done = source.execute(sql, Vec::new()).await.map_err(text_of)?;
            Ok(done.rows_affected.to_string())
        }
        "/read" => read(&source, sql, target.number("stop", u64::MAX)).await,
        "/many" => {
            let text = "x".repeat(target.number("kib", 0) as usize * 1024);
            let sql = match source.engine() {
                Engine::Postgres => "SELECT $1::bigint, $2::text",
                _ => "SELECT ?, ?",
            };
            let ask = |n| {
                let parameters = vec![Value::Int(n), Value::Text(text.clone())];
                source.query(sql.into(), parameters)
            };
            let asked = (0..target.number("n", 10) as i64).map(ask);
            let answers = futures_util::future::join_all(asked).await;
            let good = answers.iter().filter(|answer| answer.is_ok()).count();
            Ok(good.to_string())
        }
        "/together" => {
            let transaction = source
                .begin(Access::ReadWrite, Isolation::EngineDefault)
                .await
                .map_err(text_of)?;
            let asked =
                (0..target.number("n", 10)).map(|_| transaction.execute(sql.clone(), Vec::new()));
            let answers = futures_util::future::join_all(asked).await;
            Ok(answers
                .iter()
                .filter(|answer| answer.is_ok())
                .count()
                .to_string())
        }
        "/tx" => {
            let transaction = source
                .begin(Access::ReadWrite, Isolation::EngineDefault)
                .await
                .map_err(text_of)?;
            end(transaction, sql, &target.get("end").unwrap_or_default()).await
        }
        _ => Ok("capable".into()),
    }
}

async fn read(source: &DataSource, sql: String, stop: u64) -> Result<String, String> {
    let (_, mut rows, ended) = source.read(sql, Vec::new()).await.map_err(text_of)?;
    let mut count = 0;
    while count < stop && rows.next().await.is_some() {
        count += 1;
    }
    if count < stop {
        ended.await.map_err(text_of)?;
    }
    Ok(count.to_string())
}

async fn end(transaction: Transaction, sql: String, how: &str) -> Result<String, String> {
    let done = transaction
        .execute(sql, Vec::new())
        .await
        .map_err(text_of)?;
    match how {
        "commit" => transaction.commit().await.map_err(text_of)?,
        "rollback" => transaction.rollback().await.map_err(text_of)?,
        "twice" => {
            transaction.commit().await.map_err(text_of)?;
            transaction.commit().await.map_err(text_of)?;
        }
        "trap" => std::process::abort(),
        "leave" => std::mem::forget(transaction),
        _ => drop(transaction),
    }
    Ok(done.rows_affected.to_string())
}

async fn call_out(target: &Target) -> Result<String, String> {
    let (_, trailers) = http_future::new(|| Ok(None));
    let (request, _sent) = Request::new(Fields::new(), None, trailers, None);
    request.set_scheme(Some(&Scheme::Http)).unwrap();
    request
        .set_authority(target.get("authority").as_deref())
        .unwrap();
    request
        .set_path_with_query(target.get("path").as_deref())
        .unwrap();
    let response = client::send(request).await.map_err(text_of)?;
    let status = response.get_status_code();
    let (_, done) = http_future::new(|| Ok(()));
    let (body, _trailers) = Response::consume_body(response, done);
    let text = String::from_utf8_lossy(&body.collect().await).into_owned();
    Ok(format!("{status} {text}"))
}

fn text_of(error: impl Debug) -> String {
    format!("{error:?}")
}
