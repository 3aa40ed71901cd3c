//! The same tickets as JSON, for programs with a token.

use crate::problem::Problem;
use crate::session::{self, COOKIE, Claims, OwnForm};
use crate::tickets::{self, NewTicket, Search, Ticket};
use axum::extract::Query;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Json, Router};
use lodge_sdk::db::Database;
use lodge_sdk::{StatusCode, jwt};
use serde::Serialize;

#[derive(Serialize)]
struct Found {
    tickets: Vec<Ticket>,
    more: bool,
}

#[derive(Serialize)]
struct Made {
    id: i64,
}

#[derive(Serialize)]
struct Detail<'a> {
    title: &'a str,
    status: u16,
    detail: &'a str,
}

pub(crate) fn routes() -> Router {
    Router::new()
        .route("/tickets", get(list).post(create))
        .route("/me", get(me))
        .layer(jwt::require::<Claims>().cookie(COOKIE))
}

async fn list(Extension(claims): Extension<Claims>, Query(search): Query<Search>) -> Response {
    answer(async {
        session::person(&claims).await?;
        let db = Database::open("default").await?;
        let (tickets, more) = tickets::search(&db, &search).await?;
        Ok(Json(Found { tickets, more }))
    })
    .await
}

async fn create(
    _: OwnForm,
    Extension(claims): Extension<Claims>,
    Json(ticket): Json<NewTicket>,
) -> Response {
    answer(async {
        let person = session::person(&claims).await?;
        let id = tickets::add(&person, ticket).await?;
        Ok((StatusCode::CREATED, Json(Made { id })))
    })
    .await
}

/// What one's token says.
async fn me(Extension(claims): Extension<Claims>) -> Json<Claims> {
    Json(claims)
}

/// Problems as problem+json (RFC 9457).
async fn answer<T: IntoResponse>(work: impl Future<Output = Result<T, Problem>>) -> Response {
    match work.await {
        Ok(done) => done.into_response(),
        Err(problem) => {
            let status = problem.status();
            let detail = Detail {
                title: status.canonical_reason().unwrap_or("Error"),
                status: status.as_u16(),
                detail: problem.text(),
            };
            let kind = [("content-type", "application/problem+json")];
            (status, kind, Json(&detail)).into_response()
        }
    }
}
