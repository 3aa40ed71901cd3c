//! A request as its guest sees it: without what is between the visitor and the edge, with what the
//! edge knows of the visitor, and with a bounded body.

use crate::body::{NoBody, Overflow, Upload};
use crate::headers::{Scan, remove_hop_by_hop};
use crate::listener::Conn;
use crate::respond::Origin;
use crate::{cookies, forwarded};
use http::header::{self, HeaderMap, HeaderValue};
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{Request, Uri};
use hyper::body::{Body, Incoming};
use lodge_model::{FailureKind, RequestBody};
use std::sync::Arc;

/// A request as its guest sees it, and what the edge keeps of it.
pub(super) struct ForGuest {
    /// Its target is a path and query, its host in the `Host` field, the visitor's scheme in
    /// `x-forwarded-proto`.
    pub(super) request: Request<RequestBody>,
    /// Set when its body passes the limit; nothing if it has no body.
    pub(super) overflow: Option<Arc<Overflow>>,
    pub(super) origin: Origin,
}

/// Prepares a request. `prefix` comes off its path; its body may have `limit` bytes.
///
/// # Errors
/// The target cannot be a path: `BadRequest`.
pub(super) fn for_guest(
    conn: &Arc<Conn>,
    mut head: Parts,
    body: Incoming,
    scan: &Scan,
    prefix: Option<HeaderValue>,
    limit: u64,
) -> Result<ForGuest, FailureKind> {
    if scan.hop_by_hop {
        remove_hop_by_hop(&mut head.headers);
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
    let origin = match prefix {
        Some(prefix) => Origin::Path(prefix),
        None => Origin::Host(head.headers.get(header::HOST).cloned()),
    };
    let (body, overflow) = if body.is_end_stream() {
        (RequestBody::new(NoBody), None)
    } else {
        let overflow = Arc::new(Overflow::default());
        (
            Upload::boxed(body, limit, conn.clone(), overflow.clone()),
            Some(overflow),
        )
    };
    Ok(ForGuest {
        request: Request::from_parts(head, body),
        overflow,
        origin,
    })
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
