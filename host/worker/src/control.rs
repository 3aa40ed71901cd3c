//! What a supervisor asks this worker itself, by signed requests that its edge let in.
//!
//! | request | answer |
//! | --- | --- |
//! | `GET /.lodge/apps/{id}/logs?limit&level&source&search&request&since&until` | the newest lines, oldest first, one JSON [`LogLine`](lodge_model::LogLine) a line |
//! | `GET /.lodge/apps/{id}/logs/live?level&source&search` | new lines as they come, one JSON object a line: `{"line": …}`, or `{"dropped": n}`; an empty line now and then says that the log is still followed |
//! | `GET /.lodge/apps/{id}/database` | [`DatabaseReport`](lodge_model::DatabaseReport) |
//! | `POST /.lodge/apps/{id}/database/clear-migration?done` | the ID of the migration whose mark was taken off, or null |
//! | `GET /.lodge/apps/{id}/stats` | [`MeterSnapshot`](lodge_model::MeterSnapshot), with the last minute's latencies |
//! | `POST /.lodge/databases/test[?app={id}]`, a [`DatabaseSpec`] | [`ConnectionReport`](lodge_model::ConnectionReport) |
//!
//! How it fails: with a status, and `{"code", "message"}` in JSON, `field` beside it where one is at
//! fault; codes are those of the supervisor's own API.

mod logs;
mod refusal;

use crate::agent::Agent;
use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use lodge_model::{AppId, Control, DatabaseSpec, GrantError, ResponseBody};
use refusal::Refusal;
use serde::Serialize;
use std::sync::Arc;
use tokio::time::timeout;
use url::form_urlencoded;

/// Parameters of a query, as they come.
type Query = Vec<(String, String)>;

#[async_trait]
impl Control for Agent {
    async fn answer(&self, request: Request<Bytes>) -> Response<ResponseBody> {
        let answer = self.find_answer(&request).await;
        answer.unwrap_or_else(|refusal| refusal.answer())
    }
}

impl Agent {
    async fn find_answer(
        &self,
        request: &Request<Bytes>,
    ) -> Result<Response<ResponseBody>, Refusal> {
        let path = request.uri().path().strip_prefix("/.lodge/");
        let steps: Vec<&str> = path.unwrap_or_default().split('/').collect();
        let query = request.uri().query().unwrap_or_default();
        let query: Query = form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .collect();
        match (request.method(), steps.as_slice()) {
            (&Method::GET, ["apps", app, "logs"]) => self.logs(&id(app)?, query).await,
            (&Method::GET, ["apps", app, "logs", "live"]) => self.live_log(&id(app)?, query),
            (&Method::GET, ["apps", app, "database"]) => self.database(&id(app)?).await,
            (&Method::POST, ["apps", app, "database", "clear-migration"]) => {
                self.clear_migration(&id(app)?, &query).await
            }
            (&Method::GET, ["apps", app, "stats"]) => self.stats(&id(app)?),
            (&Method::POST, ["databases", "test"]) => {
                self.test_database(request.body(), &query).await
            }
            _ => Err(Refusal::not_found("endpoint")),
        }
    }

    async fn database(&self, app: &AppId) -> Result<Response<ResponseBody>, Refusal> {
        let cell = self.index.get(app).ok_or(Refusal::not_found("app"))?;
        let spec = Arc::clone(&cell.lock().spec);
        let (database, limits) = (&spec.grant.database, &spec.grant.limits);
        let report = self.provider.report_database(app, database, limits).await;
        Ok(json(StatusCode::OK, &report))
    }

    async fn clear_migration(
        &self,
        app: &AppId,
        query: &Query,
    ) -> Result<Response<ResponseBody>, Refusal> {
        let cell = self.index.get(app).ok_or(Refusal::not_found("app"))?;
        let done = match query.as_slice() {
            [(name, value)] if name == "done" => value.parse().ok(),
            _ => None,
        };
        let done = done.ok_or_else(|| Refusal::invalid("done", "is missing: true or false"))?;
        let spec = Arc::clone(&cell.lock().spec);
        let database = &spec.grant.database;
        let limit = self.settings.database_test_timeout;
        let cleared = timeout(limit, self.provider.clear_migration(app, database, done)).await;
        let cleared = cleared.unwrap_or_else(|_| {
            Err(GrantError::Unavailable(
                "the database did not answer in time".into(),
            ))
        });
        Ok(json(StatusCode::OK, &cleared?))
    }

    fn stats(&self, app: &AppId) -> Result<Response<ResponseBody>, Refusal> {
        let cell = self.index.get(app).ok_or(Refusal::not_found("app"))?;
        let mut snapshot = cell.meter.snapshot();
        snapshot.latency = cell.usage.lock().latency(&cell.meter);
        Ok(json(StatusCode::OK, &snapshot))
    }

    async fn test_database(
        &self,
        body: &Bytes,
        query: &Query,
    ) -> Result<Response<ResponseBody>, Refusal> {
        let database: DatabaseSpec = serde_json::from_slice(body)
            .map_err(|_| Refusal::invalid("database", "is not a database's description"))?;
        let named = query.iter().find(|(name, _)| name == "app");
        let app = match named {
            Some((_, app)) => id(app)?,
            None => {
                let mut random = [0; 11];
                getrandom::fill(&mut random).map_err(|_| Refusal::internal())?;
                AppId::generate(random)
            }
        };
        let Ok(_place) = self.trials.try_acquire() else {
            return Err(Refusal::unavailable(
                "tests_busy",
                "too many databases are being tried already: try again in a moment",
            ));
        };
        let limit = self.settings.database_test_timeout;
        let tried = timeout(limit, self.provider.test_database(&app, &database)).await;
        let tried = tried.unwrap_or_else(|_| {
            Err(GrantError::Unavailable(format!(
                "it did not answer within {} s: check the address, and that the server lets this \
                 host in",
                limit.as_secs_f32()
            )))
        });
        Ok(json(StatusCode::OK, &tried?))
    }
}

fn id(text: &str) -> Result<AppId, Refusal> {
    text.parse().map_err(|_| Refusal::not_found("app"))
}

fn json(status: StatusCode, value: &impl Serialize) -> Response<ResponseBody> {
    let (status, text) = match serde_json::to_vec(value) {
        Ok(text) => (status, text),
        Err(error) => {
            tracing::error!(%error, "an answer to the supervisor could not be written");
            (StatusCode::INTERNAL_SERVER_ERROR, b"{}".to_vec())
        }
    };
    let body = Full::from(text).map_err(|never| match never {});
    respond(status, "application/json", body.boxed_unsync())
}

fn respond(status: StatusCode, kind: &'static str, body: ResponseBody) -> Response<ResponseBody> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
