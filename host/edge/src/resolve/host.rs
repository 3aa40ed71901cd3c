//! Host names as requests bring them: any case, perhaps a port, perhaps a final dot.

/// The longest host name (RFC 1035), with room for a final dot.
const LONGEST: usize = 254;

/// A host name ready to be looked up, without allocation in the common case of lower case.
pub(crate) struct Host<'a> {
    /// As it came, port included.
    given: &'a str,
    name_length: usize,
    lowered: Option<Box<[u8; LONGEST]>>,
    /// An IPv6 or IPv4 address instead of a name.
    pub(crate) is_address: bool,
}

impl<'a> Host<'a> {
    /// Splits `name[:port]`. Nothing if that is not what it is.
    pub(crate) fn parse(given: &'a str) -> Option<Self> {
        if given.starts_with('[') {
            return Self::parse_v6(given);
        }
        let (name, port) = given.split_once(':').unwrap_or((given, ""));
        let name = name.strip_suffix('.').unwrap_or(name);
        // No label is empty, so that a name has one spelling: `a..` would be another of `a.`.
        let mut before = b'.';
        let well_formed = name.len() < LONGEST
            && name.bytes().all(|b| {
                let dot = b == b'.' && before != b'.';
                before = b;
                dot || b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')
            })
            && before != b'.'
            && port.bytes().all(|b| b.is_ascii_digit());
        if !well_formed {
            return None;
        }
        Some(Self {
            given,
            name_length: name.len(),
            lowered: lowered(name),
            // A name's last label is never all digits (RFC 3696), an IPv4 address's always is.
            is_address: name.bytes().last().is_some_and(|b| b.is_ascii_digit())
                && name.parse::<std::net::Ipv4Addr>().is_ok(),
        })
    }

    fn parse_v6(given: &'a str) -> Option<Self> {
        let (address, port) = given.get(1..)?.split_once(']')?;
        let port = if port.is_empty() {
            ""
        } else {
            port.strip_prefix(':')?
        };
        address.parse::<std::net::Ipv6Addr>().ok()?;
        port.bytes().all(|b| b.is_ascii_digit()).then_some(())?;
        Some(Self {
            given,
            name_length: address.len() + 2,
            lowered: None,
            is_address: true,
        })
    }

    /// The name in lower case, without port and final dot.
    pub(crate) fn name(&self) -> &str {
        match &self.lowered {
            Some(bytes) => bytes
                .get(..self.name_length)
                .and_then(|bytes| std::str::from_utf8(bytes).ok())
                .unwrap_or_default(),
            None => self.given.get(..self.name_length).unwrap_or_default(),
        }
    }

    /// The port with its colon, or nothing.
    pub(crate) fn port(&self) -> &str {
        let after = self.given.get(self.name_length..).unwrap_or_default();
        after.strip_prefix('.').unwrap_or(after)
    }

    /// Whether it names this machine from its own point of view.
    pub(crate) fn is_loopback(&self) -> bool {
        let name = self.name();
        let bare = name.trim_start_matches('[').trim_end_matches(']');
        name == "localhost"
            || bare
                .parse::<std::net::IpAddr>()
                .is_ok_and(|address| address.is_loopback())
    }
}

fn lowered(name: &str) -> Option<Box<[u8; LONGEST]>> {
    if !name.bytes().any(|b| b.is_ascii_uppercase()) {
        return None;
    }
    let mut bytes = Box::new([0; LONGEST]);
    for (to, from) in bytes.iter_mut().zip(name.bytes()) {
        *to = from.to_ascii_lowercase();
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_lowered_and_ports_split_off() {
        for (given, name, port) in [
            ("shop.localhost", "shop.localhost", ""),
            ("Shop.LOCALHOST:13000", "shop.localhost", ":13000"),
            ("shop.localhost.:80", "shop.localhost", ":80"),
            ("127.0.0.1:13000", "127.0.0.1", ":13000"),
            ("[::1]:13000", "[::1]", ":13000"),
            ("[::1]", "[::1]", ""),
        ] {
            let host = Host::parse(given).unwrap();
            assert_eq!((host.name(), host.port()), (name, port), "{given}");
        }
    }

    #[test]
    fn what_is_no_host_name_is_refused() {
        let long = "a".repeat(LONGEST);
        for bad in [
            "", ".", "..", "a..", ".a", "a..b", ":80", "a b", "a@b", "a/b", "a:8x", "ä.b", "[::1",
            "[zz]", "[::1]x", "a,b", &long,
        ] {
            assert!(Host::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn loopback_is_recognized() {
        for (given, loopback) in [
            ("localhost:1", true),
            ("127.0.0.1", true),
            ("[::1]:2", true),
            ("10.0.0.1", false),
            ("a.b", false),
        ] {
            assert_eq!(
                Host::parse(given).unwrap().is_loopback(),
                loopback,
                "{given}"
            );
        }
    }
}
