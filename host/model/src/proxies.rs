//! Which proxies are believed when they say who is behind them: one list, read by both listeners.

use crate::Invalid;
use arc_swap::ArcSwap;
use ipnet::IpNet;
use std::net::IpAddr;
use std::sync::Arc;

/// Most networks that the list may have.
const MAX_NETWORKS: usize = 100;

/// Proxies whose `forwarded` and `x-forwarded-*` headers are believed. May change while the host runs: it
/// counts for connections that are accepted from then on.
#[derive(Debug, Default)]
pub struct TrustedProxies(ArcSwap<Vec<IpNet>>);

impl TrustedProxies {
    /// The list with these networks.
    pub fn new(networks: Vec<IpNet>) -> Self {
        Self(ArcSwap::from_pointee(networks))
    }

    /// The networks now.
    pub fn get(&self) -> Arc<Vec<IpNet>> {
        self.0.load_full()
    }

    /// From now on these networks.
    pub fn set(&self, networks: Vec<IpNet>) {
        self.0.store(Arc::new(networks));
    }

    /// Whether `peer` is one of them.
    pub fn trusts(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        self.0.load().iter().any(|net| net.contains(&peer))
    }
}

/// Reads a list of addresses and networks such as `10.0.0.0/8`.
///
/// # Errors
/// The first entry that is neither, or that there are too many; `field` names the list.
pub fn parse_networks<S: AsRef<str>>(field: &str, texts: &[S]) -> Result<Vec<IpNet>, Invalid> {
    if texts.len() > MAX_NETWORKS {
        let message = format!(
            "has {} entries; at most {MAX_NETWORKS} are allowed",
            texts.len()
        );
        return Err(Invalid::new(field, message));
    }
    let entries = texts.iter().map(AsRef::as_ref).enumerate();
    entries
        .map(|(index, text)| {
            let text = text.trim();
            let network = text
                .parse::<IpNet>()
                .or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
            network.map_err(|_| {
                let shown: String = text.chars().take(60).collect();
                let message =
                    format!("`{shown}` is neither an address nor a network such as 10.0.0.0/8");
                Invalid::new(format!("{field}[{index}]"), message)
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_networks_are_read() {
        let networks = parse_networks("trusted_proxies", &["10.0.0.0/8", " ::1 "]).unwrap();
        let proxies = TrustedProxies::new(networks);
        assert!(proxies.trusts("10.1.2.3".parse().unwrap()));
        assert!(proxies.trusts("::ffff:10.1.2.3".parse().unwrap()));
        assert!(!proxies.trusts("11.0.0.1".parse().unwrap()));
        proxies.set(Vec::new());
        assert!(!proxies.trusts("10.1.2.3".parse().unwrap()));
    }

    #[test]
    fn what_is_neither_is_named() {
        let error = parse_networks("trusted_proxies", &["::1", "here"]).unwrap_err();
        assert_eq!(error.field, "trusted_proxies[1]");
        let many = vec!["::1"; MAX_NETWORKS + 1];
        assert!(parse_networks("trusted_proxies", &many).is_err());
    }
}
