//! Where an app is reached, as answers show it.

use http::HeaderMap;
use lodge_model::{App, PathAccess};
use std::net::SocketAddr;

/// What is known of the apps' listener.
#[derive(Debug, Clone, Default)]
pub struct Addresses {
    /// Where it listens.
    pub listen: Option<SocketAddr>,
    /// The domain under which every app has a name (`APPS_DOMAIN`).
    pub apps_domain: Option<String>,
}

impl Addresses {
    /// The URLs of an app, the most isolated first: a domain of its own, its name under
    /// `APPS_DOMAIN`, its name under `localhost`, its path. `headers` are those of the request
    /// that asks: by the name under which the asker reaches the console they reach the apps too.
    pub(crate) fn of(&self, app: &App, headers: &HeaderMap) -> Vec<String> {
        let port = self.listen.map_or(80, |listen| listen.port());
        let url = |host: &str| match port {
            80 => format!("http://{host}/"),
            port => format!("http://{host}:{port}/"),
        };
        let asked = asked_host(headers);
        let label = app.id.host_label();
        let mut urls: Vec<String> = app.domains.iter().map(|domain| url(domain)).collect();
        if let Some(domain) = &self.apps_domain {
            urls.push(url(&format!("{label}.{domain}")));
        }
        if is_loopback(asked) {
            urls.push(url(&format!("{label}.localhost")));
        }
        if app.path_access == PathAccess::Serve {
            urls.push(format!("{}apps/{}/", url(asked), app.id));
        }
        urls
    }
}

/// The host name in the request's `Host`, without its port.
fn asked_host(headers: &HeaderMap) -> &str {
    let host = headers
        .get(http::header::HOST)
        .and_then(|value| value.to_str().ok());
    let host = host.filter(|host| !host.is_empty()).unwrap_or("localhost");
    match host.rsplit_once(':') {
        // In `[::1]` the last colon is part of the address.
        Some((name, port)) if !port.ends_with(']') => name,
        _ => host,
    }
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || host.ends_with(".localhost")
        || address
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn app(domains: &[&str], path_access: &str) -> App {
        let digest = "00".repeat(32);
        serde_json::from_value(json!({
            "id": "my_shop", "display_name": "Shop", "start_mode": "on_first_visit",
            "component": {"name": "c", "version": "1", "digest": digest},
            "environments": ["local"], "database": {"kind": "none"}, "auto_upgrade": false,
            "jwt": {"independent": true}, "domains": domains, "limits": {}, "config": {},
            "outbound_hosts": [], "path_access": path_access, "desired": "running",
            "created_at": 0, "updated_at": 0,
        }))
        .unwrap()
    }

    fn urls(host: &str, port: u16, domain: Option<&str>, app: &App) -> Vec<String> {
        let mut headers = HeaderMap::new();
        headers.insert("host", host.parse().unwrap());
        let listen = Some(SocketAddr::from(([0, 0, 0, 0], port)));
        Addresses {
            listen,
            apps_domain: domain.map(str::to_owned),
        }
        .of(app, &headers)
    }

    #[test]
    fn the_most_isolated_way_comes_first() {
        assert_eq!(
            urls(
                "127.0.0.1:13001",
                13000,
                Some("apps.example"),
                &app(&["shop.example"], "serve")
            ),
            [
                "http://shop.example:13000/",
                "http://my-shop.apps.example:13000/",
                "http://my-shop.localhost:13000/",
                "http://127.0.0.1:13000/apps/my_shop/",
            ]
        );
    }

    #[test]
    fn only_what_can_be_reached_is_shown() {
        assert_eq!(
            urls("lodge.example", 80, None, &app(&[], "serve")),
            ["http://lodge.example/apps/my_shop/"]
        );
        assert!(urls("lodge.example", 80, None, &app(&[], "off")).is_empty());
        assert_eq!(
            urls("[::1]:1", 80, None, &app(&[], "redirect")),
            ["http://my-shop.localhost/"]
        );
    }
}
