//! Lists in pages, and who asks.

use lodge_db::events::NewEvent;
use lodge_model::Invalid;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use utoipa::ToSchema;

/// Items a page has unless asked otherwise.
const DEFAULT_LIMIT: u32 = 100;
/// Items a page has at most.
const MAX_LIMIT: u32 = 1_000;

/// Which page of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// `next_cursor` of the page before; none: the first.
    pub cursor: Option<String>,
    /// Items at most: 1 to 1,000; none: 100.
    pub limit: Option<u32>,
}

impl Page {
    /// The number of items, in range.
    pub(crate) fn limit(&self) -> Result<usize, Invalid> {
        match self.limit.unwrap_or(DEFAULT_LIMIT) {
            limit @ 1..=MAX_LIMIT => Ok(limit as usize),
            limit => Err(Invalid::new(
                "limit",
                format!("{limit} is out of range: 1 to {MAX_LIMIT} items a page"),
            )),
        }
    }
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Listing<T> {
    /// The items.
    pub items: Vec<T>,
    /// Pass it as `cursor` for the next page; null: there is none.
    pub next_cursor: Option<String>,
}

impl<T> Listing<T> {
    /// A page of at most `limit` out of one item more; `cursor` names an item.
    pub(crate) fn cut(mut items: Vec<T>, limit: usize, cursor: impl Fn(&T) -> String) -> Self {
        let more = items.len() > limit;
        items.truncate(limit);
        let next_cursor = if more { items.last().map(cursor) } else { None };
        Self { items, next_cursor }
    }
}

/// Who asks, as the audit log shows it: a user's email, a token's name, or `system`, and from which
/// address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    name: String,
    address: Option<String>,
}

impl Actor {
    /// Whoever goes by `name`, from no address.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            address: None,
        }
    }

    /// The same one, who asks from `address`; the unspecified one is none.
    #[must_use]
    pub fn at(self, address: IpAddr) -> Self {
        Self {
            address: (!address.is_unspecified()).then(|| address.to_string()),
            ..self
        }
    }

    /// Lodge itself.
    #[must_use]
    pub fn system() -> Self {
        Self::new("system")
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.name
    }

    /// The address, as text.
    #[must_use]
    pub fn address(&self) -> Option<&str> {
        self.address.as_deref()
    }

    /// An entry of the audit log about what this one does to no app in particular, which succeeded
    /// unless changed.
    #[must_use]
    pub fn entry<'a>(&'a self, time: i64, action: &'a str) -> NewEvent<'a> {
        NewEvent {
            time,
            actor: self.as_str(),
            action,
            result: "succeeded",
            address: self.address(),
            ..NewEvent::default()
        }
    }
}
