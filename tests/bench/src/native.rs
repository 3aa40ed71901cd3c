//! What the capabilities are measured against: the same work done natively, by the same libraries,
//! behind the same bare hyper.
//!
//! `native-peer ADDRESS DATABASE OUTBOUND_URL`; DATABASE is a file, or a URL of PostgreSQL's. `/point`: one row by its key; `/rows`: 10,000 rows, streamed
//! and summed; `/jwt`: one token verified; `/out`: one outgoing request.

use bytes::Bytes;
use futures::{Stream, TryStreamExt as _};
use http_body_util::{BodyExt as _, Empty, Full};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use sqlx::postgres::{PgPool, PgPoolOptions};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use std::convert::Infallible;
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tokio::net::TcpListener;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Failed = Box<dyn Error + Send + Sync>;

/// As many as an app has by default.
const CONNECTIONS: u32 = 5;
const ROWS: i64 = 10_000;

type Item = (i64, String, f64);

enum Database {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

struct Peer {
    database: Database,
    client: Client<HttpConnector, Empty<Bytes>>,
    outbound: Uri,
    key: DecodingKey,
    validation: Validation,
    token: String,
    next: AtomicI64,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    sub: String,
    exp: u64,
}

#[tokio::main]
async fn main() -> Result<(), Failed> {
    let mut arguments = std::env::args().skip(1);
    let mut next = |what: &str| arguments.next().ok_or_else(|| format!("{what} is missing"));
    let (address, database, outbound) =
        (next("ADDRESS")?, next("DATABASE")?, next("OUTBOUND_URL")?);
    let peer = Arc::new(Peer::new(&database, outbound.parse()?).await?);
    let listener = TcpListener::bind(address).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let peer = peer.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| answer(peer.clone(), request));
            // A client that goes away is no news.
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn answer(
    peer: Arc<Peer>,
    request: Request<hyper::body::Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let answered = match request.uri().path() {
        "/point" => peer.point().await,
        "/rows" => peer.rows().await,
        "/jwt" => peer.jwt(),
        "/out" => peer.out().await,
        _ => Ok("ready".to_owned()),
    };
    let (status, text) = match answered {
        Ok(text) => (StatusCode::OK, text),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
    };
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    Ok(response)
}

/// The same table as the guest's, on as many connections.
async fn filled(database: &str) -> Result<Database, Failed> {
    if database.starts_with("postgres") {
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS)
            .connect(database)
            .await?;
        sqlx::raw_sql(
            "CREATE TABLE items (id BIGINT PRIMARY KEY, name TEXT NOT NULL, price DOUBLE PRECISION NOT NULL); \
             INSERT INTO items SELECT i, 'item number ' || i, i * 0.5 FROM generate_series(0, 9999) i",
        )
        .execute(&pool)
        .await?;
        return Ok(Database::Postgres(pool));
    }
    let options = SqliteConnectOptions::new()
        .filename(database)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal);
    let pool = SqlitePoolOptions::new()
        .max_connections(CONNECTIONS)
        .connect_with(options)
        .await?;
    sqlx::raw_sql(
        "CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT NOT NULL, price REAL NOT NULL); \
         WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n LIMIT 10000) \
         INSERT INTO items SELECT i, 'item number ' || i, i * 0.5 FROM n",
    )
    .execute(&pool)
    .await?;
    Ok(Database::Sqlite(pool))
}

async fn summed(
    mut rows: impl Stream<Item = Result<Item, sqlx::Error>> + Unpin,
) -> Result<String, Failed> {
    let (mut count, mut length, mut sum) = (0, 0, 0.0);
    while let Some((_, name, price)) = rows.try_next().await? {
        count += 1;
        length += name.len();
        sum += price;
    }
    Ok(format!("{count} {length} {sum}"))
}

impl Peer {
    async fn new(database: &str, outbound: Uri) -> Result<Self, Failed> {
        let secret = [7; 32];
        let claims = Claims {
            sub: "somebody".to_owned(),
            exp: u64::from(u32::MAX),
        };
        Ok(Self {
            database: filled(database).await?,
            client: Client::builder(TokioExecutor::new()).build_http(),
            outbound,
            key: DecodingKey::from_secret(&secret),
            validation: Validation::new(Algorithm::HS256),
            token: jsonwebtoken::encode(
                &Header::new(Algorithm::HS256),
                &claims,
                &EncodingKey::from_secret(&secret),
            )?,
            next: AtomicI64::new(0),
        })
    }

    async fn point(&self) -> Result<String, Failed> {
        let id = self.next.fetch_add(1, Ordering::Relaxed) % ROWS;
        let sql = "SELECT id, name, price FROM items WHERE id = $1";
        let (id, name, price): Item = match &self.database {
            Database::Sqlite(pool) => sqlx::query_as(sql).bind(id).fetch_one(pool).await?,
            Database::Postgres(pool) => sqlx::query_as(sql).bind(id).fetch_one(pool).await?,
        };
        Ok(format!("{id} {name} {price}"))
    }

    async fn rows(&self) -> Result<String, Failed> {
        let sql = "SELECT id, name, price FROM items";
        match &self.database {
            Database::Sqlite(pool) => summed(sqlx::query_as(sql).fetch(pool)).await,
            Database::Postgres(pool) => summed(sqlx::query_as(sql).fetch(pool)).await,
        }
    }

    fn jwt(&self) -> Result<String, Failed> {
        let verified = jsonwebtoken::decode::<Claims>(&self.token, &self.key, &self.validation)?;
        Ok(verified.claims.sub)
    }

    async fn out(&self) -> Result<String, Failed> {
        let response = self.client.get(self.outbound.clone()).await?;
        let body = response.into_body().collect().await?.to_bytes();
        Ok(String::from_utf8(body.to_vec())?)
    }
}
