//! Where a request wants to go, as its URI says it.

use http::Uri;
use lodge_model::{AppId, INTERNAL_DOMAIN, OutboundError, OutboundHost, ends_in_number};
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

/// The other side of one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) place: Place,
    pub(super) port: u16,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// To be looked up; lower case, without a final dot.
    Name(String),
    /// Written as an address.
    Address(IpAddr),
    /// An app of this host.
    App(AppId),
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Name(name) => write!(f, "{name}:{}", self.port),
            Place::Address(IpAddr::V6(address)) => write!(f, "[{address}]:{}", self.port),
            Place::Address(address) => write!(f, "{address}:{}", self.port),
            Place::App(app) => write!(f, "{}.{INTERNAL_DOMAIN}", app.host_label()),
        }
    }
}

impl Target {
    /// Reads an absolute URI.
    pub(super) fn of(uri: &Uri) -> Result<Self, OutboundError> {
        let malformed = |text: &str| OutboundError::Malformed(text.into());
        let default_port = match uri.scheme_str() {
            Some("http") => 80,
            Some("https") => 443,
            _ => return Err(malformed("only absolute http and https URIs can be called")),
        };
        let authority = uri.authority().map_or("", |a| a.as_str());
        if authority.contains('@') {
            return Err(malformed(
                "a URI must not hold a user or password: send an `authorization` header",
            ));
        }
        let host = uri.host().unwrap_or("");
        let port = match authority.get(host.len()..).unwrap_or("") {
            "" => default_port,
            port => port
                .strip_prefix(':')
                .and_then(|port| port.parse::<u16>().ok())
                .filter(|port| *port != 0)
                .ok_or_else(|| malformed("the URI's port is not one"))?,
        };
        let place = place(host)?;
        if matches!(place, Place::App(_)) && (default_port, port) != (80, 80) {
            return Err(malformed(
                "apps of this host are called by `http://{app}.lodge.internal/`, without TLS or port",
            ));
        }
        Ok(Self { place, port })
    }

    /// Whether `grant` opens the way there.
    pub(super) fn is_opened_by(&self, grant: &OutboundHost) -> bool {
        match (&self.place, grant) {
            (Place::Name(wanted), OutboundHost::Name { name, below, port }) => {
                let matches = match below {
                    false => **name == **wanted,
                    true => wanted
                        .strip_suffix(&**name)
                        .is_some_and(|rest| rest.len() > 1 && rest.ends_with('.')),
                };
                matches && OutboundHost::opens_port(*port, self.port)
            }
            (Place::Address(wanted), OutboundHost::Address { address, port }) => {
                wanted == address && OutboundHost::opens_port(*port, self.port)
            }
            // Two apps never share a label, so either spelling means one app.
            (Place::App(wanted), OutboundHost::App(app)) => wanted.host_label() == app.host_label(),
            _ => false,
        }
    }
}

fn place(host: &str) -> Result<Place, OutboundError> {
    if let Some(address) = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')) {
        let address = address.parse::<Ipv6Addr>().map_err(|_| {
            OutboundError::Malformed("the URI's host is not an IPv6 address".into())
        })?;
        return Ok(Place::Address(IpAddr::V6(address).to_canonical()));
    }
    if let Ok(address) = host.parse() {
        return Ok(Place::Address(IpAddr::V4(address)));
    }
    let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    let allowed = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.');
    let labels = host
        .split('.')
        .all(|label| !label.is_empty() && label.len() <= 63);
    if host.len() > 253 || !labels || !host.bytes().all(allowed) {
        return Err(OutboundError::Malformed(
            "the URI's host is not a host name".into(),
        ));
    }
    if ends_in_number(&host) {
        return Err(OutboundError::Denied(format!(
            "`{host}` is an address in an unusual spelling: write four decimal numbers"
        )));
    }
    match host.strip_suffix(INTERNAL_DOMAIN) {
        Some(rest) if rest.is_empty() || rest.ends_with('.') => {
            let app = rest.strip_suffix('.').unwrap_or(rest).parse::<AppId>();
            app.map(Place::App).map_err(|_| {
                OutboundError::NameNotFound(format!("`{host}` is not the name of an app"))
            })
        }
        _ => Ok(Place::Name(host)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(uri: &str) -> Result<Target, OutboundError> {
        Target::of(&uri.parse().unwrap())
    }

    fn opened(uri: &str, grant: &str) -> bool {
        target(uri).unwrap().is_opened_by(&grant.parse().unwrap())
    }

    #[test]
    fn grants_open_what_they_say() {
        for (uri, grant) in [
            ("https://api.example.com/x?y", "api.example.com"),
            ("http://API.Example.COM./", "api.example.com"),
            ("https://a.example.com:8443/", "a.example.com:8443"),
            ("https://a.example.com/", "*.example.com"),
            ("https://a.b.example.com/", "*.example.com"),
            ("http://127.0.0.1:8080/", "127.0.0.1:8080"),
            ("http://[::ffff:10.0.0.5]/", "10.0.0.5"),
            ("http://[2001:db8:0::1]/", "[2001:db8::1]"),
            ("http://a-1.lodge.internal/", "a_1.lodge.internal"),
            ("http://a_1.lodge.internal/", "a-1.lodge.internal"),
        ] {
            assert!(opened(uri, grant), "{uri} by {grant}");
        }
    }

    #[test]
    fn and_nothing_else() {
        for (uri, grant) in [
            ("https://example.com/", "*.example.com"),
            ("https://evilexample.com/", "*.example.com"),
            ("https://example.com.evil.org/", "example.com"),
            ("https://a.example.com/", "example.com"),
            ("https://example.com:8443/", "example.com"),
            ("https://example.com/", "example.com:8443"),
            ("http://127.0.0.1:81/", "127.0.0.1"),
            ("http://127.0.0.2/", "127.0.0.1"),
            ("http://[::7f00:1]/", "127.0.0.1"),
            ("http://shop.lodge.internal/", "*.internal"),
            ("http://shop.lodge.internal/", "blog.lodge.internal"),
        ] {
            assert!(!opened(uri, grant), "{uri} by {grant}");
        }
    }

    #[test]
    fn unusual_addresses_have_no_spelling() {
        for uri in [
            "http://2130706433/",
            "http://0x7f.1/",
            "http://0x7f000001/",
            "http://0177.0.0.1/",
            "http://127.1/",
            "http://127.0.0.1./",
            "http://1.2.3.4.5/",
            "http://example.0x1/",
        ] {
            assert!(
                matches!(target(uri), Err(OutboundError::Denied(_))),
                "{uri}"
            );
        }
        for uri in [
            "http://user:secret@example.com/",
            "ftp://example.com/",
            "http://example.com:0/",
            "http://example.com:99999/",
            "http://example.com:/",
            "http://a..b/",
            "/x",
            "http://[::1%25eth0]/",
            "https://shop.lodge.internal/",
            "http://shop.lodge.internal:81/",
        ] {
            let Ok(uri) = uri.parse::<Uri>() else {
                continue;
            };
            let refused = Target::of(&uri);
            assert!(
                matches!(refused, Err(OutboundError::Malformed(_))),
                "{uri}: {refused:?}"
            );
            assert!(!format!("{refused:?}").contains("secret"));
        }
        assert!(matches!(
            target("http://lodge.internal/"),
            Err(OutboundError::NameNotFound(_))
        ));
    }
}
