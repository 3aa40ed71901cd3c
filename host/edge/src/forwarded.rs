//! Tells the guest who its visitor is: `x-forwarded-for`, `-host`, `-proto` and, by path, `-prefix`.
//!
//! What a client says of itself is believed only if its address is among the trusted proxies;
//! otherwise it is replaced, so that a guest may rely on these fields.

use crate::headers::{Scan, is_forwarding};
use crate::listener::Conn;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};

const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const PREFIX: HeaderName = HeaderName::from_static("x-forwarded-prefix");

/// Sets the forwarding fields of a request. `prefix` is what the edge took off its path. Returns
/// the prefix as the visitor sees it, with what a trusted proxy took off before.
pub(crate) fn set(
    headers: &mut HeaderMap,
    conn: &Conn,
    scan: &Scan,
    prefix: Option<HeaderValue>,
) -> Option<HeaderValue> {
    if scan.forwarding && !conn.trusted {
        let doomed: Vec<HeaderName> = headers
            .keys()
            .filter(|name| is_forwarding(name.as_str()))
            .cloned()
            .collect();
        for name in doomed {
            headers.remove(name);
        }
    }
    let believed = scan.forwarding && conn.trusted;
    let client = if believed {
        appended(headers, &conn.peer)
    } else {
        conn.peer.clone()
    };
    headers.insert(FOR, client);
    if !(believed && headers.contains_key(HOST))
        && let Some(host) = headers.get(header::HOST).cloned()
    {
        headers.insert(HOST, host);
    }
    headers.insert(
        PROTO,
        HeaderValue::from_static(if scan.https { "https" } else { "http" }),
    );
    let prefix = match (prefix, headers.get(PREFIX)) {
        (Some(ours), Some(theirs)) => joined(theirs, &ours).or(Some(ours)),
        (ours, _) => ours,
    };
    if let Some(prefix) = &prefix {
        headers.insert(PREFIX, prefix.clone());
    }
    prefix
}

/// The chain of addresses so far, and the proxy's own at its end.
fn appended(headers: &HeaderMap, peer: &HeaderValue) -> HeaderValue {
    let mut chain = Vec::new();
    for part in headers.get_all(FOR).iter().chain(std::iter::once(peer)) {
        if !chain.is_empty() {
            chain.extend_from_slice(b", ");
        }
        chain.extend_from_slice(part.as_bytes());
    }
    HeaderValue::from_bytes(&chain).unwrap_or_else(|_| peer.clone())
}

fn joined(theirs: &HeaderValue, ours: &HeaderValue) -> Option<HeaderValue> {
    let theirs = theirs.to_str().ok()?.trim_end_matches('/');
    let rooted = theirs.is_empty() || theirs.starts_with('/');
    rooted.then(|| HeaderValue::try_from(format!("{theirs}{}", ours.to_str().ok()?)).ok())?
}
