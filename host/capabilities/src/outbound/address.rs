//! Which addresses belong to the public internet.
//!
//! The lists are IANA's special-purpose registries (RFC 6890 and its updates). IPv6 is refused
//! outside 2000::/3, the only block from which global unicast is given.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether an address is one that anybody may call. Forms that carry an IPv4 address are judged by
/// that.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => match nat64(address) {
            Some(address) => is_public_v4(address),
            None => is_public_v6(address),
        },
    }
}

/// The IPv4 address inside an IPv6 one, however it is wrapped: what a gateway may unwrap it to.
pub(super) fn embedded(address: IpAddr) -> Option<IpAddr> {
    let IpAddr::V6(address) = address else {
        return None;
    };
    let compatible = || match address.segments() {
        [0, 0, 0, 0, 0, 0, high, low] => Some(join(high, low)),
        _ => None,
    };
    let mapped = address.to_ipv4_mapped();
    let v4 = mapped
        .or_else(compatible)
        .or_else(|| nat64(address))
        .or_else(|| six_to_four(address));
    v4.map(IpAddr::V4)
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    // Azure's metadata and wire server has an address that is public elsewhere.
    const AZURE_WIRE_SERVER: [u8; 4] = [168, 63, 129, 16];
    match address.octets() {
        AZURE_WIRE_SERVER => false,
        // This network, private, shared (CGNAT), loopback, link-local with the metadata services.
        [0 | 10 | 127, ..] | [100, 64..=127, ..] | [169, 254, ..] => false,
        [172, 16..=31, ..] | [192, 168, ..] => false,
        // Protocol assignments, documentation, 6to4 relays, benchmarks.
        [192, 0, 0 | 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => false,
        [192, 88, 99, _] | [198, 18 | 19, ..] => false,
        // Multicast, reserved, broadcast.
        [224..=255, ..] => false,
        _ => true,
    }
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    match segments {
        // Protocol assignments with Teredo, documentation (twice), 6to4.
        [0x2001, 0..=0x01ff, ..] | [0x2001, 0x0db8, ..] | [0x2002, ..] => false,
        [0x3fff, 0..=0x0fff, ..] => false,
        // ISATAP: the last half carries an IPv4 address.
        [.., 0 | 0x0200, 0x5efe, high, low] => is_public_v4(join(high, low)),
        [0x2000..=0x3fff, ..] => true,
        _ => false,
    }
}

/// NAT64's well-known prefix (RFC 6052): how hosts without IPv4 see the public IPv4 internet.
fn nat64(address: Ipv6Addr) -> Option<Ipv4Addr> {
    match address.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => Some(join(high, low)),
        _ => None,
    }
}

fn six_to_four(address: Ipv6Addr) -> Option<Ipv4Addr> {
    match address.segments() {
        [0x2002, high, low, ..] => Some(join(high, low)),
        _ => None,
    }
}

fn join(high: u16, low: u16) -> Ipv4Addr {
    Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_special_block_is_refused_and_its_neighbours_are_not() {
        for private in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.5",
            "100.64.0.1",
            "100.100.100.200",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "168.63.129.16",
            "::",
            "::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "100::1",
            "2001:db8::1",
            "3fff::1",
            "2001::1",
            "2001:20::1",
            "5f00::1",
            "64:ff9b:1::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "::8.8.8.8",
            "64:ff9b::7f00:1",
            "64:ff9b::a9fe:a9fe",
            "2002:7f00:1::",
            "2002:808:808::",
            "2606:4700::5efe:a00:1",
        ] {
            assert!(!is_public(private.parse().unwrap()), "{private}");
        }
        for public in [
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.1",
            "169.253.0.1",
            "172.15.255.255",
            "172.32.0.0",
            "192.167.0.1",
            "192.169.0.1",
            "198.17.0.1",
            "198.20.0.1",
            "223.255.255.255",
            "2606:4700::1111",
            "2a00:1450::1",
            "2001:4860:4860::8888",
            "2001:200::1",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
        ] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
    }

    #[test]
    fn a_wrapped_address_is_unwrapped() {
        for wrapped in [
            "::ffff:1.2.3.4",
            "::1.2.3.4",
            "64:ff9b::1.2.3.4",
            "2002:102:304::7",
        ] {
            let inner = embedded(wrapped.parse().unwrap());
            assert_eq!(inner, Some("1.2.3.4".parse().unwrap()), "{wrapped}");
        }
        assert_eq!(embedded("2606:4700::1".parse().unwrap()), None);
    }
}
