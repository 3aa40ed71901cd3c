//! The apps that the targets' hosts have, and whose host name is whose, said a second time and as simply as
//! can be: by comparing whole names.

use lodge_model::{AppId, AppMeter, Limits, PathAccess, Phase, Route};
use std::sync::Arc;

/// What apps have names below, beside `localhost`.
pub const APPS_DOMAIN: &str = "apps.example.com";

/// One app: its ID, its host name label, its domain.
pub struct Known {
    pub id: &'static str,
    pub label: &'static str,
    pub domain: &'static str,
    pub path_access: PathAccess,
}

/// All of them.
pub const APPS: [Known; 4] = [
    Known {
        id: "shop",
        label: "shop",
        domain: "shop.example.com",
        path_access: PathAccess::Serve,
    },
    Known {
        id: "a_b",
        label: "a-b",
        domain: "ab.example.org",
        path_access: PathAccess::Serve,
    },
    Known {
        id: "moved",
        label: "moved",
        domain: "moved.example.org",
        path_access: PathAccess::Redirect,
    },
    Known {
        id: "hidden",
        label: "hidden",
        domain: "hidden.example.org",
        path_access: PathAccess::Off,
    },
];

/// Whose own host name this is: lower case, without port and final dot.
pub fn owner_of(name: &str) -> Option<&'static str> {
    let owns = |app: &&Known| {
        let labels = [app.id, app.label].into_iter();
        let mut names =
            labels.flat_map(|l| [format!("{l}.localhost"), format!("{l}.{APPS_DOMAIN}")]);
        name == app.domain || names.any(|own| own == name)
    };
    APPS.iter().find(owns).map(|app| app.id)
}

/// Whether this is a host name or an address, as RFC 1123 has it; `_` counts as a letter.
pub fn is_host_name(name: &str) -> bool {
    let address = name
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    match address {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => {
            let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c);
            let label = |label: &str| !label.is_empty() && label.chars().all(letter);
            name.len() <= 253 && name.split('.').all(label)
        }
    }
}

/// Their routes.
pub fn routes(phase: impl Fn(&AppId) -> Phase) -> Vec<Route> {
    let route = |known: &Known| {
        let app: AppId = known.id.parse().expect("an ID");
        Route {
            domains: vec![known.domain.to_owned()],
            path_access: known.path_access,
            limits: Limits::default(),
            meter: Arc::new(AppMeter::default()),
            phase: phase(&app),
            app,
        }
    };
    APPS.iter().map(route).collect()
}
