//! Which app a request is for: by host name, or by path.
//!
//! A host name below `.localhost` or the apps domain, or one of an app's own domains, is that app's
//! whole. On any other host name, `/apps/{id}/…` leads to the app and `/` is a page that says what
//! this is. A look-up allocates nothing, and an unknown name leaves nothing behind.

mod host;
mod table;

pub(crate) use host::Host;
pub use table::Routes;
pub(crate) use table::{Entry, State};

use crate::Edge;
use crate::headers::Scan;
use http::{HeaderValue, Method, Uri, header, request::Parts};
use lodge_model::{AppId, FailureKind, PathAccess};
use std::sync::Arc;

/// Below it, `{id}/jwks.json` has the public keys of an app's tokens: on host names that are no app's,
/// since on an app's own every path is the app's.
const KEY_SETS: &str = "/.well-known/lodge/";

/// What a request is for.
pub(crate) enum Resolved {
    /// An app's.
    App(Target),
    /// The page at `/`.
    Welcome,
    /// The public keys of an app's tokens.
    KeySet(AppId),
    /// `OPTIONS *`: a question about the server itself.
    Options,
    /// Elsewhere, for good (308).
    Moved(HeaderValue),
    /// At the app's own host name (307).
    OwnHost(HeaderValue),
}

/// An app, and how the request came to it.
pub(crate) struct Target {
    pub(crate) entry: Arc<Entry>,
    pub(crate) state: Arc<State>,
    /// `/apps/{id}` if it came by path.
    pub(crate) prefix: Option<HeaderValue>,
}

/// Finds out what a request is for.
///
/// # Errors
/// Why it is for nothing.
pub(crate) fn resolve(
    edge: &Edge,
    parts: &Parts,
    scan: &Scan,
    host: Option<&Host<'_>>,
) -> Result<Resolved, FailureKind> {
    if parts.method == Method::CONNECT {
        return Err(FailureKind::BadRequest);
    }
    if parts.uri.path() == "*" {
        let asks = parts.method == Method::OPTIONS;
        return if asks {
            Ok(Resolved::Options)
        } else {
            Err(FailureKind::BadRequest)
        };
    }
    let found = match host {
        Some(host) => edge.routes.by_host(host, edge.apps_suffix.as_deref())?,
        None => None,
    };
    match found {
        Some(entry) => Ok(Resolved::App(Target {
            state: entry.state(),
            entry,
            prefix: None,
        })),
        None => by_path(edge, parts, scan, host),
    }
}

fn by_path(
    edge: &Edge,
    parts: &Parts,
    scan: &Scan,
    host: Option<&Host<'_>>,
) -> Result<Resolved, FailureKind> {
    let path = parts.uri.path();
    if path == "/" {
        return Ok(Resolved::Welcome);
    }
    if let Some(name) = path
        .strip_prefix(KEY_SETS)
        .and_then(|rest| rest.strip_suffix("/jwks.json"))
    {
        let entry = edge.routes.by_name(name).ok_or(FailureKind::AppNotFound)?;
        return Ok(Resolved::KeySet(entry.app.clone()));
    }
    let after = path
        .strip_prefix("/apps/")
        .ok_or(FailureKind::AppNotFound)?;
    let (name, rest) = match after.find('/') {
        Some(slash) => after.split_at(slash),
        None => (after, ""),
    };
    let entry = edge.routes.by_name(name).ok_or(FailureKind::AppNotFound)?;
    let state = entry.state();
    if state.path_access == PathAccess::Off {
        return Err(FailureKind::AppNotFound);
    }
    if rest.is_empty() {
        return Ok(Resolved::Moved(with_query(
            &format!("/apps/{name}/"),
            &parts.uri,
        )?));
    }
    if state.path_access == PathAccess::Redirect && is_navigation(parts, scan) {
        let own = host.and_then(|host| entry.own_host(host, edge.settings.apps_domain.as_deref()));
        if let Some(own) = own {
            let proto = if scan.https { "https" } else { "http" };
            return Ok(Resolved::OwnHost(with_query(
                &format!("{proto}://{own}{rest}"),
                &parts.uri,
            )?));
        }
        // No name of the app's own would lead back here: serving it is all that is left.
    }
    let prefix = entry.prefix(name);
    Ok(Resolved::App(Target {
        state,
        entry,
        prefix,
    }))
}

/// Whether a person's browser is about to show the answer as a page.
fn is_navigation(parts: &Parts, scan: &Scan) -> bool {
    match parts.headers.get("sec-fetch-mode") {
        Some(mode) => mode == "navigate",
        None => parts.method == Method::GET && scan.wants_html,
    }
}

fn with_query(location: &str, uri: &Uri) -> Result<HeaderValue, FailureKind> {
    let value = match uri.query() {
        Some(query) => HeaderValue::try_from(format!("{location}?{query}")),
        None => HeaderValue::try_from(location),
    };
    value.map_err(|_| FailureKind::BadRequest)
}

/// The host name that a request names, wherever it does: in an absolute target (which rules, by
/// RFC 9112 section 3.2.2; HTTP/2 always has it), or in its `Host` header.
///
/// # Errors
/// More than one, none where HTTP/1.1 demands one, or not a host name.
pub(crate) fn host_of<'a>(
    parts: &'a Parts,
    scan: &Scan,
    trusted: bool,
) -> Result<Option<Host<'a>>, FailureKind> {
    if scan.hosts > 1 {
        return Err(FailureKind::BadRequest);
    }
    let named = match parts.uri.authority() {
        Some(authority) => Some(authority.as_str()),
        None => match parts.headers.get(header::HOST) {
            Some(host) => Some(host.to_str().map_err(|_| FailureKind::BadRequest)?),
            None if parts.version >= http::Version::HTTP_11 => return Err(FailureKind::BadRequest),
            None => None,
        },
    };
    // A trusted proxy says by which name it was reached itself.
    let forwarded = (trusted && scan.forwarding)
        .then(|| parts.headers.get("x-forwarded-host"))
        .flatten();
    let named = match forwarded.and_then(|value| value.to_str().ok()?.split(',').next()) {
        Some(first) => Some(first.trim()),
        None => named,
    };
    match named {
        Some("") | None => Ok(None),
        Some(name) => Host::parse(name).map(Some).ok_or(FailureKind::BadRequest),
    }
}
