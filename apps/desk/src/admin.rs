//! The administrators' page: who is there, and how much there is to do.

use crate::page::{self, time};
use crate::people::{self, Person};
use crate::problem::Problem;
use crate::session::OwnForm;
use crate::tickets;
use axum::Form;
use axum::extract::Path;
use axum::response::Response;
use lodge_sdk::Uri;
use lodge_sdk::config;
use lodge_sdk::db::Database;
use maud::html;
use serde::Deserialize;

#[derive(Deserialize)]
pub(crate) struct Change {
    admin: bool,
}

pub(crate) async fn page(uri: Uri, person: Person) -> Result<Response, Problem> {
    if !person.is_admin {
        return Err(Problem::Forbidden);
    }
    let db = Database::open("default").await?;
    let counts = tickets::counts(&db).await?;
    let people = people::all(&db).await?;
    let body = html! {
        h1 { "Admin" }
        p .card {
            @if counts.is_empty() { "No tickets yet." }
            @for (state, count) in &counts { span { (count) " " (state) " " } }
        }
        p .soft {
            "Webhook: "
            @if config::get("webhook_url").is_some() { "changes are sent" } @else { "none (set the app's configuration webhook_url)" }
        }
        h2 { "People" }
        table {
            thead { tr { th { "Name" } th { "E-mail" } th .wide { "Since (UTC)" } th { "Administrator" } } }
            tbody {
                @for other in &people {
                    tr {
                        td { (other.name) }
                        td { (other.email) }
                        td .wide { (time(other.created_at)) }
                        td {
                            form method="post" action=(format!("people/{}", other.id)) {
                                button .quiet name="admin" value=(!other.is_admin) {
                                    @if other.is_admin { "yes: take it away" } @else { "no: make one" }
                                }
                            }
                        }
                    }
                }
            }
        }
    };
    Ok(page::page(uri.path(), "Admin", Some(&person), body))
}

pub(crate) async fn change(
    _: OwnForm,
    person: Person,
    Path(id): Path<i64>,
    Form(change): Form<Change>,
) -> Result<Response, Problem> {
    if !person.is_admin {
        return Err(Problem::Forbidden);
    }
    let db = Database::open("default").await?;
    match people::set_admin(&db, id, change.admin).await? {
        true => Ok(page::go("/admin/")),
        false => Err(Problem::Invalid(
            "Somebody has to be the administrator: make another one first.".into(),
        )),
    }
}
