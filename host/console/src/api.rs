//! The endpoints, one noun a file. Each is thin: parse, ask the supervisor, answer.

pub(crate) mod about;
pub(crate) mod activity;
pub(crate) mod apps;
pub(crate) mod auth;
pub(crate) mod components;
pub(crate) mod databases;
pub(crate) mod environments;
pub(crate) mod events;
pub(crate) mod jwt;
pub(crate) mod logs;
pub(crate) mod operations;
pub(crate) mod settings;
pub(crate) mod tokens;

use crate::problem::Problem;
use http::StatusCode;
use lodge_supervisor::{Error, Fault, Listing, Page};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use utoipa::{IntoParams, ToSchema};

/// The longest long poll.
const MAX_WAIT: Duration = Duration::from_secs(30);

/// Which page of a list.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageParams {
    /// `next_cursor` of the page before.
    #[param(nullable = false)]
    pub(crate) cursor: Option<String>,
    /// Items at most: 1 to 1,000; 100 if not given.
    #[param(nullable = false)]
    pub(crate) limit: Option<u32>,
}

impl From<PageParams> for Page {
    fn from(params: PageParams) -> Self {
        Self {
            cursor: params.cursor,
            limit: params.limit,
        }
    }
}

/// How long to wait for a change.
#[derive(Debug, Clone, Copy, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct WaitParams {
    /// Answer when it has ended, or after so many milliseconds, 30,000 at most; 0 if not given.
    #[param(nullable = false)]
    pub(crate) wait_ms: Option<u64>,
}

impl WaitParams {
    fn duration(self) -> Duration {
        Duration::from_millis(self.wait_ms.unwrap_or(0)).min(MAX_WAIT)
    }
}

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct List<T: ToSchema> {
    /// The items.
    pub(crate) items: Vec<T>,
    /// Pass it as `cursor` for the next page; null: there is none.
    #[schema(required)]
    pub(crate) next_cursor: Option<String>,
}

impl<T: ToSchema> List<T> {
    /// A list that is always whole.
    fn whole(items: Vec<T>) -> Self {
        Self {
            items,
            next_cursor: None,
        }
    }
}

impl<T: ToSchema> From<Listing<T>> for List<T> {
    fn from(listing: Listing<T>) -> Self {
        Self {
            items: listing.items,
            next_cursor: listing.next_cursor,
        }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let code = error.code().to_owned();
        match error {
            Error::NotFound { .. } => Self::new(StatusCode::NOT_FOUND, code, error.to_string()),
            Error::Invalid(invalid) => invalid.into(),
            Error::Conflict {
                code: conflict,
                message,
            } => {
                let problem = Self::new(StatusCode::CONFLICT, code, message);
                match field_of(conflict) {
                    Some(field) => problem.about(field),
                    None => problem,
                }
            }
            Error::Rejected(rejection) => rejection.into(),
            Error::Database { field, message, .. } => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, message).about(field)
            }
            Error::Unavailable { message, .. } => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, code, message).retry_after(2)
            }
            Error::Internal(Fault::Database(error)) => error.into(),
            Error::Internal(fault) => Self::internal(&fault),
        }
    }
}

/// The field that caused a conflict, where one did.
fn field_of(conflict: &str) -> Option<&'static str> {
    match conflict {
        "app_exists" | "host_label_taken" => Some("id"),
        "domain_taken" => Some("domains"),
        "version_exists" => Some("version"),
        _ => None,
    }
}
