//! Who asks, seen from the network: the client's address and, for browsers, the page's origin.

use crate::problem::Problem;
use axum::extract::ConnectInfo;
use http::{HeaderMap, StatusCode, header};
use ipnet::IpNet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// The client's address: the peer's, or, where that is a trusted proxy, the last address in
/// `X-Forwarded-For` that is not. What an untrusted peer writes there is not believed.
pub(crate) fn address(
    extensions: &http::Extensions,
    headers: &HeaderMap,
    trusted: &[IpNet],
) -> IpAddr {
    let peer = peer(extensions);
    let is_trusted = |address: IpAddr| trusted.iter().any(|net| net.contains(&address));
    if !is_trusted(peer) {
        return peer;
    }
    let mut client = peer;
    let hops = headers.get_all("x-forwarded-for").iter().rev();
    for hop in hops
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.rsplit(','))
    {
        let Ok(address) = hop.trim().parse::<IpAddr>() else {
            break;
        };
        client = address.to_canonical();
        if !is_trusted(client) {
            break;
        }
    }
    client
}

/// Whether the browser speaks TLS, as a trusted proxy says that takes it off.
pub(crate) fn has_tls(
    extensions: &http::Extensions,
    headers: &HeaderMap,
    trusted: &[IpNet],
) -> bool {
    let peer = peer(extensions);
    let proto = headers.get("x-forwarded-proto");
    trusted.iter().any(|net| net.contains(&peer)) && proto.is_some_and(|proto| proto == "https")
}

fn peer(extensions: &http::Extensions) -> IpAddr {
    let info = extensions.get::<ConnectInfo<SocketAddr>>();
    info.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |info| {
        info.0.ip().to_canonical()
    })
}

/// Refuses a write that another site's page may have caused. `required`: the request carries a
/// cookie, so a browser sent it, and browsers send `Origin` with every write.
///
/// # Errors
/// 403 that says which header did not match.
pub(crate) fn check_origin(headers: &HeaderMap, required: bool) -> Result<(), Problem> {
    let text = |name: &str| {
        headers
            .get(name)
            .map(|value| value.to_str().unwrap_or_default())
    };
    let refuse = |detail: &str| {
        Err(Problem::new(StatusCode::FORBIDDEN, "cross_origin", detail.to_owned()).about("origin"))
    };
    if text("sec-fetch-site").is_some_and(|site| site != "same-origin") {
        return refuse("this page is of another origin: use the console's own, or a bearer token");
    }
    let host = text(header::HOST.as_str()).unwrap_or_default();
    match text(header::ORIGIN.as_str()) {
        Some(origin) if !host.is_empty() && is_origin_of(origin, host) => Ok(()),
        Some(_) => refuse("`Origin` is not this host: use the console's own, or a bearer token"),
        None if required => refuse(
            "a write with a cookie needs an `Origin` that is this host: or use a bearer token",
        ),
        None => Ok(()),
    }
}

/// Whether an origin is that of `host` (a `Host` header: name and port), by either scheme, since a
/// proxy may have taken TLS off.
fn is_origin_of(origin: &str, host: &str) -> bool {
    ["http://", "https://"]
        .iter()
        .filter_map(|scheme| origin.strip_prefix(scheme))
        .any(|rest| rest.eq_ignore_ascii_case(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn only_trusted_proxies_say_who_is_behind_them() {
        let seen = |peer: &str, forwarded: &[&str]| {
            let mut extensions = http::Extensions::new();
            extensions.insert(ConnectInfo(SocketAddr::new(peer.parse().unwrap(), 1)));
            let pairs: Vec<_> = forwarded
                .iter()
                .map(|value| ("x-forwarded-for", *value))
                .collect();
            let trusted = ["10.0.0.0/8".parse().unwrap()];
            address(&extensions, &headers(&pairs), &trusted).to_string()
        };
        assert_eq!(seen("1.2.3.4", &["9.9.9.9"]), "1.2.3.4");
        assert_eq!(seen("10.0.0.1", &["9.9.9.9"]), "9.9.9.9");
        assert_eq!(seen("10.0.0.1", &["6.6.6.6, 9.9.9.9, 10.0.0.2"]), "9.9.9.9");
        assert_eq!(seen("10.0.0.1", &["6.6.6.6", "9.9.9.9"]), "9.9.9.9");
        assert_eq!(seen("10.0.0.1", &["junk, 10.0.0.2"]), "10.0.0.2");
        assert_eq!(seen("10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(seen("::ffff:10.0.0.1", &["9.9.9.9"]), "9.9.9.9");
    }

    #[test]
    fn origins() {
        let host = ("host", "127.0.0.1:13001");
        let own = ("origin", "http://127.0.0.1:13001");
        let check = |pairs: &[(&'static str, &str)]| check_origin(&headers(pairs), true).is_ok();
        assert!(check(&[host, own]));
        assert!(check(&[host, own, ("sec-fetch-site", "same-origin")]));
        assert!(check(&[
            ("host", "lodge.example"),
            ("origin", "https://lodge.example")
        ]));
        assert!(!check(&[host]));
        assert!(!check(&[own]));
        assert!(!check(&[host, own, ("sec-fetch-site", "same-site")]));
        assert!(!check(&[host, ("origin", "null")]));
        // The apps' listener: same host name, other port.
        assert!(!check(&[host, ("origin", "http://127.0.0.1:13000")]));
        assert!(!check(&[
            host,
            ("origin", "http://127.0.0.1:13001.evil.example")
        ]));
        // Programs send none, and need none with a bearer token.
        assert!(check_origin(&headers(&[host]), false).is_ok());
    }
}
