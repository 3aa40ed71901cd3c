//! A request as its guest sees it: without what is between the visitor and the edge, with what the
//! edge knows of the visitor, and with a bounded body.

use crate::body::{NoBody, Overflow, Upload};
use crate::forward::Wish;
use crate::headers::{Scan, remove_hop_by_hop, remove_own};
use crate::listener::Conn;
use crate::respond::Origin;
use crate::{cookies, forwarded};
use http::header::{self, HeaderMap, HeaderValue};
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{Request, Uri};
use hyper::body::{Body, Incoming};
use lodge_model::{FailureKind, Limits, RequestBody};
use std::sync::Arc;

/// Fields that the edge adds to a request, the signature's included.
const ADDED: usize = 8;

/// A request as its guest sees it, and what the edge keeps of it.
pub(super) struct ForGuest {
    /// Its target is a path and query, its host in the `Host` field, the visitor's scheme in
    /// `x-forwarded-proto`.
    pub(super) request: Request<RequestBody>,
    /// Set when its body passes the limit; nothing if it has no body.
    pub(super) overflow: Option<Arc<Overflow>>,
    pub(super) origin: Origin,
}

/// Prepares a request. `prefix` comes off its path; `limits` are its app's.
///
/// # Errors
/// The target cannot be a path: `BadRequest`.
pub(super) fn for_guest(
    conn: &Arc<Conn>,
    mut head: Parts,
    body: Incoming,
    scan: &Scan,
    prefix: Option<HeaderValue>,
    limits: &Limits,
) -> Result<ForGuest, FailureKind> {
    // At once for all fields that are added here and on the way to a worker.
    head.headers.reserve(ADDED);
    if scan.hop_by_hop {
        remove_hop_by_hop(&mut head.headers);
    }
    let wish = conn.edge.settings.forwards.then(|| {
        let headers = &head.headers;
        Wish::of(headers, scan, limits.request_timeout_ms)
    });
    if scan.own_fields {
        remove_own(&mut head.headers);
    }
    if scan.own_cookies {
        strip_own_cookies(&mut head.headers);
    }
    let taken_off = prefix.as_ref().map_or(0, HeaderValue::len);
    if let Some(authority) = head.uri.authority() {
        let host =
            HeaderValue::from_str(authority.as_str()).map_err(|_| FailureKind::BadRequest)?;
        head.headers.insert(header::HOST, host);
        head.uri = origin_form(&head.uri, taken_off)?;
    } else if taken_off > 0 {
        head.uri = origin_form(&head.uri, taken_off)?;
    }
    let prefix = forwarded::set(&mut head.headers, conn, scan, prefix);
    head.extensions.clear();
    if let Some(wish) = wish {
        head.extensions.insert(wish);
    }
    let origin = match prefix {
        Some(prefix) => Origin::Path(prefix),
        None => Origin::Host(head.headers.get(header::HOST).cloned()),
    };
    let (body, overflow) = bounded(conn, body, limits);
    Ok(ForGuest {
        request: Request::from_parts(head, body),
        overflow,
        origin,
    })
}

/// Prepares a request that a supervisor signed: it has done what [`for_guest`] does.
pub(super) fn as_signed(
    conn: &Arc<Conn>,
    mut head: Parts,
    body: Incoming,
    scan: &Scan,
    limits: &Limits,
) -> ForGuest {
    if scan.hop_by_hop {
        remove_hop_by_hop(&mut head.headers);
    }
    remove_own(&mut head.headers);
    head.extensions.clear();
    let (body, overflow) = bounded(conn, body, limits);
    ForGuest {
        request: Request::from_parts(head, body),
        overflow,
        origin: Origin::Supervisor,
    }
}

fn bounded(
    conn: &Arc<Conn>,
    body: Incoming,
    limits: &Limits,
) -> (RequestBody, Option<Arc<Overflow>>) {
    if body.is_end_stream() {
        return (RequestBody::new(NoBody), None);
    }
    let overflow = Arc::new(Overflow::default());
    let limit = limits.request_body_bytes;
    let body = Upload::boxed(body, limit, conn.clone(), overflow.clone());
    (body, Some(overflow))
}

fn strip_own_cookies(headers: &mut HeaderMap) {
    let header::Entry::Occupied(cookies) = headers.entry(header::COOKIE) else {
        return;
    };
    let kept: Vec<HeaderValue> = cookies
        .remove_entry_mult()
        .1
        .filter_map(|value| cookies::without_own(&value))
        .collect();
    for value in kept {
        headers.append(header::COOKIE, value);
    }
}

/// A target without its authority and without its path's first `taken_off` bytes, otherwise
/// unchanged.
fn origin_form(uri: &Uri, taken_off: usize) -> Result<Uri, FailureKind> {
    let target = uri.path_and_query().map_or("/", PathAndQuery::as_str);
    let path = target
        .get(taken_off..)
        .and_then(|rest| rest.parse::<PathAndQuery>().ok());
    path.map(Uri::from).ok_or(FailureKind::BadRequest)
}
