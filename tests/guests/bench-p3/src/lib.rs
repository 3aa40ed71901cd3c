//! The work that the benchmark of the capabilities measures (WASI 0.3): `/setup` fills a table;
//! `/point`: one row by its key; `/rows`: 10,000 rows, streamed and summed; `/jwt`: one token verified; `/out`: one outgoing
//! request to the configured `outbound_url`'s authority.

use lodge::host::database_async::DataSource;
use lodge::host::jwt;
use lodge::host::sql::{Engine, Value};
use std::cell::{Cell, RefCell};
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

wasip3::http::service::export!(Bench);

struct Bench;

const ROWS: i64 = 10_000;

thread_local! {
    static NEXT: Cell<i64> = const { Cell::new(0) };
    static TOKEN: RefCell<String> = const { RefCell::new(String::new()) };
}

impl Guest for Bench {
    async fn handle(request: Request) -> support_p3::Answer {
        let worked = match target(&request).path() {
            "/setup" => setup().await,
            "/point" => point().await,
            "/rows" => rows().await,
            "/jwt" => verify(),
            "/out" => out().await,
            _ => Ok("ready".into()),
        };
        match worked {
            Ok(body) => text(body),
            Err(body) => answer(500, &[], body),
        }
    }
}

async fn source() -> Result<DataSource, String> {
    DataSource::open("default".into()).await.map_err(text_of)
}

async fn setup() -> Result<String, String> {
    let source = source().await?;
    let (id, numbers) = match source.engine() {
        Engine::Postgres => ("BIGINT", format!("generate_series(0, {}) i", ROWS - 1)),
        _ => (
            "INTEGER",
            format!(
                "(WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n LIMIT {ROWS}) SELECT i FROM n)"
            ),
        ),
    };
    for sql in [
        format!(
            "CREATE TABLE items (id {id} PRIMARY KEY, name TEXT NOT NULL, price DOUBLE PRECISION NOT NULL)"
        ),
        format!("INSERT INTO items SELECT i, 'item number ' || i, i * 0.5 FROM {numbers}"),
    ] {
        source.execute(sql, Vec::new()).await.map_err(text_of)?;
    }
    Ok("done".into())
}

async fn point() -> Result<String, String> {
    let id = NEXT.with(|next| next.replace((next.get() + 1) % ROWS));
    let sql = "SELECT id, name, price FROM items WHERE id = $1".into();
    let found = source().await?.query(sql, vec![Value::Int(id)]).await;
    let found = found.map_err(text_of)?;
    match found.rows.first().map(Vec::as_slice) {
        Some([Value::Int(id), Value::Text(name), Value::Float(price)]) => {
            Ok(format!("{id} {name} {price}"))
        }
        other => Err(text_of(other)),
    }
}

async fn rows() -> Result<String, String> {
    let sql = "SELECT id, name, price FROM items".into();
    let read = source().await?.read(sql, Vec::new()).await;
    let (_, mut rows, ended) = read.map_err(text_of)?;
    let (mut count, mut length, mut sum) = (0, 0, 0.0);
    let mut batch = Vec::with_capacity(256);
    loop {
        let (status, got) = rows.read(batch).await;
        batch = got;
        for row in batch.drain(..) {
            if let [_, Value::Text(name), Value::Float(price)] = row.as_slice() {
                count += 1;
                length += name.len();
                sum += price;
            }
        }
        if status == support_p3::wasip3::wit_bindgen::StreamResult::Dropped {
            break;
        }
    }
    ended.await.map_err(text_of)?;
    if count != ROWS {
        return Err(format!("{count} rows"));
    }
    Ok(format!("{count} {length} {sum}"))
}

fn verify() -> Result<String, String> {
    let mut token = TOKEN.with_borrow(Clone::clone);
    if token.is_empty() {
        let options = jwt::SignOptions {
            expires_in: Some(86_400),
            not_before_in: None,
            issuer: None,
            audience: None,
            subject: Some("somebody".into()),
        };
        token = jwt::sign("{}", &options).map_err(text_of)?;
        TOKEN.set(token.clone());
    }
    let expected = jwt::Expectations {
        issuer: None,
        audience: None,
        leeway: 0,
    };
    jwt::verify(&token, &expected).map_err(text_of)
}

async fn out() -> Result<String, String> {
    let authority = wasi::config::store::get("outbound_authority").map_err(text_of)?;
    let (_, trailers) = http_future::new(|| Ok(None));
    let (request, _sent) = Request::new(Fields::new(), None, trailers, None);
    request.set_scheme(Some(&Scheme::Http)).map_err(text_of)?;
    request
        .set_authority(authority.as_deref())
        .map_err(text_of)?;
    request.set_path_with_query(Some("/")).map_err(text_of)?;
    let response = client::send(request).await.map_err(text_of)?;
    let (_, done) = http_future::new(|| Ok(()));
    let (body, _trailers) = Response::consume_body(response, done);
    Ok(String::from_utf8_lossy(&body.collect().await).into_owned())
}

fn text_of(error: impl Debug) -> String {
    format!("{error:?}")
}
