//! Header fields that concern the edge: found in one pass, removed only where there are any.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use lodge_model::{OWN_FIELDS, SIGNATURE_FIELD};

/// Which fields of a request concern the edge.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    /// How many `Host` fields there are.
    pub(crate) hosts: usize,
    /// The visitor would rather see a page than JSON.
    pub(crate) wants_html: bool,
    /// Some cookie may be Lodge's own.
    pub(crate) own_cookies: bool,
    /// There are `forwarded` or `x-forwarded-*` fields.
    pub(crate) forwarding: bool,
    /// There are fields meant for this hop only.
    pub(crate) hop_by_hop: bool,
    /// There are fields that only Lodge itself may send.
    pub(crate) own_fields: bool,
    /// One of them is a signature.
    pub(crate) signed: bool,
    /// The visitor's connection is encrypted, as a trusted proxy says.
    pub(crate) https: bool,
}

impl Scan {
    /// Looks at every field once. `trusted`: the peer's forwarding fields are believed.
    pub(crate) fn of(headers: &HeaderMap, trusted: bool) -> Self {
        let mut scan = Self::default();
        for (name, value) in headers {
            match name.as_str() {
                "host" => scan.hosts += 1,
                "accept" => scan.wants_html |= accepts_html(value),
                "cookie" => scan.own_cookies |= crate::cookies::mentions_own(value.as_bytes()),
                "x-forwarded-proto" => {
                    scan.forwarding = true;
                    scan.https |= trusted && value == "https";
                }
                name if is_forwarding(name) => scan.forwarding = true,
                name if name.starts_with(OWN_FIELDS) => {
                    scan.own_fields = true;
                    scan.signed |= *name == *SIGNATURE_FIELD.as_str();
                }
                name if is_hop_by_hop(name) => scan.hop_by_hop = true,
                _ => {}
            }
        }
        scan
    }
}

fn accepts_html(accept: &HeaderValue) -> bool {
    let accept = accept.as_bytes();
    [b"text/html".as_slice(), b"application/xhtml+xml"]
        .iter()
        .any(|kind| {
            accept
                .windows(kind.len())
                .any(|window| window.eq_ignore_ascii_case(kind))
        })
}

/// Whether a field (in lower case) says through whom a request came.
pub(crate) fn is_forwarding(name: &str) -> bool {
    name == "forwarded" || name.starts_with("x-forwarded-")
}

/// Removes the fields that only Lodge itself may send.
pub(crate) fn remove_own(headers: &mut HeaderMap) {
    let doomed: Vec<HeaderName> = headers
        .keys()
        .filter(|name| name.as_str().starts_with(OWN_FIELDS))
        .cloned()
        .collect();
    for name in doomed {
        headers.remove(name);
    }
}

/// Fields that RFC 9110 section 7.6.1 and its predecessors bind to one connection. `trailer` is not
/// among them here: trailers pass through, and so does the announcement of them.
fn is_hop_by_hop(name: &str) -> bool {
    matches!(
        name,
        "connection"
            | "expect"
            | "http2-settings"
            | "keep-alive"
            | "proxy-authenticate"
            | "proxy-authorization"
            | "proxy-connection"
            | "te"
            | "transfer-encoding"
            | "upgrade"
    )
}

/// Whether any field of a response is meant for one hop only.
pub(crate) fn any_hop_by_hop(headers: &HeaderMap) -> bool {
    headers.keys().any(|name| is_hop_by_hop(name.as_str()))
}

/// Removes what is meant for one hop only, and what `Connection` names. `te: trailers` stays: it
/// tells whether the visitor takes trailers (RFC 9110 section 10.1.4).
pub(crate) fn remove_hop_by_hop(headers: &mut HeaderMap) {
    let takes_trailers = headers.get_all(header::TE).iter().any(|te| {
        te.to_str().is_ok_and(|te| {
            te.split(',')
                .any(|coding| coding.trim().eq_ignore_ascii_case("trailers"))
        })
    });
    let mut doomed: Vec<HeaderName> = headers
        .keys()
        .filter(|name| is_hop_by_hop(name.as_str()))
        .cloned()
        .collect();
    for value in headers.get_all(header::CONNECTION) {
        let names = value.to_str().unwrap_or_default().split(',');
        doomed.extend(
            names
                .filter_map(|name| name.trim().parse::<HeaderName>().ok())
                .filter(may_be_named),
        );
    }
    for name in doomed {
        headers.remove(name);
    }
    if takes_trailers {
        headers.insert(header::TE, HeaderValue::from_static("trailers"));
    }
}

/// `Connection` may name any field, but not one that says where a message goes or where it ends.
fn may_be_named(name: &HeaderName) -> bool {
    !matches!(*name, header::HOST | header::CONTENT_LENGTH)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(fields: &[(&'static str, &'static str)]) -> HeaderMap {
        fields
            .iter()
            .map(|(name, value)| {
                (
                    HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                )
            })
            .collect()
    }

    #[test]
    fn one_pass_finds_what_matters() {
        let scan = Scan::of(
            &map(&[
                ("host", "a"),
                ("accept", "application/json, Text/HTML;q=0.9"),
                ("x-forwarded-proto", "https"),
            ]),
            true,
        );
        assert!(scan.wants_html && scan.forwarding && scan.https && !scan.hop_by_hop);
        let scan = Scan::of(
            &map(&[
                ("accept", "*/*"),
                ("x-forwarded-proto", "https"),
                ("te", "x"),
            ]),
            false,
        );
        assert!(!scan.wants_html && !scan.https && scan.hop_by_hop && scan.hosts == 0);
    }

    #[test]
    fn hop_by_hop_fields_go_and_trailers_stay_wanted() {
        let mut headers = map(&[
            ("host", "a"),
            ("connection", "close, x-secret, host"),
            ("x-secret", "1"),
            ("te", "gzip, trailers"),
            ("upgrade", "websocket"),
            ("x-kept", "2"),
        ]);
        remove_hop_by_hop(&mut headers);
        assert_eq!(
            headers,
            map(&[("host", "a"), ("te", "trailers"), ("x-kept", "2")])
        );
    }
}
