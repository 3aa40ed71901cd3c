//! Tickets and what was said of them.

mod store;
mod view;

pub(crate) use store::{NewTicket, Ticket, add, counts, search};

use crate::page;
use crate::people::Person;
use crate::problem::Problem;
use crate::session::OwnForm;
use crate::webhook;
use axum::Form;
use axum::extract::{Path, Query};
use axum::response::Response;
use lodge_sdk::Uri;
use lodge_sdk::db::Database;
use serde::{Deserialize, Serialize};

/// Tickets of one page.
pub(crate) const PAGE: i64 = 20;

/// Where a ticket stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum State {
    Open,
    Pending,
    Closed,
}

impl State {
    pub(crate) const ALL: [Self; 3] = [Self::Open, Self::Pending, Self::Closed];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Pending => "pending",
            Self::Closed => "closed",
        }
    }
}

/// What is looked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Search {
    pub(crate) q: String,
    /// A state's name; empty for all.
    pub(crate) state: String,
    /// From 1.
    pub(crate) page: Option<i64>,
}

#[derive(Deserialize)]
pub(crate) struct Comment {
    body: String,
}

#[derive(Deserialize)]
pub(crate) struct Change {
    state: State,
}

pub(crate) async fn list(
    uri: Uri,
    person: Person,
    Query(search): Query<Search>,
) -> Result<Response, Problem> {
    let db = Database::open("default").await?;
    let (tickets, more) = store::search(&db, &search).await?;
    let body = view::list(&search, &tickets, more);
    Ok(page::page(uri.path(), "Tickets", Some(&person), body))
}

pub(crate) async fn new_page(uri: Uri, person: Person) -> Response {
    page::page(uri.path(), "New ticket", Some(&person), view::new_form())
}

pub(crate) async fn create(
    _: OwnForm,
    person: Person,
    Form(ticket): Form<NewTicket>,
) -> Result<Response, Problem> {
    let id = add(&person, ticket).await?;
    Ok(page::go(&format!("/tickets/{id}")))
}

pub(crate) async fn show(
    uri: Uri,
    person: Person,
    Path(id): Path<i64>,
) -> Result<Response, Problem> {
    let db = Database::open("default").await?;
    let ticket = store::get(&db, id).await?;
    let comments = store::comments(&db, id).await?;
    let title = format!("#{id} {}", ticket.title);
    let body = view::ticket(&ticket, &comments);
    Ok(page::page(uri.path(), &title, Some(&person), body))
}

pub(crate) async fn comment(
    _: OwnForm,
    person: Person,
    Path(id): Path<i64>,
    Form(comment): Form<Comment>,
) -> Result<Response, Problem> {
    store::add_comment(&person, id, comment.body.trim()).await?;
    webhook::tell("ticket.commented", id, &person.name);
    Ok(page::go(&format!("/tickets/{id}")))
}

pub(crate) async fn change_state(
    _: OwnForm,
    person: Person,
    Path(id): Path<i64>,
    Form(change): Form<Change>,
) -> Result<Response, Problem> {
    store::set_state(id, change.state).await?;
    webhook::tell(&format!("ticket.{}", change.state.name()), id, &person.name);
    Ok(page::go(&format!("/tickets/{id}")))
}
