//! A help desk for one team: who signs up writes tickets, comments on them and closes them; the first
//! to sign up is the administrator.
//!
//! Pages are made here and work without scripts. Links are relative, so that the desk is at home on its
//! own host name and under `/apps/desk/` alike.

mod account;
mod admin;
mod api;
mod page;
mod people;
mod problem;
mod session;
mod tickets;
mod webhook;

use crate::problem::Problem;
use axum::Router;
use axum::extract::Request;
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use lodge_sdk::assets::{Assets, assets};
use lodge_sdk::{StatusCode, header};

lodge_sdk::migrations!("migrations");

static FILES: Assets = assets!("static").cache_control("max-age=300");

/// The application.
#[lodge_sdk::http]
pub fn app() -> Router {
    Router::new()
        .route("/", get(tickets::list))
        .route("/login", get(account::login_page).post(account::login))
        .route("/signup", get(account::signup_page).post(account::signup))
        .route("/logout", post(account::logout))
        .route("/tickets", post(tickets::create))
        .route("/tickets/new", get(tickets::new_page))
        .route("/tickets/{id}", get(tickets::show))
        .route("/tickets/{id}/comments", post(tickets::comment))
        .route("/tickets/{id}/state", post(tickets::change_state))
        // Without the slash, the page's relative links would lead elsewhere.
        .route(
            "/admin",
            get((
                StatusCode::PERMANENT_REDIRECT,
                [(header::LOCATION, "admin/")],
            )),
        )
        .route("/admin/", get(admin::page))
        .route("/admin/people/{id}", post(admin::change))
        .fallback(file)
        .layer(middleware::from_fn(problem::framed))
        .nest("/api", api::routes())
}

async fn file(request: Request) -> Response {
    let file = FILES.serve(&request);
    match file.status() {
        StatusCode::NOT_FOUND => Problem::NotFound.into_response(),
        _ => file.into_response(),
    }
}

#[cfg(test)]
mod tests;
