//! Keeps Lodge's own cookies from guests, both ways.
//!
//! Cookies ignore ports, so a browser sends the console's cookie to apps on the same host name, and
//! takes cookies of any name from them. So the edge strips Lodge's cookies from what a guest sees,
//! and drops a guest's `Set-Cookie` that has such a name or that would reach other apps.

use http::HeaderValue;

/// Beginnings of the names that are Lodge's, whatever their case.
const OWN: &[&[u8]] = &[b"lodge_", b"__host-lodge", b"__secure-lodge"];

/// Whether some cookie in a `Cookie` field may be Lodge's.
pub(crate) fn mentions_own(cookies: &[u8]) -> bool {
    cookies.split(|b| *b == b';').any(is_own)
}

/// Whether a cookie pair has a name of Lodge's. A pair without a name counts by its value, which is
/// what a server that splits at the first `=` would take for the name.
fn is_own(pair: &[u8]) -> bool {
    let begin = pair
        .iter()
        .position(|b| !b.is_ascii_whitespace() && *b != b'=');
    let name = begin
        .and_then(|begin| pair.get(begin..))
        .unwrap_or_default();
    OWN.iter().any(|own| {
        name.get(..own.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(own))
    })
}

/// A `Cookie` field without Lodge's cookies; nothing if nothing is left.
pub(crate) fn without_own(cookies: &HeaderValue) -> Option<HeaderValue> {
    let mut kept: Vec<u8> = Vec::with_capacity(cookies.len());
    for pair in cookies
        .as_bytes()
        .split(|b| *b == b';')
        .filter(|pair| !is_own(pair))
    {
        let pair = pair.trim_ascii();
        if !pair.is_empty() {
            if !kept.is_empty() {
                kept.extend_from_slice(b"; ");
            }
            kept.extend_from_slice(pair);
        }
    }
    if kept.is_empty() {
        None
    } else {
        HeaderValue::from_bytes(&kept).ok()
    }
}

/// A guest's `Set-Cookie` as the visitor may have it; nothing if it must not. `host` is the app's
/// own host name, if that is how the request came; `prefix` the path that leads to the app.
pub(crate) fn admitted(
    cookie: &HeaderValue,
    host: Option<&str>,
    prefix: Option<&str>,
) -> Option<HeaderValue> {
    let text = cookie.as_bytes();
    let mut parts = text.split(|b| *b == b';');
    if parts.next().is_none_or(is_own) {
        return None;
    }
    let mut rooted = false;
    for attribute in parts {
        let (name, value) = split_attribute(attribute);
        if name.eq_ignore_ascii_case(b"domain") {
            let domain = value.strip_prefix(b".").unwrap_or(value);
            let own = host.is_some_and(|host| domain.eq_ignore_ascii_case(host.as_bytes()));
            if !own && !domain.is_empty() {
                return None;
            }
        }
        rooted |= name.eq_ignore_ascii_case(b"path") && value.starts_with(b"/");
    }
    match prefix {
        Some(prefix) if rooted => with_prefixed_path(text, prefix),
        _ => Some(cookie.clone()),
    }
}

fn with_prefixed_path(cookie: &[u8], prefix: &str) -> Option<HeaderValue> {
    let mut moved: Vec<u8> = Vec::with_capacity(cookie.len() + prefix.len());
    for (index, part) in cookie.split(|b| *b == b';').enumerate() {
        let (name, value) = split_attribute(part);
        if index > 0 {
            moved.push(b';');
        }
        if index > 0 && name.eq_ignore_ascii_case(b"path") && value.starts_with(b"/") {
            moved.extend_from_slice(b" Path=");
            moved.extend_from_slice(prefix.as_bytes());
            moved.extend_from_slice(value);
        } else {
            moved.extend_from_slice(part);
        }
    }
    HeaderValue::from_bytes(&moved).ok()
}

fn split_attribute(attribute: &[u8]) -> (&[u8], &[u8]) {
    let equals = attribute
        .iter()
        .position(|b| *b == b'=')
        .unwrap_or(attribute.len());
    let (name, value) = attribute.split_at(equals);
    (
        name.trim_ascii(),
        value.strip_prefix(b"=").unwrap_or(value).trim_ascii(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &'static str) -> HeaderValue {
        HeaderValue::from_static(text)
    }

    #[test]
    fn a_guest_sees_no_cookie_of_lodges() {
        for (sent, seen) in [
            ("lodge_session=x", None),
            ("a=1; lodge_session=x; b=2", Some("a=1; b=2")),
            ("a=1; LODGE_session=x", Some("a=1")),
            ("__Host-lodge_session=x;__host-LODGEx=y; c=3", Some("c=3")),
            (
                " =lodge_session=x; b=lodge_session",
                Some("b=lodge_session"),
            ),
            ("dislodge_x=1", Some("dislodge_x=1")),
        ] {
            assert_eq!(without_own(&value(sent)), seen.map(value), "{sent}");
            assert_eq!(mentions_own(sent.as_bytes()), Some(sent) != seen, "{sent}");
        }
    }

    #[test]
    fn a_guest_sets_no_cookie_beyond_its_own() {
        for (set, host) in [
            ("lodge_session=x", Some("shop.localhost")),
            ("=lodge_session=x; Path=/", Some("shop.localhost")),
            ("Lodge_x=1", None),
            ("a=1; Domain=localhost", Some("shop.localhost")),
            ("a=1; domain = .example.com", Some("shop.example.com")),
            (
                "a=1; Domain=shop.localhost; Domain=localhost",
                Some("shop.localhost"),
            ),
            ("a=1; Domain=localhost", None),
        ] {
            assert_eq!(admitted(&value(set), host, None), None, "{set}");
        }
        for set in [
            "a=1",
            "a=1; Domain=.Shop.localhost; Secure",
            "a=1; Domain=",
            "=value; Path=/",
        ] {
            assert_eq!(
                admitted(&value(set), Some("shop.localhost"), None),
                Some(value(set)),
                "{set}"
            );
        }
    }

    #[test]
    fn by_path_a_cookie_stays_below_the_apps_path() {
        for (set, seen) in [
            ("a=1; Path=/", "a=1; Path=/apps/shop/"),
            (
                "a=/; HttpOnly;path=/x; Secure",
                "a=/; HttpOnly; Path=/apps/shop/x; Secure",
            ),
            ("a=1; Path=x", "a=1; Path=x"),
            ("a=1", "a=1"),
        ] {
            assert_eq!(
                admitted(&value(set), None, Some("/apps/shop")),
                Some(value(seen)),
                "{set}"
            );
        }
    }
}
