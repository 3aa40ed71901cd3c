//! Who is signed in: a token in a cookie that scripts cannot read.

use crate::people::{self, Person};
use crate::problem::Problem;
use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use lodge_sdk::db::Database;
use lodge_sdk::http::request::Parts;
use lodge_sdk::jwt::{self, Expected, Options};
use lodge_sdk::{HeaderMap, header};
use serde::{Deserialize, Serialize};
use std::convert::Infallible;

pub(crate) const COOKIE: &str = "desk_session";
/// Seconds: a working day, and the evening.
const LASTS: u32 = 16 * 60 * 60;

/// What the token says. Rights are looked up each time: who loses them loses them at once.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Claims {
    pub(crate) sub: String,
}

/// The cookie of a new session.
pub(crate) fn begin(person: i64) -> Result<String, Problem> {
    let claims = Claims {
        sub: person.to_string(),
    };
    let options = Options {
        expires_in: Some(LASTS),
        ..Options::default()
    };
    let token = jwt::sign(&claims, &options).map_err(|error| {
        lodge_sdk::log::error(&format!("no token: {error}"));
        Problem::Failed
    })?;
    Ok(format!(
        "{COOKIE}={token}; Path=/; HttpOnly; SameSite=Lax; Max-Age={LASTS}"
    ))
}

/// The cookie that ends one.
pub(crate) fn end() -> String {
    format!("{COOKIE}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0")
}

/// The person of a token's claims.
pub(crate) async fn person(claims: &Claims) -> Result<Person, Problem> {
    let id = claims.sub.parse().map_err(|_| Problem::SignedOut)?;
    let db = Database::open("default").await?;
    people::by_id(&db, id).await?.ok_or(Problem::SignedOut)
}

impl<S: Sync> FromRequestParts<S> for Person {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let token = cookie(&parts.headers).ok_or(Problem::SignedOut)?;
        let claims: Claims =
            jwt::verify(token, &Expected::default()).map_err(|_| Problem::SignedOut)?;
        person(&claims).await
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for Person {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>, Infallible> {
        let person = <Self as FromRequestParts<S>>::from_request_parts(parts, state).await;
        Ok(person.ok())
    }
}

/// A form that was sent from the desk's own pages: a browser says where from.
pub(crate) struct OwnForm;

impl<S: Sync> FromRequestParts<S> for OwnForm {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let text = |name| {
            parts
                .headers
                .get(name)
                .and_then(|value| value.to_str().ok())
        };
        let own = match (text("sec-fetch-site"), text("origin")) {
            (Some(site), _) => matches!(site, "same-origin" | "none"),
            (None, Some(origin)) => {
                let host = text("x-forwarded-host").or(text("host"));
                origin.split_once("://").map(|(_, host)| host) == host
            }
            // No browser.
            (None, None) => true,
        };
        own.then_some(Self).ok_or(Problem::Elsewhere)
    }
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let lines = headers.get_all(header::COOKIE).iter();
    lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(name, value)| (name == COOKIE).then_some(value))
}
