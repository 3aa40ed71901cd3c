//! What goes wrong, as a visitor sees it: the cause is in the app's log.

use crate::page;
use axum::response::{IntoResponse, Response};
use lodge_sdk::StatusCode;
use lodge_sdk::db;
use lodge_sdk::log::{self, Level};
use maud::html;

/// Why there is no page.
#[derive(Debug)]
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
        let body = html! {
            h1 { (self.status().canonical_reason().unwrap_or("Error")) }
            p .card.error role="alert" { (self.text()) }
            p { a href="javascript:history.back()" { "Back" } }
        };
        // Where this is shown is not known: its links start at the host's name or prefix.
        page::plain(self.status(), "Error", body)
    }
}
