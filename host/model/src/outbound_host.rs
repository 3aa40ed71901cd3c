//! A host that an app may call, as an administrator writes it.

use crate::{AppId, Invalid};
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

/// The domain of calls between apps: `{id}.lodge.internal`. Never looked up.
pub const INTERNAL_DOMAIN: &str = "lodge.internal";

const REMEDY: &str = "write `api.example.com`, `*.example.com`, `api.example.com:8443`, an address \
                      such as `10.0.0.5:8080` or `[2001:db8::1]`, or `{app}.lodge.internal`";

/// One entry of `outbound_hosts`. Without a port it means ports 80 and 443.
///
/// - `api.example.com`: that name.
/// - `*.example.com`: every name below it, at any depth, and not `example.com` itself.
/// - `10.0.0.5`, `[fd00::5]`: exactly that address, be it private. A name never opens a private
///   address.
/// - `shop.lodge.internal`: the app `shop`, called in this process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutboundHost {
    /// A name, lower case; `below`: the names below it instead of itself.
    Name {
        /// The name without `*.`.
        name: Box<str>,
        /// Whether it was written with `*.`.
        below: bool,
        /// The one port; none: 80 and 443.
        port: Option<u16>,
    },
    /// An address.
    Address {
        /// As written, except that an IPv4 address in IPv6 form is IPv4.
        address: IpAddr,
        /// The one port; none: 80 and 443.
        port: Option<u16>,
    },
    /// An app of this host, by its ID or its host name label.
    App(AppId),
}

impl OutboundHost {
    /// Whether this entry opens `port`.
    #[must_use]
    pub fn opens_port(port: Option<u16>, wanted: u16) -> bool {
        port.map_or(matches!(wanted, 80 | 443), |port| port == wanted)
    }
}

impl FromStr for OutboundHost {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        parse(text).ok_or_else(|| {
            Invalid::new(
                "outbound_hosts",
                format!("`{text}` is not a host to call: {REMEDY}"),
            )
        })
    }
}

fn parse(text: &str) -> Option<OutboundHost> {
    if let Some(rest) = text.strip_prefix('[') {
        let (address, rest) = rest.split_once(']')?;
        let address = IpAddr::V6(address.parse::<Ipv6Addr>().ok()?).to_canonical();
        let port = match rest {
            "" => None,
            rest => Some(parse_port(rest.strip_prefix(':')?)?),
        };
        return Some(OutboundHost::Address { address, port });
    }
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) => (host, Some(parse_port(port)?)),
        None => (text, None),
    };
    if let Ok(address) = host.parse::<std::net::Ipv4Addr>() {
        let address = IpAddr::V4(address);
        return Some(OutboundHost::Address { address, port });
    }
    let (name, below) = match host.strip_prefix("*.") {
        Some(name) => (name, true),
        None => (host, false),
    };
    if is_internal(name) {
        let app = name.strip_suffix(INTERNAL_DOMAIN)?.strip_suffix('.')?;
        let plain = !below && port.is_none();
        return plain.then_some(OutboundHost::App(app.parse().ok()?));
    }
    let name = is_host_name(name).then(|| name.into())?;
    Some(OutboundHost::Name { name, below, port })
}

fn parse_port(text: &str) -> Option<u16> {
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|port| digits && *port != 0)
}

fn is_internal(name: &str) -> bool {
    name.strip_suffix(INTERNAL_DOMAIN)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// A host name by RFC 1123: labels of letters, digits and inner hyphens, 253 characters in all. One
/// that ends in a number, decimal, octal or hexadecimal, is an address in disguise and no name.
pub(crate) fn is_host_name(name: &str) -> bool {
    let label = |l: &str| {
        !l.is_empty()
            && l.len() <= 63
            && !l.starts_with('-')
            && !l.ends_with('-')
            && l.bytes()
                .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'))
    };
    name.len() <= 253 && name.split('.').all(label) && !ends_in_number(name)
}

/// Whether the last label would be read as a number by what resolves names (as the URL standard has
/// it): `2130706433`, `0x7f.1`, `127.0.0.010`.
#[must_use]
pub fn ends_in_number(name: &str) -> bool {
    let last = name.trim_end_matches('.').rsplit('.').next().unwrap_or("");
    let hex = last
        .strip_prefix("0x")
        .or_else(|| last.strip_prefix("0X"))
        .is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
    hex || (!last.is_empty() && last.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_addresses_and_apps_are_told_apart() {
        let below = OutboundHost::Name {
            name: "example.com".into(),
            below: true,
            port: Some(8443),
        };
        assert_eq!("*.example.com:8443".parse::<OutboundHost>().unwrap(), below);
        let address = |address: &str, port| OutboundHost::Address {
            address: address.parse().unwrap(),
            port,
        };
        for (text, meant) in [
            ("10.0.0.5", address("10.0.0.5", None)),
            ("127.0.0.1:8080", address("127.0.0.1", Some(8080))),
            ("[::1]:8080", address("::1", Some(8080))),
            ("[fd00::5]", address("fd00::5", None)),
            ("[::ffff:10.0.0.5]", address("10.0.0.5", None)),
            (
                "a_1.lodge.internal",
                OutboundHost::App("a_1".parse().unwrap()),
            ),
        ] {
            assert_eq!(text.parse::<OutboundHost>().unwrap(), meant, "{text}");
        }
    }

    #[test]
    fn what_is_unclear_is_refused() {
        for bad in [
            "",
            "*",
            "*.*.b",
            "https://a.b",
            "a.b/c",
            "a.b:",
            "a.b:0",
            "a.b:+80",
            "a.b:x",
            "A.b",
            "a..b",
            "::1",
            "[::1",
            "[::1]8080",
            "[1.2.3.4]",
            "[fe80::1%eth0]",
            "2130706433",
            "0x7f.1",
            "127.1",
            "127.0.0.010",
            "*.10.0.0.5",
            "user@a.b",
            "lodge.internal",
            "*.lodge.internal",
            "shop.lodge.internal:80",
            "A.lodge.internal",
            "x.y.lodge.internal",
        ] {
            assert!(bad.parse::<OutboundHost>().is_err(), "{bad}");
        }
    }

    #[test]
    fn without_a_port_the_two_of_the_web_are_meant() {
        assert!(OutboundHost::opens_port(None, 80) && OutboundHost::opens_port(None, 443));
        assert!(
            !OutboundHost::opens_port(None, 8080) && OutboundHost::opens_port(Some(8080), 8080)
        );
    }
}
