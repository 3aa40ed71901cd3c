//! Host names, IDs and cookies: what parses prints back to itself, what is no host name is nobody's, and no
//! cookie of Lodge's gets through.

#![no_main]

use http::HeaderValue;
use libfuzzer_sys::fuzz_target;
use lodge_edge::{Routes, fuzzing};
use lodge_fuzz::apps::{APPS_DOMAIN, is_host_name, owner_of, routes};
use lodge_model::{AppId, Digest, EnvironmentName, OutboundHost, Phase, RouteSink, parse_networks};
use std::sync::{Arc, LazyLock};

static ROUTES: LazyLock<Arc<Routes>> = LazyLock::new(|| {
    let table = Routes::new();
    table.replace_all(routes(|_| Phase::Stopped));
    table
});

fuzz_target!(|data: &[u8]| {
    if let Ok(text) = std::str::from_utf8(data) {
        host(text);
        identifiers(text);
    }
    if let Ok(value) = HeaderValue::from_bytes(data) {
        cookies(&value);
        set_cookies(&value);
    }
});

fn host(text: &str) {
    let suffix = format!(".{APPS_DOMAIN}");
    let found = fuzzing::app_of(&ROUTES, text, Some(&suffix));
    let Some(host) = fuzzing::host(text) else {
        assert!(
            found.is_err(),
            "{text:?} is no host name and leads somewhere"
        );
        return;
    };
    assert!(is_host_name(&host.name), "{text:?} → {:?}", host.name);
    let port = host.port.strip_prefix(':').unwrap_or(&host.port);
    assert!(
        port.bytes().all(|b| b.is_ascii_digit()),
        "{text:?} → {:?}",
        host.port
    );
    let printed = format!("{}{}", host.name, host.port);
    assert_eq!(
        fuzzing::host(&printed).as_ref(),
        Some(&host),
        "{text:?} → {printed:?}"
    );
    let dotted = format!("{}.{}", host.name, host.port);
    let given = |form: &str| form.eq_ignore_ascii_case(text);
    assert!(given(&printed) || given(&dotted), "{text:?} → {printed:?}");
    let owner = owner_of(&host.name);
    match found {
        Ok(app) => assert_eq!(app.as_ref().map(AppId::as_str), owner, "{text:?}"),
        Err(_) => assert_eq!(owner, None, "{text:?}"),
    }
}

fn identifiers(text: &str) {
    if let Ok(id) = text.parse::<AppId>() {
        assert_eq!(id.to_string(), text);
        assert!(is_host_name(&id.host_label()) && !id.host_label().contains('_'));
        let own = fuzzing::host(&format!("{}.localhost", id.host_label()));
        assert!(own.is_some_and(|host| !host.is_address));
    }
    if let Ok(name) = text.parse::<EnvironmentName>() {
        assert_eq!(name.to_string(), text);
    }
    if let Ok(digest) = text.parse::<Digest>() {
        assert_eq!(digest.to_string().parse::<Digest>(), Ok(digest));
    }
    if let Ok(networks) = parse_networks("f", &[text]) {
        let printed: Vec<String> = networks.iter().map(ToString::to_string).collect();
        assert_eq!(parse_networks("f", &printed), Ok(networks));
    }
    if let Ok(host) = text.parse::<OutboundHost>() {
        assert_eq!(print(&host).parse::<OutboundHost>(), Ok(host), "{text:?}");
    }
}

fn print(host: &OutboundHost) -> String {
    let with_port = |host: String, port: &Option<u16>| match port {
        Some(port) => format!("{host}:{port}"),
        None => host,
    };
    match host {
        OutboundHost::Name { name, below, port } => {
            let star = if *below { "*." } else { "" };
            with_port(format!("{star}{name}"), port)
        }
        OutboundHost::Address { address, port } => match address {
            std::net::IpAddr::V4(address) => with_port(address.to_string(), port),
            std::net::IpAddr::V6(address) => with_port(format!("[{address}]"), port),
        },
        OutboundHost::App(app) => format!("{app}.lodge.internal"),
    }
}

fn cookies(sent: &HeaderValue) {
    let seen = fuzzing::without_own(sent);
    if let Some(seen) = &seen {
        assert!(
            !fuzzing::mentions_own(seen.as_bytes()),
            "{sent:?} → {seen:?}"
        );
        assert!(!has_own(seen.as_bytes()), "{sent:?} → {seen:?}");
        assert_eq!(fuzzing::without_own(seen).as_ref(), Some(seen), "{sent:?}");
    }
    assert!(
        fuzzing::mentions_own(sent.as_bytes()) || !has_own(sent.as_bytes()),
        "{sent:?}"
    );
}

fn set_cookies(set: &HeaderValue) {
    for (host, prefix) in [(Some("shop.localhost"), None), (None, Some("/apps/shop"))] {
        let Some(seen) = fuzzing::admitted(set, host, prefix) else {
            continue;
        };
        let pair = seen
            .as_bytes()
            .split(|b| *b == b';')
            .next()
            .unwrap_or_default();
        assert!(!has_own(pair), "{set:?} → {seen:?}");
        let attributes = seen.as_bytes().split(|b| *b == b';').skip(1);
        for attribute in
            attributes.map(|a| trimmed(&String::from_utf8_lossy(a)).to_ascii_lowercase())
        {
            let (name, value) = attribute.split_once('=').unwrap_or((&attribute, ""));
            match (trimmed(name), trimmed(value), prefix) {
                ("domain", value, _) => assert!(
                    trimmed(value.trim_start_matches('.')).is_empty()
                        || host == Some(value.strip_prefix('.').unwrap_or(value)),
                    "{set:?} → {seen:?}"
                ),
                ("path", value, Some(prefix)) if value.starts_with('/') => {
                    assert!(
                        value.starts_with(&format!("{prefix}/")),
                        "{set:?} → {seen:?}"
                    );
                }
                _ => {}
            }
        }
    }
}

/// Whether a pair of a cookie field has a name of Lodge's, as a server that trims names would see it.
fn has_own(field: &[u8]) -> bool {
    let text = String::from_utf8_lossy(field).to_ascii_lowercase();
    text.split(';').any(|pair| {
        let name = trimmed(pair.split('=').next().unwrap_or_default());
        ["lodge_", "__host-lodge", "__secure-lodge"]
            .iter()
            .any(|own| name.starts_with(own))
    })
}

/// Without the white space that a field's value can have at its ends.
fn trimmed(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}
