//! Signing up, in and out.

use crate::page;
use crate::people::{self, Person};
use crate::problem::Problem;
use crate::session::{self, OwnForm};
use axum::Form;
use axum::response::{IntoResponse, Response};
use lodge_sdk::Uri;
use lodge_sdk::db::Database;
use lodge_sdk::{StatusCode, header};
use maud::html;
use serde::Deserialize;

/// Bytes of a name, an address or a password.
const LONGEST: usize = 200;
const SHORTEST_PASSWORD: usize = 8;

#[derive(Deserialize)]
pub(crate) struct Login {
    email: String,
    password: String,
}

#[derive(Deserialize)]
pub(crate) struct Signup {
    name: String,
    email: String,
    password: String,
}

pub(crate) async fn login_page(uri: Uri, who: Option<Person>) -> Response {
    match who {
        Some(_) => page::go("/"),
        None => login_form(uri.path(), "", None),
    }
}

pub(crate) async fn login(
    _: OwnForm,
    uri: Uri,
    Form(form): Form<Login>,
) -> Result<Response, Problem> {
    let email = tidy_email(&form.email);
    let db = Database::open("default").await?;
    let person = match form.password.len() <= LONGEST {
        true => people::check(&db, &email, &form.password).await?,
        false => None,
    };
    match person {
        Some(person) => signed_in(person),
        None => {
            let why = "No account has this address and password, or it was tried too often: then wait a quarter of an hour.";
            let mut answer = login_form(uri.path(), &email, Some(why));
            *answer.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
            Ok(answer)
        }
    }
}

pub(crate) async fn signup_page(uri: Uri) -> Response {
    signup_form(uri.path(), "", "", None)
}

pub(crate) async fn signup(
    _: OwnForm,
    uri: Uri,
    Form(form): Form<Signup>,
) -> Result<Response, Problem> {
    let (name, email) = (form.name.trim(), tidy_email(&form.email));
    let why = match check(name, &email, &form.password) {
        Some(why) => why,
        None => {
            let db = Database::open("default").await?;
            match people::add(&db, &email, name, &form.password).await? {
                Some(person) => return signed_in(person),
                None => "There is an account with this address: sign in.",
            }
        }
    };
    let mut answer = signup_form(uri.path(), name, &email, Some(why));
    *answer.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    Ok(answer)
}

pub(crate) async fn logout(_: OwnForm) -> Response {
    ([(header::SET_COOKIE, session::end())], page::go("/login")).into_response()
}

fn signed_in(person: i64) -> Result<Response, Problem> {
    let cookie = session::begin(person)?;
    Ok(([(header::SET_COOKIE, cookie)], page::go("/")).into_response())
}

fn tidy_email(email: &str) -> String {
    email.trim().to_lowercase()
}

/// What is wrong with what was filled in.
fn check(name: &str, email: &str, password: &str) -> Option<&'static str> {
    let has_at = email
        .split_once('@')
        .is_some_and(|(user, host)| !user.is_empty() && !host.is_empty());
    if name.is_empty() || name.len() > LONGEST {
        Some("Say what to call you, in 200 letters at most.")
    } else if !has_at || email.len() > LONGEST {
        Some("That is no e-mail address.")
    } else if password.len() < SHORTEST_PASSWORD || password.len() > LONGEST {
        Some("A password has 8 characters or more, and 200 at most.")
    } else {
        None
    }
}

fn login_form(path: &str, email: &str, why: Option<&str>) -> Response {
    let body = html! {
        div .narrow {
            h1 { "Sign in" }
            @if let Some(why) = why { p .card.error role="alert" { (why) } }
            form .card method="post" action="login" {
                label { "E-mail" input type="email" name="email" value=(email) required autocomplete="username" autofocus; }
                label { "Password" input type="password" name="password" required autocomplete="current-password"; }
                button { "Sign in" }
            }
            p .soft { "New here? " a href="signup" { "Sign up" } "." }
        }
    };
    page::page(path, "Sign in", None, body)
}

fn signup_form(path: &str, name: &str, email: &str, why: Option<&str>) -> Response {
    let body = html! {
        div .narrow {
            h1 { "Sign up" }
            @if let Some(why) = why { p .card.error role="alert" { (why) } }
            form .card method="post" action="signup" {
                label { "Name" input name="name" value=(name) required maxlength=(LONGEST) autocomplete="name" autofocus; }
                label { "E-mail" input type="email" name="email" value=(email) required maxlength=(LONGEST) autocomplete="username"; }
                label { "Password"
                    input type="password" name="password" required minlength=(SHORTEST_PASSWORD) maxlength=(LONGEST) autocomplete="new-password";
                }
                button { "Sign up" }
            }
            p .soft { "You have an account? " a href="login" { "Sign in" } "." }
        }
    };
    page::page(path, "Sign up", None, body)
}
