//! What goes wrong, as a visitor sees it: the cause is in the app's log.

use crate::page;
use axum::Extension;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use lodge_sdk::StatusCode;
use lodge_sdk::db;
use lodge_sdk::log::{self, Level};
use maud::html;
use std::sync::Arc;

/// Why there is no page.
#[derive(Debug, Clone)]
pub(crate) enum Problem {
    /// Nobody is signed in.
    SignedOut,
    /// Only administrators may.
    Forbidden,
    NotFound,
    /// What was sent cannot be: what to do.
    Invalid(String),
    /// The request came from another site.
    Elsewhere,
    /// Of the desk's own; a later try may succeed.
    Failed,
}

impl From<db::Error> for Problem {
    fn from(error: db::Error) -> Self {
        log::event(Level::Error, "the database failed", &[("error", &error)]);
        Self::Failed
    }
}

impl Problem {
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::SignedOut => StatusCode::UNAUTHORIZED,
            Self::Forbidden | Self::Elsewhere => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Failed => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    pub(crate) fn text(&self) -> &str {
        match self {
            Self::SignedOut => "Sign in first.",
            Self::Forbidden => "Only administrators may do this.",
            Self::NotFound => "There is nothing here.",
            Self::Invalid(why) => why,
            Self::Elsewhere => {
                "This form was sent from another site: open the desk and send it there."
            }
            Self::Failed => {
                "The desk cannot do this now. Nothing was changed; try again in a moment."
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        if let Self::SignedOut = self {
            return page::go("/login");
        }
        // Framed by `framed`, which knows where.
        (self.status(), Extension(Arc::new(self))).into_response()
    }
}

/// Makes pages of problems: only here is it known which path was asked for.
pub(crate) async fn framed(request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let response = next.run(request).await;
    let Some(problem) = response.extensions().get::<Arc<Problem>>() else {
        return response;
    };
    let body = html! {
        h1 { (problem.status().canonical_reason().unwrap_or("Error")) }
        p .card.error role="alert" { (problem.text()) }
        p { "Go back, or to the " a href=(format!("{}./", page::root(&path))) { "tickets" } "." }
    };
    let mut framed = page::bare(&path, "Error", body);
    *framed.status_mut() = problem.status();
    framed
}
