//! Heads of requests and responses: what may pass.

use http::header::{
    CONNECTION, CONTENT_LENGTH, EXPECT, HOST, HeaderMap, HeaderName, HeaderValue,
    PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRANSFER_ENCODING, UPGRADE,
};
use http::request::Parts;
use http::{Method, Version};
use lodge_model::OutboundError;

/// A head, in bytes: its URI or status, names and values.
pub(super) const HEAD_BYTES: usize = 64 * 1024;

/// Fields of a head.
pub(super) const HEAD_FIELDS: usize = 100;

/// Fields that belong to one connection (RFC 9110, 7.6.1), which is the host's.
const HOP_BY_HOP: [HeaderName; 8] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TE,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// Makes a guest's head fit to be sent: the host is the URI's, the connection the host's.
/// `body_bytes` is the body's length where it is known. Tells the head's size in bytes.
pub(super) fn clean_request(
    head: &mut Parts,
    body_bytes: Option<u64>,
) -> Result<usize, OutboundError> {
    if head.method == Method::CONNECT {
        return Err(OutboundError::Malformed(
            "CONNECT makes tunnels, which are not offered".into(),
        ));
    }
    let uri_bytes = head
        .uri
        .path_and_query()
        .map_or(0, |path| path.as_str().len());
    let bytes = uri_bytes + size(&head.headers);
    if bytes > HEAD_BYTES || head.headers.len() > HEAD_FIELDS {
        return Err(OutboundError::LimitExceeded(format!(
            "the request's head has {bytes} bytes in {} fields; {HEAD_BYTES} and {HEAD_FIELDS} are the most",
            head.headers.len()
        )));
    }
    let length = content_length(&head.headers, body_bytes)?;
    let trailers = head.headers.get_all(TE).iter().any(|te| te == "trailers");
    remove_hop_by_hop(&mut head.headers);
    head.headers.remove(HOST);
    // Nobody would wait for the 100 that it asks for.
    head.headers.remove(EXPECT);
    match length {
        Some(length) => head
            .headers
            .insert(CONTENT_LENGTH, HeaderValue::from(length)),
        None => head.headers.remove(CONTENT_LENGTH),
    };
    if trailers {
        head.headers
            .insert(TE, HeaderValue::from_static("trailers"));
    }
    // What the connection speaks is the host's matter.
    head.version = Version::HTTP_11;
    Ok(bytes)
}

/// Takes what belongs to the connection out of a response's head, and refuses one that is too large:
/// the client's own bound is by what it happens to have read.
pub(super) fn clean_response(headers: &mut HeaderMap) -> Result<(), OutboundError> {
    if size(headers) > HEAD_BYTES || headers.len() > HEAD_FIELDS {
        return Err(too_large());
    }
    remove_hop_by_hop(headers);
    Ok(())
}

/// What a guest is told of a response with too large a head.
pub(super) fn too_large() -> OutboundError {
    OutboundError::LimitExceeded(format!(
        "the response's head has more than {HEAD_BYTES} bytes or {HEAD_FIELDS} fields"
    ))
}

/// The length that the head promises, if it does: one number, and the body's where that is known, so
/// that no two readers see different bodies. A known length that the head is silent of is added by
/// the client.
fn content_length(
    headers: &HeaderMap,
    body_bytes: Option<u64>,
) -> Result<Option<u64>, OutboundError> {
    let mut length = None;
    for value in headers.get_all(CONTENT_LENGTH) {
        let digits = value.to_str().ok();
        let digits = digits.filter(|d| !d.is_empty() && d.bytes().all(|b| b.is_ascii_digit()));
        let this = digits.and_then(|digits| digits.parse::<u64>().ok());
        let fits = this.is_some()
            && (length.is_none() || length == this)
            && (body_bytes.is_none() || body_bytes == this);
        if !fits {
            return Err(OutboundError::Malformed(
                "the request's content-length is not its body's length".into(),
            ));
        }
        length = this;
    }
    Ok(length)
}

fn remove_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|names| names.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named.iter().chain(&HOP_BY_HOP) {
        headers.remove(name);
    }
}

/// As HTTP/2 counts it (RFC 9113, 6.5.2).
fn size(headers: &HeaderMap) -> usize {
    headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + 32)
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    fn clean(headers: &[(&str, &str)], body: Option<u64>) -> Result<Parts, OutboundError> {
        let mut request = Request::builder().uri("http://example.com/");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut head = request.body(()).unwrap().into_parts().0;
        clean_request(&mut head, body).map(|_| head)
    }

    #[test]
    fn the_connection_is_the_hosts() {
        let head = clean(
            &[
                ("host", "other.example"),
                ("connection", "close, x-mine"),
                ("x-mine", "1"),
                ("transfer-encoding", "chunked"),
                ("upgrade", "websocket"),
                ("proxy-authorization", "x"),
                ("te", "trailers"),
                ("expect", "100-continue"),
                ("authorization", "stays"),
            ],
            None,
        );
        let mut names: Vec<_> = head
            .unwrap()
            .headers
            .keys()
            .map(|n| n.to_string())
            .collect();
        names.sort();
        assert_eq!(names, ["authorization", "te"]);
    }

    #[test]
    fn one_length_and_the_true_one() {
        let ok = |headers: &[(&str, &str)], body| {
            clean(headers, body)
                .unwrap()
                .headers
                .get(CONTENT_LENGTH)
                .cloned()
        };
        assert_eq!(ok(&[("content-length", "5")], None).unwrap(), "5");
        assert_eq!(
            ok(&[("content-length", "5"), ("content-length", "5")], Some(5)).unwrap(),
            "5"
        );
        assert_eq!(ok(&[], Some(5)), None);
        for (headers, body) in [
            (vec![("content-length", "5"), ("content-length", "6")], None),
            (vec![("content-length", "5")], Some(6)),
            (vec![("content-length", "+5")], None),
            (vec![("content-length", "5, 5")], None),
            (vec![("content-length", "")], None),
        ] {
            assert!(
                matches!(clean(&headers, body), Err(OutboundError::Malformed(_))),
                "{headers:?}"
            );
        }
    }

    #[test]
    fn heads_are_bounded() {
        let value = "x".repeat(HEAD_BYTES);
        let refused = clean(&[("x-large", &value)], None);
        assert!(matches!(refused, Err(OutboundError::LimitExceeded(_))));
        let refused = clean(&vec![("x-many", "1"); HEAD_FIELDS + 1], None);
        assert!(matches!(refused, Err(OutboundError::LimitExceeded(_))));
        clean(&vec![("x-many", "1"); HEAD_FIELDS], None).unwrap();
    }
}
